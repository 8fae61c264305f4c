"""The two construct adapters a declaration needs: `Quantity`, a number with a unit, a calibration and limits, and
`EnumRanges`, labels for ranges of numbers.

A lambda or an ExprAdapter could not be read back by `layout`; a value object can.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from math import inf, isfinite, isnan
from typing import Any

import construct

from protocols.errors import DeclarationError
from protocols.structures.calibration import IDENTITY, Calibration, Linear
from protocols.words import LimitState

_SHOWN = 3
"""Decimals that a person is shown where neither the declaration nor the calibration says how many there are."""

_PLACES_MAX = 9


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in the parameter's unit; None: no limit. A value on the limit is still inside.

    Attributes:
        step_yellow: a rise by more than this within `step_s` is YELLOW_HIGH.
        step_red: a rise by more than this within `step_s` is RED_HIGH.
        step_s: the time of the rises, in seconds.
        green: the lowest and the highest value that is GREEN.

    Raises:
        DeclarationError: a step without its time or a time without a step, or one that is not above 0.
    """

    red_low: float | None = None
    yellow_low: float | None = None
    yellow_high: float | None = None
    red_high: float | None = None
    step_yellow: float | None = None
    step_red: float | None = None
    step_s: float | None = None
    green: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_steps(self.step_yellow, self.step_red, self.step_s)
        lows = [limit for limit in (self.red_low, self.yellow_low) if limit is not None]
        highs = [limit for limit in (self.red_high, self.yellow_high) if limit is not None]
        object.__setattr__(self, "green", (max(lows, default=-inf), min(highs, default=inf)))

    def state(self, value: float) -> LimitState:
        """GREEN, YELLOW_LOW, YELLOW_HIGH, RED_LOW or RED_HIGH. NaN is RED_HIGH: it satisfies no limit."""
        low, high = self.green
        if low <= value <= high:
            return "GREEN"
        if isnan(value):
            return "RED_HIGH"
        if self.red_high is not None and value > self.red_high:
            return "RED_HIGH"
        if self.red_low is not None and value < self.red_low:
            return "RED_LOW"
        return "YELLOW_HIGH" if value > high else "YELLOW_LOW"

    @property
    def has_ends(self) -> bool:
        """Whether any value at all is outside."""
        return self.green != (-inf, inf)

    @property
    def step_text(self) -> str:
        """The limits on change in words, ``rise > 2 yellow, > 10 red in 60 s``; empty: there are none."""
        named = (("yellow", self.step_yellow), ("red", self.step_red))
        words = ", ".join(f"> {step:g} {name}" for name, step in named if step is not None)
        return f"rise {words} in {self.step_s:g} s" if words else ""

    def step_state(self, rise: float) -> LimitState:
        """GREEN, YELLOW_HIGH or RED_HIGH of a rise within `step_s`."""
        if self.step_red is not None and rise > self.step_red:
            return "RED_HIGH"
        return "YELLOW_HIGH" if self.step_yellow is not None and rise > self.step_yellow else "GREEN"


def _check_steps(yellow: float | None, red: float | None, seconds: float | None) -> None:
    steps = [step for step in (yellow, red) if step is not None]
    if bool(steps) != (seconds is not None):
        raise DeclarationError("limits", "a step and its time go together: give step_s with step_yellow or step_red")
    for name, number in (("step_yellow", yellow), ("step_red", red), ("step_s", seconds)):
        if number is not None and not (isfinite(number) and number > 0):
            raise DeclarationError("limits", f"{name} is {number:g}: expected a number above 0")
    if yellow is not None and red is not None and yellow > red:
        raise DeclarationError("limits", f"step_yellow {yellow:g} is above step_red {red:g}: red is the larger step")


@dataclass(frozen=True, slots=True)
class QuantityDef:
    """What a number means: its unit, calibration and limits. `Quantity` says the same in a construct declaration.

    Attributes:
        unit: SI or the field's own word; empty for a bare count.
        calibration: from raw to value.
        limits: in calibrated units.
        places: to how many decimals text, JSON and CSV round. By default as many as a linear calibration has; a
            number that is not calibrated, or by a polynomial or table, stays as it is.
        valid_if: name of a flag in the same packet; while it is 0 the value means nothing.
        tolerance: how far a value may be from the truth and still be of use, in calibrated units; None: not at all.
        rounded_to: None: not rounded.
        decimals: how many a person is shown.
    """

    unit: str = ""
    calibration: Calibration = IDENTITY
    limits: Limits | None = None
    places: int | None = None
    valid_if: str | None = None
    tolerance: float | None = None
    rounded_to: int | None = field(init=False, repr=False, compare=False)
    decimals: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rounded = self.places
        if rounded is None and isinstance(self.calibration, Linear) and not self.identity:
            rounded = _places(self.calibration.scale, self.calibration.offset)
        object.__setattr__(self, "rounded_to", rounded)
        object.__setattr__(self, "decimals", (0 if self.identity else _SHOWN) if rounded is None else rounded)

    @property
    def identity(self) -> bool:
        """True when raw and calibrated value are the same number."""
        return self.calibration.identity


