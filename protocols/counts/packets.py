"""The packets of one APID by their sequence count: what is missing, and what only looks like it.

Rules:
1. A count that goes up by more than one leaves a hole; one that comes from a hole was late, and takes the loss back.
2. A count that stands still or goes back is not a loss: the source does not count, repeats a packet, or started again.
3. A count that begins again far from its end looks like a loss of thousands. So it is one only if the frames that are
   missing could have carried so many.
"""

from __future__ import annotations

from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.counts.holes import Hole, Holes
from protocols.counts.lost import NOTHING, Lost, at_least
from protocols.counts.sequences import PACKETS_A_FRAME


class PacketCounter:
    """Feed it each packet's sequence count in the order of reception.

    Attributes:
        missing: packets that did not come; after a turn of the count or more it is at least so many.
        gaps: holes that they would be in.
        steps_back: how often the count stood still, went back or began again.
    """

    def __init__(self) -> None:
        self.missing = NOTHING
        self.gaps = 0
        self.steps_back = 0
        self._last: int | None = None
        self._place = 0
        self._holes = Holes()

    def count(self, sequence: int, frames_lost: int, *, late: bool = False) -> None:
        """The next packet.

        Args:
            sequence: its count, 0 … 16383.
            frames_lost: frames of its channel that are missing since the packet before.
            late: its frame came late.
        """
        last = self._last
        if last is None:
            self._last = sequence
            return
        up = (sequence - last - 1) % SEQUENCE_MODULO
        if late or up >= SEQUENCE_MODULO // 2:
            hole = self._holes.find(self._place + 1 + up - SEQUENCE_MODULO)
            if hole is not None:
                self.missing = self.missing.less(1)
                self.gaps += self._holes.fill(hole, self._place + 1 + up - SEQUENCE_MODULO)
                return
            if late:
                return
        self._last = sequence
        if up and not self._plausible(up, sequence, frames_lost):
            self.steps_back += 1
            self._place += 1
            self._holes.clear()
            return
        if up:
            self.missing += Lost(up) if frames_lost < SEQUENCE_MODULO // 2 else at_least(up)
            self.gaps += 1
            self._holes.open(Hole(self._place + 1, self._place + 1 + up))
        self._place += 1 + up

    def pass_plain(self, first: int, last: int, count: int) -> bool:
        """Take ``count`` packets whose sequence counts follow each other, if the first follows the one before.

        Returns:
            whether they were taken; if not, nothing has changed.
        """
        if self._last is not None and (first - self._last) % SEQUENCE_MODULO != 1:
            return False
        self._place += count - (self._last is None)
        self._last = last
        return True

    def begin_again(self) -> None:
        """The source started again: the next packet is the first."""
        self._last = None
        self._holes.clear()

    def _plausible(self, up: int, sequence: int, frames_lost: int) -> bool:
        """Whether so many can be missing."""
        if up <= PACKETS_A_FRAME * (frames_lost + 1):
            return True  # or lost aboard, before they were in a frame
        return up < SEQUENCE_MODULO // 2 and sequence >= up
