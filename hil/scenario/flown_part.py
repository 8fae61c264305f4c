"""The part of a pass that a flight is about: from ``scenario.from`` on, before ``scenario.until``.

Rules:
1. The target flies the whole pass up to there, as fast as it can, and its bytes go through the faults: what comes later
   is that of the whole flight, bytes and random numbers alike.
2. The station listens from the part's beginning on, and no longer than to its end. What is judged is what it heard.
3. What needs the rest of the pass, the loss at 09:11:05 for instance, has a row all the same: NA, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundstation.messages.text import utc
from hil.lander.physics.dynamics import TICK_NS
from protocols.lander import EPOCH


@dataclass(frozen=True, slots=True)
class FlownPart:
    """A part of a pass, or all of it. Mission times in ns.

    Attributes:
        start: of its first frame.
        end: the first that is not in it; of a whole pass its end.
        cut: it ends before the pass is over.
        begin: of the pass.
    """

    start: int
    end: int
    cut: bool
    begin: int = EPOCH

    @property
    def whole(self) -> bool:
        """It is all of the pass."""
        return not self.late and not self.cut

    @property
    def late(self) -> bool:
        """It begins after the pass."""
        return self.start > self.begin

    @property
    def ticks_before(self) -> int:
        """Ticks of the pass before its beginning."""
        return -(-(self.start - self.begin) // TICK_NS)

    @property
    def text(self) -> str:
        """In words; empty if it is all of the pass."""
        begin = f" from {utc(self.start, 3)}" if self.late else ""
        return begin + (f" until {utc(self.end, 3)}" if self.cut else "")

    def lack(self, at: int, before: int = 0, after: int = 0) -> str:
        """Why something at a mission time was not seen in the part; empty: it can be, or there is no such time.

        Args:
            at: when it happens.
            before: for how long before that the station has to listen.
            after: and for how long after it.
        """
        if at - before < self.start and (self.late or at >= self.begin):
            return f"the station listened from {utc(self.start, 3)} on: too late for {utc(at, 3)}"
        if self.cut and at >= self.end:
            return f"the flight ended at {utc(self.end, 3)}: {utc(at, 3)} was not flown"
        if self.cut and at + after > self.end:
            return f"the flight ended at {utc(self.end, 3)}: too early to know of {utc(at, 3)}"
        return ""
