"""What this project's own XTCE says beside the standard, so that it is read back to the dictionary it was made of.

`protocols.export.xtce` writes it: ancillary data whose names begin with ``groundstation.``, each a JSON object, have
the names of a declaration and what XTCE has no words for. In another's file there is none of it, and one that has some
can be a stranger's, too: what is not as below is refused with its path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import msgspec

from protocols.ccsds.cds import CdsFormat
from protocols.ccsds.cuc import CucFormat
from protocols.declare.dictionary import ChannelDef, EventDef, Milestone
from protocols.declare.headers import TIME, HeaderKind, PacketHeader, TimeCode
from protocols.errors import DeclarationError
from protocols.structures.calibration import Linear, Polynomial, Table
from protocols.structures.fields import Limits, QuantityDef
from protocols.structures.layout import Field, Layout
from protocols.structures.parts import Part, Text, TextEnd, fixed
from protocols.xtce_reader.names import Defined
from protocols.xtce_reader.xml_tree import Element

SPACE = "groundstation."
_PLACES = re.compile(r"\{[A-Za-z_]\w{0,60}(:(0?\d{0,2}[a-zA-Z]?|\.\df))?\}")
_PUS_FIELDS = {"pus-a": 5, "pus-c": 0}
"""Fields of the secondary header that every PUS-A packet has, before the optional ones."""

Number = int | float
T = TypeVar("T")


class QuantityMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a quantity has beside unit and limits. Numbers as they were declared: 1 is not 1.0."""

    linear: tuple[Number, Number] | None = None
    points: tuple[tuple[Number, Number], ...] | None = None
    places: int | None = None
    valid_if: str | None = None
    step: tuple[Number | None, Number | None, Number] | None = None
    """Limits on change: yellow, red, and their time in seconds."""
    tolerance: Number | None = None
    polynomial: bool = False
    """It was declared as one, though it has two terms: its values are not rounded."""


class FieldMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parameter's: its name in its packet; a constant, bytes in hex; encoding and end of text that XTCE lacks."""

    name: str = ""
    padding: bool = False
    flag: bool = False
    const: int | str | None = None
    quantity: QuantityMark | None = None
    text: tuple[str, TextEnd] | None = None


class TimeMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A time code's: its format, bytes of its two segments, epoch in ns since 1970."""

    kind: Literal["cds", "cuc"]
    sizes: tuple[int, int]
    epoch_ns: int
    p_field: bool = False
    leap_seconds: bool = False


class HeaderMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a container that ends with the secondary header."""

    kind: HeaderKind
    crc: bool = False
    time: TimeMark | None = None


class PacketMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a packet's container. ``when``: what it was declared with. ``open_end``: bytes may follow."""

    name: str
    service: int | None = None
    subtype: int | None = None
    period_ms: int = 0
    optional: bool = False
    when: dict[str, int | str] = {}
    crc: bool = False
    open_end: bool = False


class PartMark(msgspec.Struct, frozen=True):
    """Of a container of repeated items: the name that they have."""

    name: str


class DocumentMark(msgspec.Struct, frozen=True):
    """Of the whole document."""

    name: str
    scid: int
    hash: int | None = None
    channels: tuple[ChannelDef, ...] = ()
    timeline: tuple[Milestone, ...] = ()
    events: tuple[EventDef, ...] = ()


Mark = FieldMark | HeaderMark | PacketMark | PartMark | DocumentMark
_NAMES: dict[type, str] = {
    FieldMark: "field", HeaderMark: "header", PacketMark: "packet", PartMark: "part", DocumentMark: "mission",
}  # fmt: skip


def name_of_mark(kind: type) -> str:
    """The name of the ancillary data."""
    return SPACE + _NAMES[kind]


