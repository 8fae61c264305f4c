"""A construct declaration, read into a flat field layout. The only file that walks construct.

Rules:
1. A construct type that is not on the list below is refused with its path, never guessed: an opaque type
   (Switch, If, Computed, Checksum, ExprAdapter …) has no fixed place.
2. Types are compared exactly (``type(x) is …``): a subclass may mean something else.
3. Everything is big-endian and of fixed size. Native and little-endian formats are refused.
4. Every field has a name, but for padding. Nested names are joined by dots; array items carry an index.
5. Inside a BitStruct positions count in bits; elsewhere every field starts on a byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import construct

from protocols.errors import DeclarationError
from protocols.structures.fields import Quantity

Kind = Literal["uint", "sint", "float", "flag", "bytes", "padding"]

_FORMAT_KINDS: dict[str, tuple[Kind, int]] = {
    ">B": ("uint", 8),
    ">H": ("uint", 16),
    ">L": ("uint", 32),
    ">Q": ("uint", 64),
    ">b": ("sint", 8),
    ">h": ("sint", 16),
    ">l": ("sint", 32),
    ">q": ("sint", 64),
    ">f": ("float", 32),
    ">d": ("float", 64),
}

_NO_LABELS = frozenset({"NaN", "Infinity", "-Infinity"})


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a declaration. Positions and widths in bits from the start of the structure."""

    name: str
    offset: int
    bits: int
    kind: Kind
    const: int | bytes | None = None
    labels: tuple[tuple[int, str], ...] = ()
    quantity: Quantity | None = None
    doc: str = ""

    def signature(self) -> str:
        """The field as it matters on the wire and for its meaning: what the dictionary's hash is made of."""
        calibration = ""
        if self.quantity is not None:
            calibration = f"{self.quantity.unit}*{self.quantity.scale!r}+{self.quantity.offset!r}"
        return f"{self.name}@{self.offset}:{self.bits}{self.kind}={self.const!r}{self.labels!r}{calibration}"


