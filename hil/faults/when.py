"""Conditions on telemetry: what a fault or a command waits for instead of a time.

    when = { parameter = "DESCENT.altitude", below = 5000 }
    when = { parameter = "DESCENT.altitude", below = "5000 m" }     # the unit is checked, never converted
    when = { parameter = "DESCENT.phase", equals = "PARACHUTE" }

Rules:
1. What counts is what the station decoded, as it shows it: calibrated, rounded to the declared decimals. A value that
   was sent and did not come fires nothing.
2. It fires once, with the first value for which it holds; before the first value it does not hold.
3. A void value (`valid_if`), NaN, and a value of a late frame, which may be older than the last one, are not looked at.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from groundstation.messages.base import Value
from groundstation.messages.text import utc
from groundstation.messages.wire import Telemetry

Plain = bool | float | str
"""A value that a parameter may have, as TOML has it."""

_AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) ?(\S(?:.*\S)?)?")


class Amount:
    """A number in a parameter's unit, which may be said. A plain class, as `hil.faults.window.At`."""

    __slots__ = ("unit", "value")

    def __init__(self, value: float, unit: str | None = None) -> None:
        self.value = value
        self.unit = unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and (self.value, self.unit) == (other.value, other.unit)

    def __hash__(self) -> int:
        return hash((self.value, self.unit))

    @classmethod
    def parse(cls, raw: Any) -> Amount:
        """From TOML: ``5000``, ``"5000 m"``.

        Raises:
            ValueError: neither of these.
        """
        if isinstance(raw, (int, float)) and not isinstance(raw, bool) and math.isfinite(raw):
            return cls(raw)
        found = _AMOUNT.fullmatch(raw) if isinstance(raw, str) else None
        if found is None or not math.isfinite(float(found[1])):
            raise ValueError(f'invalid value {raw!r}: expected a number, or a number with its unit, as "5000 m"')
        return cls(float(found[1]), found[2])


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on a parameter, for which a fault or a command waits.

    Attributes:
        parameter: packet and name, as ``DESCENT.altitude``.
        above: it holds for greater values.
        below: it holds for smaller values.
        equals: it holds for this value; of an enumeration its word.
    """

    parameter: str
    above: Amount | None = None
    below: Amount | None = None
    equals: Plain | None = None

    def check(self) -> None:
        """Whether it asks for one thing.

        Raises:
            ValueError: it does not.
        """
        if sum(each is not None for each in (self.above, self.below, self.equals)) != 1:
            raise ValueError("expected one of above, below and equals")

    def holds(self, value: Value) -> bool:
        """Whether it holds for a value; for NaN never."""
        if self.equals is not None:
            return value == self.equals
        if isinstance(value, str):
            return False
        if self.above is not None:
            return value > self.above.value
        return self.below is not None and value < self.below.value

    def text(self, unit: str) -> str:
        """In words."""
        if self.equals is not None:
            return f"{self.parameter} = {shown(self.equals)}"
        bound = self.above or self.below
        assert bound is not None  # checked
        return f"{self.parameter} {'>' if self.above is not None else '<'} {bound.value:g} {unit}".rstrip()


class Watch:
    """Waits for a condition. Show it all that the station decodes, in order.

    Attributes:
        fired: onboard time of the packet for which it held first, in ns; None: of none so far.
    """

    def __init__(self, when: When, unit: str = "") -> None:
        """Args: what to wait for, checked, and the parameter's unit."""
        self._when = when
        self._unit = unit
        self._packet, _, self._name = when.parameter.partition(".")
        self._values = 0
        self._void = 0
        self._nearest: Value | None = None
        self.fired: int | None = None

    def take(self, message: Telemetry) -> None:
        """One decoded packet."""
        if self.fired is not None or message.packet != self._packet or message.late:
            return
        value = message.values.get(self._name)
        if value is None or is_nan(value):
            self._void += 1
            return
        self._values += 1
        if self._when.holds(value):
            self.fired, self._nearest = message.scet, value
        elif self._is_nearer(value):
            self._nearest = value

    @property
    def text(self) -> str:
        """What it waits for, and what came of it."""
        wanted = f"when {self._when.text(self._unit)}"
        if self.fired is not None:
            return f"{wanted}: {self._shown} at {utc(self.fired, 3)}"
        void = f", {self._void:,} void" if self._void else ""
        if not self._values:
            return f"{wanted}: never, no value of it came{void}"
        word = {True: "the greatest", False: "the least"}.get(self._when.above is not None)
        seen = "the last" if self._when.equals is not None else word
        return f"{wanted}: never, {seen} of {self._values:,} values was {self._shown}{void}"

    @property
    def _shown(self) -> str:
        return f"{shown(self._nearest)} {self._unit}".rstrip()

    def _is_nearer(self, value: Value) -> bool:
        nearest = self._nearest
        if nearest is None or self._when.equals is not None or isinstance(value, str) or isinstance(nearest, str):
            return True
        return value > nearest if self._when.above is not None else value < nearest


def is_nan(value: Value) -> bool:
    """Whether a value is NaN."""
    return isinstance(value, float) and math.isnan(value)


def shown(value: Value | None) -> str:
    """A value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
