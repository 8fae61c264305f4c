"""A construct declaration, read into a layout. The only file that walks construct.

Rules:
1. A construct type that is not on the list below is refused with its path, never guessed: an opaque type (Computed,
   Checksum, ExprAdapter, a lambda …) has no place that could be read.
2. Types are compared exactly (``type(x) is …``): a subclass may mean something else.
3. The byte order is the one that the type names. Native formats are refused: they change with the machine.
4. Every field has a name, but for padding. Nested names are joined by dots; array items carry an index.
5. Inside a BitStruct positions count in bits and sizes are fixed; elsewhere every field starts on a byte.
6. ``this.n`` is a field of the same Struct that comes earlier, ``this._.n`` one of the Struct around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import construct
from construct.expr import BinExpr, Path, UniExpr

from protocols.errors import DeclarationError
from protocols.structures.expressions import OPERATORS, Expression, Operation, Reference
from protocols.structures.fields import EnumRanges, LabelRange, Quantity, QuantityDef
from protocols.structures.parts import (
    EMPTY,
    Blob,
    Choice,
    Kind,
    Prefix,
    Repeat,
    Text,
    TextEnd,
    Window,
    assemble,
    check,
    check_field,
)
from protocols.structures.parts import Field as Field  # noqa: PLC0414 - what users of a layout need comes from here
from protocols.structures.parts import Layout as Layout  # noqa: PLC0414

_FORMATS: dict[str, tuple[Kind, int]] = {
    "B": ("uint", 8),
    "H": ("uint", 16),
    "L": ("uint", 32),
    "Q": ("uint", 64),
    "b": ("sint", 8),
    "h": ("sint", 16),
    "l": ("sint", 32),
    "q": ("sint", 64),
    "e": ("float", 16),
    "f": ("float", 32),
    "d": ("float", 64),
}

_MOST_ITEMS = 65_536
"""Items of an array of fixed length: a space packet has no more bytes."""

_Item = Field | Blob | Repeat | Choice | Window
_RENAMED, _PASS, _GREEDY = construct.Renamed, type(construct.Pass), type(construct.GreedyBytes)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk stands.

    Attributes:
        path: for errors.
        name: the field's.
        bitwise: sizes count in bits.
        scopes: what the names of the Structs around it begin with, the innermost last.
    """

    path: str
    name: str
    bitwise: bool
    scopes: tuple[str, ...] = ()
    doc: str = ""
    quantity: QuantityDef | None = None
    labels: tuple[tuple[int, str], ...] = ()
    ranges: tuple[LabelRange, ...] = ()
    const: int | bytes | None = None

    def refuse(self, problem: str) -> DeclarationError:
        return DeclarationError(self.path, problem)

    @property
    def is_plain(self) -> bool:
        return self.quantity is None and not self.labels and not self.ranges and self.const is None


def layout_of(declaration: Any, path: str = "") -> Layout:
    """Read a construct declaration.

    Args:
        declaration: a Struct, a BitStruct, or one named field; a `Layout` is taken as it is.
        path: where the declaration stands, for errors.

    Raises:
        DeclarationError: a type that is not on the list, a field without a name, a duplicate name, a size that is not
            whole bytes, or an expression that cannot be read.
    """
    if isinstance(declaration, Layout):
        layout = assemble(declaration.parts or declaration.fields, path)
        if layout != declaration:
            raise DeclarationError(path or "(top)", "its fields are not one after the other: build it by `assemble`")
    elif isinstance(declaration, construct.Construct):
        layout = _Walk().layout(declaration, _Place(path or "(top)", "", bitwise=False), path)
    else:
        raise DeclarationError(path or "(top)", f"expected a construct Struct, not {declaration!r:.60}")
    for leaf in layout.fields:
        check_field(leaf, path or "(top)")
    if layout.size is None:
        check(layout, path or "(top)")
    return layout


