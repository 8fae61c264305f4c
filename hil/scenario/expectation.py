"""Expectations on telemetry: what a parameter has to do in a flight, by the values that the station received.

    [[expect]]
    parameter = "DESCENT.deceleration"
    between = ["09:08:00", { event = "MAIN" }]      # two times or onboard events; without it, in the whole flight
    max = "12 g"                                    # the unit may be said

    [[expect]]
    parameter = "DESCENT.altitude"
    monotonic = "decreasing"                        # never rises; "increasing": never falls

    [[expect]]
    parameter = "DESCENT.phase"
    equals = "MAIN"
    at_least_once = true                            # one value is enough; without it, all of them

    [[expect]]
    parameter = "DESCENT.radio_altitude"            # void while the altimeter has no lock: not compared then
    within = { of = "DESCENT.altitude", by = "50 m", age = "1 s" }

`hil.verdict.expectations.rows` says how they are judged.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from hil.faults import Amount, At, For
from hil.faults.when import Plain
from hil.lander.flight_profile import FlightSpan
from hil.scenario.missions import check_time
from hil.scenario.parameters import Parameter, find_parameter
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Mission
from protocols.nearest import nearest

Monotonic = Literal["increasing", "decreasing"]


class Within(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a parameter may be from another one.

    Attributes:
        of: the other parameter, in the same unit.
        by: greatest difference.
        age: a value is compared with the last one of the other parameter, if that is not older; by default three
            periods of its packet, or 1 s.
    """

    of: str
    by: Amount
    age: For | None = None


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a parameter has to do: be within ``min`` and ``max``, or one of ``equals``, ``monotonic``, ``within``.

    Attributes:
        parameter: packet and name, as ``DESCENT.altitude``.
        between: from when to before when, by the onboard time: two times or onboard events; absent: the whole flight.
        min: least value that passes; a number, or with its unit, ``"12 g"``.
        max: greatest value that passes.
        equals: the one value that passes; of an enumeration its word.
        monotonic: it never falls, or never rises.
        within: how far it may be from another parameter.
        at_least_once: one value that passes is enough.
    """

    parameter: str
    between: tuple[At, At] | None = None
    min: Amount | None = None
    max: Amount | None = None
    equals: Plain | None = None
    monotonic: Monotonic | None = None
    within: Within | None = None
    at_least_once: bool = False


def check_expectation(place: str, expect: Expect, mission: Mission, span: FlightSpan = "descent") -> None:
    """Whether it can be judged: one value can pass, and another one fail; and a flight over a span has its times.

    Raises:
        ValueError: it cannot; with the place.
    """
    dictionary = mission.dictionary
    parameter = find_parameter(f"{place}.parameter", expect.parameter, dictionary)
    bounded = expect.min is not None or expect.max is not None
    given = [bounded, *(each is not None for each in (expect.equals, expect.monotonic, expect.within))]
    if sum(given) != 1:
        wrong = "nothing can fail it" if not any(given) else "too much for one row"
        raise ValueError(f"{place}: {wrong}: give min or max or both, or equals, or monotonic, or within")
    parameter.check_amount(f"{place}.min", expect.min)
    parameter.check_amount(f"{place}.max", expect.max)
    parameter.check_equals(f"{place}.equals", expect.equals)
    if expect.min is not None and expect.max is not None and expect.min.value > expect.max.value:
        raise ValueError(f"{place}: min {expect.min.value:g} is above max {expect.max.value:g}")
    if expect.monotonic is not None:
        parameter.check_amount(f"{place}.monotonic", Amount(0))
        if expect.at_least_once:
            raise ValueError(f"{place}.at_least_once: monotonic is about all values")
    if expect.within is not None:
        _check_within(f"{place}.within", expect.within, parameter, dictionary)
    if expect.between is not None:
        _check_between(f"{place}.between", expect.between, mission, span)


def _check_within(place: str, within: Within, parameter: Parameter, dictionary: Dictionary) -> None:
    other = find_parameter(f"{place}.of", within.of, dictionary)
    parameter.check_amount(place, Amount(0))
    other.check_amount(f"{place}.of", Amount(0))
    if other.unit != parameter.unit:
        units = f"{other.unit or 'no unit'} and {parameter.unit or 'no unit'}"
        raise ValueError(
            f"{place}.of: {within.of} cannot be compared with {parameter.packet}.{parameter.name}: {units}"
        )
    if (other.packet, other.name) == (parameter.packet, parameter.name):
        raise ValueError(f"{place}.of: {within.of} is the parameter itself")
    parameter.check_amount(f"{place}.by", within.by)
    if within.by.value < 0:
        raise ValueError(f"{place}.by: {within.by.value:g} is less than 0")
    if within.age is not None and within.age.kind != "ns":
        raise ValueError(f"{place}.age: a time, not {within.age.kind}")


def _check_between(place: str, between: tuple[At, At], mission: Mission, span: FlightSpan) -> None:
    events = [event.name for event in mission.dictionary.events]
    for n, at in enumerate(between):
        if at.kind not in ("scet", "elapsed", "event"):
            raise ValueError(f"{place}[{n}]: a time or an onboard event, not a {at.kind}")
        if at.kind == "event" and at.value not in events:
            raise ValueError(f"{place}[{n}]: unknown onboard event {at.value!r}{nearest(str(at.value), events)}")
        if at.kind != "event":
            check_time(f"{place}[{n}]", at, mission, span)
    begin, end = between
    if begin.kind == end.kind != "event" and int(begin.value) >= int(end.value):
        raise ValueError(f"{place}: it ends before it begins")
    if begin.kind == end.kind == "event" and begin.value == end.value:
        raise ValueError(f"{place}: it ends with the event with which it begins")
