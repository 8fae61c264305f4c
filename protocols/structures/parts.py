"""What a structure is made of, as data: fields at fixed places, and parts whose size only the bytes tell.

`layout` reads these from construct; anything else may build them, too: `fixed` from fields, `assemble` from fields and
parts.

Rules:
1. A layout of fixed size is fields with their places, and has no parts.
2. A layout of variable size is a sequence of parts, each on a whole byte: layouts of fixed size, `Blob`, `Repeat`,
   `Choice` and `Window`.
3. All names are full names. Inside a `Repeat` they carry ``[]`` for the index: ``points[].x``; what is decoded carries
   the number: ``points[3].x``.
4. A name stands once; only the cases of one `Choice` may share names.
5. An expression refers to integers that come earlier. What takes the rest of the bytes comes last.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from protocols.errors import DeclarationError, EncodeError
from protocols.structures.expressions import SIZE, Expression, problem_of, references
from protocols.structures.fields import LabelRange, QuantityDef, check_ranges, label_in

Kind = Literal["uint", "sint", "float", "flag", "bytes", "string", "padding"]
TextEnd = Literal["stripped", "terminated", "whole"]
Rest = Literal["rest"]

_UNITS = {"utf-16-be": 2, "utf-16-le": 2, "utf-32-be": 4, "utf-32-le": 4}
MAX_FIELDS = 8 * 65_536
"""A space packet has no more bits."""

_FLOATS = (16, 32, 64)
_NUMBERS = ("uint", "sint", "float")
_CALIBRATED_BITS = 64
"""A longer integer may not fit into a double."""

_NO_LABELS = frozenset({"NaN", "Infinity", "-Infinity"})
_NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Encodings of Python that cannot read any bytes."""

_NO_ORDER = frozenset({"utf-16", "utf-32"})


