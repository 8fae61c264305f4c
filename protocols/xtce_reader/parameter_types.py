"""Parameter types: what each is on the wire.

Rules:
1. A type whose size is known is read in any case: what it means may be lost (a calibrator, labels, an encoding), which
   is a problem with its path, and its raw number or bytes are given.
2. A type whose size is not known is an error: nothing after it has a place.
3. A time is a number, as its encoding says, with the encoding's scale and offset; its epoch is not read.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from protocols.errors import DeclarationError
from protocols.structures.calibration import IDENTITY, Calibration, Linear
from protocols.structures.fields import QuantityDef
from protocols.structures.layout import Field
from protocols.structures.parts import Text
from protocols.xtce_reader.bounds import Bounds, Problems
from protocols.xtce_reader.calibrators import calibration_of, joined_units, labels_of, limits_of
from protocols.xtce_reader.names import Defined, Names
from protocols.xtce_reader.numbers import exact, real, whole
from protocols.xtce_reader.shapes import Group, Led, Looked, Measured, Scalar, Shape, Size, Sized
from protocols.xtce_reader.xml_tree import Element

_KINDS = {
    f"{kind}ParameterType": kind
    for kind in ("Integer", "Float", "Enumerated", "Boolean", "String", "Binary", "AbsoluteTime", "RelativeTime")
}
_ENCODINGS = ("IntegerDataEncoding", "FloatDataEncoding", "StringDataEncoding", "BinaryDataEncoding", "Encoding")
_GROUPS = {"AggregateParameterType": "Aggregate", "ArrayParameterType": "Array"}
_SIGNED = {"unsigned": False, "twosComplement": True, "twosCompliment": True, "signed": True}
_IEEE = ("IEEE754_1985", "IEEE754", "IEEE-754")
_CHARACTERS = {
    "US-ASCII": "ascii",
    "ISO-8859-1": "iso8859-1",
    "Windows-1252": "cp1252",
    "UTF-8": "utf-8",
    "UTF-16LE": "utf-16-le",
    "UTF-16BE": "utf-16-be",
    "UTF-32LE": "utf-32-le",
    "UTF-32BE": "utf-32-be",
}
_MOST_BITS = 8 * 65542
_INTEGER_BITS = 64
_FLOAT_BITS = (16, 32, 64)
_MOST_ITEMS = 65536
_NO_SIZE = "_yamcs_ignore"
"""Stands for no parameter where XTCE wants one that tells a string's size. Files for Yamcs have it, and in these the
number before a string counts bytes."""


class ParameterTypes:
    """The types of a document; each is read once."""

    def __init__(self, names: Names, bounds: Bounds, problems: Problems, *, own: bool) -> None:
        self._names = names
        self._bounds = bounds
        self._problems = problems
        self._own = own
        self._known: dict[tuple[str, ...], Shape | DeclarationError] = {}
        self._open: list[tuple[str, ...]] = []

    def shape(self, parameter: Defined, attribute: str = "parameterTypeRef") -> Shape:
        """What a parameter, or a member, is on the wire.

        Raises:
            DeclarationError: its size cannot be told.
        """
        reference = parameter.element.get(attribute)
        kind = self._names.find("type", reference, parameter.scope)
        if kind is None:
            raise parameter.refuse(f"no type {reference!r}")
        if kind.key not in self._known:
            self._known[kind.key] = self._read(kind)
        found = self._known[kind.key]
        if isinstance(found, DeclarationError):
            raise found
        return found

    def _read(self, kind: Defined) -> Shape | DeclarationError:
        if kind.key in self._open:
            return kind.refuse("this type is part of itself")
        self._open.append(kind.key)
        try:
            self._bounds.hold("depth", len(self._open), kind.path, "types within each other")
            if kind.element.tag in _GROUPS:
                return self._aggregate(kind) if kind.element.tag.startswith("Agg") else self._array(kind)
            return self._simple(kind)
        except DeclarationError as error:
            return error
        finally:
            self._open.pop()

    def _aggregate(self, kind: Defined) -> Group:
        members = []
        for member in kind.element.all("MemberList", "Member"):
            found = Defined(member, kind.scope)
            members.append((member.get("name") or "member", self.shape(found, "typeRef")))
        return Group(tuple(members))

    def _array(self, kind: Defined) -> Group:
        item = self.shape(kind, "arrayTypeRef")
        sizes = []
        for dimension in kind.element.all("DimensionList", "Dimension"):
            first, last = (dimension.find(name, "FixedValue") for name in ("StartingIndex", "EndingIndex"))
            low, high = (None if each is None else whole(each.text) for each in (first, last))
            if low is None or high is None or high < low:
                raise kind.refuse("an array is read if its dimensions have a fixed first and last index")
            sizes.append(high - low + 1)
        if not sizes or prod(sizes) > _MOST_ITEMS:
            raise kind.refuse(f"{prod(sizes) if sizes else 'no'} items: expected 1 … {_MOST_ITEMS}")
        for size in reversed(sizes):
            item = Group(tuple((f"[{index}]", item) for index in range(size)))
        assert isinstance(item, Group)
        return item

    def _simple(self, kind: Defined) -> Shape:
        merged = self._inherited(kind)
        encoding = _encoding(merged)
        if kind.element.tag not in _KINDS:
            raise kind.refuse(f"a {kind.element.tag} is not read")
        if encoding is None:
            raise kind.refuse("it has no encoding: a parameter of a packet needs one")
        if encoding.tag == "StringDataEncoding":
            return self._string(kind, encoding)
        if encoding.tag == "BinaryDataEncoding":
            return self._binary(kind, encoding)
        field, understood = self._number(kind, encoding)
        return self._meaning(kind, merged, encoding, field) if understood else Scalar(field)

    def _inherited(self, kind: Defined) -> Element:
        """The type's element, with what it lacks taken from those that it is based on."""
        merged = replace(kind.element, attributes=dict(kind.element.attributes), children=list(kind.element.children))
        seen = {kind.key}
        current = kind
        while current.element.get("baseType"):
            base = self._names.find("type", current.element.get("baseType"), current.scope)
            if base is None or base.key in seen:
                what = "is based on itself" if base else f"has no base type {current.element.get('baseType')!r}"
                raise current.refuse(what)
            seen.add(base.key)
            self._bounds.hold("depth", len(seen), kind.path, "types based on each other")
            merged.attributes = base.element.attributes | merged.attributes
            own = {child.tag for child in merged.children}
            own |= {tag for tag in _ENCODINGS if own.intersection(_ENCODINGS)}
            merged.children += [child for child in base.element.children if child.tag not in own]
            current = base
        return merged

    def _number(self, kind: Defined, encoding: Element) -> tuple[Field, bool]:
        """The raw field, and whether its encoding is known."""
        is_float = encoding.tag == "FloatDataEncoding"
        bits = whole(encoding.get("sizeInBits", "32" if is_float else "8"))
        if bits is None or not 1 <= bits <= _MOST_BITS:
            raise kind.refuse(f"a number of {encoding.get('sizeInBits')!r} bits")
        code = encoding.get("encoding", "IEEE754_1985" if is_float else "unsigned")
        little = encoding.get("byteOrder") == "leastSignificantByteFirst" and bits > 8
        problem = ""
        if encoding.get("bitOrder") == "leastSignificantBitFirst" or encoding.find("ByteOrderList") is not None:
            problem = "the least significant bit first, and byte order lists, are not read"
        elif little and bits % 8:
            problem = f"{bits} bits with the least significant byte first"
        elif is_float and (code not in _IEEE or bits not in _FLOAT_BITS):
            problem = f"a float of {bits} bits in {code} is not read: IEEE 754 of 16, 32 or 64 bits is"
        elif not is_float and (code not in _SIGNED or bits > _INTEGER_BITS):
            problem = f"an integer of {bits} bits in {code} is not read: unsigned and twosComplement up to 64 bits are"
        if problem:
            self._problems.add(kind.refuse(f"{problem}; its bits are given as they are"))
            return _raw(bits), False
        return Field("", 0, bits, "float" if is_float else "sint" if _SIGNED[code] else "uint", little=little), True

    def _meaning(self, kind: Defined, merged: Element, encoding: Element, field: Field) -> Scalar:
        """The field with labels, or with unit, calibration and limits."""
        what = _KINDS[kind.element.tag]
        try:
            if what == "Enumerated":
                return Scalar(_labelled(field, labels_of(merged, kind.path)))
            if what == "Boolean":
                return _flag(field, merged)
            return Scalar(self._quantity(kind, merged, encoding, field))
        except DeclarationError as error:
            self._problems.add(DeclarationError(kind.path, f"its raw number is given: {error}"))
            return Scalar(field)

    def _quantity(self, kind: Defined, merged: Element, encoding: Element, field: Field) -> Field:
        if encoding.find("ContextCalibratorList") is not None:
            raise encoding.refuse(kind.path, "calibrators that depend on a context are not read")
        calibration = calibration_of(encoding, kind.path, exact if self._own else real)
        if _KINDS[kind.element.tag].endswith("Time"):
            calibration = _time_scale(kind, merged, calibration)
        limits, lost = limits_of(merged, kind.path)
        for error in lost:
            self._problems.add(error)
        units, time = merged.find("UnitSet"), merged.find("Encoding")
        unit = joined_units(units.all("Unit")) if units is not None else time.get("units") if time is not None else ""
        if calibration is None and limits is None and not unit and not (self._own and units is not None):
            return field
        return replace(field, quantity=QuantityDef(unit, calibration or IDENTITY, limits))

    def _string(self, kind: Defined, encoding: Element) -> Shape:
        name = encoding.get("encoding", "UTF-8")
        order = {"leastSignificantByteFirst": "LE", "mostSignificantByteFirst": "BE"}.get(encoding.get("byteOrder"), "")
        name = _CHARACTERS.get(name, "") or _CHARACTERS.get(f"{name}{order}", "")
        container = encoding.find("SizeInBits") or encoding.find("Variable")
        if container is None or not name:
            raise kind.refuse(f"a string in {encoding.get('encoding', 'UTF-8')!r} without a size cannot be read")
        fixed = container.find("Fixed", "FixedValue")
        bits = None if fixed is None else _bits(kind, fixed.text)
        led, end = container.find("LeadingSize"), container.find("TerminationChar")
        unit = Text(name, "whole").unit
        if end is not None and end.text.strip("0"):
            raise kind.refuse(f"a string that {end.text!r} ends is not read: one that a NUL ends is")
        text = Text(name, "whole" if end is None else "terminated")
        field = Field("", 0, bits or 0, "string", text=text)
        if led is not None:
            size = whole(led.get("sizeInBitsOfSizeTag", "16"))
            if size is None or size not in (8, 16, 32):
                raise kind.refuse(
                    f"a size before a string of {led.get('sizeInBitsOfSizeTag')!r} bits: 8, 16, 32 are read"
                )
            window = bits if bits is not None else self._measure(kind, container)
            return Led(replace(field, bits=0), size, window, 8 if _is_unsized(container) else 1)
        if bits is not None:
            if bits % (8 * unit):
                raise kind.refuse(f"{bits} bits are not whole characters of {name}")
            return Scalar(field)
        measured = self._measure(kind, container)
        if measured is None and end is None:
            raise kind.refuse("nothing tells the size of this string")
        return Sized(field, measured or "terminated")

    def _binary(self, kind: Defined, encoding: Element) -> Shape:
        size = encoding.find("SizeInBits")
        fixed = None if size is None else size.find("FixedValue") or size.find("Fixed", "FixedValue")
        if size is None:
            raise kind.refuse("nothing tells the size of these bytes")
        if fixed is not None:
            return Scalar(_raw(_bits(kind, fixed.text), is_bytes=True))
        measured = self._measure(kind, size)
        if measured is None:
            raise kind.refuse("nothing tells the size of these bytes")
        return Sized(Field("", 0, 0, "bytes"), measured)

    def _measure(self, kind: Defined, parent: Element) -> Size | None:
        """A size that other parameters tell."""
        dynamic, listed = parent.find("DynamicValue"), parent.find("DiscreteLookupList")
        if _is_unsized(parent):
            return None
        if dynamic is not None:
            return measure(dynamic, kind.path)
        if listed is None:
            return None
        cases = []
        for case in listed.all("DiscreteLookup"):
            value = whole(case.get("value"))
            if value is None or not 0 <= value <= _MOST_BITS:
                raise case.refuse(kind.path, f"{case.get('value')!r} is not a size in bits")
            cases.append((value, case))
        return Looked(tuple(cases))


