"""The sums of what a channel's frames were."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.counts.lost import NOTHING, Lost
from protocols.counts.step import FrameStep


@dataclass(slots=True)
class FrameTotals:
    """Of one channel, or of several.

    Attributes:
        frames: all good ones, whatever they were.
        lost: those that are missing and may be so for good.
        at_restart: those that are missing where a source started again.
        gaps: places where frames are lost.
        duplicates: frames that came again.
        late: frames that came after a later one.
        steps_back: frames whose VCFC stood still or went back for no reason that is known.
    """

    frames: int = 0
    lost: Lost = NOTHING
    at_restart: Lost = NOTHING
    gaps: int = 0
    duplicates: int = 0
    late: int = 0
    steps_back: int = 0

    def add(self, step: FrameStep) -> None:
        """One more frame."""
        self.frames += 1
        if step.kind == "NEXT":
            return
        self.lost = (self.lost + step.lost).less(step.regained)
        self.at_restart += step.at_restart
        self.gaps += step.gaps
        self.duplicates += step.kind == "DUPLICATE"
        self.late += step.kind == "LATE"
        self.steps_back += step.kind in ("STILL", "BACK")

    def join(self, other: FrameTotals) -> None:
        """Another channel's too."""
        self.frames += other.frames
        self.lost += other.lost
        self.at_restart += other.at_restart
        self.gaps += other.gaps
        self.duplicates += other.duplicates
        self.late += other.late
        self.steps_back += other.steps_back
