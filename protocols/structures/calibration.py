"""Calibrations: what turns a raw number into a value in a unit, and back where that can be done.

Rules:
1. The live decoder, construct and the columns do the same arithmetic in the same order, so that they agree to the bit.
2. A raw number that a table does not cover has no value: it is NaN, never the value of the nearest point.
3. An inverse is given only where it is unique: between ``low`` and ``high``, the raw numbers that the field can hold.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, isnan, nan
from typing import Literal

from protocols.errors import DeclarationError, EncodeError

Interpolation = Literal["linear", "none"]

_HALVINGS = 200
"""Steps of a bisection: more than a double has bits between its ends."""

_MOST_COEFFICIENTS = 16


@dataclass(frozen=True, slots=True)
class Linear:
    """``raw * scale + offset``."""

    scale: float = 1
    offset: float = 0

    def __post_init__(self) -> None:
        if not self.scale or not isfinite(self.scale) or not isfinite(self.offset):
            raise DeclarationError(
                "linear", f"raw × {self.scale} + {self.offset}: expected finite numbers, scale not 0"
            )

    @property
    def identity(self) -> bool:
        """True when raw and calibrated value are the same number."""
        return self.scale == 1 and self.offset == 0

    def value(self, raw: float) -> float:
        """The calibrated value."""
        return raw if self.identity else raw * self.scale + self.offset

    def raw(self, value: float, low: float, high: float) -> float:
        """The raw number of a value, not rounded and not kept within ``low`` … ``high``."""
        return value if self.identity else (value - self.offset) / self.scale

    def signature(self) -> str:
        """As it goes into the dictionary's hash."""
        return f"*{self.scale!r}+{self.offset!r}"

    def __str__(self) -> str:
        return f"raw × {self.scale:g}" + (f" + {self.offset:g}" if self.offset else "")


@dataclass(frozen=True, slots=True)
class Polynomial:
    """``c0 + c1 * raw + c2 * raw² + …``, the terms summed in this order, as XTCE readers do."""

    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        c = self.coefficients
        if not 1 <= len(c) <= _MOST_COEFFICIENTS or not all(map(isfinite, c)):
            text = f"{len(c)} coefficients: expected 1 … {_MOST_COEFFICIENTS} finite numbers"
            raise DeclarationError("polynomial", text)
        object.__setattr__(self, "coefficients", tuple(map(float, c)))

    @property
    def identity(self) -> bool:
        """Never: it calculates, even where nothing changes."""
        return False

    def value(self, raw: float) -> float:
        """The calibrated value."""
        x = float(raw)
        total, power = self.coefficients[0], 1.0
        for coefficient in self.coefficients[1:]:
            power *= x
            total += coefficient * power
        return total

    def raw(self, value: float, low: float, high: float) -> float:
        """The raw number between ``low`` and ``high`` that has this value, not rounded.

        Raises:
            EncodeError: there is none, or the polynomial turns in between, so that there may be two.
        """
        if not all(map(isfinite, (low, high))):
            raise EncodeError(f"{self} has no inverse over {low} … {high}")
        if any(low < turn < high for turn in _turns(self.coefficients, low, high)) or len(self.coefficients) == 1:
            raise EncodeError(f"{self} has no inverse between {low:g} and {high:g}: give the raw number")
        for end in (low, high):
            if self.value(end) == value:  # the last digit may put it beyond the end
                return end
        root = _crossing((self.coefficients[0] - value, *self.coefficients[1:]), low, high)
        if root is None:
            raise EncodeError(f"no raw number between {low:g} and {high:g} has the value {value:g}")
        return root

    def signature(self) -> str:
        """As it goes into the dictionary's hash."""
        return f"polynomial{self.coefficients!r}"

    def __str__(self) -> str:
        powers = ("", " × raw", " × raw²", " × raw³", *(f" × raw^{n}" for n in range(4, _MOST_COEFFICIENTS)))
        terms = [f"{c:g}{powers[n]}" for n, c in enumerate(self.coefficients) if c or len(self.coefficients) == 1]
        return " + ".join(terms) or "0"