def _is_unsized(parent: Element) -> bool:
    """Whether a size is that of no parameter."""
    reference = parent.find("DynamicValue", "ParameterInstanceRef")
    return reference is not None and reference.get("parameterRef") == _NO_SIZE


def measure(dynamic: Element, path: str) -> Measured:
    """What a DynamicValue says.

    Raises:
        DeclarationError: no parameter, or factors that are not whole numbers.
    """
    reference, adjust = dynamic.find("ParameterInstanceRef"), dynamic.find("LinearAdjustment")
    slope = 1 if adjust is None else whole(adjust.get("slope", "1" if adjust.get("intercept") else "0"))
    intercept = 0 if adjust is None else whole(adjust.get("intercept", "0"))
    if reference is None or slope is None or intercept is None:
        raise dynamic.refuse(path, "a dynamic value is read if it is a parameter, times and plus whole numbers")
    return Measured(reference, slope, intercept)


def _encoding(merged: Element) -> Element | None:
    """The data encoding; that of a time is within its Encoding."""
    inner = merged.find("Encoding")
    places = merged.children if inner is None else inner.children
    return next((each for each in places if each.tag in _ENCODINGS[:4]), None)


def _bits(kind: Defined, text: str) -> int:
    bits = whole(text)
    if bits is None or not 1 <= bits <= _MOST_BITS:
        raise kind.refuse(f"{text[:40]!r} is not a size in bits of 1 … {_MOST_BITS}")
    return bits