@dataclass(frozen=True, slots=True)
class Layout:
    """All fields of a structure in wire order, padding included. ``size`` in bytes.

    Attributes:
        named: the fields that carry something: all but padding.
    """

    fields: tuple[Field, ...]
    size: int
    named: tuple[Field, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "named", tuple(leaf for leaf in self.fields if leaf.kind != "padding"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk stands: path for errors, field name, unit of size (1 in bits, 8 in bytes)."""

    path: str
    name: str
    bitwise: bool
    doc: str = ""
    quantity: Quantity | None = None
    labels: tuple[tuple[int, str], ...] = ()
    const: int | bytes | None = None

    def refuse(self, problem: str) -> DeclarationError:
        return DeclarationError(self.path, problem)


def layout_of(declaration: Any, path: str = "") -> Layout:
    """Read a construct declaration of fixed size.

    Args:
        declaration: a Struct, a BitStruct, or one named field.
        path: where the declaration stands, for errors.

    Raises:
        DeclarationError: a type that is not on the list, a field without a name, a duplicate name, or a size that
            is not whole bytes.
    """
    fields: list[Field] = []
    offset = 0
    for leaf in _walk(declaration, _Place(path or "(top)", "", bitwise=False)):
        fields.append(_at(leaf, offset))
        offset += leaf.bits
    if offset % 8:
        raise DeclarationError(path or "(top)", f"{offset} bits are not whole bytes")
    seen: set[str] = set()
    for leaf in fields:
        if leaf.kind != "padding" and leaf.name in seen:
            raise DeclarationError(f"{path}.{leaf.name}", "two fields have this name")
        seen.add(leaf.name)
    return Layout(tuple(fields), offset // 8)


def _at(leaf: Field, offset: int) -> Field:
    return Field(leaf.name, offset, leaf.bits, leaf.kind, leaf.const, leaf.labels, leaf.quantity, leaf.doc)


def _walk(node: Any, place: _Place) -> Iterator[Field]:
    """Leaves of ``node`` in wire order, their offsets still 0."""
    kind = type(node)
    if kind is construct.Renamed:
        yield from _walk_renamed(node, place)
    elif kind is construct.Struct:
        for subcon in node.subcons:
            yield from _walk(subcon, place)
    elif kind is construct.Transformed:
        yield from _walk_bits(node, place)
    elif kind is construct.Array:
        yield from _walk_array(node, place)
    elif kind is construct.Padded:
        yield _padding(node, place)
    else:
        yield _leaf(node, place)


def _walk_renamed(node: Any, place: _Place) -> Iterator[Field]:
    # ``"x" / Int8ub * "doc"`` wraps twice with one name.
    same = type(node.subcon) is construct.Renamed and node.subcon.name == node.name
    if same:
        name, path = place.name, place.path
    else:
        name = f"{place.name}.{node.name}" if place.name else str(node.name)
        path = f"{place.path}.{node.name}"
    yield from _walk(node.subcon, _Place(path, name, place.bitwise, node.docs or place.doc))


def _walk_bits(node: Any, place: _Place) -> Iterator[Field]:
    if node.decodefunc is not construct.lib.bytes2bits or place.bitwise:
        raise place.refuse("only BitStruct is known of the transforming types")
    yield from _walk(node.subcon, _Place(place.path, place.name, True, place.doc))


def _walk_array(node: Any, place: _Place) -> Iterator[Field]:
    if not isinstance(node.count, int):
        raise place.refuse("an array's count must be a number, not a function")
    for index in range(node.count):
        spot = _Place(f"{place.path}[{index}]", f"{place.name}[{index}]", place.bitwise, place.doc)
        yield from _walk(node.subcon, spot)


def _padding(node: Any, place: _Place) -> Field:
    if type(node.subcon) is not type(construct.Pass):
        raise place.refuse("Padded is known as Padding only")
    return Field(place.name, 0, int(node.length) * (1 if place.bitwise else 8), "padding")


def _leaf(node: Any, place: _Place) -> Field:
    """Peel Quantity, Enum and Const, then read the primitive below."""
    kind = type(node)
    if kind is Quantity:
        return _leaf(node.subcon, _with(place, quantity=node))
    if kind is construct.Enum:
        labels = tuple(sorted((int(value), str(name)) for name, value in node.encmapping.items()))
        if reserved := _NO_LABELS.intersection(name for _, name in labels):
            raise place.refuse(f"{min(reserved)!r} cannot be a label: JSON has this word for a float that is no number")
        return _leaf(node.subcon, _with(place, labels=labels))
    if kind is construct.Const:
        return _leaf(node.subcon, _with(place, const=node.value))
    if not place.name:
        raise place.refuse("a field without a name would vanish from what is decoded")
    primitive, bits = _primitive(node, place)
    return Field(place.name, 0, bits, primitive, place.const, place.labels, place.quantity, place.doc)


def _with(
    place: _Place,
    *,
    quantity: Quantity | None = None,
    labels: tuple[tuple[int, str], ...] = (),
    const: int | bytes | None = None,
) -> _Place:
    return _Place(
        place.path,
        place.name,
        place.bitwise,
        place.doc,
        quantity or place.quantity,
        labels or place.labels,
        const if const is not None else place.const,
    )


def _primitive(node: Any, place: _Place) -> tuple[Kind, int]:
    kind = type(node)
    if kind is construct.FormatField:
        if place.bitwise or node.fmtstr not in _FORMAT_KINDS:
            raise place.refuse(f"format {node.fmtstr!r} is not known here: use big-endian Int…b or Float…b")
        return _FORMAT_KINDS[node.fmtstr]
    if kind is construct.BytesInteger and isinstance(node.length, int) and not node.swapped:
        return ("sint" if node.signed else "uint"), node.length * 8
    if kind is construct.BitsInteger and isinstance(node.length, int) and not node.swapped and place.bitwise:
        return ("sint" if node.signed else "uint"), node.length
    if kind is construct.Bytes and isinstance(node.length, int) and not place.bitwise:
        return "bytes", node.length * 8
    if kind is type(construct.Flag):
        return "flag", 1 if place.bitwise else 8
    raise place.refuse(f"construct type {kind.__name__} is not known: its place on the wire cannot be read")
