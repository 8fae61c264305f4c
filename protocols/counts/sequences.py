"""Sequence counts of packets, as evidence of what became of the frames that carried them."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.ccsds.space_packet import SEQUENCE_MODULO

SURE_RIDES = 3
"""After so many frames in a row with one packet each of an APID, its sequence count counts frames."""

PACKETS_A_FRAME = 16
"""As many as a frame is thought to hold."""

_NEAR = 8
"""Frames among which one may have a packet more or less."""

_TURN = 1024
"""A count that went down and is so near is one that turned over."""


@dataclass(slots=True)
class PacketSequence:
    """The sequence count of one APID's packets, as far as they come first in their frames.

    Attributes:
        count: the last one.
        place: of the frame that it came in.
        stands: it stood still with the last frame; None while there was but one.
        rides: frames in a row that it went up by one with.
    """

    count: int
    place: int
    stands: bool | None = None
    rides: int = 0

    def follow(self, count: int, place: int) -> None:
        """The next frame, in its order."""
        up, on = (count - self.count) % SEQUENCE_MODULO, place - self.place
        self.rides = self.rides + 1 if up == on % SEQUENCE_MODULO else 0
        self.stands = not up
        self.count, self.place = count, place

    def begins_again(self, count: int) -> bool:
        """It went back, and is not one that stands still or turned over."""
        return count <= self.count and self.stands is not True and self._up(count) >= _TURN

    def goes_on(self, count: int) -> bool:
        """It went up."""
        return count > self.count or self._up(count) < _TURN

    def came_before(self, count: int, place: int) -> bool:
        """Whether a packet with this count may lie in the frame at that place, before the newest."""
        if place > self.place:
            return 0 < (count - self.count) % SEQUENCE_MODULO <= PACKETS_A_FRAME * (place - self.place)
        down, back = (self.count - count) % SEQUENCE_MODULO, self.place - place
        if self.rides >= SURE_RIDES and back > _NEAR:
            return down == back
        return self.stands is True or 0 < down <= PACKETS_A_FRAME * max(1, back)

    def lost(self, count: int, newest: int, jump: int) -> int | None:
        """How many frames are missing behind place ``newest``, modulo 2¹⁴; None if this count does not count frames.

        It does if it has for a while, and also if it has jumped just as far as the VCFC, by ``jump``; where that is 0,
        only if it went up with the frame before as well.
        """
        lost = (self._up(count) - (newest - self.place)) % SEQUENCE_MODULO
        agrees = lost == jump and (jump > 0 or self.rides > 0)
        return lost if self.rides >= SURE_RIDES or agrees else None

    def _up(self, count: int) -> int:
        return (count - self.count - 1) % SEQUENCE_MODULO
