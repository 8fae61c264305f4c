"""What every fault of a scenario has in common, and the parts that a stream's fault is made of.

A fault is declared as a `Spec`, a value read from TOML. For each direction it makes an `Effect`, which has the random
numbers and whatever has to be remembered; a `Stage` puts it behind its window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import Annotated, ClassVar, Literal, Protocol

import msgspec

from hil.faults.unit import Note, Unit
from hil.faults.when import Watch, When
from hil.faults.window import At, For, Gate

Direction = Literal["down", "up", "both"]
Family = Literal["stream", "link", "target"]

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]


def require(right: bool, text: str) -> None:
    """See that something holds.

    Raises:
        ValueError: it does not; with the text.
    """
    if not right:
        raise ValueError(text)


class Effect(Protocol):
    """What a fault does to the bytes of one direction."""

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        """What becomes of a unit in the window, in order."""

    def close(self) -> list[Unit]:
        """The window has closed, or the stream ended: what was held back."""


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every fault has.

    Attributes:
        at: where it begins; None: at once, or with `when`.
        when: parameter that it waits for, in place of `at`.
        span: how long it stays; None: to the end.
        direction: of the bytes it acts on.
        seed: of its random numbers; None: made of the run's seed and its place in the scenario.
        relay: the relay on whose link it acts; None: on the bus's.
    """

    family: ClassVar[Family] = "stream"

    at: At | None = None
    when: When | None = None
    span: For | None = msgspec.field(default=None, name="for")
    direction: Direction = msgspec.field(default="down", name="dir")
    seed: int | None = None
    relay: str | None = None

    @property
    def kind(self) -> str:
        """Its name in scenarios."""
        return str(self.__struct_config__.tag)

    @property
    def by_chance(self) -> bool:
        """What it does to bytes in its window hangs on chance, so that it may do nothing."""
        return False

    def check(self) -> None:
        """Whether its parameters go together, and do something.

        Raises:
            ValueError: they do not; says which.
        """

    @property
    def places(self) -> dict[str, int | None]:
        """Places in a frame, which has to be long enough, by the names of their keys."""
        return {}

    def check_length(self, size: int) -> None:
        """See that frames of ``size`` bytes are long enough for its places; telecommands have many lengths.

        Raises:
            ValueError: they are not.
        """
        for name, place in self.places.items():
            if place is not None and self.direction != "up":
                require(place < size, f"{name} is {place}: a frame has {size} bytes with its ASM, counted from 0")

    def effect(self, random: Random) -> Effect:
        """What it does to the bytes of one direction, with random numbers of its own."""
        raise TypeError(f"{self.kind} acts on no stream")


class Stage:
    """An effect behind its window. Show it every unit, in order.

    Attributes:
        fault: place of the fault in the scenario.
        exposed: bytes that came while its window was open.
    """

    def __init__(self, spec: Spec, effect: Effect, note: Note, watch: Watch | None = None) -> None:
        """Args: the fault, what it does, the log, and the condition that it waits for."""
        self.gate = Gate(spec.at, spec.span, watch)
        self.fault = note.fault
        self.exposed = 0
        self._effect = effect
        self._note = note
        self._open = False

    def push(self, unit: Unit) -> list[Unit]:
        """What becomes of a unit."""
        if not self._open and self.gate.leaves(unit):
            return [unit]
        out: list[Unit] = []
        for inside, part in self.gate.split(unit):
            if inside:
                self._open = True
                self.exposed += len(part.data)
                out += self._effect.apply(part, self._note)
                continue
            if self._open:
                self._open = False
                out += self._effect.close()
            out.append(part)
        return out

    def close(self) -> list[Unit]:
        """The stream has ended: what was held back."""
        return self._effect.close()


class PerUnit:
    """Base of the effects that hold nothing back."""

    def close(self) -> list[Unit]:
        """Nothing."""
        return []


class PerFrame(PerUnit, ABC):
    """Base of the effects that decide once for each frame, however many pieces it comes in."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._hit = False

    def _decided(self, unit: Unit) -> bool:
        """Whether this unit's frame is hit."""
        if unit.number != self._number:
            self._number = unit.number
            self._hit = self._decide()
        return self._hit

    @abstractmethod
    def _decide(self) -> bool:
        """Whether the frame that begins is hit."""