def _raw(bits: int, *, is_bytes: bool = False) -> Field:
    """Bits as they are: bytes if they are whole ones and many, else a number."""
    octets = bits % 8 == 0 and (is_bytes or bits > _INTEGER_BITS)
    return Field("", 0, bits, "bytes" if octets else "uint")


def _labelled(field: Field, spans: tuple[tuple[int, int, str], ...]) -> Field:
    if field.kind == "float":
        raise DeclarationError("EnumerationList", "labels of a float are not read")
    if all(low == high for low, high, _ in spans):
        return replace(field, labels=tuple((low, label) for low, _, label in spans))
    return replace(field, ranges=spans)


def _flag(field: Field, merged: Element) -> Scalar:
    zero, one = merged.get("zeroStringValue", "False"), merged.get("oneStringValue", "True")
    words = ((zero, 0), (one, 1), ("false", 0), ("true", 1))
    if field.kind == "uint" and field.bits <= 8:
        return Scalar(replace(field, kind="flag"), words)
    if field.kind == "float":
        raise DeclarationError("BooleanParameterType", "a boolean in a float is not read")
    return Scalar(
        replace(field, ranges=((0, 0, zero), (1, (1 << field.bits - (field.kind == "sint")) - 1, one))), words
    )


def _time_scale(kind: Defined, merged: Element, calibration: Calibration | None) -> Calibration | None:
    encoding = merged.find("Encoding")
    if encoding is None or not (encoding.get("scale") or encoding.get("offset")):
        return calibration
    scale, offset = real(encoding.get("scale", "1")), real(encoding.get("offset", "0"))
    if scale is None or offset is None or calibration is not None:
        raise kind.refuse("a time with a scale and a calibrator, or with a scale that is not a number")
    return Linear(scale, offset)