class Marks:
    """The marks of a document.

    Attributes:
        document: the whole document's; None: it is not one of ours.
    """

    def __init__(self, root: Element) -> None:
        self.document = _read(root, root.name, DocumentMark)
        for event in self.document.events if self.document else ():
            if set("{}").intersection(_PLACES.sub("", event.text)):
                raise root.refuse(root.name, f"event {event.name}: its text has a place that is not a field's name")

    @property
    def own(self) -> bool:
        """Whether the document is one of ours."""
        return self.document is not None

    def name_of(self, parameter: Defined) -> str:
        """What a parameter is called in a packet."""
        mark = self._mark(parameter, FieldMark)
        return mark.name if mark is not None and mark.name else parameter.element.get("name")

    def part_of(self, container: Defined) -> str:
        """What the items of a container are called."""
        mark = self._mark(container, PartMark)
        return container.element.get("name") if mark is None else mark.name

    def packet_of(self, container: Defined) -> PacketMark | None:
        """What a packet was declared with."""
        return self._mark(container, PacketMark)

    def field_of(self, parameter: Defined, field: Field) -> Field:
        """A field as it was declared."""
        mark = self._mark(parameter, FieldMark)
        if mark is None:
            return field
        if mark.padding:
            return Field("", 0, field.bits, "padding")
        try:
            const = bytes.fromhex(mark.const) if isinstance(mark.const, str) else mark.const
        except ValueError as error:
            raise parameter.refuse(f"{mark.const!r} is not bytes in hex") from error
        if isinstance(const, bytes) and len(const) * 8 != field.bits:
            raise parameter.refuse(f"a constant of {len(const)} bytes in {field.bits} bits")
        kind = "flag" if mark.flag and field.kind == "uint" and field.bits <= 8 else field.kind
        quantity = field.quantity
        if mark.quantity is not None and not field.is_enum and field.kind in ("uint", "sint", "float"):
            quantity = _quantity(field.quantity or QuantityDef(), mark.quantity)
        field = replace(field, const=const, kind=kind, quantity=quantity)
        if mark.text is None or field.kind not in ("bytes", "string"):
            return field
        try:
            return replace(field, kind="string", text=Text(*mark.text))
        except DeclarationError as error:
            raise parameter.refuse(str(error)) from error

    def header_of(self, container: Defined, items: Sequence[Field | Part]) -> PacketHeader | None:
        """The header that ends with a container, if one does; ``items`` are its fields."""
        mark = self._mark(container, HeaderMark)
        if mark is None:
            return None
        fields = [item for item in items if isinstance(item, Field)]
        own: Layout | None = None
        if mark.kind == "own":
            own = fixed(fields, container.path)
        elif mark.kind == "pus-a":
            rest = [leaf for leaf in fields[_PUS_FIELDS[mark.kind] :] if leaf.name != TIME]
            own = fixed(rest, container.path) if rest else None
        return PacketHeader(mark.kind, None if mark.time is None else _time(mark.time), mark.crc, own)

    def _mark(self, found: Defined, kind: type[T]) -> T | None:
        return _read(found.element, found.path, kind) if self.own else None


def _read(element: Element, path: str, kind: type[T]) -> T | None:
    name = name_of_mark(kind)
    for each in element.all("AncillaryDataSet", "AncillaryData"):
        if each.get("name") == name:
            try:
                return msgspec.json.decode(each.text, type=kind)
            except (msgspec.MsgspecError, RecursionError, TypeError, ValueError) as error:
                raise each.refuse(path, f"its {name} is wrong: {error}") from error
    return None


def _quantity(found: QuantityDef, mark: QuantityMark) -> QuantityDef:
    calibration = found.calibration
    if mark.linear is not None:
        calibration = Linear(*mark.linear)
    elif mark.points is not None and isinstance(calibration, Table):
        calibration = Table(mark.points, calibration.interpolate, calibration.extrapolate)
    elif mark.polynomial and isinstance(calibration, Linear):
        calibration = Polynomial((calibration.offset, calibration.scale))
    limits = found.limits
    if mark.step is not None:
        yellow, red, seconds = mark.step
        limits = replace(limits or Limits(), step_yellow=yellow, step_red=red, step_s=seconds)
    return QuantityDef(found.unit, calibration, limits, mark.places, mark.valid_if, mark.tolerance)


def _time(mark: TimeMark) -> TimeCode:
    form: Any = CdsFormat if mark.kind == "cds" else CucFormat
    try:
        return TimeCode(form(*mark.sizes, mark.epoch_ns), mark.p_field, mark.leap_seconds)
    except (ValueError, OverflowError) as error:
        raise DeclarationError("time code", str(error)) from error
