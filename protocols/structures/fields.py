"""The one construct adapter a declaration needs: `Quantity`, a number with a unit, a calibration and limits.

A lambda or an ExprAdapter could not be read back by `layout`; a value object can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import inf, isnan
from typing import Any

import construct

from protocols.words import LimitState

_SHOWN = 3
"""Decimals that a person is shown where neither the declaration nor the calibration says how many there are."""

_PLACES_MAX = 9


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in the parameter's unit; None is no limit. A value on the limit is still inside.

    Attributes:
        green: the lowest and the highest value that is GREEN.
    """

    red_low: float | None = None
    yellow_low: float | None = None
    yellow_high: float | None = None
    red_high: float | None = None
    green: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
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


class Quantity(construct.Adapter):  # type: ignore[misc]  # construct ships no types
    """A raw integer that stands for ``raw * scale + offset`` in ``unit``.

    Args:
        subcon: the raw integer or float on the wire.
        unit: SI or the field's own word; empty for a bare count.
        scale, offset: the calibration. 1 and 0 leave the raw integer as it is.
        limits: in calibrated units.
        decimals: to how many text, JSON and CSV round. By default as many as scale and offset have; a number that is
            not scaled stays as it is.
        valid_if: name of a flag in the same packet; while it is 0 the value means nothing.

    Attributes:
        decimals: how many a person is shown.
        rounded_to: None: not rounded.
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
    ) -> None:
        super().__init__(subcon)
        self.unit = unit
        self.scale = scale
        self.offset = offset
        self.limits = limits
        self.rounded_to = decimals if decimals is not None or self.identity else _places(scale, offset)
        self.decimals = (0 if self.identity else _SHOWN) if self.rounded_to is None else self.rounded_to
        self.valid_if = valid_if

    @property
    def identity(self) -> bool:
        """True when raw and calibrated value are the same number."""
        return self.scale == 1 and self.offset == 0

    def _decode(self, obj: Any, context: Any, path: Any) -> Any:
        return obj if self.identity else obj * self.scale + self.offset

    def _encode(self, obj: Any, context: Any, path: Any) -> Any:
        return obj if self.identity else round((obj - self.offset) / self.scale)


def _places(*numbers: float) -> int | None:
    """How many decimals the sum of multiples of these has; None for too many, as of one third."""
    exponents = [Decimal(repr(number)).normalize().as_tuple().exponent for number in numbers]
    if not all(isinstance(exponent, int) and exponent >= -_PLACES_MAX for exponent in exponents):
        return None
    return max(0, *(-exponent for exponent in exponents if isinstance(exponent, int)))
