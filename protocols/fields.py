"""The one construct adapter a declaration needs: `Quantity`, a number with a unit, a calibration and limits.

A lambda or an ExprAdapter could not be read back by `layout`; a value object can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isnan
from typing import Any, Literal

import construct

LimitState = Literal["GREEN", "YELLOW_LOW", "YELLOW_HIGH", "RED_LOW", "RED_HIGH"]


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
        decimals: how many a person is shown.
        valid_if: name of a flag in the same packet; while it is 0 the value means nothing.
    """

    def __init__(
        self,
        subcon: Any,
        unit: str = "",
        *,
        scale: float = 1,
        offset: float = 0,
        limits: Limits | None = None,
        decimals: int = 0,
        valid_if: str | None = None,
    ) -> None:
        super().__init__(subcon)
        self.unit = unit
        self.scale = scale
        self.offset = offset
        self.limits = limits
        self.decimals = decimals
        self.valid_if = valid_if

    @property
    def identity(self) -> bool:
        """True when raw and calibrated value are the same number."""
        return self.scale == 1 and self.offset == 0

    def _decode(self, obj: Any, context: Any, path: Any) -> Any:
        return obj if self.identity else obj * self.scale + self.offset

    def _encode(self, obj: Any, context: Any, path: Any) -> Any:
        return obj if self.identity else round((obj - self.offset) / self.scale)
