"""A slow line between a viewer and its station: so many bytes a second towards the viewer, with small buffers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from groundstation.security.endpoints import Endpoints, pair_of
from tests.system.remote import free_pair

_SMALL = 4096


class SlowLine:
    """Relays every connection to a port of its own; what comes down waits.

    Attributes:
        rate: bytes a second towards the viewer; 0 is as fast as it goes. It may be changed.
    """

    def __init__(self, port: int, target: str, rate: int) -> None:
        host, _, far = target.removeprefix("tcp://").rpartition(":")
        self.rate = rate
        self._target = host, int(far)
        self._listener = socket.create_server(("127.0.0.1", port))
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket()
            for end in (near, far):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL)
            self._sockets += [near, far]
            far.connect(self._target)
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        try:
            while data := source.recv(512 if slow and self.rate else 65536):
                sink.sendall(data)
                if slow and self.rate:
                    time.sleep(len(data) / self.rate)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end.close()


@contextmanager
def slow_line(ends: Endpoints, rate: int, asked: int = 0) -> Iterator[tuple[Endpoints, SlowLine]]:
    """The way to a station over a slow line; requests go as fast as they do, or ``asked`` bytes a second."""
    port = free_pair()
    down, up = SlowLine(port, ends.telemetry, rate), SlowLine(port + 1, ends.command, asked)
    try:
        yield pair_of(f"tcp://127.0.0.1:{port}"), down
    finally:
        down.close()
        up.close()
