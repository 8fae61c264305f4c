"""Faults of time: the same bytes, later. None of them reorders; the channel sees to that."""

from __future__ import annotations

from random import Random
from typing import Annotated

import msgspec

from hil.faults.spec import Count, Effect, Milliseconds, PerUnit, Probability, Spec, require
from hil.faults.unit import Note, Unit
from protocols.profile import UART
from protocols.units import NS_PER_MS, NS_PER_S

BITS_A_BYTE = 10
"""8N1 on the wire."""


class Delay(Spec, frozen=True, kw_only=True, tag="delay"):
    """Every frame comes later.

    Attributes:
        mean: by how much, in ms.
        jitter: standard deviation, in ms; a delay is never negative.
        corr: how much of the last frame's deviation the next one has.
    """

    mean: Milliseconds
    jitter: Milliseconds = 0.0
    corr: Probability = 0.0

    @property
    def by_chance(self) -> bool:
        """A delay that would be negative is none."""
        return self.jitter > 0

    def check(self) -> None:
        """It is later than at once."""
        require(bool(self.mean or self.jitter), "mean and jitter are 0: nothing would come later")

    def effect(self, random: Random) -> Effect:
        return _Delay(self, random)


class _Delay(PerUnit):
    def __init__(self, spec: Delay, random: Random) -> None:
        self._spec = spec
        self._random = random
        self._deviation = 0.0

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        spec = self._spec
        fresh = self._random.gauss(0.0, 1.0) if spec.jitter else 0.0
        self._deviation = spec.corr * self._deviation + (1 - spec.corr**2) ** 0.5 * fresh
        ns = max(0, round((spec.mean + spec.jitter * self._deviation) * NS_PER_MS))
        if ns:
            note(unit, "held", f"{ns / NS_PER_MS:.3f} ms later")
        return [unit.later(ns)]


class Rate(Spec, frozen=True, kw_only=True, tag="rate"):
    """The line carries no more than ``baud`` bits a second, ten for a byte; what does not fit yet waits."""

    baud: Count

    def effect(self, random: Random) -> Effect:
        return Pace(self.baud)


class Pace(PerUnit):
    """A line of a certain rate."""

    def __init__(self, baud: int) -> None:
        self._baud = baud
        self._free = 0

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        """When its last byte is through."""
        passed = self.pass_(unit)
        note(unit, "held", f"{(passed.due - unit.due) / NS_PER_MS:.3f} ms at {self._baud} baud")
        return [passed]

    def pass_(self, unit: Unit) -> Unit:
        """The same, with nothing to note: a rate is no fault by itself."""
        self._free = max(unit.due, self._free) + len(unit.data) * BITS_A_BYTE * NS_PER_S // self._baud
        return unit.later(self._free - unit.due)


class Slice(Spec, frozen=True, kw_only=True, tag="slice"):
    """Frames come in pieces.

    Attributes:
        avg_size: bytes in a piece.
        variation: at most so many more or fewer.
        gap: ms between pieces.
    """

    avg_size: Count
    variation: Annotated[int, msgspec.Meta(ge=0)] = 0
    gap: Milliseconds = 0.0

    def check(self) -> None:
        """A piece has a byte at least."""
        require(self.variation < self.avg_size, "slice.variation is less than avg_size")

    @property
    def places(self) -> dict[str, int | None]:
        """The least that is cut off: a frame is longer."""
        return {"avg_size - variation": self.avg_size - self.variation}

    @property
    def by_chance(self) -> bool:
        """A piece may be as long as the frame."""
        return self.avg_size + self.variation >= UART.cadu_length

    def effect(self, random: Random) -> Effect:
        return _Slice(self, random)


class _Slice(PerUnit):
    def __init__(self, spec: Slice, random: Random) -> None:
        self._spec = spec
        self._random = random

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        spec, at = self._spec, 0
        pieces: list[Unit] = []
        while at < len(unit.data):
            size = self._random.randint(spec.avg_size - spec.variation, spec.avg_size + spec.variation)
            pieces.append(unit.part(at, at + size).later(round(len(pieces) * spec.gap * NS_PER_MS)))
            at += size
        if len(pieces) > 1:
            note(unit, "held", f"in {len(pieces)} pieces")
        return pieces


class Stall(Spec, frozen=True, kw_only=True, tag="stall"):
    """Flow control holds the line for the window's time; then all comes at once, and nothing is lost."""

    def effect(self, random: Random) -> Effect:
        return _Stall()


class _Stall:
    def __init__(self) -> None:
        self._held: list[Unit] = []

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        note(unit, "held", "flow control")
        self._held.append(unit)
        return []

    def close(self) -> list[Unit]:
        held, self._held = self._held, []
        last = held[-1].due if held else 0
        return [unit.later(last - unit.due) for unit in held]


class Clock(Spec, frozen=True, kw_only=True, tag="clock"):
    """The sender's clock is off.

    Attributes:
        ppm: it runs so much slow; a negative figure would be bytes before they are sent.
        step: ms by which it is late at once.
    """

    ppm: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] = 0.0
    step: Milliseconds = 0.0

    def check(self) -> None:
        """It is off."""
        require(bool(self.ppm or self.step), "ppm and step are 0: the clock would be right")

    def effect(self, random: Random) -> Effect:
        return _Clock(self)


class _Clock(PerUnit):
    def __init__(self, spec: Clock) -> None:
        self._spec = spec
        self._since: int | None = None

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        if self._since is None:
            self._since = unit.due
        ns = round((unit.due - self._since) * self._spec.ppm / 1e6 + self._spec.step * NS_PER_MS)
        if ns:
            note(unit, "held", f"{ns / NS_PER_MS:.3f} ms late by its clock")
        return [unit.later(ns)]
