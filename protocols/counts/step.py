"""What a frame is to those before it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from protocols.counts.lost import NOTHING, Lost

StepKind = Literal["FIRST", "NEXT", "DUPLICATE", "LATE", "RESTART", "STILL", "BACK", "GAP"]


class FrameStep(NamedTuple):
    """What a frame is.

    Attributes:
        kind: see `frames`.
        place: where it stands on its channel, counted without end; a lost frame has its place too.
        lost: frames that are missing before it on its channel, in a GAP.
        at_restart: likewise, where another channel of a source that started again began to count: rule 7.
        regained: earlier losses that were none: 1 for LATE, if its place had been counted.
        gaps: how many more places there are on its channel where frames are missing: 1 in a GAP, or less than before.
        lost_all: frames that are missing on all channels, by the MCFC; None if it does not tell.
        regained_all: likewise, earlier losses that were none.
        evidence: for a RESTART, each counter and time that says so, in words.
        alone: for a RESTART, that the master count goes on: only what sends on this channel started again.
    """

    kind: StepKind
    place: int
    lost: Lost = NOTHING
    at_restart: Lost = NOTHING
    regained: int = 0
    gaps: int = 0
    lost_all: Lost | None = NOTHING
    regained_all: int = 0
    evidence: tuple[str, ...] = ()
    alone: bool = False

    @property
    def is_new(self) -> bool:
        """Its content was not seen before."""
        return self.kind != "DUPLICATE"

    @property
    def in_order(self) -> bool:
        """It is the newest of its channel."""
        return self.kind not in ("DUPLICATE", "LATE")
