"""A sink that keeps reports and can be waited on, and pairs of a server with the link that reaches it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from groundstation.links import open_link
from groundstation.links.base import Chunk, Idle, Link, RelayGap, Report, TransportChange
from hil.lander_io.servers import ByteServer, PtyServer, ZmqServer

PATIENCE_S = 8.0
KINDS = ("pty", "tcp", "ipc")
R = TypeVar("R", Chunk, TransportChange, Idle, RelayGap)


class Sink:
    """Keeps every report in order."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._changed = threading.Condition()

    def __call__(self, report: Report) -> None:
        with self._changed:
            self.reports.append(report)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[], bool], what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(wanted, PATIENCE_S), f"no {what} in {self.reports[-5:]}"

    def wait_for(self, state: str, count: int = 1) -> TransportChange:
        """The ``count``-th change to ``state``."""
        self.wait(lambda: len(self.changes(state)) >= count, state)
        return self.changes(state)[count - 1]

    def wait_bytes(self, count: int) -> bytes:
        self.wait(lambda: sum(len(c.data) for c in self.of(Chunk)) >= count, f"{count} bytes")
        return b"".join(c.data for c in self.of(Chunk))

    def of(self, kind: type[R]) -> list[R]:
        return [r for r in self.reports if isinstance(r, kind)]

    def changes(self, state: str) -> list[TransportChange]:
        return [r for r in self.of(TransportChange) if r.state == state]


def serve(kind: str, tmp_path: Path, url: str | None = None) -> ByteServer:
    """A server; ``url`` is where an earlier one of this kind was."""
    if kind == "pty":
        return PtyServer(tmp_path / "ttyLander")
    if url is not None:
        return ZmqServer(url.removeprefix("zmq:"))
    return ZmqServer("tcp://127.0.0.1:*" if kind == "tcp" else f"ipc://{tmp_path}/lander")


@contextmanager
def started(url: str) -> Iterator[tuple[Link, Sink]]:
    """A link that reports to a sink."""
    link, sink = open_link(url, time.time_ns), Sink()
    link.start(sink)
    try:
        yield link, sink
    finally:
        link.stop()


def receive(server: ByteServer, count: int) -> bytes:
    """Uplink bytes, as many as asked for."""
    data, deadline = b"", time.monotonic() + PATIENCE_S
    while len(data) < count and time.monotonic() < deadline:
        data += server.receive()
        time.sleep(0.001)
    return data