class _Walk:
    """One pass over a declaration in wire order; it remembers the fields that expressions may refer to."""

    def __init__(self) -> None:
        self._known: dict[str, Field] = {}

    def layout(self, node: Any, place: _Place, path: str) -> Layout:
        return assemble(self._walk(node, place), path)

    def _walk(self, node: Any, place: _Place) -> Iterator[_Item]:
        """Leaves and parts of ``node`` in wire order, their offsets still 0."""
        kind = type(node)
        if kind is _RENAMED:
            yield from self._walk(node.subcon, _renamed(node, place))
        elif kind is construct.Struct:
            inner = replace(place, scopes=(*place.scopes, f"{place.name}." if place.name else ""))
            for subcon in node.subcons:
                yield from self._walk(subcon, inner)
        elif kind is construct.Transformed:
            yield from self._walk(node.subcon, _in_bits(node, place))
        elif kind is construct.Array:
            yield from self._array(node, place)
        elif kind is construct.Padded:
            yield _padding(node, place)
        elif kind in _PARTS and not place.bitwise:
            yield from self._part(node, place)
        else:
            yield self._know(_leaf(node, place))

    def _know(self, leaf: Field) -> Field:
        self._known[leaf.name] = leaf
        return leaf

    def _array(self, node: Any, place: _Place) -> Iterator[_Item]:
        if not isinstance(node.count, int):
            if place.bitwise:
                raise place.refuse("an array in a BitStruct must have a fixed length")
            yield self._repeat(node.subcon, self._expression(node.count, place), place)
            return
        if node.count > _MOST_ITEMS:
            raise place.refuse(f"{node.count} items: at most {_MOST_ITEMS} fit into a packet")
        for index in range(node.count):
            spot = replace(place, path=f"{place.path}[{index}]", name=f"{place.name}[{index}]")
            yield from self._walk(node.subcon, spot)

    def _repeat(self, item: Any, count: Expression | Prefix | str, place: _Place) -> Repeat:
        if not place.name:
            raise place.refuse("an array without a name would vanish from what is decoded")
        spot = replace(place, path=f"{place.path}[]", name=f"{place.name}[]")
        return Repeat(place.name, count, self.layout(item, spot, place.path))  # type: ignore[arg-type]

    def _part(self, node: Any, place: _Place) -> Iterator[_Item]:
        """What has, or may have, a variable size."""
        if not place.is_plain:
            raise place.refuse(f"a {type(node).__name__} has no calibration, labels or constant")
        read = getattr(self, _PARTS[type(node)])
        item: _Item = read(node, place)
        leaf = item.field if isinstance(item, Blob) else item
        if isinstance(leaf, Field):
            self._know(leaf)
        yield item

    def _prefixed(self, node: Any, place: _Place) -> _Item:
        prefix = _prefix(node, place)
        if type(node.subcon) is _GREEDY:
            return _blob(place, prefix)
        return Window(place.name, prefix, self.layout(node.subcon, place, place.path))

    def _greedy_range(self, node: Any, place: _Place) -> _Item:
        return self._repeat(node.subcon, "rest", place)

    def _if(self, node: Any, place: _Place) -> _Item:
        then, otherwise = (self._case(each, place) for each in (node.thensubcon, node.elsesubcon))
        return Choice(place.name, ((self._expression(node.condfunc, place), then),), otherwise)

    def _bytes(self, node: Any, place: _Place) -> _Item:
        if type(node) is _GREEDY:
            return _blob(place, "rest")
        if isinstance(node.length, int):
            return _leaf(node, place)
        return _blob(place, self._expression(node.length, place))

    def _string(self, node: Any, place: _Place) -> _Item:
        """PaddedString, CString, PascalString and GreedyString are all a StringEncoded around something."""
        inner = node.subcon
        kind = type(inner)
        if kind is construct.FixedSized and type(inner.subcon) is construct.NullStripped:
            return self._fixed_string(node.encoding, "stripped", inner.length, place)
        if kind is construct.NullTerminated and inner.require and inner.consume and not inner.include:
            return _blob(place, "terminated", _text(node.encoding, "terminated", place))
        if kind is construct.Prefixed and type(inner.subcon) is _GREEDY:
            return _blob(place, _prefix(inner, place), _text(node.encoding, "whole", place))
        if kind is _GREEDY:
            return _blob(place, "rest", _text(node.encoding, "whole", place))
        raise place.refuse("of strings, PaddedString, CString, PascalString and GreedyString are known")

    def _fixed_string(self, encoding: str, end: TextEnd, length: Any, place: _Place) -> _Item:
        text = _text(encoding, end, place)
        if not isinstance(length, int):
            return _blob(place, self._expression(length, place), text)
        if not place.name:
            raise place.refuse("a field without a name would vanish from what is decoded")
        return Field(place.name, 0, length * 8, "string", doc=place.doc, text=text)

    def _sized(self, node: Any, place: _Place) -> _Item:
        """FixedSized: bytes or a string of that size, or anything else within it."""
        inner = node.subcon
        length: Any = node.length
        if type(inner) is _GREEDY:
            return self._bytes(construct.Bytes(length), place)
        if type(inner) is construct.StringEncoded:
            kind = type(inner.subcon)
            if kind is construct.NullTerminated:
                return self._fixed_string(inner.encoding, "terminated", length, place)
            if kind is _GREEDY:
                return self._fixed_string(inner.encoding, "whole", length, place)
        size = length if isinstance(length, int) else self._expression(length, place)
        return Window(place.name, size, self.layout(inner, place, place.path))

    def _prefixed_array(self, node: Any, place: _Place) -> Repeat:
        """PrefixedArray is a FocusedSeq of a count and the items; no other FocusedSeq is known."""
        subcons: dict[str, Any] = {each.name: each.subcon for each in node.subcons if type(each) is _RENAMED}
        count: Any = subcons.get("count")
        items: Any = subcons.get("items")
        is_known = (
            node.parsebuildfrom == "items"
            and len(node.subcons) == 2
            and type(count) is construct.Rebuild
            and type(items) is construct.Array
            and str(items.count) == "this['count']"
        )
        if not is_known:
            raise place.refuse("of FocusedSeq, PrefixedArray is known")
        return self._repeat(items.subcon, _prefix_of(count.subcon, place, inclusive=False), place)

    def _switch(self, node: Any, place: _Place) -> Choice:
        key = self._expression(node.keyfunc, place)
        if isinstance(key, int):
            raise place.refuse("a Switch depends on a field: this.name")
        cases = []
        for value, subcon in node.cases.items():
            condition = Operation("==", key, self._constant(value, key, place))
            cases.append((condition, self._case(subcon, place)))
        return Choice(place.name, tuple(cases), self._case(node.default, place))

    def _case(self, node: Any, place: _Place) -> Layout:
        return EMPTY if type(node) is _PASS else self.layout(node, place, place.path)

    def _expression(self, node: Any, place: _Place) -> Expression:
        """What ``this.n * 2 + 1`` says.

        Raises:
            DeclarationError: a function, or an operator that is not known.
        """
        if isinstance(node, (bool, int)):
            return int(node)
        if type(node) is Path:
            return Reference(self._referred(node, place).name)
        if type(node) is BinExpr and node.op in OPERATORS:
            sides = [self._operand(own, other, place) for own, other in ((node.lhs, node.rhs), (node.rhs, node.lhs))]
            return Operation(OPERATORS[node.op], sides[0], sides[1])
        if type(node) is UniExpr and node.op.__name__ in ("neg", "not_"):
            operand = self._expression(node.operand, place)
            return Operation("-", 0, operand) if node.op.__name__ == "neg" else Operation("==", operand, 0)
        raise place.refuse(
            f"{_words(node)} cannot be read: use this.name, constants, and + - * // % & | ^ or comparisons"
        )

    def _operand(self, node: Any, other: Any, place: _Place) -> Expression:
        if isinstance(node, (str, int)) and type(other) is Path:
            return self._constant(node, Reference(self._referred(other, place).name), place)
        return self._expression(node, place)

    def _constant(self, value: Any, key: Expression, place: _Place) -> int:
        """What a field is compared with: a number, or for an enum its label."""
        leaf = self._known.get(key.name) if isinstance(key, Reference) else None
        labels = {label: raw for raw, label in leaf.labels} if leaf is not None else {}
        if isinstance(value, str):
            if value not in labels:
                raise place.refuse(f"{value!r} is not a label of {key}")
            return labels[value]
        if not isinstance(value, int):
            raise place.refuse(f"{value!r} is not a number or label")
        if value in labels.values():
            label = next(label for label, raw in labels.items() if raw == value)
            raise place.refuse(f"{key} is an enum: compare it with {label!r}, not with {int(value)}")
        return int(value)

    def _referred(self, node: Path, place: _Place) -> Field:
        words: list[Any] = []
        while node._Path__parent is not None:
            words.insert(0, node._Path__field)
            node = node._Path__parent
        depth = 1
        while words and words[0] == "_":
            del words[0]
            depth += 1
        if words and words[0] == "_root":
            del words[0]
            depth = len(place.scopes)
        scope = place.scopes[-depth] if 0 < depth <= len(place.scopes) else None
        path = "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in words)[1:]
        leaf = None if scope is None else self._known.get(f"{scope}{path}")
        if node._Path__name != "this" or leaf is None:
            raise place.refuse(
                f"it depends on {path or 'nothing'!r}, which is not a field of the same Struct before it"
            )
        if (leaf.quantity is not None and not leaf.quantity.identity) or leaf.ranges:
            raise place.refuse(f"it depends on {leaf.name}, which is calibrated: depend on a plain number")
        return leaf


