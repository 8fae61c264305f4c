"""Which onboard times to believe.

One frame with a nonsense time (a clock that is not set yet, a bit that flipped in a counter) moves nothing: no plot is
cleared for it and no mission clock jumps. A second one that goes on from there does: the clock was set, or a mission is
flown again.
"""

from __future__ import annotations

from protocols.units import NS_PER_HOUR, NS_PER_S

REWIND_NS = 5 * NS_PER_S
"""A step back by more is a clock that was set, or another flight; by less, frames out of order."""

AHEAD_NS = NS_PER_HOUR
"""A step ahead by more is believed only if the next one goes on from there."""

_SAME = 3
"""So many frames with one and the same time are believed as well: a clock that stands."""


class OnboardClock:
    """Follows the onboard times of one source. Times in ns."""

    def __init__(self, *, trusting: bool = True) -> None:
        """Args: whether the first time is believed; otherwise it has to be confirmed, too."""
        self._trusting = trusting
        self._time: int | None = None
        self._odd: int | None = None
        self._seen = 0

    def follow(self, scet: int) -> bool:
        """Take the next time; whether to believe it."""
        if self.is_near(scet) or self._goes_on(scet):
            self._time, self._odd = scet, None
            return True
        self._seen = self._seen + 1 if scet == self._odd else 1
        self._odd = scet
        return False

    def is_near(self, scet: int) -> bool:
        """Whether a time fits to what was believed last."""
        return self._trusting if self._time is None else -REWIND_NS <= scet - self._time <= AHEAD_NS

    def _goes_on(self, scet: int) -> bool:
        """Whether it confirms the odd time before it."""
        if self._odd is None or not 0 <= scet - self._odd <= AHEAD_NS:
            return False
        return scet > self._odd or self._seen + 1 >= _SAME
