"""How fast a channel's frames come, in the spacecraft's time or in that of reception."""

from __future__ import annotations

from collections import deque

_KEPT = 16
_ENOUGH = 3


class Pace:
    """The frame period of late, in ns: measured over the last frames, or the declared one while these are too few.

    Attributes:
        period: None: not known.
    """

    def __init__(self, declared: int | None) -> None:
        self.period = self._declared = declared or None
        self._seen: deque[tuple[int, int]] = deque(maxlen=_KEPT)

    def follow(self, place: int, time: int) -> None:
        """A frame with this place on its channel has this time."""
        self._seen.append((place, time))
        first_place, first_time = self._seen[0]
        frames, span = place - first_place, time - first_time
        self.period = span // frames if frames >= _ENOUGH and span >= frames else self._declared

    def forget(self) -> None:
        """Another pace from here on."""
        self._seen.clear()
        self.period = self._declared

    def frames_in(self, span: int) -> int | None:
        """How many frames are missing between two that are this far apart (ns); None if nothing is known."""
        return None if self.period is None else max(0, round(span / self.period) - 1)
