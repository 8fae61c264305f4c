"""Sizes, counts and conditions that depend on fields: small expressions over integers, as construct's ``this.n * 2``.

Rules:
1. An expression is data, so that it can be exported, hashed, and written down without construct.
2. It refers to fields that come earlier, by their full names; inside a repeated part to those of the same item.
3. It cannot take long or grow large: no powers, no functions, shifts only by a constant of at most 64.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, cast

Symbol = Literal["+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "and", "or"]

_MAX_SHIFT = 64
_MAX_DEPTH = 64

OPERATORS: Mapping[Any, Symbol] = MappingProxyType(
    {
        operator.add: "+",
        operator.sub: "-",
        operator.mul: "*",
        operator.floordiv: "//",
        operator.mod: "%",
        operator.and_: "&",
        operator.or_: "|",
        operator.xor: "^",
        operator.lshift: "<<",
        operator.rshift: ">>",
        operator.eq: "==",
        operator.ne: "!=",
        operator.lt: "<",
        operator.le: "<=",
        operator.gt: ">",
        operator.ge: ">=",
    }
)
"""The symbols of the functions in construct's expressions."""


SIZE = "(size)"
"""In place of a field: how many bytes the structure has been given, from its first to its last."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The raw number of an earlier field, or `SIZE`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what is done with them; comparisons give 1 or 0."""

    symbol: Symbol
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"({self.left} {self.symbol} {self.right})"


@dataclass(frozen=True, slots=True)
class Lookup:
    """The value of the first condition that holds; ``otherwise`` where none does, None for no value at all."""

    cases: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None = None

    def __str__(self) -> str:
        cases = [f"{value} if {condition}" for condition, value in self.cases]
        return "(" + ", ".join([*cases, *([] if self.otherwise is None else [f"else {self.otherwise}"])]) + ")"


Expression = int | Reference | Operation | Lookup


def references(expression: Expression) -> Iterator[str]:
    """The names of the fields that an expression refers to."""
    if isinstance(expression, Reference):
        yield expression.name
    elif isinstance(expression, Operation):
        yield from references(expression.left)
        yield from references(expression.right)
    elif isinstance(expression, Lookup):
        for condition, value in expression.cases:
            yield from references(condition)
            yield from references(value)
        if expression.otherwise is not None:
            yield from references(expression.otherwise)


def problem_of(expression: Expression, depth: int = 0) -> str:
    """Why an expression cannot be used; empty if it can."""
    if depth > _MAX_DEPTH:
        return f"an expression may be {_MAX_DEPTH} deep"
    if isinstance(expression, Operation):
        right = expression.right
        if expression.symbol in ("<<", ">>") and not (isinstance(right, int) and 0 <= right <= _MAX_SHIFT):
            return f"a shift must be by a constant of at most {_MAX_SHIFT}"
        return problem_of(expression.left, depth + 1) or problem_of(right, depth + 1)
    if isinstance(expression, Lookup):
        inner = [each for case in expression.cases for each in case]
        inner += [] if expression.otherwise is None else [expression.otherwise]
        return next(filter(None, (problem_of(each, depth + 1) for each in inner)), "")
    return ""


def function_of(expression: Expression) -> Callable[[Mapping[str, int]], int]:
    """The expression as a function of the raw numbers by name.

    It raises KeyError where a field is not there, and ZeroDivisionError.
    """
    source = f"lambda raw: int({_source(expression)})"
    code = compile(source, "<generated expression>", "eval")
    return cast("Callable[[Mapping[str, int]], int]", eval(code, {}))  # noqa: S307 - built from the nodes above alone


def _source(expression: Expression) -> str:
    if isinstance(expression, Reference):
        return f"raw[{expression.name!r}]"
    if isinstance(expression, Operation):
        return f"({_source(expression.left)} {expression.symbol} {_source(expression.right)})"
    if isinstance(expression, Lookup):
        text = "raw['(no case holds)']" if expression.otherwise is None else _source(expression.otherwise)
        for condition, value in reversed(expression.cases):
            text = f"({_source(value)} if {_source(condition)} else {text})"
        return text
    return repr(int(expression))
