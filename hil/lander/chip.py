"""The failing transistors: four ways in which the lander's frames are corrupted, repeatable bit for bit [A].

Each fault has its own xorshift32 generator, started with the seed of its injection. Faults are frozen values: what
corrupts bytes also gives the fault as it is afterwards. Where no fault is on, nothing is drawn and nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

SEED_FOR_ZERO = 0x9E3779B9
"""xorshift32 never leaves 0."""
_MASK = 0xFFFFFFFF

WORDS = 14
"""Whole 16-bit words in the body of DESCENT; its last byte is never stuck."""
_STUCK_BITS = 12
"""The upper bits of a word that are stuck: the chip's words were of 12 bits [A]."""

_BEFORE_CRC_PER_LEVEL = 858_993
_AFTER_CRC_PER_LEVEL = 85_899
_BREAKS_PER_LEVEL = 1_717_987
"""What a draw of 32 bits must stay below, for each percent of level: at full level 2 %, 0.2 % and 4 % [A]."""
HEALS_BELOW = 214_748_365
"""5 %: a broken bond lasts two seconds in the mean [A]."""
BROKEN_BELOW = 858_993_459
"""20 % of the bits [A]."""


class Fault(IntEnum):
    """The numbers are on the wire; `ALL` is for clearing alone."""

    ALL = 0
    STUCK_WORDS = 1
    FLIPS_BEFORE_CRC = 2
    FLIPS_AFTER_CRC = 3
    BOND = 4


def draw(state: int) -> int:
    """The next state of a generator, which is what it draws: 1 … 2**32 - 1."""
    state ^= state << 13 & _MASK
    state ^= state >> 17
    return state ^ (state << 5 & _MASK)


def flip(data: bytes, state: int, below: int) -> tuple[bytes, int]:
    """Turn over each bit whose draw is less than ``below``, most significant first; and the generator afterwards."""
    flips = 0
    for place in range(8 * len(data) - 1, -1, -1):
        # `draw`, written out: this runs for every bit that is sent.
        state ^= state << 13 & _MASK
        state ^= state >> 17
        state ^= state << 5 & _MASK
        if state < below:
            flips |= 1 << place
    return (int.from_bytes(data, "big") ^ flips).to_bytes(len(data), "big"), state


def stick(body: bytes, stuck: Iterable[tuple[int, int]]) -> bytes:
    """Put the upper bits of stuck words, given with their index, into DESCENT's body; a later one covers an earlier."""
    for index, upper in stuck:
        low = body[2 * index + 1] & (1 << 16 - _STUCK_BITS) - 1
        word = upper << 16 - _STUCK_BITS | low
        body = body[: 2 * index] + word.to_bytes(2, "big") + body[2 * index + 2 :]
    return body


@dataclass(frozen=True, slots=True)
class Flips:
    """Bits turn over independently. ``level`` in percent, ``state`` of the generator."""

    level: int
    state: int


@dataclass(frozen=True, slots=True)
class Bond:
    """A bond that breaks and heals: the Gilbert model. ``level`` in percent, ``state`` of the generator."""

    level: int
    state: int
    broken: bool = False

    def next(self) -> Bond:
        """As it is at the next frame."""
        state = draw(self.state)
        changes = state < (HEALS_BELOW if self.broken else self.level * _BREAKS_PER_LEVEL)
        return Bond(self.level, state, self.broken != changes)


@dataclass(frozen=True, slots=True)
class Chip:
    """Which faults are on. ``stuck`` has index and upper bits of each stuck word; a later one covers an earlier."""

    stuck: tuple[tuple[int, int], ...] = ()
    before: Flips | None = None
    after: Flips | None = None
    bond: Bond | None = None

    def inject(self, fault: int, level: int, seed: int) -> Chip:
        """Start or restart a fault. ``level`` 1 … 100 %."""
        state = seed or SEED_FOR_ZERO
        if fault == Fault.STUCK_WORDS:
            return replace(self, stuck=_stuck_words(level, state))
        if fault == Fault.FLIPS_BEFORE_CRC:
            return replace(self, before=Flips(level, state))
        if fault == Fault.FLIPS_AFTER_CRC:
            return replace(self, after=Flips(level, state))
        return replace(self, bond=Bond(level, state))

    def clear(self, fault: int) -> Chip:
        """Let one fault, or all, end."""
        every = fault == Fault.ALL
        return Chip(
            () if every or fault == Fault.STUCK_WORDS else self.stuck,
            None if every or fault == Fault.FLIPS_BEFORE_CRC else self.before,
            None if every or fault == Fault.FLIPS_AFTER_CRC else self.after,
            None if every or fault == Fault.BOND else self.bond,
        )

    def spoil_body(self, body: bytes) -> tuple[bytes, Chip]:
        """DESCENT's body as it is packed, before the packet's CRC; and the chip afterwards."""
        if self.stuck:
            body = stick(body, self.stuck)
        if self.before is None:
            return body, self
        level = self.before.level
        body, state = flip(body, self.before.state, level * _BEFORE_CRC_PER_LEVEL)
        return body, replace(self, before=Flips(level, state))

    def spoil_frame(self, frame: bytes) -> tuple[bytes, Chip]:
        """A finished frame, ASM included, as it is sent; and the chip afterwards."""
        chip = self
        if chip.after is not None:
            frame, state = flip(frame, chip.after.state, chip.after.level * _AFTER_CRC_PER_LEVEL)
            chip = replace(chip, after=Flips(chip.after.level, state))
        if chip.bond is not None:
            bond = chip.bond.next()
            if bond.broken:
                frame, state = flip(frame, bond.state, BROKEN_BELOW)
                bond = replace(bond, state=state)
            chip = replace(chip, bond=bond)
        return frame, chip


def _stuck_words(level: int, state: int) -> tuple[tuple[int, int], ...]:
    """Which words are stuck, and the upper bits of each: two draws a word."""
    stuck = []
    for _ in range((level * 7 + 99) // 100):
        place = draw(state)
        state = draw(place)
        stuck.append((place % WORDS, state & (1 << _STUCK_BITS) - 1))
    return tuple(stuck)
