"""What good packets of one type predict of another: field by field, the window in which its value must lie.

Rules:
1. A field is predicted between its neighbours by sequence count, on a straight line. How wrong that is, the good
   packets say: each of the last `KEPT` is predicted from its own neighbours. A field that was ever wrong gets a window
   of `SAFETY` times the worst error, which grows with the distance of the neighbours as the bend of a curve does.
2. A field that was never wrong in `TRIALS` or more predictions is exact: a constant, a counter, a clock. Behind the
   last good packet a constant may have begun to count.
3. A flag or a word lies between its neighbours, or is any of its words.
4. Fewer predictions than `TRIALS` say nothing: the field may have any value.
5. A source that does not count its packets gives no distance: then only what all packets have alike is predicted.
6. A source may spoil values before it makes the checksum: then good packets have odd values, and so have damaged ones.
   How often a bit is spoilt, the fields say that stand still or count evenly in most good packets. Fields that were not
   spoilt so far can be the next, so that all of a packet's body count together, and all of its secondary header.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from math import ceil, floor, isfinite, isnan
from typing import NamedTuple

from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.mending.shapes import Leaf, Shape

KEPT = 40
TRIALS = 8
SAFETY = 4
_UNSEEN_BITS = 1000
"""Half a spoilt bit in so many is taken for granted, as long as none was seen."""
_MOST_SPOILT = 0.4
_FARTHEST = 64
"""Packets between neighbours, at most, that a curve is predicted over."""
_UNTOLD = SEQUENCE_MODULO // 2
"""A sequence count that is so far away may be before or behind."""


class Window(NamedTuple):
    """The least and the greatest number that a field may have."""

    low: float
    high: float


class Neighbour(NamedTuple):
    """A good packet: its sequence count, and its bits as one number."""

    sequence: int
    number: int


class Wrongness(NamedTuple):
    """How wrong predictions of a field were: how many were, the worst error, and the worst bend of its curve."""

    trials: int
    error: float
    bend: float
    odd: int


class Spoilt(NamedTuple):
    """Share of bits that the source spoils before it makes a checksum: in secondary headers, and in bodies."""

    header: float = 0.0
    body: float = 0.0


class History:
    """The last good packets of one type. ``size``: of the newest, in bytes."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._packets: deque[Neighbour] = deque(maxlen=KEPT)
        self._wrongness: tuple[Wrongness, ...] | None = None
        self.size = shape.bits // 8

    @property
    def last(self) -> Neighbour | None:
        """The newest."""
        return self._packets[-1] if self._packets else None

    def add(self, sequence: int, data: bytes) -> None:
        """A good packet came. Of one of variable size only the fixed part counts."""
        self._packets.append(neighbour(self._shape, sequence, data))
        self.size = len(data)
        self._wrongness = None

    def windows(self, sequence: int | None, after: Neighbour | None) -> list[tuple[Leaf, Window | None]]:
        """What a packet with this count may hold, by field; None: any value."""
        before = self.last
        if before is None or sequence is None:
            return [(leaf, None) for leaf in self._shape.leaves]
        wrongness = self._measured()
        steps = (sequence - before.sequence) % SEQUENCE_MODULO
        gap = 0 if after is None else (after.sequence - before.sequence) % SEQUENCE_MODULO
        usable = after if steps < gap < _UNTOLD else None
        if not 0 < steps < _UNTOLD:
            usable, steps = None, 0
        return [
            (leaf, self._window(leaf, wrong, steps, usable))
            for leaf, wrong in zip(self._shape.leaves, wrongness, strict=True)
        ]

    def spoilt(self) -> Spoilt:
        """How often the source spoils bits, as far as good packets show it."""
        body = 8 * self._shape.packet.header.body_offset
        return Spoilt(self._share(lambda leaf: leaf.start < body), self._share(lambda leaf: leaf.start >= body))

    def _share(self, counts: Callable[[Leaf], bool]) -> float:
        """Of bits in fields that are even in most predictions."""
        even = [
            (leaf.bits * wrong.trials, wrong.odd)
            for leaf, wrong in zip(self._shape.leaves, self._measured(), strict=True)
            if counts(leaf) and 2 * wrong.odd < wrong.trials
        ]
        bits, odd = sum(bits for bits, _ in even), sum(odd for _, odd in even)
        return min(_MOST_SPOILT, odd / bits if odd else 0.5 / (bits + _UNSEEN_BITS))

    def _measured(self) -> tuple[Wrongness, ...]:
        if self._wrongness is None:
            self._wrongness = tuple(self._wrong(leaf) for leaf in self._shape.leaves)
        return self._wrongness

    def _number(self, leaf: Leaf, packet: Neighbour) -> float:
        return leaf.number(packet.number >> self._shape.bits - leaf.start - leaf.bits & (1 << leaf.bits) - 1)

    def _wrong(self, leaf: Leaf) -> Wrongness:
        trials, odd, worst, bend = 0, 0, 0.0, 0.0
        packets = list(self._packets)
        numbers = [(each.sequence, self._number(leaf, each)) for each in packets]
        for (s0, v0), (s1, v1), (s2, v2) in zip(numbers, numbers[1:], numbers[2:], strict=False):
            steps, gap = (s1 - s0) % SEQUENCE_MODULO, (s2 - s0) % SEQUENCE_MODULO
            if not 0 < steps < gap <= _FARTHEST:
                same = v0 == v1 == v2
                steps, gap = (1, 2) if same and s0 == s1 == s2 else (0, 0)
            error = 0.0 if not gap else abs(v1 - (v0 * (gap - steps) + v2 * steps) / gap)
            if not gap or isnan(error):
                continue
            trials += 1
            odd += error > 0
            worst = max(worst, error)
            bend = max(bend, error / (steps * (gap - steps)))
        return Wrongness(trials, worst, bend, odd)

    def _window(self, leaf: Leaf, wrong: Wrongness, steps: int, after: Neighbour | None) -> Window | None:
        assert self.last is not None
        before = self._number(leaf, self.last)
        if wrong.trials < TRIALS or not isfinite(before):
            return None
        if not steps:
            alike = {self._number(leaf, each) for each in self._packets}
            return Window(before, before) if len(alike) == 1 else None
        if after is None:
            return self._onward(leaf, wrong, before, steps)
        return self._between(leaf, wrong, steps, self.last, after)

    def _between(self, leaf: Leaf, wrong: Wrongness, steps: int, one: Neighbour, two: Neighbour) -> Window | None:
        """Between two good packets, so many steps behind the first."""
        gap = (two.sequence - one.sequence) % SEQUENCE_MODULO
        before, behind = self._number(leaf, one), self._number(leaf, two)
        if not isfinite(behind):
            return None
        between = Window(min(before, behind), max(before, behind))
        if leaf.kind == "state":
            return between
        middle = (before * (gap - steps) + behind * steps) / gap
        if not wrong.error:
            return Window(middle, middle) if self._is_steady(leaf, behind - before, gap) else between
        if gap > _FARTHEST:
            return None
        return _around(middle, SAFETY * max(wrong.error, wrong.bend * steps * (gap - steps)), leaf)

    def _onward(self, leaf: Leaf, wrong: Wrongness, before: float, steps: int) -> Window | None:
        """Beyond the last good packet, as it moved before that."""
        rise, run = self._slope(leaf)
        if leaf.kind == "state" or not run or not isfinite(rise):
            return None
        ahead = before + rise * steps / run
        if not wrong.error:
            return Window(ahead, ahead) if rise else Window(before - 1, before + steps)
        if steps > _FARTHEST:
            return None
        return _around(ahead, SAFETY * max(2 * wrong.error, wrong.bend * steps * (steps + run)), leaf)

    def _is_steady(self, leaf: Leaf, rise: float, run: int) -> bool:
        """Whether a field goes on as it did between the last two good packets."""
        before, steps = self._slope(leaf)
        return bool(steps) and before * run == rise * steps

    def _slope(self, leaf: Leaf) -> tuple[float, int]:
        """How far the field rose between the last two good packets, and how many packets that took."""
        two = list(self._packets)[-2:]
        for older, newer in pairwise(two):
            run = (newer.sequence - older.sequence) % SEQUENCE_MODULO
            return self._number(leaf, newer) - self._number(leaf, older), run if run <= _FARTHEST else 0
        return 0.0, 0


UNSPOILT = Spoilt()
"""Of a source that only fills up."""


def neighbour(shape: Shape, sequence: int, data: bytes) -> Neighbour:
    """A good packet, as far as its shape says where its fields are."""
    return Neighbour(sequence, int.from_bytes(data[: shape.bits // 8], "big"))


def _around(middle: float, reach: float, leaf: Leaf) -> Window:
    if leaf.kind == "float":
        return Window(middle - reach, middle + reach)
    return Window(floor(middle - reach) - 1, ceil(middle + reach) + 1)