def _words(node: Any) -> str:
    return repr(node) if isinstance(node, (BinExpr, UniExpr)) else f"a {type(node).__name__}"


def _renamed(node: Any, place: _Place) -> _Place:
    # ``"x" / Int8ub * "doc"`` wraps twice with one name.
    if type(node.subcon) is _RENAMED and node.subcon.name == node.name:
        return replace(place, doc=node.docs or place.doc)
    name = f"{place.name}.{node.name}" if place.name else str(node.name)
    return replace(place, path=f"{place.path}.{node.name}", name=name, doc=node.docs or place.doc)


def _in_bits(node: Any, place: _Place) -> _Place:
    if node.decodefunc is not construct.lib.bytes2bits or place.bitwise:
        raise place.refuse("of the types that transform bytes, only BitStruct is known")
    return replace(place, bitwise=True)


def _padding(node: Any, place: _Place) -> Field:
    if type(node.subcon) is not _PASS:
        raise place.refuse("Padded is known as Padding only")
    if not isinstance(node.length, int):
        raise place.refuse("Padding must have a fixed size")
    return Field("", 0, node.length * (1 if place.bitwise else 8), "padding")


def _leaf(node: Any, place: _Place) -> Field:
    """Peel Quantity, Enum, EnumRanges and Const, then read the primitive below."""
    kind = type(node)
    if kind is Quantity:
        return _leaf(node.subcon, replace(place, quantity=node.definition))
    if kind is construct.Enum:
        labels = tuple(sorted((int(value), str(name)) for name, value in node.encmapping.items()))
        return _leaf(node.subcon, replace(place, labels=labels))
    if kind is EnumRanges:
        return _leaf(node.subcon, replace(place, ranges=node.ranges))
    if kind is construct.Const:
        return _leaf(node.subcon, replace(place, const=node.value))
    if not place.name:
        raise place.refuse("a field without a name would vanish from what is decoded")
    primitive, bits, little = _primitive(node, place)
    return Field(
        place.name,
        0,
        bits,
        primitive,
        place.const,
        place.labels,
        place.quantity,
        place.doc,
        little and bits > 8,
        ranges=place.ranges,
    )