@dataclass(frozen=True, slots=True)
class Text:
    """How bytes are a string.

    Bytes that the encoding does not know are shown as ``\\xff``, so that one flipped bit does not cost the packet.

    Attributes:
        encoding: as Python names it; UTF-16 and UTF-32 with their byte order.
        end: ``stripped`` of NULs at its end, ``terminated`` by the first NUL, or the ``whole`` of the bytes.

    Raises:
        DeclarationError: no such encoding, or one without a byte order.
    """

    encoding: str = "utf-8"
    end: TextEnd = "stripped"

    def __post_init__(self) -> None:
        try:
            info = codecs.lookup(self.encoding)
        except LookupError as error:
            raise DeclarationError("string", f"no encoding {self.encoding!r}") from error
        if not info._is_text_encoding or info.name in _NO_TEXT:
            raise DeclarationError("string", f"{self.encoding!r} is not an encoding of text")
        if info.name in _NO_ORDER:
            raise DeclarationError(
                "string", f"{self.encoding!r} has no byte order: use {info.name}-be or {info.name}-le"
            )
        object.__setattr__(self, "encoding", info.name)

    @property
    def unit(self) -> int:
        """Bytes of a NUL."""
        return _UNITS.get(self.encoding, 1)

    def decode(self, data: bytes) -> str:
        """The string in a field."""
        if self.end != "whole":
            data = data[: self.length(data)]
        return data.decode(self.encoding, "backslashreplace")

    def length(self, data: bytes) -> int:
        """Bytes before the NUL (``terminated``), or before the NULs at the end (``stripped``)."""
        if self.end == "terminated":
            return self.until_nul(data, 0, len(data))
        unit = self.unit
        if unit == 1:
            return len(data.rstrip(b"\0"))
        end = len(data) - len(data) % unit if not any(data[len(data) - len(data) % unit :]) else len(data)
        while end >= unit and not any(data[end - unit : end]):
            end -= unit
        return end

    def until_nul(self, data: bytes, start: int, end: int) -> int:
        """Bytes before the first NUL from ``start`` on; as many as there are if there is none."""
        if self.unit == 1:
            found = data.find(0, start, end)
            return (end if found < 0 else found) - start
        places = range(start, end - self.unit + 1, self.unit)
        return next((at - start for at in places if not any(data[at : at + self.unit])), end - start)

    def encode(self, text: str | bytes, size: int | None = None) -> bytes:
        """The bytes of a string, filled with NULs to ``size``. Bytes are taken as they are.

        Raises:
            EncodeError: a character that the encoding lacks, or more bytes than fit.
        """
        try:
            data = text if isinstance(text, bytes) else text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise EncodeError(f"{text!r} cannot be written in {self.encoding}") from error
        if size is not None and len(data) > size:
            raise EncodeError(f"{text!r} has {len(data)} bytes in {self.encoding}: at most {size} fit")
        return data if size is None else data.ljust(size, b"\0")


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a declaration. Positions and widths in bits, from the start of its layout.

    Attributes:
        little: the bytes of the number, or of a float, come lowest first.
        text: how a ``string`` is encoded.
        labels: numbers and their words.
        ranges: words for ranges of numbers, rising; a field has these or ``labels``.
    """

    name: str
    offset: int
    bits: int
    kind: Kind
    const: int | bytes | None = None
    labels: tuple[tuple[int, str], ...] = ()
    quantity: QuantityDef | None = None
    doc: str = ""
    little: bool = False
    text: Text | None = None
    ranges: tuple[LabelRange, ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self.ranges)
        if self.bits % 8 and (self.little or self.kind in ("bytes", "string", "float")):
            raise DeclarationError(self.name, f"{self.kind} of {self.bits} bits: expected whole bytes")
        if self.text is not None and self.bits // 8 % self.text.unit:
            raise DeclarationError(
                self.name, f"{self.bits // 8} bytes are not whole characters of {self.text.encoding}"
            )

    @property
    def is_enum(self) -> bool:
        """Whether numbers are shown as words."""
        return bool(self.labels or self.ranges)

    @property
    def spans(self) -> tuple[LabelRange, ...]:
        """Labels and ranges alike: lowest and highest number, and the label."""
        return self.ranges or tuple((raw, raw, label) for raw, label in self.labels)

    def label(self, raw: int) -> int | str:
        """The word of a number, or the number."""
        return label_in(self.ranges, raw) if self.ranges else dict(self.labels).get(raw, raw)

    def signature(self) -> str:
        """The field as it matters on the wire and for its meaning: what the dictionary's hash is made of."""
        quantity = self.quantity
        is_bare = quantity is None or (not quantity.unit and quantity.identity)
        calibration = "" if quantity is None or is_bare else f"{quantity.unit}{quantity.calibration.signature()}"
        text = f"{self.name}@{self.offset}:{self.bits}{self.kind}={self.const!r}{self.labels!r}{calibration}"
        text += ";little" if self.little else ""
        text += "" if self.text is None else f";{self.text.encoding},{self.text.end}"
        return text + (f";{self.ranges!r}" if self.ranges else "")


@dataclass(frozen=True, slots=True)
class Prefix:
    """An unsigned number right before a part, that says how many bytes, or items, it has; it has no name.

    ``inclusive``: the number's own bytes are counted, too.
    """

    size: int
    little: bool = False
    inclusive: bool = False

    def __str__(self) -> str:
        plural, order = "s" if self.size > 1 else "", " little-endian" if self.little else ""
        return f"a prefix of {self.size} byte{plural}{order}{', itself included' if self.inclusive else ''}"


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes or a string of variable size. ``field`` has no width; ``size`` in bytes, ``terminated`` by a NUL."""

    field: Field
    size: Expression | Prefix | Rest | Literal["terminated"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part that comes several times: ``count`` of them, or as many as there are bytes for."""

    name: str
    count: Expression | Prefix | Rest
    item: Layout


