"""Rises of a value within a time: the limits on change.

Rules, each with its reason:

1. A rise is taken from the earliest value within the last ``step_s``. Where values come less often, it is taken from
   the one before and scaled to ``step_s``: 6 impacts in two minutes are 3 a minute.
2. A fall starts from scratch: a counter was reset, or has turned over.
3. So does a time that does not go on, and a gap of more than `GAP_STEPS` times ``step_s``: what rose meanwhile did not
   rise within that time, or is another run's.
4. Bounded: of values that come faster than `KEPT` in ``step_s`` some are left out between the earliest and the last.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from protocols.units import NS_PER_S

GAP_STEPS = 3
KEPT = 32


@dataclass(frozen=True, slots=True)
class Rise:
    """A value rose by ``by``, scaled to the time of its limits; ``change`` in ``seconds`` is what was seen."""

    by: float
    change: float
    seconds: float


@dataclass(slots=True)
class RiseMeter:
    """Follows one parameter. ``step_s``: the time of its limits, in seconds."""

    step_s: float
    _values: deque[tuple[int, float]] = field(default_factory=deque)

    def take(self, time: int, value: float) -> Rise | None:
        """A value of ``time``, in ns: how far it has risen; None where there is none to compare it with."""
        values, span = self._values, round(self.step_s * NS_PER_S)
        if values and (not 0 < time - values[-1][0] <= GAP_STEPS * span or value < values[-1][1]):
            values.clear()
        while len(values) > 1 and time - values[0][0] > span:
            values.popleft()
        rise = None
        if values:
            since, first = values[0]
            seconds = (time - since) / NS_PER_S
            change = value - first
            rise = Rise(change / max(1.0, seconds / self.step_s), change, seconds)
        if len(values) > 1 and values[-1][0] - values[-2][0] < span // KEPT:
            values.pop()
        values.append((time, value))
        return rise
