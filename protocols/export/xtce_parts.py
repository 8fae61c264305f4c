"""The parts of a packet of variable size as XTCE entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from protocols.declare.dictionary import Packet
from protocols.errors import DeclarationError
from protocols.export.names import identifier
from protocols.export.xtce_marks import field_mark, put_mark
from protocols.export.xtce_types import dynamic_value, sized_type
from protocols.structures.expressions import SIZE, Expression, Operation, Reference
from protocols.structures.layout import Field, Layout
from protocols.structures.parts import OPEN_END, Blob, Choice, Part, Prefix, Repeat, name_of
from protocols.xtce_reader.own_marks import PartMark

Comparison = tuple[str, str, int]
"""A field, one of XTCE's six operators, and a number."""

_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_LENGTH = "PKT_LEN"
_WIDEST = 64
_LENGTH_IS_LESS_BY = 7
"""A packet has so many bytes more than its length field says, headers included."""


class PartWriter:
    """Writes one packet's parts; made with the packet alone it only checks them."""

    def __init__(
        self,
        packet: Packet,
        types: Element | None = None,
        parameters: Element | None = None,
        containers: Element | None = None,
        entry: Callable[[Element, str, Field], None] = lambda entries, name, field: None,
    ) -> None:
        self._packet = packet
        self._types = Element("ParameterTypeSet") if types is None else types
        self._parameters = Element("ParameterSet") if parameters is None else parameters
        self._containers = Element("ContainerSet") if containers is None else containers
        self._entry = entry
        self._names: list[str] = []
        self._padding = 0
        self._given: Counter[str] = Counter()

    def check(self) -> None:
        """See that XTCE can say all of it.

        Raises:
            DeclarationError: it cannot; names the path.
        """
        for leaf in (*self._packet.header.layout.named, *self._packet.layout.named):
            if leaf.kind in ("uint", "sint") and leaf.bits > _WIDEST:
                text = f"an integer of {leaf.bits} bits cannot be told in XTCE"
                raise DeclarationError(f"{self._packet.definition.name}.{leaf.name}", text)
        if self._packet.size is None:
            self.write(Element("EntryList"), 0)

    def write(self, entries: Element, skip: int) -> list[str]:
        """Add the entries of the body but for its first fields. Returns the names that were given beside fields."""
        self._layout(entries, self._packet.layout, skip, before=0)
        return self._names

    def _layout(self, entries: Element, layout: Layout, skip: int, before: int | None) -> int | None:
        """Returns the bytes up to here, None if they vary."""
        for part in layout.parts if layout.size is None else (layout,):
            self._part(entries, part, skip, before)
            size = part.size if isinstance(part, Layout) else None
            before = None if before is None or size is None else before + size
            skip = 0
        return before

    def _part(self, entries: Element, part: Part, skip: int, before: int | None) -> None:
        if isinstance(part, Layout) and part.size is not None:
            for field in part.fields[skip:]:
                self._padding += field.kind == "padding"
                name = f"padding[{self._padding}]" if field.kind == "padding" else field.name
                self._entry(entries, self._fresh(name), field)
        elif isinstance(part, Layout):
            self._layout(entries, part, 0, before)
        elif isinstance(part, Blob):
            self._blob(entries, part, before)
        elif isinstance(part, Repeat):
            self._repeat(entries, part)
        elif isinstance(part, Choice):
            self._choice(entries, part)
        elif part != OPEN_END:
            raise self._refuse(part, "XTCE has no bytes that are skipped by a size")

    def _blob(self, entries: Element, part: Blob, before: int | None) -> None:
        full = self._fresh(part.field.name)
        self._names.append(full)
        name = identifier(full)
        if part.size == "terminated":
            raise self._refuse(part, "XTCE has no text of which only a NUL tells the end")
        parameter, slope, intercept = self._sized(entries, part, part.size, before)
        attributes = {"name": name, "parameterTypeRef": f"{name}_Type"}
        if part.field.doc:
            attributes["shortDescription"] = part.field.doc
        put_mark(SubElement(self._parameters, "Parameter", attributes), field_mark(part.field, part.field.name))
        sized_type(self._types, f"{name}_Type", part.field, parameter, 8 * slope, 8 * intercept)
        SubElement(entries, "ParameterRefEntry", {"parameterRef": name})

    def _sized(
        self, entries: Element, part: Blob | Repeat, size: Expression | Prefix | str, before: int | None
    ) -> tuple[str, int, int]:
        """The parameter from which a size or count follows, and how."""
        if isinstance(size, Prefix):
            name = f"{self._packet.definition.name}.{name_of(part)}.size"
            own = f"{name_of(part)}.size"
            self._entry(entries, name, Field(own, 0, 8 * size.size, "uint", little=size.little and size.size > 1))
            inclusive = size.inclusive and isinstance(part, Blob)
            return identifier(name), 1, -size.size if inclusive else 0
        if isinstance(size, str):
            if before is None or isinstance(part, Repeat):
                raise self._refuse(part, "XTCE cannot measure what is left of a packet here")
            around = self._packet.header.body_offset + self._packet.header.crc_size
            return _LENGTH, 1, _LENGTH_IS_LESS_BY - around - before
        found = linear(size)
        if found is None or found[0] is None:
            raise self._refuse(part, f"XTCE has no {size}, only a × parameter + b")
        if found[0] == SIZE:
            less = _LENGTH_IS_LESS_BY - self._packet.header.body_offset - self._packet.header.crc_size
            return _LENGTH, found[1], found[1] * less + found[2]
        return self._name(found[0]), found[1], found[2]

    def _repeat(self, entries: Element, part: Repeat) -> None:
        if isinstance(part.count, int):
            raise self._refuse(part, "a count that is fixed belongs into the names of its items")
        parameter, slope, intercept = self._sized(entries, part, part.count, None)
        reference = SubElement(entries, "ContainerRefEntry", {"containerRef": self._inner(part.name, part.item)})
        dynamic_value(SubElement(SubElement(reference, "RepeatEntry"), "Count"), parameter, slope, intercept)

    def _choice(self, entries: Element, part: Choice) -> None:
        cases = [(comparisons(condition), layout) for condition, layout in part.cases]
        if any(found is None for found, _ in cases):
            raise self._refuse(part, "XTCE compares a parameter with a number, and no more")
        known = [(found, layout) for found, layout in cases if found is not None]
        earlier: list[Comparison] = []
        for number, (found, layout) in enumerate((*known, ([], part.otherwise))):
            if layout.size != 0:
                inner = self._inner(f"{part.name}.case{number}", layout)
                reference = SubElement(entries, "ContainerRefEntry", {"containerRef": inner})
                self._condition(reference, [*earlier, *found])
            if len(found) > 1 and any(after.size != 0 for _, after in (*known[number + 1 :], ([], part.otherwise))):
                raise self._refuse(part, "a case after one with several conditions cannot be told")
            earlier += [(name, _NEGATED[sign], value) for name, sign, value in found]

    def _condition(self, reference: Element, found: list[Comparison]) -> None:
        listed = SubElement(SubElement(reference, "IncludeCondition"), "ComparisonList")
        for name, sign, value in found:
            if name == SIZE:
                raise DeclarationError(self._packet.definition.name, "a case by the packet's size is not told")
            attributes = {"parameterRef": self._name(name), "comparisonOperator": sign, "value": str(value)}
            SubElement(listed, "Comparison", attributes | {"useCalibratedValue": "false"})

    def _inner(self, name: str, layout: Layout) -> str:
        """A container of its own."""
        full = f"{self._packet.definition.name}.{name}"
        container = SubElement(self._containers, "SequenceContainer", {"name": f"{identifier(full)}_Container"})
        put_mark(container, PartMark(name))
        self._layout(SubElement(container, "EntryList"), layout, 0, None)
        return f"{identifier(full)}_Container"

    def _fresh(self, field: str) -> str:
        """A parameter's name; where cases share one, a number tells them apart."""
        self._given[field] += 1
        count = self._given[field]
        return f"{self._packet.definition.name}.{field}" + (f".{count}" if count > 1 else "")

    def _name(self, field: str) -> str:
        full = f"{self._packet.definition.name}.{field}"
        self._names.append(full)
        return identifier(full)

    def _refuse(self, part: Part, problem: str) -> DeclarationError:
        return DeclarationError(f"{self._packet.definition.name}.{name_of(part)}", problem)