@dataclass(frozen=True, slots=True)
class Table:
    """Values at some raw numbers.

    Attributes:
        points: pairs of raw number and value, the raw numbers rising.
        interpolate: between two points ``linear``, or ``none``: the value of the lower point.
        extrapolate: beyond the ends, the line of the last two points goes on (``linear``), or the last value holds
            (``none``). Without it a raw number beyond the ends is NaN.
    """

    points: tuple[tuple[float, float], ...]
    interpolate: Interpolation = "linear"
    extrapolate: bool = False
    raws: tuple[float, ...] = field(init=False, repr=False, compare=False)
    values: tuple[float, ...] = field(init=False, repr=False, compare=False)
    slopes: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.points) < (2 if self.interpolate == "linear" else 1):
            raise DeclarationError("table", f"{len(self.points)} points are too few")
        if not all(isfinite(number) for point in self.points for number in point):
            raise DeclarationError("table", "a point is not finite")
        if any(left[0] >= right[0] for left, right in pairwise(self.points)):
            raise DeclarationError("table", "the raw numbers of its points must rise")
        object.__setattr__(self, "raws", tuple(float(raw) for raw, _ in self.points))
        object.__setattr__(self, "values", tuple(float(value) for _, value in self.points))
        slopes = (((y1 - y0) / (x1 - x0)) for (x0, y0), (x1, y1) in pairwise(self.points))
        linear = self.interpolate == "linear"
        object.__setattr__(self, "slopes", tuple(slopes) if linear else (0.0,) * len(self.points))

    @property
    def identity(self) -> bool:
        """Never: it calculates, even where nothing changes."""
        return False

    def value(self, raw: float) -> float:
        """The calibrated value; NaN where the table has none."""
        raw = float(raw)
        if isnan(raw) or (not self.extrapolate and not self.raws[0] <= raw <= self.raws[-1]):
            return nan
        at = min(max(bisect_right(self.raws, raw) - 1, 0), len(self.slopes) - 1)
        slope = self.slopes[at]
        return (raw - self.raws[at]) * slope + self.values[at] if slope else self.values[at]

    def raw(self, value: float, low: float, high: float) -> float:
        """The raw number that has this value, not rounded.

        Raises:
            EncodeError: there is none, or there may be two.
        """
        if self.interpolate == "none":
            found = [x for x, y in zip(self.raws, self.values, strict=True) if y == value]
            if len(found) == 1:
                return found[0]
            raise EncodeError(f"{len(found)} points of the table have the value {value:g}: give the raw number")
        rising = [y for _, y in self.points]
        if any(a >= b for a, b in pairwise(rising)) and any(a <= b for a, b in pairwise(rising)):
            raise EncodeError("the table has no inverse: its values neither rise nor fall throughout")
        order = 1 if rising[-1] > rising[0] else -1
        at = bisect_right([order * y for y in rising], order * value) - 1
        inside = at >= 0 and order * value <= order * rising[-1]
        if not inside and not self.extrapolate:
            raise EncodeError(f"the table has no raw number for the value {value:g}")
        at = min(max(at, 0), len(self.slopes) - 1)
        return (value - self.values[at]) / self.slopes[at] + self.raws[at]

    def signature(self) -> str:
        """As it goes into the dictionary's hash."""
        return f"table{self.points!r}{self.interpolate}{self.extrapolate}"

    def __str__(self) -> str:
        how = "interpolated" if self.interpolate == "linear" else "stepwise"
        ends = f"{self.points[0][0]:g} → {self.points[0][1]:g} … {self.points[-1][0]:g} → {self.points[-1][1]:g}"
        return f"table of {len(self.points)}, {how}: {ends}"


Calibration = Linear | Polynomial | Table

IDENTITY = Linear()


def _evaluate(coefficients: tuple[float, ...], x: float) -> float:
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def _turns(coefficients: tuple[float, ...], low: float, high: float) -> list[float]:
    """Where a polynomial turns between low and high: the zeros of its derivative, found between that one's turns."""
    derivative = tuple(n * c for n, c in enumerate(coefficients))[1:]
    if len(derivative) < 2:
        return []
    ends = [low, *_turns(derivative, low, high), high]
    zeros = (_crossing(derivative, a, b) for a, b in pairwise(ends))
    return sorted({zero for zero in zeros if zero is not None})


def _crossing(coefficients: tuple[float, ...], low: float, high: float) -> float | None:
    """Where a polynomial that is monotonic between low and high crosses zero; None if it does not."""
    first, last = _evaluate(coefficients, low), _evaluate(coefficients, high)
    if first == 0 or last == 0:
        return low if first == 0 else high
    if (first > 0) == (last > 0):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (_evaluate(coefficients, middle) > 0) == (first > 0):
            low = middle
        else:
            high = middle
    return low if abs(_evaluate(coefficients, low)) <= abs(_evaluate(coefficients, high)) else high
