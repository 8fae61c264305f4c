"""How fast a channel's frames come, in the spacecraft's time or in that of reception."""

from __future__ import annotations

_WINDOW = 16
_ENOUGH = 3


class Pace:
    """The frame period of late, in ns: measured over the last 16 to 32 frames; the declared one while there are few.

    Attributes:
        period: what it is now; None: not known. It is asked for more often than a frame comes.
    """

    __slots__ = ("_declared", "_next_place", "_next_time", "_place", "_time", "period")

    def __init__(self, declared: int | None) -> None:
        self.period = self._declared = declared or None
        self._place: int | None = None
        self._time = self._next_place = self._next_time = 0

    def follow(self, place: int, time: int) -> None:
        """A frame with this place on its channel has this time."""
        if self._place is None:
            self._place = self._next_place = place
            self._time = self._next_time = time
        elif place - self._next_place >= _WINDOW:
            self._place, self._time = self._next_place, self._next_time
            self._next_place, self._next_time = place, time
        frames, span = place - self._place, time - self._time
        self.period = span // frames if frames >= _ENOUGH and span >= frames else self._declared

    def forget(self) -> None:
        """Another pace from here on."""
        self._place, self.period = None, self._declared

    def frames_in(self, span: int) -> int | None:
        """How many frames are missing between two that are this far apart (ns); None if nothing is known."""
        period = self.period
        return None if period is None else max(0, round(span / period) - 1)
