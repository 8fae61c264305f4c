"""The entries of containers: parameters, containers within containers, conditions, repetitions and places.

An entry that cannot be read and whose size is not known ends its container: what comes after it has no place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocols.structures.expressions import Expression, Lookup, Operation
from protocols.structures.layout import Field
from protocols.structures.parts import EMPTY, Blob, Choice, Layout, Repeat, Window, assemble
from protocols.xtce_reader.bounds import Budget, Problems
from protocols.xtce_reader.criteria import Criteria, expression_of
from protocols.xtce_reader.names import Defined, Names
from protocols.xtce_reader.numbers import whole
from protocols.xtce_reader.own_marks import Marks
from protocols.xtce_reader.packing import Key, Packing, linear
from protocols.xtce_reader.parameter_types import ParameterTypes, measure
from protocols.xtce_reader.shapes import Group, Led, Looked, Scalar, Shape, Size, Sized
from protocols.xtce_reader.xml_tree import Element

_MOST_ITEMS = 65536
_Add = Callable[[Packing, str, str], None]
"""Adds an entry of a name, with the index that it has where it is repeated."""


class Containers:
    """Puts the entries of containers into a packing."""

    def __init__(self, names: Names, types: ParameterTypes, marks: Marks, budget: Budget, problems: Problems) -> None:
        self._names = names
        self._types = types
        self._marks = marks
        self._budget = budget
        self._problems = problems
        self.criteria = Criteria(names)

    def put(self, container: Defined, packing: Packing, depth: int = 0) -> None:
        """Add a container's own entries, without those of its base.

        Raises:
            DeclarationError: one of them cannot be read; names its path.
        """
        self._budget.bounds.hold("depth", depth, container.path, "containers within each other")
        entries = container.element.find("EntryList")
        start = 0 if depth == 0 else packing.cursor
        for element in () if entries is None else entries.children:
            self._budget.spend(1, container.path)
            self._entry(Defined(element, container.scope), container, packing, start, depth)

    def _entry(self, entry: Defined, container: Defined, packing: Packing, start: int | None, depth: int) -> None:
        name, add = self._content(entry, container, depth)
        _move(entry.element, container, packing, start)
        condition, repeat = entry.element.find("IncludeCondition"), entry.element.find("RepeatEntry")
        if repeat is not None:
            add = self._repeated(repeat, name, add, container)
        if condition is None:
            add(packing, name, "")
            return
        alternatives = self.criteria.read(condition, packing, container)
        expression = expression_of(alternatives, packing, container)
        inside = self._inside(packing, name, add, container)
        packing.append(Choice(name, ((expression, inside),), EMPTY), container)

    def _content(self, entry: Defined, container: Defined, depth: int) -> tuple[str, _Add]:
        """The name of what an entry refers to, and what adds it."""
        element = entry.element
        if element.tag in ("ParameterRefEntry", "ArrayParameterRefEntry"):
            reference = element.get("parameterRef")
            parameter = self._names.find("parameter", reference, entry.scope)
            if parameter is None:
                raise element.refuse(container.path, f"no parameter {reference!r}")
            shape = self._types.shape(parameter)
            name = self._marks.name_of(parameter)

            def add(packing: Packing, name: str, index: str) -> None:
                self._shape(shape, f"{name}{index}", (parameter.key, ""), packing, parameter)

            return name, add
        if element.tag == "ContainerRefEntry":
            reference = element.get("containerRef")
            inner = self._names.find("container", reference, entry.scope)
            if inner is None:
                raise element.refuse(container.path, f"no container {reference!r}")

            def include(packing: Packing, name: str, index: str) -> None:
                before = packing.prefix
                packing.prefix = f"{before}{name}{index}." if index and not self._marks.own else before
                self._whole(inner, packing, depth + 1)
                packing.prefix = before

            return self._marks.part_of(inner), include
        raise element.refuse(container.path, f"a {element.tag} is not read")

    def _whole(self, container: Defined, packing: Packing, depth: int) -> None:
        """A container with those that it extends, as another one includes it."""
        chain = [container]
        while (base := chain[0].element.find("BaseContainer")) is not None:
            self._budget.bounds.hold("depth", depth + len(chain), container.path, "containers within each other")
            found = self._names.find("container", base.get("containerRef"), chain[0].scope)
            if found is None:
                raise base.refuse(chain[0].path, f"no container {base.get('containerRef')!r}")
            chain.insert(0, found)
        for each in chain:
            self.put(each, packing, depth)

    def _shape(self, shape: Shape, name: str, key: Key, packing: Packing, where: Defined) -> None:
        if isinstance(shape, Scalar):
            self._budget.spend(shape.cost, where.path)
            leaf = self._marks.field_of(where, shape.field)
            if not packing.add(leaf, name, key, where, shape.words, _words(where.element)):
                self._problems.add(where.refuse("it lies over others in a container: it is left out there"))
        elif isinstance(shape, Group):
            for member, inner in shape.members:
                inner_name = member if not key[1] else f"{key[1]}{_joint(member)}{member}"
                self._shape(inner, f"{name}{_joint(member)}{member}", (key[0], inner_name), packing, where)
        elif isinstance(shape, Sized):
            size = shape.size
            field = self._marks.field_of(where, shape.field)
            leaf = replace(field, name=packing.name(name), doc=_words(where.element))
            part = Blob(leaf, "terminated" if size == "terminated" else self._bytes(size, packing, where))
            packing.append(part, where)
        else:
            self._led(shape, name, key, packing, where)

    def _led(self, shape: Led, name: str, key: Key, packing: Packing, where: Defined) -> None:
        """A string with its size before it; the size gets a name, too, since the string depends on it."""
        window = shape.window
        target = packing if window is None else _nested(packing)
        target.add(Field("", 0, shape.bits, "uint"), f"{name}.size", (key[0], f"{key[1]}.size"), where)
        size = target.known[key[0], f"{key[1]}.size"]
        number = target.number(size, where)
        octets = number if shape.unit == 8 else Operation("//", number, 8 // shape.unit)
        leaf = replace(shape.field, name=packing.name(name), doc=_words(where.element))
        target.append(Blob(leaf, octets), where)
        if window is not None:
            inside = assemble(target.items, where.path)
            outer = window // 8 if isinstance(window, int) else self._bytes(window, packing, where)
            packing.append(Window(leaf.name, outer, inside), where)

    def _bytes(self, size: Size, packing: Packing, where: Defined) -> Expression:
        """A size in bits as bytes."""
        if isinstance(size, Looked):
            cases = []
            for bits, criterion in size.cases:
                if bits % 8:
                    raise criterion.refuse(where.path, f"{bits} bits are not whole bytes")
                alternatives = self.criteria.read(criterion, packing, where)
                cases.append((expression_of(alternatives, packing, where), bits // 8))
            return Lookup(tuple(cases))
        return self._measured(size.reference, size.slope, size.intercept, 8, packing, where)

    def _measured(
        self, reference: Element, slope: int, intercept: int, unit: int, packing: Packing, where: Defined
    ) -> Expression:
        known = self.criteria.known(reference, packing, where)
        quantity = known.field.quantity
        if quantity is not None and not quantity.identity and reference.get("useCalibratedValue", "true") == "true":
            raise reference.refuse(where.path, f"it depends on the calibrated value of {known.field.name}")
        number = packing.number(known, where)
        if slope % unit == 0 and intercept % unit == 0:
            return linear(number, slope // unit, intercept // unit)
        return Operation("//", linear(number, slope, intercept), unit)

    def _repeated(self, repeat: Element, name: str, add: _Add, where: Defined) -> _Add:
        count = repeat.find("Count")
        if count is None or repeat.find("Offset") is not None:
            raise repeat.refuse(where.path, "an entry is repeated by a count, without an offset")
        fixed, dynamic = count.find("FixedValue"), count.find("DynamicValue")
        if fixed is not None:
            number = whole(fixed.text)
            if number is None or not 0 <= number <= _MOST_ITEMS:
                raise fixed.refuse(where.path, f"{fixed.text[:40]!r} is not a count of 0 … {_MOST_ITEMS}")

            def several(packing: Packing, name: str, index: str) -> None:
                for item in range(number):
                    self._budget.spend(1, where.path)
                    add(packing, name, f"{index}[{item}]")

            return several
        if dynamic is None:
            raise count.refuse(where.path, "a count is fixed, or a dynamic value")

        def variable(packing: Packing, name: str, index: str) -> None:
            size = measure(dynamic, where.path)
            items = self._measured(size.reference, size.slope, size.intercept, 1, packing, where)
            full = packing.name(f"{name}{index}")
            inside = _nested(packing)
            add(inside, full.removeprefix(packing.prefix), "[]")
            packing.append(Repeat(full, items, assemble(inside.items, where.path)), where)

        return variable

    def _inside(self, packing: Packing, name: str, add: _Add, where: Defined) -> Layout:
        """What an entry adds, as a layout of its own."""
        inside = _nested(packing)
        add(inside, name, "")
        packing.known |= inside.known
        return assemble(inside.items, where.path)


def _nested(packing: Packing) -> Packing:
    """A packing for a part within another: places are not known, names are shared."""
    return replace(packing, items=[], end=None, cursor=None, known=dict(packing.known))


def _move(element: Element, container: Defined, packing: Packing, start: int | None) -> None:
    """Go to the place that an entry is given."""
    location = element.find("LocationInContainerInBits")
    if location is None:
        return
    fixed = location.find("FixedValue")
    offset = None if fixed is None else whole(fixed.text)
    origin = location.get("referenceLocation", "previousEntry")
    if offset is None or abs(offset) > 8 * _MOST_ITEMS or origin not in ("containerStart", "previousEntry"):
        raise location.refuse(
            container.path, "a place is read if it is a fixed number of bits after start or last entry"
        )
    base = start if origin == "containerStart" else packing.cursor
    if packing.cursor is None or base is None:
        if origin == "previousEntry" and not offset:
            return
        raise location.refuse(container.path, "a place after something of variable size is not read")
    if base + offset < 0:
        raise location.refuse(container.path, "this place is before the packet")
    packing.cursor = base + offset


def _joint(member: str) -> str:
    return "" if member.startswith("[") else "."


def _words(element: Element) -> str:
    """The description, in one line of a bounded length."""
    long = element.find("LongDescription")
    text = element.get("shortDescription") or ("" if long is None else long.text)
    return " ".join(text.split())[:400]
