"""Faults that change, lose or add single bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Annotated

import msgspec

from hil.faults.spec import Byte, Count, Effect, PerUnit, Probability, Spec, require
from hil.faults.unit import Note, Unit

BITS = 8
_NEVER = 1 << 62


class Gaps:
    """Where independent rare things happen: the distance to the next, one draw each."""

    def __init__(self, p: float, random: Random) -> None:
        self._p = p
        self._random = random
        self._next = self._draw()

    def take(self, room: int) -> list[int]:
        """The places among the next ``room``."""
        places = []
        at = self._next
        while at < room:
            places.append(at)
            at += 1 + self._draw()
        self._next = at - room
        return places

    def _draw(self) -> int:
        if self._p <= 0:
            return _NEVER
        if self._p >= 1:
            return 0
        return int(math.log(1.0 - self._random.random()) / math.log1p(-self._p))


class BitFlip(Spec, frozen=True, kw_only=True, tag="bit_flip"):
    """Bits turn over: each with the probability ``ber``; or ``bits`` of every unit; or those of ``mask`` at ``offset``.

    Attributes:
        ber: bit error rate.
        bits: so many different bits of each frame, anywhere.
        offset: byte of each frame, ASM included, from 0.
        mask: which bits of it.
    """

    ber: Probability | None = None
    bits: Count | None = None
    offset: Annotated[int, msgspec.Meta(ge=0)] | None = None
    mask: Byte = 1

    @property
    def by_chance(self) -> bool:
        """Whether a bit is hit."""
        return self.ber is not None and self.ber < 1

    def check(self) -> None:
        """One of the three, and a bit that is there."""
        if sum(way is not None for way in (self.ber, self.bits, self.offset)) != 1:
            raise ValueError("bit_flip has one of: ber, bits, offset")
        require(self.ber != 0, "ber is 0: no bit would ever turn over")
        require(self.mask != 0, "mask is 0: no bit would ever turn over")

    @property
    def places(self) -> dict[str, int | None]:
        """The byte that is hit."""
        return {"offset": self.offset}

    def effect(self, random: Random) -> Effect:
        if self.ber is not None:
            return _Flip(_rated(Gaps(self.ber, random)))
        if self.bits is not None:
            return _Flip(_counted(self.bits, random))
        return _Flip(_masked(self.offset or 0, self.mask))


Places = Callable[[int], list[int]]
"""Which bits turn over, of so many: most significant first."""


def _rated(gaps: Gaps) -> Places:
    return gaps.take


def _counted(bits: int, random: Random) -> Places:
    return lambda room: sorted(random.sample(range(room), min(bits, room)))


def _masked(offset: int, mask: int) -> Places:
    return lambda room: [place for n in range(BITS) if mask & 0x80 >> n and (place := offset * BITS + n) < room]


class _Flip(PerUnit):
    def __init__(self, places: Places) -> None:
        self._places = places

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        places = self._places(len(unit.data) * BITS)
        if not places:
            return [unit]
        data = bytearray(unit.data)
        for place in places:
            data[place // BITS] ^= 0x80 >> place % BITS
        first, last = places[0] // BITS, places[-1] // BITS
        note(unit, "changed", f"{len(places)} bits turned over", first, last - first + 1)
        return [unit.with_data(bytes(data))]


class ByteDrop(Spec, frozen=True, kw_only=True, tag="byte_drop"):
    """At each byte, with the probability ``p``, ``burst`` bytes are lost."""

    p: Probability
    burst: Count = 1

    @property
    def by_chance(self) -> bool:
        """Whether a byte is hit."""
        return self.p < 1

    def check(self) -> None:
        """It can hit one."""
        require(self.p != 0, "p is 0: no byte would ever be lost")

    def effect(self, random: Random) -> Effect:
        return _Drop(Gaps(self.p, random), self.burst)


class _Drop(PerUnit):
    def __init__(self, gaps: Gaps, burst: int) -> None:
        self._gaps = gaps
        self._burst = burst
        self._left = 0

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        size = len(unit.data)
        lost = [False] * size
        for place in range(min(self._left, size)):
            lost[place] = True
        self._left -= min(self._left, size)
        for place in self._gaps.take(size):
            end = place + self._burst
            lost[place:end] = [True] * (min(end, size) - place)
            self._left = max(self._left, end - size)
        return _without(unit, lost, note)


def _without(unit: Unit, lost: list[bool], note: Note) -> list[Unit]:
    """The pieces that are left; each stretch that is not is noted."""
    if not any(lost):
        return [unit]
    pieces, start = [], 0
    for end in range(1, len(lost) + 1):
        if end < len(lost) and lost[end] == lost[start]:
            continue
        if lost[start]:
            note(unit, "lost", f"{end - start} bytes lost", start, end - start)
        else:
            pieces.append(unit.part(start, end))
        start = end
    return pieces


class ByteDup(Spec, frozen=True, kw_only=True, tag="byte_dup"):
    """At each byte, with the probability ``p``, the last ``burst`` bytes come once more."""

    p: Probability
    burst: Count = 1

    @property
    def by_chance(self) -> bool:
        """Whether a byte is hit."""
        return self.p < 1

    def check(self) -> None:
        """It can hit one."""
        require(self.p != 0, "p is 0: no byte would ever come twice")

    def effect(self, random: Random) -> Effect:
        return _Add(Gaps(self.p, random), lambda unit, place: unit.data[max(0, place + 1 - self.burst) : place + 1])


class ByteInsert(Spec, frozen=True, kw_only=True, tag="byte_insert"):
    """Behind each byte, with the probability ``p``, ``burst`` bytes are added: of ``value``, or random ones."""

    p: Probability
    burst: Count = 1
    value: Byte | None = None

    @property
    def by_chance(self) -> bool:
        """Whether a byte is hit."""
        return self.p < 1

    def check(self) -> None:
        """It can hit one."""
        require(self.p != 0, "p is 0: no byte would ever be added")

    def effect(self, random: Random) -> Effect:
        fixed = None if self.value is None else bytes([self.value]) * self.burst
        draws = Random(random.random())  # noqa: S311 - places and values apart: one does not move the other
        return _Add(Gaps(self.p, random), lambda unit, place: fixed or draws.randbytes(self.burst))


class _Add(PerUnit):
    def __init__(self, gaps: Gaps, added: Callable[[Unit, int], bytes]) -> None:
        self._gaps = gaps
        self._added = added

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        pieces, start = [], 0
        for place in self._gaps.take(len(unit.data)):
            extra = self._added(unit, place)
            note(unit, "added", f"{len(extra)} bytes added", place + 1, len(extra))
            pieces += [unit.part(start, place + 1), replace(unit, data=extra, origin=None, events=())]
            start = place + 1
        return [*pieces, unit.part(start)] if start < len(unit.data) else pieces


class Truncate(Spec, frozen=True, kw_only=True, tag="truncate"):
    """Of each frame only the first ``at_byte`` bytes come."""

    at_byte: Annotated[int, msgspec.Meta(ge=0)]

    @property
    def places(self) -> dict[str, int | None]:
        """Where it ends."""
        return {"at_byte": self.at_byte}

    def effect(self, random: Random) -> Effect:
        return _Truncate(self.at_byte)


class _Truncate(PerUnit):
    def __init__(self, at_byte: int) -> None:
        self._at = at_byte

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        rest = len(unit.data) - self._at
        if rest <= 0:
            return [unit]
        note(unit, "lost", f"the last {rest} bytes are missing", self._at, rest)
        return [unit.part(0, self._at)] if self._at else []


class Garbage(Spec, frozen=True, kw_only=True, tag="garbage"):
    """``n`` random bytes of line noise before each frame."""

    n: Count

    def effect(self, random: Random) -> Effect:
        return _Garbage(self.n, random)


class _Garbage(PerUnit):
    def __init__(self, n: int, random: Random) -> None:
        self._n = n
        self._random = random

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        note(unit, "added", f"{self._n} random bytes before the frame", 0, self._n)
        return [replace(unit, data=self._random.randbytes(self._n), origin=None, events=()), unit]


class Stuck(Spec, frozen=True, kw_only=True, tag="stuck"):
    """The line is stuck: every byte reads ``value``."""

    value: Byte

    def effect(self, random: Random) -> Effect:
        return _Stuck(self.value)


class _Stuck(PerUnit):
    def __init__(self, value: int) -> None:
        self._value = value

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        note(unit, "changed", f"every byte reads {self._value:#04x}")
        return [unit.with_data(bytes([self._value]) * len(unit.data))]


class WrongBaud(Spec, frozen=True, kw_only=True, tag="wrong_baud"):
    """The receiver's UART runs at another rate than the sender's: its samples fall into the wrong bits.

    Attributes:
        sent: the sender's rate, in bits a second.
        heard: the receiver's.
    """

    sent: Count = 115200
    heard: Count

    def check(self) -> None:
        """The rates differ."""
        require(self.sent != self.heard, f"sent and heard are both {self.sent}: nothing would be wrong")

    def effect(self, random: Random) -> Effect:
        return _Resample(self.sent, self.heard)


class _Resample(PerUnit):
    """8N1, least significant bit first. The line is high between units, and the receiver takes a byte when it sees the
    line fall, whatever the stop bit then is: a framing error is not a reason for a UART to keep a byte back."""

    def __init__(self, sent: int, heard: int) -> None:
        self._sent = sent
        self._heard = heard

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        heard = self._sampled([bit for byte in unit.data for bit in _framed(byte)])
        if heard == unit.data:
            return [unit]
        note(unit, "lost", f"sent at {self._sent} baud, heard at {self._heard}")
        note(unit, "added", f"what was heard at {self._heard} baud", 0, len(heard))
        return [replace(unit, data=heard, origin=None)] if heard else []

    def _sampled(self, line: list[int]) -> bytes:
        """Positions in units of 1/(2 · heard) of a sent bit, so that all are whole numbers."""
        out = bytearray()
        bit, sample = 2 * self._heard, 2 * self._sent
        at, end = 0, len(line) * bit
        while (at := _fall(line, at, bit)) < end:
            byte = 0
            for n in range(BITS):
                place = (at + sample * (n + 1) + sample // 2) // bit
                byte |= (line[place] if place < len(line) else 1) << n
            out.append(byte)
            at += sample * (BITS + 1) + sample // 2  # the middle of the stop bit: from there on it looks for a start
        return bytes(out)


def _framed(byte: int) -> list[int]:
    return [0, *(byte >> n & 1 for n in range(BITS)), 1]


def _fall(line: list[int], at: int, bit: int) -> int:
    """Where the line is low from ``at`` on."""
    place = -(-at // bit) if at % bit and line[min(at // bit, len(line) - 1)] else at // bit
    while place < len(line) and line[place]:
        place += 1
    return max(at, place * bit)
