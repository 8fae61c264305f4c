"""Checks of a value that look at how often the same one came: `Order` and `FlatLine`."""

from __future__ import annotations

from protocols.declare.checks import FlatLine, Order
from protocols.decode.judging.value_history import ValueHistory
from protocols.structures.codec import Value

_ODD = 3
"""Other values in a row that end a flat line."""
_LEVEL = 4
"""Values that a flat line has at least, of those that are looked at."""


class OrderJudge:
    """The words of one enumeration or flag: another one than before counts once it came often enough."""

    def __init__(self, check: Order) -> None:
        self.name = check.parameter.partition(".")[2]
        self._again, self._skip_again = check.again, check.skip_again
        self._next = dict(zip(check.labels, check.labels[1:], strict=False))
        self._settled: Value | None = None
        self._other: Value | None = None
        self._times = 0

    def fits(self, value: Value) -> bool:
        """Whether it is what was expected, or came often enough."""
        if value == self._settled:
            self._times = 0
            return True
        if self._settled is None:
            self._settled = value
            return True
        self._times = self._times + 1 if value == self._other else 1
        self._other = value
        is_next = not self._next or (isinstance(self._settled, str) and self._next.get(self._settled) == value)
        if self._times < (self._again if is_next else self._skip_again):
            return False
        self._settled, self._times = value, 0
        return True


class FlatLineJudge:
    """Whether a value stands still while another moves: to be asked now and then.

    Single other values, as of bits that flip, do not end it.
    """

    def __init__(self, check: FlatLine, history: ValueHistory, follows: ValueHistory) -> None:
        self.history = history
        self._check = check
        self._follows = follows
        self._level: float | None = None
        self._since = self._followed = 0.0
        self._hits = self._misses = self._odd = 0

    def is_flat(self, value: float, now: float) -> bool:
        """Whether it is stuck by now."""
        check, follows = self._check, self._follows
        if not follows.is_known(now):
            self._level = None
            return False
        followed = follows.at(now)
        if self._level is None:
            return self._begin(value, followed, now)
        if abs(value - self._level) > check.within or not check.low <= followed <= check.high:
            self._odd += 1
            self._misses += 1
            broken = self._odd >= _ODD or 2 * self._misses > self._hits + 2
            return self._begin(value, followed, now) if broken else False
        self._odd = 0
        self._hits += 1
        moved = abs(followed - self._followed) >= check.moved
        return self._hits >= _LEVEL and now - self._since >= check.seconds and moved

    def _begin(self, value: float, followed: float, now: float) -> bool:
        self._level, self._since, self._followed = value, now, followed
        self._hits, self._misses, self._odd = 1, 0, 0
        return False
