"""Criteria: what the fields of a packet must be for a container to be the one.

A criterion becomes a list of alternatives, each a list of tests that must all hold. What is compared is a whole number
or a label; a string, a float or a calibrated value is refused with its path.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal, cast

from protocols.structures.expressions import Expression, Operation
from protocols.xtce_reader.names import Defined, Names
from protocols.xtce_reader.numbers import is_true, whole
from protocols.xtce_reader.packing import Known, Packing
from protocols.xtce_reader.xml_tree import Element

Sign = Literal["==", "!=", "<", "<=", ">", ">="]
_SIGNS = ("==", "!=", "<", "<=", ">", ">=")
_MOST_ALTERNATIVES = 64


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a field's raw number."""

    known: Known
    sign: Sign
    raw: int

    def holds(self, value: int) -> bool:
        """Whether it is so for this raw number."""
        order = (value > self.raw) - (value < self.raw)
        return {"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[
            self.sign
        ]


Alternatives = tuple[tuple[Test, ...], ...]
ALWAYS: Alternatives = ((),)


class Criteria:
    """Reads criteria; names are looked for in ``names``, fields in the packet up to here."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def read(self, parent: Element | None, packing: Packing, where: Defined) -> Alternatives:
        """The alternatives of a RestrictionCriteria, IncludeCondition or DiscreteLookup.

        Raises:
            DeclarationError: it cannot be read.
        """
        if parent is None:
            return ALWAYS
        found = ALWAYS
        for each in parent.children:
            found = _all(found, self._one(each, packing, where), where)
        return found

    def _one(self, element: Element, packing: Packing, where: Defined) -> Alternatives:
        if element.tag == "Comparison":
            return self._comparison(
                element, element.get("comparisonOperator", "=="), element.get("value"), packing, where
            )
        if element.tag == "Condition":
            return self._condition(element, packing, where)
        if element.tag in ("ComparisonList", "BooleanExpression", "ANDedConditions"):
            return self.read(element, packing, where)
        if element.tag == "ORedConditions":
            found = tuple(one for each in element.children for one in self._one(each, packing, where))
            return _few(found, where)
        raise element.refuse(where.path, f"a criterion by {element.tag} is not read")

    def _condition(self, element: Element, packing: Packing, where: Defined) -> Alternatives:
        references = list(element.all("ParameterInstanceRef"))
        sign, value = element.find("ComparisonOperator"), element.find("Value")
        if len(references) != 1 or sign is None or value is None:
            raise element.refuse(where.path, "a condition is read if it compares one parameter with a value")
        return self._comparison(references[0], sign.text, value.text, packing, where)

    def _comparison(self, element: Element, sign: str, value: str, packing: Packing, where: Defined) -> Alternatives:
        known = self.known(element, packing, where)
        if sign not in _SIGNS:
            raise element.refuse(where.path, f"{sign!r} is not one of {' '.join(_SIGNS)}")
        if known.field.kind not in ("uint", "sint", "flag"):
            text = f"{known.field.name} is of kind {known.field.kind}: only whole numbers are compared"
            raise element.refuse(where.path, text)
        calibrated = is_true(element, "useCalibratedValue", default=True)
        low, high = _raws(element, known, value, where, calibrated=calibrated)
        if low == high:
            return ((Test(known, cast("Sign", sign), low),),)
        if sign == "==":
            return ((Test(known, ">=", low), Test(known, "<=", high)),)
        if sign == "!=":
            return (Test(known, "<", low),), (Test(known, ">", high),)
        raise element.refuse(where.path, f"{value!r} is {low} … {high}: it is compared by == and != alone")

    def known(self, element: Element, packing: Packing, where: Defined) -> Known:
        """The field that an element refers to.

        Raises:
            DeclarationError: no such parameter, or it does not come before.
        """
        reference = element.get("parameterRef")
        found = self._names.find_member(reference, where.scope)
        if found is None:
            raise element.refuse(where.path, f"no parameter {reference!r}")
        known = packing.known.get((found[0].key, found[1]))
        if known is None:
            raise element.refuse(where.path, f"{reference!r} is not a field that comes before")
        if element.get("instance", "0") != "0":
            raise element.refuse(where.path, f"instance {element.get('instance')!r} of {reference!r} is not read: 0 is")
        return known


def _raws(element: Element, known: Known, value: str, where: Defined, *, calibrated: bool) -> tuple[int, int]:
    """The lowest and the highest raw number that are called so."""
    leaf, text = known.field, value.strip()
    if calibrated:
        for low, high, label in leaf.spans:
            if label == text:
                return low, high
        for word, raw in known.words:
            if word in (text, text.lower()):
                return raw, raw
        if leaf.quantity is not None and not leaf.quantity.identity:
            raise element.refuse(where.path, f"the calibrated value of {leaf.name} is not compared: its raw number is")
    raw_number = whole(text)
    if raw_number is None:
        raise element.refuse(where.path, f"{text[:40]!r} is not a whole number or label of {leaf.name}")
    return raw_number, raw_number


def expression_of(alternatives: Alternatives, packing: Packing, where: Defined) -> Expression:
    """The alternatives as an expression over the packet's fields.

    Raises:
        DeclarationError: a field of the primary header.
    """
    total: Expression | None = None
    for tests in alternatives:
        every: Expression = 1
        for test in tests:
            one = Operation(test.sign, packing.number(test.known, where), test.raw)
            every = one if every == 1 else Operation("and", every, one)
        total = every if total is None else Operation("or", total, every)
    return 0 if total is None else total


def _all(one: Alternatives, two: Alternatives, where: Defined) -> Alternatives:
    if len(one) * len(two) > _MOST_ALTERNATIVES:
        _few(one + two + ((),) * _MOST_ALTERNATIVES, where)
    return tuple((*a, *b) for a, b in product(one, two))


def _few(found: Alternatives, where: Defined) -> Alternatives:
    if len(found) > _MOST_ALTERNATIVES:
        raise where.refuse(f"a criterion of more than {_MOST_ALTERNATIVES} alternatives is not read")
    return found
