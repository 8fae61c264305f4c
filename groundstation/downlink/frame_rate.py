"""How many frames a second a channel brings, as received. Sans-I/O.

Counted over whole windows: what was held up comes in a burst, and a rate of its microseconds would be nonsense.
"""

from __future__ import annotations

from protocols.units import NS_PER_MS, NS_PER_S

WINDOW_NS = NS_PER_S
_PERIODS = 4
_FIRST_NS = NS_PER_S // 5


class FrameRate:
    """Feed it every frame in the order of reception.

    Attributes:
        hz: frames a second of late; 0 before anything can be said.
    """

    def __init__(self, period_ms: int) -> None:
        """Args: how often a frame is due, in ms."""
        self.hz = 0.0
        self._window = max(WINDOW_NS, _PERIODS * period_ms * NS_PER_MS)
        self._first = max(_FIRST_NS, 2 * period_ms * NS_PER_MS)
        self._since: int | None = None
        self._frames = 0
        self._whole = False

    def restart(self) -> None:
        """Another contact."""
        self.hz, self._since, self._frames, self._whole = 0.0, None, 0, False

    def frame(self, ert: int) -> None:
        """A frame was received, at ``ert`` in ns."""
        if self._since is None or ert < self._since:
            self._since, self._frames = ert, 0
            return
        self._frames += 1
        span = ert - self._since
        if span >= self._window:
            self.hz, self._whole = self._rate(span), True
            self._since, self._frames = ert, 0
        elif not self._whole and span >= self._first:
            self.hz = self._rate(span)

    def _rate(self, span: int) -> float:
        return round(self._frames * NS_PER_S / span, 2)
