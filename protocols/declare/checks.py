"""Checks of value quality, declared as data: which values cannot be, and how parameters belong together.

A check names parameters as ``PACKET.parameter`` and gives numbers in their units; `decode.judging` applies it. Its
``name`` is the reason that a reader sees, its ``parameter`` the one that it judges, its ``others`` those that it reads.

Rules:
1. A check is data: it has numbers and names, no function of its declaration's. What each kind computes is said here,
   once, so that the interface document can print it and a test can compute it again.
2. Relations say what they expect of one parameter, by others. Who is wrong where they disagree, `decode.judging` finds.
3. An instrument that measures now and then repeats its last value in between: ``every_ms`` says how often it measures,
   at whole multiples of that in packet time, so that a relation looks at the others as they were then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import exp, inf, isfinite
from typing import ClassVar, Protocol

from protocols.errors import DeclarationError
from protocols.nearest import nearest

_G0 = 9.80665
"""m/s² of one g."""
_PA_PER_HPA = 100.0


@dataclass(frozen=True, slots=True)
class Range:
    """The physical range of an instrument: a value outside is unusable."""

    parameter: str
    low: float
    high: float
    name: ClassVar[str] = "range"
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"{self.low:g} … {self.high:g}"


@dataclass(frozen=True, slots=True)
class Labels:
    """An enumeration of which every number that is sent has a label: another is unusable."""

    parameter: str
    name: ClassVar[str] = "label"
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return "a declared label"


@dataclass(frozen=True, slots=True)
class Clock:
    """A counter that the packet's time gives: ``epoch`` in ns UTC since 1970 is 0, each step ``step_ns`` long."""

    parameter: str
    epoch: int
    step_ns: int
    name: ClassVar[str] = "packet time"
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"what the packet's time gives, in steps of {self.step_ns / 1e6:g} ms"


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a value can change, beside the last ones that were trusted.

    A value that lies within ``window`` of where the last ones lead is good. Without good values the window grows with
    the square of time by ``bend``, but never faster than ``per_second``.

    Attributes:
        window: in the parameter's unit; as a rule a little less than its tolerance.
        per_second: the fastest change, per second.
        bend: how much that change itself may change, per second squared.
        every_ms: how often the instrument measures, a part of a second; 0: for every packet.
        settle_s: how long other values have to agree with each other and with the relations before they are trusted.
    """

    parameter: str
    window: float
    per_second: float
    bend: float
    every_ms: int = 0
    settle_s: float = 1.0
    name: ClassVar[str] = "rate"
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"within {self.window:g} of where the last ones lead; at most {self.per_second:g} a second"


@dataclass(frozen=True, slots=True)
class Order:
    """An enumeration that goes through these labels one by one, or a flag: another one counts once it came again.

    Attributes:
        labels: in their order; empty: any order.
        again: how many times in a row the next one has to come.
        skip_again: how many times one that is not the next.
    """

    parameter: str
    labels: tuple[str, ...] = ()
    again: int = 3
    skip_again: int = 30
    name: ClassVar[str] = "order"
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return " → ".join(self.labels) if self.labels else f"a change that came {self.again} times"


@dataclass(frozen=True, slots=True)
class FlatLine:
    """A value that stays within ``within`` for ``seconds`` while ``follows`` moves by ``moved`` or more is stuck.

    ``low`` and ``high`` bound where ``follows`` is while that holds.
    """

    parameter: str
    within: float
    seconds: float
    follows: str
    moved: float
    low: float = -inf
    high: float = inf
    name: ClassVar[str] = "flat line"

    @property
    def others(self) -> tuple[str, ...]:
        """The one that it has to follow."""
        return (self.follows,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        moves = f"while {_short(self.follows)} moves {self.moved:g}"
        bounds = f" ({self.low:g} … {self.high:g})" if isfinite(self.high) or isfinite(self.low) else ""
        return f"not within {self.within:g} for {self.seconds:g} s {moves}{bounds}"


@dataclass(frozen=True, slots=True)
class Proportional:
    """A value that another gives: ``scale * of + offset``, but no more than ``highest``, within ``within``."""

    parameter: str
    of: str
    within: float
    scale: float = 1.0
    offset: float = 0.0
    highest: float = inf
    name: ClassVar[str] = "proportion"

    @property
    def others(self) -> tuple[str, ...]:
        """The one that gives it."""
        return (self.of,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        line = "" if self.scale == 1 and self.offset == 0 else f"{self.scale:g} · "
        shift = f" + {self.offset:g}" if self.offset else ""
        most = f", at most {self.highest:g}" if isfinite(self.highest) else ""
        return f"{line}{_short(self.of)}{shift}{most}, ±{self.within:g}"

    def expected(self, own: float, of: float) -> float:
        """What it should be."""
        return min(self.scale * of + self.offset, self.highest)

    def allowed(self, expected: float) -> float:
        """How far from that it may be."""
        return self.within


@dataclass(frozen=True, slots=True)
class Bound:
    """A component of a vector: between ``-by`` and ``by``, within ``within``."""

    parameter: str
    by: str
    within: float
    name: ClassVar[str] = "bound"

    @property
    def others(self) -> tuple[str, ...]:
        """The whole vector's length."""
        return (self.by,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"no more than {_short(self.by)} either way, ±{self.within:g}"

    def expected(self, own: float, by: float) -> float:
        """The nearest value that can be."""
        return by if own > by else -by if own < -by else own

    def allowed(self, expected: float) -> float:
        """How far from that it may be."""
        return self.within


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """An atmosphere in hydrostatic equilibrium: temperature falls evenly with geopotential height, to ``top``.

    Attributes:
        pressure: at the surface, hPa.
        temperature: at the surface, K.
        lapse: K/m of geopotential height.
        top: geopotential height in m from which on it is isothermal.
        gas_constant: J/kg/K.
        gravity: at the surface, m/s².
        radius: of the planet, m.
    """

    pressure: float
    temperature: float
    lapse: float
    top: float
    gas_constant: float
    gravity: float
    radius: float

    def height(self, altitude: float) -> float:
        """Geopotential height of an altitude, both in m."""
        return self.radius * altitude / (self.radius + altitude)

    def temperature_at(self, altitude: float) -> float:
        """In K, at an altitude in m."""
        return self.temperature - self.lapse * min(self.height(altitude), self.top)

    def pressure_at(self, altitude: float) -> float:
        """In hPa, at an altitude in m."""
        warm = self.temperature_at(altitude)
        exponent = self.gravity / (self.gas_constant * self.lapse)
        below: float = self.pressure * (warm / self.temperature) ** exponent
        above = self.height(altitude) - self.top
        return below if above <= 0 else below * exp(-self.gravity * above / (self.gas_constant * warm))


@dataclass(frozen=True, slots=True)
class Hydrostatic:
    """A barometer beside an altitude: the hydrostatic equation, within ``share`` of that and ``within`` hPa."""

    parameter: str
    altitude: str
    atmosphere: Atmosphere
    share: float
    within: float
    name: ClassVar[str] = "hydrostatic"

    @property
    def others(self) -> tuple[str, ...]:
        """The altitude."""
        return (self.altitude,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"hydrostatic at {_short(self.altitude)}, ±{100 * self.share:g} % ±{self.within:g}"

    def expected(self, own: float, altitude: float) -> float:
        """What it should be."""
        return self.atmosphere.pressure_at(altitude)

    def allowed(self, expected: float) -> float:
        """How far from that it may be."""
        return self.share * expected + self.within


@dataclass(frozen=True, slots=True)
class LapseRate:
    """A thermometer beside an altitude: what the atmosphere has there, within ``within`` K."""

    parameter: str
    altitude: str
    atmosphere: Atmosphere
    within: float
    name: ClassVar[str] = "lapse rate"

    @property
    def others(self) -> tuple[str, ...]:
        """The altitude."""
        return (self.altitude,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"{1000 * self.atmosphere.lapse:.2g} K/km with {_short(self.altitude)}, ±{self.within:g}"

    def expected(self, own: float, altitude: float) -> float:
        """What it should be."""
        return self.atmosphere.temperature_at(altitude)

    def allowed(self, expected: float) -> float:
        """How far from that it may be."""
        return self.within


@dataclass(frozen=True, slots=True)
class Integral:
    """A value of which another is the change per second, times ``factor``; within ``drift`` per second."""

    parameter: str
    rate: str
    factor: float
    drift: float
    name: ClassVar[str] = "integral"

    @property
    def others(self) -> tuple[str, ...]:
        """The change."""
        return (self.rate,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        sign = "" if self.factor == 1 else "-" if self.factor == -1 else f"{self.factor:g} · "
        return f"changes by {sign}{_short(self.rate)}, ±{self.drift:g} a second"

    def per_second(self, own: float, rate: float) -> float:
        """How much it should change in a second."""
        return self.factor * rate


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """Speed through an atmosphere beside an accelerometer that feels the drag: dv/dt = g · w/v - a.

    Attributes:
        parameter: speed in m/s.
        vertical_speed: m/s, positive is down.
        deceleration: drag over mass, in g.
        gravity: m/s².
        drift: how far off the change may be, m/s².
    """

    parameter: str
    vertical_speed: str
    deceleration: str
    gravity: float
    drift: float
    name: ClassVar[str] = "speed change"

    @property
    def others(self) -> tuple[str, ...]:
        """Vertical speed and deceleration."""
        return (self.vertical_speed, self.deceleration)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"changes by gravity and {_short(self.deceleration)}, ±{self.drift:g} a second"

    def per_second(self, own: float, vertical: float, deceleration: float) -> float:
        """How much it should change in a second."""
        steep = vertical / own if abs(own) > abs(vertical) else 1.0
        return self.gravity * steep - _G0 * deceleration


@dataclass(frozen=True, slots=True)
class FallChange:
    """Vertical speed beside an accelerometer that feels the drag: dw/dt = g - u²/r - a · w/v, u² = v² - w².

    Attributes:
        parameter: vertical speed in m/s, positive is down.
        speed: m/s.
        deceleration: drag over mass, in g.
        gravity: m/s².
        radius: distance from the planet's centre, m.
        drift: how far off the change may be, m/s².
    """

    parameter: str
    speed: str
    deceleration: str
    gravity: float
    radius: float
    drift: float
    name: ClassVar[str] = "fall"

    @property
    def others(self) -> tuple[str, ...]:
        """Speed and deceleration."""
        return (self.speed, self.deceleration)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"changes by gravity and {_short(self.deceleration)}, ±{self.drift:g} a second"

    def per_second(self, own: float, speed: float, deceleration: float) -> float:
        """How much it should change in a second."""
        steep = own / speed if speed > abs(own) else 1.0
        along = max(0.0, speed * speed - own * own)
        return self.gravity - along / self.radius - _G0 * deceleration * steep


@dataclass(frozen=True, slots=True)
class OnlyWhile:
    """A flag that is set only while ``of`` lies in ``low`` … ``high``."""

    parameter: str
    of: str
    low: float
    high: float
    name: ClassVar[str] = "condition"

    @property
    def others(self) -> tuple[str, ...]:
        """What it depends on."""
        return (self.of,)

    @property
    def text(self) -> str:
        """What it allows, in words."""
        return f"set only while {_short(self.of)} is {self.low:g} … {self.high:g}"


Relation = Proportional | Bound | Hydrostatic | LapseRate
"""What a value is, by others at the same time."""
Motion = Integral | SpeedChange | FallChange
"""How fast a value changes, by others."""
Check = Range | Labels | Clock | Rate | Order | FlatLine | OnlyWhile | Relation | Motion


class Parameter(Protocol):
    """What `check_checks` needs to know of a parameter."""

    @property
    def name(self) -> str:
        """In its packet."""

    @property
    def is_number(self) -> bool:
        """Whether it is a number, and not a flag, an enumeration or text."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Of an enumeration."""


def check_checks(checks: Iterable[Check], packets: Mapping[str, Sequence[Parameter]]) -> None:
    """Refuse what cannot be.

    Args:
        checks: as declared.
        packets: the parameters of each packet of fixed size.

    Raises:
        DeclarationError: a check names a parameter that is not there, is of the wrong kind or in another packet than
            the check's other parameters; a number that is not finite or below 0; a second `Rate` or `Order` of a
            parameter; a relation between parameters without a `Rate`, which is how its values are trusted.
    """
    checks = tuple(checks)
    rated = [check.parameter for check in checks if isinstance(check, Rate)]
    for check in checks:
        where = f"check {check.name} of {check.parameter}"
        for path in (check.parameter, *check.others):
            _check_parameter(where, path, packets)
            if path.partition(".")[0] != check.parameter.partition(".")[0]:
                raise DeclarationError(where, f"{path} is in another packet: a check is of one packet")
        _check_kind(where, check, packets)
        _check_numbers(where, check)
        tracked = check.others if isinstance(check, OnlyWhile | FlatLine) else ()
        if isinstance(check, Relation | Motion | FlatLine):
            tracked = (check.parameter, *check.others)
        for path in tracked:
            if path not in rated:
                raise DeclarationError(where, f"{path} has no Rate: without one its values are not trusted")
    once = [(type(check), check.parameter) for check in checks if isinstance(check, Rate | Order | Motion)]
    for kind, parameter in once:
        if once.count((kind, parameter)) > 1:
            raise DeclarationError(f"check {kind.name} of {parameter}", "declared twice")


def _check_parameter(where: str, path: str, packets: Mapping[str, Sequence[Parameter]]) -> None:
    packet, dot, name = path.partition(".")
    if not dot:
        raise DeclarationError(where, f"{path!r} is not PACKET.parameter")
    if packet not in packets:
        raise DeclarationError(where, f"no packet {packet!r} of fixed size{nearest(packet, packets)}")
    names = [each.name for each in packets[packet]]
    if name not in names:
        raise DeclarationError(where, f"no parameter of {packet} {name!r}{nearest(name, names)}")


def _check_kind(where: str, check: Check, packets: Mapping[str, Sequence[Parameter]]) -> None:
    """See that numbers are compared with numbers."""
    paths = check.others if isinstance(check, Labels | Order | OnlyWhile) else (check.parameter, *check.others)
    for path in paths:
        packet, _, name = path.partition(".")
        if not next(each for each in packets[packet] if each.name == name).is_number:
            raise DeclarationError(where, f"{path} is not a number")
    if isinstance(check, Labels | Order):
        _check_labels(where, check, packets)


def _check_labels(where: str, check: Labels | Order, packets: Mapping[str, Sequence[Parameter]]) -> None:
    packet, _, name = check.parameter.partition(".")
    labels = next(each for each in packets[packet] if each.name == name).labels
    if isinstance(check, Labels):
        if not labels:
            raise DeclarationError(where, f"{check.parameter} is not an enumeration")
        return
    for label in check.labels:
        if label not in labels:
            raise DeclarationError(where, f"{check.parameter} has no label {label!r}{nearest(label, labels)}")


def _check_numbers(where: str, check: Check) -> None:
    for field in fields(check):
        value = getattr(check, field.name)
        if not isinstance(value, int | float) or field.name in _SIGNED:
            continue
        if not value >= 0 or (not isfinite(value) and field.name not in _OPEN):
            raise DeclarationError(f"{where}.{field.name}", f"expected a number from 0 on, not {value}")
    if isinstance(check, Rate) and check.every_ms and 1000 % check.every_ms:
        raise DeclarationError(f"{where}.every_ms", f"{check.every_ms} ms do not divide a second")
    if isinstance(check, Range | FlatLine | OnlyWhile) and not check.low <= check.high:
        raise DeclarationError(where, f"no value lies in {check.low} … {check.high}")


def _short(path: str) -> str:
    return path.partition(".")[2]


_SIGNED = frozenset({"low", "high", "scale", "offset", "factor", "epoch"})
_OPEN = frozenset({"highest"})
