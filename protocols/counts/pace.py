"""How fast a channel's frames come, in the spacecraft's time or in that of reception."""

from __future__ import annotations

_WINDOW = 16
_ENOUGH = 3


class Pace:
    """The frame period of late, in ns: measured over the last 16 to 32 frames; the declared one while there are few."""

    __slots__ = ("_declared", "_last", "_next_start", "_start")

    def __init__(self, declared: int | None) -> None:
        self._declared = declared or None
        self._start: tuple[int, int] | None = None
        self._next_start = self._last = (0, 0)

    def follow(self, place: int, time: int) -> None:
        """A frame with this place on its channel has this time."""
        self._last = place, time
        if self._start is None:
            self._start = self._next_start = self._last
        elif place - self._next_start[0] >= _WINDOW:
            self._start, self._next_start = self._next_start, self._last

    def forget(self) -> None:
        """Another pace from here on."""
        self._start = None

    @property
    def period(self) -> int | None:
        """What it is now; None: not known."""
        if self._start is None:
            return self._declared
        frames, span = self._last[0] - self._start[0], self._last[1] - self._start[1]
        return span // frames if frames >= _ENOUGH and span >= frames else self._declared

    def frames_in(self, span: int) -> int | None:
        """How many frames are missing between two that are this far apart (ns); None if nothing is known."""
        period = self.period
        return None if period is None else max(0, round(span / period) - 1)
