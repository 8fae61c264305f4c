"""Where the good values of one parameter lead, and how far from that the next one may be."""

from __future__ import annotations

from protocols.declare.checks import Rate

LEARNT = 0.4
"""Share of a deviation that is learnt."""
_SLOPE_S = 0.45
"""Between the values that a slope is taken from."""


class Trend:
    """A line through the last good values. Times in s, values in the parameter's unit.

    Attributes:
        value: the last one, smoothed.
        time: when it was measured.
        slope: per second.
        sloped: whether the slope is known.
    """

    __slots__ = ("_bend", "_early", "_late", "_rate", "_width", "slope", "sloped", "time", "value")

    def __init__(self, check: Rate) -> None:
        self._width, self._rate, self._bend = check.window, check.per_second, check.bend
        self.value = self.time = self.slope = 0.0
        self.sloped = False
        self._early = self._late = (0.0, 0.0)

    def begin(self, value: float, time: float, *, keep_slope: bool = False) -> None:
        """Nothing before this value counts; the slope may."""
        self.value, self.time = value, time
        self._early = self._late = value, time
        if not keep_slope:
            self.slope, self.sloped = 0.0, False

    def at(self, time: float) -> float:
        """Where it leads."""
        return self.value + self.slope * (time - self.time)

    def window(self, time: float) -> float:
        """How far from that a value may be: the window that is declared, and what it grows without good values."""
        gap = time - self.time
        if gap <= 0.0:
            return self._width
        grown = self._rate * gap
        if not self.sloped:
            return self._width + grown
        bent = self._bend * gap * gap / 2
        return self._width + (bent if bent < grown else grown)

    def smoothed(self, value: float, window: float, off: float) -> float:
        """The value, drawn towards where the line leads: the less the larger the window is."""
        return value if not self.sloped else value - (1.0 - LEARNT) * self._width / window * off

    def learn(self, value: float, time: float) -> None:
        """Go on from a good value."""
        self.value, self.time = value, time
        if time - self._late[1] >= _SLOPE_S:
            early, began = self._early
            self.slope, self.sloped = (value - early) / (time - began), True
            self._early, self._late = self._late, (value, time)

    def mean_slope(self) -> tuple[float, float] | None:
        """The slope over the last second or so, and over how long; None while it is unknown."""
        value, began = self._early
        over = self.time - began
        return ((self.value - value) / over, over) if over >= _SLOPE_S else None
