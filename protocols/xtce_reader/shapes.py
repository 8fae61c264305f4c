"""What a parameter type is on the wire, before it has a name: the result of `parameter_types`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from protocols.structures.layout import Field
from protocols.xtce_reader.xml_tree import Element


@dataclass(frozen=True, slots=True)
class Scalar:
    """One field of fixed size. ``words``: what a criterion may call its raw numbers, beside its labels."""

    field: Field
    words: tuple[tuple[str, int], ...] = ()

    @property
    def cost(self) -> int:
        """Of the budget."""
        table = getattr(self.field.quantity and self.field.quantity.calibration, "points", ())
        return 1 + len(self.field.spans) + len(table)


@dataclass(frozen=True, slots=True)
class Measured:
    """A size in bits: ``slope`` times the parameter that ``reference`` names, and ``intercept``."""

    reference: Element
    slope: int
    intercept: int


@dataclass(frozen=True, slots=True)
class Looked:
    """A size in bits by the first criterion that holds: the elements that have ``value`` and a comparison."""

    cases: tuple[tuple[int, Element], ...]


Size = Measured | Looked


@dataclass(frozen=True, slots=True)
class Sized:
    """Bytes or a string whose size another parameter tells, or that a NUL ends."""

    field: Field
    size: Size | Literal["terminated"]


@dataclass(frozen=True, slots=True)
class Led:
    """A string after a number of ``bits`` that tells its size; both within ``window`` bits, if it has some.

    ``unit``: how many bits the number counts as one.
    """

    field: Field
    bits: int
    window: Size | int | None
    unit: int


@dataclass(frozen=True, slots=True)
class Group:
    """Members of an aggregate, or with names such as ``[0]`` items of an array."""

    members: tuple[tuple[str, Shape], ...]


Shape: TypeAlias = "Scalar | Sized | Led | Group"