def _primitive(node: Any, place: _Place) -> tuple[Kind, int, bool]:
    """Kind, bits, and whether the bytes come lowest first."""
    kind = type(node)
    if kind is construct.FormatField:
        order, code = node.fmtstr[0], node.fmtstr[1:]
        if place.bitwise or order not in "<>" or code not in _FORMATS:
            raise place.refuse(f"format {node.fmtstr!r} is not known here: use Int…b, Int…l, Float…b or Float…l")
        return (*_FORMATS[code], order == "<")
    if kind is construct.BytesInteger and isinstance(node.length, int) and not place.bitwise:
        return ("sint" if node.signed else "uint"), node.length * 8, bool(node.swapped)
    if kind is construct.BitsInteger and isinstance(node.length, int) and not node.swapped and place.bitwise:
        return ("sint" if node.signed else "uint"), node.length, False
    if kind is construct.Bytes and isinstance(node.length, int) and not place.bitwise:
        return "bytes", node.length * 8, False
    if kind is type(construct.Flag):
        return "flag", 1 if place.bitwise else 8, False
    raise place.refuse(f"construct type {kind.__name__} is not known: its place on the wire cannot be read")


def _prefix(node: Any, place: _Place) -> Prefix:
    return _prefix_of(node.lengthfield, place, inclusive=bool(node.includelength))


def _prefix_of(lengthfield: Any, place: _Place, *, inclusive: bool) -> Prefix:
    kind, bits, little = _primitive(lengthfield, place)
    if kind != "uint":
        raise place.refuse("a length before a part must be an unsigned number")
    return Prefix(bits // 8, little, inclusive)


def _text(encoding: str, end: TextEnd, place: _Place) -> Text:
    try:
        return Text(encoding, end)
    except DeclarationError as error:
        raise place.refuse(str(error).partition(": ")[2]) from error


def _blob(place: _Place, size: Any, text: Text | None = None) -> Blob:
    if not place.name:
        raise place.refuse("a field without a name would vanish from what is decoded")
    return Blob(Field(place.name, 0, 0, "bytes" if text is None else "string", doc=place.doc, text=text), size)


_PARTS: dict[type, str] = {
    construct.StringEncoded: "_string",
    _GREEDY: "_bytes",
    construct.Bytes: "_bytes",
    construct.FixedSized: "_sized",
    construct.Prefixed: "_prefixed",
    construct.GreedyRange: "_greedy_range",
    construct.FocusedSeq: "_prefixed_array",
    construct.Switch: "_switch",
    construct.IfThenElse: "_if",
}
"""Types that have, or may have, a variable size, and the method of `_Walk` that reads each."""