def linear(expression: Expression) -> tuple[str | None, int, int] | None:
    """Field, slope and intercept of an expression that has no more than these."""
    if isinstance(expression, int):
        return None, 0, expression
    if isinstance(expression, Reference):
        return expression.name, 1, 0
    if not isinstance(expression, Operation):
        return None
    left, right = linear(expression.left), linear(expression.right)
    if left is None or right is None or (left[0] is not None and right[0] is not None):
        return None
    name = left[0] if left[0] is not None else right[0]
    if expression.symbol == "*":
        return name, left[1] * right[2] + left[2] * right[1], left[2] * right[2]
    sign = {"+": 1, "-": -1}.get(expression.symbol)
    return None if sign is None else (name, left[1] + sign * right[1], left[2] + sign * right[2])


def comparisons(expression: Expression) -> list[Comparison] | None:
    """The comparisons that must all hold; None if an expression is anything else."""
    if isinstance(expression, Reference):
        return [(expression.name, "!=", 0)]
    if not isinstance(expression, Operation):
        return None
    if expression.symbol in ("and", "&"):
        sides = [comparisons(expression.left), comparisons(expression.right)]
        known = [side for side in sides if side is not None]
        is_logic = all(isinstance(side, Operation) for side in (expression.left, expression.right))
        return [each for side in known for each in side] if len(known) == 2 and is_logic else None
    left, right = expression.left, expression.right
    if expression.symbol in _NEGATED and isinstance(left, Reference) and isinstance(right, int):
        return [(left.name, expression.symbol, right)]
    return None