class Quantity(construct.Adapter):  # type: ignore[misc]  # construct ships no types
    """A raw number that stands for a value in ``unit``: by default ``raw * scale + offset``.

    Args:
        subcon: the raw integer or float on the wire.
        unit, limits, valid_if, tolerance: as in `QuantityDef`.
        scale, offset: a linear calibration. 1 and 0 leave the raw number as it is.
        decimals: to how many text, JSON and CSV round. By default as many as scale and offset have; a number that is
            not scaled stays as it is.
        calibration: a `Polynomial` or a `Table`, in place of scale and offset.

    Attributes:
        definition: all of it.

    Raises:
        DeclarationError: both a scale and a calibration, a scale of 0, or a tolerance below 0.
    """

    def __init__(
        self,
        subcon: Any,
        unit: str = "",
        *,
        scale: float = 1,
        offset: float = 0,
        limits: Limits | None = None,
        decimals: int | None = None,
        valid_if: str | None = None,
        calibration: Calibration | None = None,
        tolerance: float | None = None,
    ) -> None:
        super().__init__(subcon)
        if calibration is not None and (scale != 1 or offset != 0):
            raise DeclarationError("quantity", "it has a calibration and a scale or offset: leave one out")
        if tolerance is not None and not 0 <= tolerance < inf:
            raise DeclarationError("quantity", f"a tolerance is a number from 0 on, not {tolerance}")
        self.definition = QuantityDef(unit, calibration or Linear(scale, offset), limits, decimals, valid_if, tolerance)

    def _decode(self, obj: Any, context: Any, path: Any) -> Any:
        return self.definition.calibration.value(obj)

    def _encode(self, obj: Any, context: Any, path: Any) -> Any:
        if self.definition.identity:
            return obj
        bits = 8 * self.subcon.sizeof()
        return round(self.definition.calibration.raw(obj, -(2.0 ** (bits - 1)), 2.0**bits))


class EnumRanges(construct.Adapter):  # type: ignore[misc]  # construct ships no types
    """An enumeration of which a label may stand for a range: ``EnumRanges(Int8ub, COLD=(0, 99), WARM=(100, 180))``.

    A number that no range has stays a number, as in construct's Enum. A label is encoded as its lowest number.

    Attributes:
        ranges: lowest and highest number, and the label, in rising order.

    Raises:
        DeclarationError: a range that ends before it begins, or two that overlap.
    """

    def __init__(self, subcon: Any, **labels: int | tuple[int, int]) -> None:
        super().__init__(subcon)
        spans = ((span, span) if isinstance(span, int) else span for span in labels.values())
        self.ranges = check_ranges(
            sorted((int(low), int(high), name) for (low, high), name in zip(spans, labels, strict=True))
        )

    def _decode(self, obj: Any, context: Any, path: Any) -> Any:
        return label_in(self.ranges, obj)

    def _encode(self, obj: Any, context: Any, path: Any) -> Any:
        return next((low for low, _, label in self.ranges if label == obj), obj)


LabelRange = tuple[int, int, str]
"""Lowest and highest number, and their label."""


def label_in(ranges: Sequence[LabelRange], raw: int) -> int | str:
    """The label of a number, or the number."""
    at = bisect_right(ranges, raw, key=_lowest) - 1
    return ranges[at][2] if at >= 0 and raw <= ranges[at][1] else raw


def check_ranges(ranges: Sequence[LabelRange]) -> tuple[LabelRange, ...]:
    """The ranges, if they rise and do not overlap.

    Raises:
        DeclarationError: they do.
    """
    for low, high, label in ranges:
        if low > high:
            raise DeclarationError(label, f"its range {low} … {high} ends before it begins")
    for left, right in pairwise(ranges):
        if right[0] <= left[1]:
            raise DeclarationError(right[2], f"its range {right[0]} … {right[1]} overlaps that of {left[2]}")
    return tuple(ranges)


def _lowest(span: LabelRange) -> int:
    return span[0]


def _places(*numbers: float) -> int | None:
    """How many decimals the sum of multiples of these has; None for too many, as of one third."""
    exponents = [Decimal(repr(number)).normalize().as_tuple().exponent for number in numbers]
    if not all(isinstance(exponent, int) and exponent >= -_PLACES_MAX for exponent in exponents):
        return None
    return max(0, *(-exponent for exponent in exponents if isinstance(exponent, int)))
