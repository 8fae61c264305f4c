"""A descent in lockstep: the rig steps the spacecraft, hands its bytes and the mission time to the receiver.

No clock runs, so no tolerance is needed. The bytes may take a real link on the way (a PTY, a ZeroMQ socket): the rig
waits until all of them came through, and stamps them with the mission time at which they were sent.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from groundstation.archive.writer import ArchiveWriter
from groundstation.errors import LinkError
from groundstation.links import open_link
from groundstation.links.base import Chunk, LinkChange, Listening, Report
from groundstation.receiver import Outcome, Receiver
from groundstation.recorder import Recorder
from hil.oracle import fly
from hil.serve import ByteServer
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART

_CARRY_TIMEOUT_S = 5.0


class Carrier(Protocol):
    """How the bytes of a tick reach the station."""

    url: str

    def carry(self, data: bytes) -> bytes:
        """All of ``data``, after it went over the link."""


class Direct:
    """No link at all."""

    url = "lockstep:"

    def carry(self, data: bytes) -> bytes:
        """The same bytes."""
        return data


class OverLink:
    """Through a real server and the station's real link."""

    def __init__(self, server: ByteServer, clock: Callable[[], int]) -> None:
        self.url = server.url
        self._server = server
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._link = open_link(server.url, clock)
        self._link.start(self._reports.put)
        if not server.wait_for_listener(_CARRY_TIMEOUT_S):
            self._link.stop()
            raise LinkError(f"{self.url}: the station's link did not connect in {_CARRY_TIMEOUT_S:g} s")

    def carry(self, data: bytes) -> bytes:
        """Send, and wait until as many bytes came out.

        Raises:
            LinkError: they did not in time.
        """
        if not data:
            return b""
        self._server.send(data)
        came = b""
        while len(came) < len(data):
            try:
                report = self._reports.get(timeout=_CARRY_TIMEOUT_S)
            except queue.Empty:
                raise LinkError(f"{self.url}: {len(came)} of {len(data)} bytes came through") from None
            if isinstance(report, Chunk):
                came += report.data
        return came

    def close(self) -> None:
        """Close the station's end; the server is its owner's."""
        self._link.stop()


@contextmanager
def over(server: ByteServer, clock: Callable[[], int]) -> Iterator[OverLink]:
    """A carrier through ``server``, closed at the end."""
    with closing(OverLink(server, clock)) as carrier:
        yield carrier


def fly_lockstep(recording: Path, carrier: Carrier, link_drop: int | None = None) -> list[Outcome]:
    """Fly a whole pass into a new recording.

    Args:
        recording: path of the new archive.
        carrier: how the bytes get across.
        link_drop: mission time in ns from which the link is silent.

    Raises:
        ArchiveError: the recording cannot be made.
        LinkError: the carrier lost bytes.
    """
    meta = {"station": "lockstep", "link": carrier.url, "mission": MARS6.name, "dictionary_hash": MARS6.hash_text}
    with ArchiveWriter(recording, meta) as archive:
        recorder = Recorder(Receiver(MARS6, UART, carrier.url), archive, str(recording))
        outcomes = _take(recorder, LinkChange(EPOCH, "CONNECTED", f"{carrier.url} in lockstep"))
        for burst in fly(link_drop):
            data = carrier.carry(burst.data)
            outcomes += _take(recorder, Chunk(burst.scet, data) if data else Listening(burst.scet))
    return outcomes


def _take(recorder: Recorder, report: Report) -> list[Outcome]:
    return recorder.decode(recorder.keep(report))