@dataclass(frozen=True, slots=True)
class Choice:
    """The layout of the first condition that holds; ``otherwise`` where none does."""

    name: str
    cases: tuple[tuple[Expression, Layout], ...]
    otherwise: Layout


@dataclass(frozen=True, slots=True)
class Window:
    """A layout within so many bytes, or in the rest of them; bytes that it leaves over are skipped."""

    name: str
    size: Expression | Prefix | Rest
    inside: Layout


Part: TypeAlias = "Layout | Blob | Repeat | Choice | Window"


@dataclass(frozen=True, slots=True)
class Layout:
    """All fields of a structure in wire order, padding included.

    Attributes:
        size: in bytes; None: it varies.
        parts: what a layout of variable size is made of, in order; none in one of fixed size.
        fields: of one of variable size, all fields of all parts; ``offset`` is from the start of the field's own part.
        min_size: the fewest bytes.
        named: the fields that carry something: all but padding. Cases that share a name give it once, as a float if
            it is one in any of them, and as the widest number.
    """

    fields: tuple[Field, ...]
    size: int | None
    parts: tuple[Part, ...] = ()
    min_size: int = field(init=False, repr=False, compare=False)
    named: tuple[Field, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {leaf.name: leaf for leaf in reversed(self.fields) if leaf.kind != "padding"}
        if self.size is None:
            numbers = [leaf for leaf in reversed(self.fields) if leaf.kind in _NUMBERS]
            numbers.sort(key=lambda leaf: (leaf.kind == "float", leaf.bits))
            by_name |= {leaf.name: leaf for leaf in numbers}
        named = tuple(leaf for leaf in self.fields if by_name.get(leaf.name) is leaf and leaf.kind != "padding")
        object.__setattr__(self, "named", named)
        fewest = sum(map(_min_size, self.parts)) if self.size is None else self.size
        object.__setattr__(self, "min_size", fewest)

    def signature(self) -> Iterator[str]:
        """Lines for the dictionary's hash."""
        if self.size is not None:
            yield from (leaf.signature() for leaf in self.fields)
            return
        for part in self.parts:
            yield from _signature(part)


EMPTY = Layout((), 0)

OPEN_END = Window("(rest)", "rest", EMPTY)
"""The end of a structure after which bytes may follow that mean nothing."""


def fixed(fields: Iterable[Field], path: str = "") -> Layout:
    """A layout of fixed size: the fields one after the other, wherever they were before.

    Raises:
        DeclarationError: two of one name, or bits that are not whole bytes.
    """
    placed: list[Field] = []
    offset = 0
    for leaf in fields:
        placed.append(leaf if leaf.offset == offset else replace(leaf, offset=offset))
        offset += leaf.bits
    if offset % 8:
        raise DeclarationError(path or "(top)", f"{offset} bits are not whole bytes")
    _check_names([leaf.name for leaf in placed if leaf.kind != "padding"], path)
    return Layout(tuple(placed), offset // 8)


def assemble(items: Iterable[Field | Part], path: str = "") -> Layout:
    """A layout of fields and parts in wire order. It has a fixed size if there are only fields.

    Raises:
        DeclarationError: a rule of this file is broken; names its path.
    """
    parts: list[Part] = []
    run: list[Field] = []
    for item in items:
        if isinstance(item, Field):
            run.append(item)
            if len(run) > MAX_FIELDS:
                raise DeclarationError(path or "(top)", f"more than {MAX_FIELDS} fields do not fit into a packet")
            continue
        if isinstance(item, Layout) and item.size is not None:
            run += item.fields
            continue
        if run:
            parts.append(fixed(run, path))
        run = []
        parts += item.parts if isinstance(item, Layout) else [item]
    if not parts:
        return fixed(run, path)
    if run:
        parts.append(fixed(run, path))
    _check_order(parts, path)
    for part in parts:
        if isinstance(part, Choice):
            _check_meaning(part, path)
    names = [name for part in parts for name in _names(part)]
    _check_names(names, path)
    return Layout(tuple(leaf for part in parts for leaf in _fields(part)), None, tuple(parts))


def check(layout: Layout, path: str) -> None:
    """See that a whole structure's expressions refer to integers that come earlier.

    Raises:
        DeclarationError: one does not, or cannot be used at all.
    """
    known: dict[str, Field] = {}
    for owner, expression, before in _expressions(layout, known):
        problem = problem_of(expression)
        if problem:
            raise DeclarationError(f"{path}.{owner}", problem)
        for name in references(expression):
            if name == SIZE:
                continue
            leaf = before.get(name)
            if leaf is None or leaf.kind not in ("uint", "sint", "flag") or leaf.const is not None:
                what = "not a field that comes before it" if leaf is None else f"a constant or of kind {leaf.kind}"
                raise DeclarationError(f"{path}.{owner}", f"it depends on {name!r}, which is {what}")


def check_field(leaf: Field, path: str) -> None:
    """See that a field can mean what it is declared to mean.

    Raises:
        DeclarationError: it cannot; names its path.
    """
    problem = _problem_of(leaf)
    if problem:
        raise DeclarationError(f"{path}.{leaf.name}", problem)


def _problem_of(leaf: Field) -> str:
    calibrated = leaf.quantity is not None and not leaf.quantity.identity
    if leaf.is_enum and (calibrated or leaf.kind not in ("uint", "sint")):
        return f"an enumeration is of {'numbers without a calibration' if calibrated else 'whole numbers'}"
    if leaf.quantity is not None and leaf.kind in ("bytes", "string", "padding"):
        return f"a field of kind {leaf.kind} is not a quantity"
    if calibrated and leaf.kind != "float" and leaf.bits > _CALIBRATED_BITS:
        return f"an integer of {leaf.bits} bits cannot be calibrated"
    if leaf.kind == "float" and leaf.bits not in _FLOATS:
        return f"a float of {leaf.bits} bits is not known"
    return _problem_of_words(leaf)


def _problem_of_words(leaf: Field) -> str:
    if reserved := _NO_LABELS.intersection(label for _, _, label in leaf.spans):
        return f"{min(reserved)!r} cannot be a label: JSON has this word for a float that is not a number"
    for (raw, one), (other, two) in pairwise(sorted(leaf.labels)):
        if raw == other:
            return f"{one!r} and {two!r} are both {raw}: a number can have one label"
    return ""


def _check_names(names: Iterable[str], path: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DeclarationError(f"{path}.{name}", "two fields have this name")
        seen.add(name)


def _check_meaning(part: Choice, path: str) -> None:
    """See that a name means the same in each case: its unit, limits, labels and type are told once."""
    meanings: dict[str, tuple[object, ...]] = {}
    for leaf in _fields(part):
        meaning = (leaf.quantity, leaf.spans, "number" if leaf.kind in _NUMBERS else leaf.kind)
        if leaf.kind != "padding" and meanings.setdefault(leaf.name, meaning) != meaning:
            raise DeclarationError(
                f"{path}.{leaf.name}", "it has another meaning in another case: give it another name"
            )


def _check_order(parts: list[Part], path: str) -> None:
    for number, part in enumerate(parts):
        if number < len(parts) - 1 and takes_rest(part):
            raise DeclarationError(f"{path}.{name_of(part)}", "it takes the rest of the bytes: nothing can follow it")
        if isinstance(part, Repeat) and part.count == "rest" and not part.item.min_size:
            raise DeclarationError(f"{path}.{part.name}", "an item may have no bytes: how many follow cannot be told")


def takes_rest(part: Part) -> bool:
    """Whether a part goes on to the end of the bytes."""
    if isinstance(part, (Blob, Window)):
        return part.size == "rest"
    if isinstance(part, Repeat):
        return part.count == "rest" or any(map(takes_rest, part.item.parts))
    if isinstance(part, Choice):
        return any(map(takes_rest, (*(layout for _, layout in part.cases), part.otherwise)))
    return isinstance(part, Layout) and any(map(takes_rest, part.parts))


def name_of(part: Part) -> str:
    """A part's name, for errors."""
    if isinstance(part, Blob):
        return part.field.name
    return part.fields[0].name if isinstance(part, Layout) and part.fields else getattr(part, "name", "")


def _min_size(part: Part) -> int:
    if isinstance(part, Layout):
        return part.min_size
    if isinstance(part, Choice):
        return min(layout.min_size for layout in (*(each for _, each in part.cases), part.otherwise))
    if isinstance(part, Blob):
        if part.size == "terminated" and part.field.text is not None:
            return part.field.text.unit
        return _least(part.size)
    if isinstance(part, Repeat):
        count = part.count if isinstance(part.count, int) else 0
        return (part.count.size if isinstance(part.count, Prefix) else 0) + count * part.item.min_size
    return _least(part.size)


def _least(size: Expression | Prefix | str) -> int:
    return size.size if isinstance(size, Prefix) else size if isinstance(size, int) else 0


def _fields(part: Part) -> tuple[Field, ...]:
    if isinstance(part, Layout):
        return part.fields
    if isinstance(part, Blob):
        return (part.field,)
    if isinstance(part, Repeat):
        return part.item.fields
    if isinstance(part, Window):
        return part.inside.fields
    return tuple(leaf for layout in (*(each for _, each in part.cases), part.otherwise) for leaf in layout.fields)


def _names(part: Part) -> list[str]:
    """The names that a part takes; the cases of a choice may share them."""
    names = [leaf.name for leaf in _fields(part) if leaf.kind != "padding"]
    return list(dict.fromkeys([part.name, *names] if isinstance(part, Repeat) else names))


_Found = Iterator[tuple[str, Expression, dict[str, Field]]]


def _expressions(layout: Layout, known: dict[str, Field]) -> _Found:
    """Every expression with its owner's name and the fields that come before it."""
    if layout.size is not None:
        known |= {leaf.name: leaf for leaf in layout.named}
        return
    for part in layout.parts:
        if isinstance(part, Layout):
            yield from _expressions(part, known)
        elif isinstance(part, Choice):
            yield from _choice_expressions(part, known)
        elif isinstance(part, Repeat):
            yield from _sized(part.name, part.count, known)
            yield from _expressions(part.item, known)
        elif isinstance(part, Window):
            yield from _sized(part.name, part.size, known)
            yield from _expressions(part.inside, known)
        else:
            yield from _sized(part.field.name, part.size, known)
            known[part.field.name] = part.field


def _choice_expressions(part: Choice, known: dict[str, Field]) -> _Found:
    added: dict[str, Field] = {}
    for condition, _ in part.cases:
        yield part.name, condition, known
    for layout in (*(each for _, each in part.cases), part.otherwise):
        inner = dict(known)
        yield from _expressions(layout, inner)
        added |= inner
    known |= added


def _sized(name: str, size: Expression | Prefix | str, known: dict[str, Field]) -> _Found:
    if not isinstance(size, (Prefix, str)):
        yield name, size, known


def _signature(part: Part) -> Iterator[str]:
    if isinstance(part, Layout):
        yield from part.signature()
    elif isinstance(part, Blob):
        yield f"{part.field.signature()} of {part.size}"
    elif isinstance(part, Repeat):
        yield f"repeat {part.name} {part.count}"
        yield from part.item.signature()
        yield "end"
    elif isinstance(part, Window):
        yield f"window {part.name} {part.size}"
        yield from part.inside.signature()
        yield "end"
    else:
        for condition, layout in part.cases:
            yield f"case {condition}"
            yield from layout.signature()
        yield "otherwise"
        yield from part.otherwise.signature()
        yield "end"
