"""Which wrong bits explain a checksum: the search, and the risk of what it finds.

Rules:
1. A block has known bits, which are set before, and cells: fields that hold any value of their window. The search
   turns bits of cells until the block's syndrome is 0 and every cell holds a possible value.
2. A cell that holds an impossible value must be turned. Beyond that at most `MOST_EVENTS` events: single bits, or one
   short burst, which counts as two.
3. A window may be too narrow: so no wrong bit, or one, is also tried whatever the windows say, at the price of a
   prediction that was wrong, `MISPREDICTED`.
4. A correction is the likelier the fewer events it has. The likeliest is taken, if no other is as likely. Its risk is
   the weight of all that could have led to the same bytes, against its own: other corrections that fit, and damage that
   was not tried, which fits by chance once in `CHANCE` (the polynomial has the factor x+1, so that a syndrome of known
   parity has 15 bits).
5. Known bits that were set, and impossible values, may be what the source sent: it may spoil values before it makes
   the checksum. So each is also left as it came, weighed by how often the source spoils a bit against how often the
   link does. A correction is made only if all of these choices together leave no other one.
6. The time is bounded: `_MOST_FORCED` combinations of turned cells, each with one look at every pair of bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import combinations, islice, product
from math import comb, exp, prod
from typing import NamedTuple

from protocols.mending.history import Window
from protocols.mending.shapes import Leaf
from protocols.mending.syndromes import bit_syndrome

MOST_EVENTS = 2
BURST_BITS = 4
CHANCE = 1 << 15
MISPREDICTED = 0.01
"""Of fields, that the window does not have the true value."""
_FAR = 1 / 16
"""Share of impossible values that are as likely as a possible one, given that the prediction is wrong."""
_MOST_BLIND = 12
_BURSTS = (0b111, 0b1011, 0b1101, 0b1111)
"""Bursts of at most `BURST_BITS` bits of which more than two are wrong."""
_RISK_OF_NO_PAIRS = 0.001
"""With no more risk than that, pairs of wrong bits need not be looked for."""
_MOST_FORCED = 64
_MOST_PAIRED = 512
"""Bits that may be turned by pairs: with more, chance would explain nearly every checksum."""

_FEW_VALUES = 64


@dataclass(frozen=True, slots=True)
class Cell:
    """Bits of a frame that are one field.

    Attributes:
        leaf: the field; `Leaf.start` is not of interest here.
        start: its first bit in the frame.
        window: what it may hold; None: anything.
        choices: the raw values that it may hold, if they are few; None: all in the window.
        spoilt: share of its bits that the source spoils before it makes the checksum.
    """

    leaf: Leaf
    start: int
    window: Window | None
    choices: frozenset[int] | None = None
    spoilt: float = 0.0

    @property
    def bits(self) -> int:
        """How many."""
        return self.leaf.bits

    def allows(self, raw: int) -> bool:
        """Whether it may hold this."""
        if self.choices is not None and raw not in self.choices:
            return False
        if self.leaf.labels is not None and raw not in self.leaf.labels:
            return False
        return self.window is None or self.window.low <= self.leaf.number(raw) <= self.window.high


class Turn(NamedTuple):
    """Bits that are turned together: as a mask over the frame, their syndrome, how many, and as how many events."""

    mask: int
    syndrome: int
    bits: int
    events: int


class Doubt(NamedTuple):
    """A known bit of the frame that was set, and came otherwise: ``spoilt``, how often the source spoils such a bit."""

    mask: int
    spoilt: float


class _Start(NamedTuple):
    """What is turned of known bits and impossible values; which bits of these; and how likely that is."""

    turn: Turn
    weight: float


@dataclass(frozen=True, slots=True)
class Solution:
    """The bits to turn, as a mask over the frame; which of them lie in impossible values; and the risk."""

    mask: int
    forced: int
    risk: float


class _Fit(NamedTuple):
    """A correction that fits: which of its bits lie in impossible values, and how likely it is among others."""

    turn: Turn
    forced: int
    weight: float


class Block:
    """Cells that a checksum covers, in a frame given as one number of ``length`` bits."""

    def __init__(self, cells: Sequence[Cell], frame: int, length: int, end: int, doubts: Sequence[Doubt] = ()) -> None:
        """Args:
        cells: the fields.
        frame: with its known bits set.
        length: of the frame.
        end: the bit behind the block's last one.
        doubts: known bits in the block that came otherwise.
        """
        self._doubts = [
            (Turn(each.mask, bit_syndrome(end - length + each.mask.bit_length() - 1), 1, 0), each.spoilt)
            for each in doubts
        ]
        shifts = [length - cell.start - cell.bits for cell in cells]
        self._held = [
            _Held(
                cell,
                frame >> shift & (1 << cell.bits) - 1,
                [Turn(1 << shift + n, bit_syndrome(end - length + shift + n), 1, 1) for n in range(cell.bits)],
            )
            for cell, shift in zip(cells, shifts, strict=True)
        ]
        self._forced = [held for held in self._held if not held.fits(0)]
        self._free = [held for held in self._held if held.fits(0)]
        self._singles = [(turn, held) for held in self._free for n, turn in enumerate(held.flips) if held.fits(1 << n)]
        self._by_syndrome: dict[int, list[tuple[Turn, _Held]]] = {}
        for single in self._singles:
            self._by_syndrome.setdefault(single[0].syndrome, []).append(single)
        self._pairs: list[Turn] | None = None

    def solve(self, syndrome: int, error_rate: float) -> Solution | str:
        """The one correction that explains the syndrome; else why there is none."""
        odds = error_rate / (1 - error_rate)
        starts, untried = self._starts(odds)
        price = max(MISPREDICTED, min(1.0, sum(held.cell.bits * held.cell.spoilt for held in self._held)))
        fits: dict[int, _Fit] = {}
        for turn in self._loose():
            if turn.syndrome == syndrome:
                fits[turn.mask] = _Fit(turn, turn.mask if self._forced else 0, price * odds**turn.events)
        found: Solution | str = ""
        for events in range(1, MOST_EVENTS + 1):
            for start in starts:
                for turn in self._beyond(syndrome ^ start.turn.syndrome, events):
                    whole = _joined((start.turn, turn))
                    fit = _Fit(whole, start.turn.mask, start.weight * odds**turn.events)
                    fits[whole.mask] = max(fit, fits.get(whole.mask, fit), key=lambda each: each.weight)
            mean = len(self._singles) * odds
            beyond = sum(start.weight for start in starts) * _beyond_mass(mean, events) + untried * exp(min(mean, 50.0))
            blind = price * self._blind(odds)
            found = self._chosen(sorted(fits.values(), key=lambda fit: -fit.weight), beyond + blind)
            if isinstance(found, Solution) and found.risk <= _RISK_OF_NO_PAIRS:
                break
        return found

    def _starts(self, odds: float) -> tuple[list[_Start], float]:
        """What may be turned of known bits and impossible values, the likeliest first; and the weight of the rest."""
        ways = [[*held.repairs(), *([_STAY] if held.cell.spoilt else [])] for held in self._forced]
        forced = []
        for way in _products(ways):
            stay = [
                held.cell.bits * held.cell.spoilt for held, turn in zip(self._forced, way, strict=True) if not turn.mask
            ]
            turn = _joined(way)
            forced.append(_Start(turn, prod(stay) * odds**turn.events))
        if not forced:
            return [], 0.0
        left = [_Start(turn, spoilt / (1 - spoilt) / odds) for turn, spoilt in self._doubts]
        likely = {n for n, each in enumerate(left) if each.weight > 1}
        changes = (set(some) for count in range(MOST_EVENTS + 1) for some in combinations(range(len(left)), count))
        kept = []
        for change in islice(changes, _MOST_FORCED):
            chosen = [left[n] for n in likely ^ change]
            kept.append(_Start(_joined(each.turn for each in chosen), prod(each.weight for each in chosen)))
        every = prod(1 + each.weight for each in left) * sum(each.weight for each in forced)
        starts = nlargest(
            _MOST_FORCED,
            (_Start(_joined((one.turn, two.turn)), one.weight * two.weight) for one in forced for two in kept),
            key=lambda start: start.weight,
        )
        return starts, max(0.0, every - sum(start.weight for start in starts))

    def _blind(self, odds: float) -> float:
        """Weight of damage in impossible values."""
        bits = sum(held.cell.bits for held in self._held)
        return sum(comb(bits, n) * odds**n for n in range(2, _MOST_BLIND)) * _FAR

    def _loose(self) -> Iterator[Turn]:
        """No wrong bit or one, whatever the windows say: they may be too narrow."""
        yield Turn(0, 0, 0, 0)
        for held in self._held:
            yield from held.flips

    def _chosen(self, fits: list[_Fit], beyond: float) -> Solution | str:
        """The likeliest correction. ``beyond``: weight of plausible damage that was not tried."""
        if not fits:
            return f"no {MOST_EVENTS} wrong bits explain the checksum"
        best, rivals = fits[0], fits[1:]
        if rivals and rivals[0].weight == best.weight:
            return f"ambiguous: {sum(fit.weight == best.weight for fit in fits)} corrections fit"
        wrong = sum(fit.weight for fit in rivals) + beyond / CHANCE
        return Solution(best.turn.mask, best.forced, wrong / (best.weight + wrong))

    def _beyond(self, left: int, events: int) -> Iterator[Turn]:
        """What else has to be turned, after the impossible values were, so that nothing is left of the syndrome."""
        if not left:
            yield Turn(0, 0, 0, 0)
            return
        yield from (turn for turn, _ in self._by_syndrome.get(left, ()))
        if events < MOST_EVENTS or len(self._singles) > _MOST_PAIRED:
            return
        for one, held in self._singles:
            for two, other in self._by_syndrome.get(left ^ one.syndrome, ()):
                if two.mask > one.mask and (held is not other or held.fits(held.local(one.mask | two.mask))):
                    yield _joined((one, two))
        if self._pairs is None:
            self._pairs = [turn for held in self._free for turn in held.together()]
        yield from (turn for turn in self._pairs if turn.syndrome == left)


class _Held(NamedTuple):
    """A cell with what it holds, and the turns of its bits, the lowest first."""

    cell: Cell
    raw: int
    flips: list[Turn]

    def fits(self, turned: int) -> bool:
        """Whether the value is possible with these bits of it turned."""
        return self.cell.allows(self.raw ^ turned)

    def local(self, mask: int) -> int:
        """Bits of the frame as bits of the value."""
        return mask // self.flips[0].mask

    def repairs(self) -> Iterator[Turn]:
        """Ways to make an impossible value a possible one."""
        choices, flips = self.cell.choices, self.flips
        if choices is not None and len(choices) <= _FEW_VALUES:
            for wrong in (raw ^ self.raw for raw in sorted(choices)):
                yield _joined(turn for n, turn in enumerate(flips) if wrong >> n & 1)
            return
        yield from (turn for n, turn in enumerate(flips) if self.fits(1 << n))
        for (n, one), (m, two) in combinations(enumerate(flips), 2):
            if self.fits(1 << n | 1 << m):
                yield _joined((one, two))

    def together(self) -> Iterator[Turn]:
        """Pairs that are possible only together, and short bursts."""
        flips, cell = self.flips, self.cell
        if cell.window is not None or cell.choices is not None or cell.leaf.labels is not None:
            alone = [self.fits(1 << n) for n in range(cell.bits)]
            for n, m in combinations(range(cell.bits), 2):
                if not (alone[n] and alone[m]) and self.fits(1 << n | 1 << m):
                    yield _joined((flips[n], flips[m]))
        for at in range(cell.bits - 2):
            for pattern in _BURSTS:
                if at + pattern.bit_length() <= cell.bits and self.fits(pattern << at):
                    burst = _joined(flips[at + n] for n in range(BURST_BITS) if pattern >> n & 1)
                    yield burst._replace(events=MOST_EVENTS)


_STAY = Turn(0, 0, 0, 0)


def _joined(turns: Iterable[Turn]) -> Turn:
    mask = syndrome = bits = events = 0
    for turn in turns:
        mask ^= turn.mask
        syndrome ^= turn.syndrome
        bits += turn.bits
        events += turn.events
    return Turn(mask, syndrome, bits, events)


def _products(ways: list[list[Turn]]) -> Iterator[tuple[Turn, ...]]:
    """One way for each impossible value; the likeliest first, and not too many."""
    ordered = [sorted(each, key=lambda turn: turn.bits) for each in ways]
    for number, chosen in enumerate(product(*ordered)):
        if number >= _MOST_FORCED:
            return
        yield chosen


def _beyond_mass(mean: float, events: int) -> float:
    """Weight of all damage of more than so many events, where each alone would have this mean weight."""
    mean = min(mean, 50.0)
    return max(0.0, exp(mean) - 1 - mean - (mean * mean / 2 if events > 1 else 0.0))
