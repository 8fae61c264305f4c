"""Places of a counter that did not come, as far as they may still come late. Bounded: the oldest are forgotten."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

HOLES_KEPT = 32


@dataclass(frozen=True, slots=True)
class Hole:
    """The places from ``start`` up to ``end``, which is not in it.

    ``before`` and ``after`` are the times (ns) of what came around it; None if they carry none.
    """

    start: int
    end: int
    before: int | None = None
    after: int | None = None

    def fits(self, time: int | None) -> bool:
        """Whether something of this time may have its place here."""
        early = time is not None and self.before is not None and time <= self.before
        late = time is not None and self.after is not None and time >= self.after
        return not early and not late


class Holes:
    """All that is open."""

    def __init__(self) -> None:
        self._open: deque[Hole] = deque(maxlen=HOLES_KEPT)

    def open(self, hole: Hole) -> None:
        """These places did not come."""
        if hole.start < hole.end:
            self._open.append(hole)

    def find(self, place: int, time: int | None = None) -> Hole | None:
        """The hole with this place in it, if something of this time fits there."""
        return next((h for h in self._open if h.start <= place < h.end and h.fits(time)), None)

    def fill(self, hole: Hole, place: int, time: int | None = None) -> int:
        """One of its places came late. How many more holes there are now: 1, 0 or -1."""
        self._open.remove(hole)
        after = hole.after if time is None else time
        before = hole.before if time is None else time
        parts = [replace(hole, end=place, after=after), replace(hole, start=place + 1, before=before)]
        parts = [part for part in parts if part.start < part.end]
        self._open.extend(parts)
        return len(parts) - 1

    def clear(self) -> None:
        """Nothing comes late any more."""
        self._open.clear()
