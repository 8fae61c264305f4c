"""Packets and frames of the lander and its bus, with all counters of the stream, which START resets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hil.lander.packetizer import Packetizer
from hil.lander.transmitter import Transmitter
from protocols.ccsds.clcw import Clcw
from protocols.lander import BUS, EPOCH, LANDER, MARS6, SCID, SURFACE
from protocols.profile import LinkProfile


class Downlink:
    """The sending end. Every frame carries the CLCW as it is when the frame is made.

    Attributes:
        packetizer: makes packets.
        transmitter: makes frames.
    """

    def __init__(self, profile: LinkProfile, clcw: Callable[[], Clcw], made: list[bytes] | None = None) -> None:
        """Args: how frames look, the CLCW of now, and what gets each frame as it is made, before a chip spoils it."""
        self._profile = profile
        self._made = made
        self._clcw = clcw
        self.restart()

    def restart(self) -> None:
        """All counters from zero, queues and left-overs empty."""
        self.packetizer = Packetizer(MARS6, EPOCH)
        self.transmitter = Transmitter(SCID, self._profile, (LANDER, SURFACE, BUS))

    def queue(self, vcid: int, name: str, tick: int, values: Mapping[str, int]) -> None:
        """Make a packet and let it wait for room."""
        self.transmitter.queue(vcid, self.packetizer.build(name, tick, values))

    def frame(self, vcid: int, first: bytes = b"") -> bytes:
        """The channel's next frame; ``first`` goes before all that waits."""
        frame = self.transmitter.frame(vcid, first, self._clcw())
        if self._made is not None:
            self._made.append(frame)
        return frame

    def flush(self, vcid: int) -> bytes:
        """Frames until no packet of the channel waits."""
        sent = b""
        while self.transmitter.waits(vcid):
            sent += self.frame(vcid)
        return sent
