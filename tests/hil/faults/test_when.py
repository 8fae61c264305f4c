"""Conditions on telemetry: with which value they fire, and what they say when they did not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from groundstation.messages.base import Value
from groundstation.messages.wire import Telemetry
from hil.faults import Amount, Watch, When
from protocols.declare.dictionary import utc_ns

START = utc_ns("1974-03-12T09:08:00")
TICK = 100_000_000


def when(**keys: Any) -> When:
    kind: dict[str, Any] = {
        key: Amount.parse(value) if key in ("above", "below") else value for key, value in keys.items()
    }
    return When(parameter="DESCENT.altitude", **kind)


def sample(n: int, value: Value | None, *, late: bool = False, packet: str = "DESCENT") -> Telemetry:
    values = {"altitude": value}
    return Telemetry(packet=packet, apid=1, vcid=0, scet=START + n * TICK, ert=0, values=values, late=late)


def watch(condition: When, values: Iterable[Value | None]) -> Watch:
    found = Watch(condition, "m")
    for n, value in enumerate(values):
        found.take(sample(n, value))
    return found


@pytest.mark.parametrize(
    ("condition", "values", "place"),
    [
        (when(below=5000), [5001, 5000, 4999.9, 4000], 2),
        (when(above="5000 m"), [4999, 5000, 5000.1], 2),
        (when(equals="MAIN"), ["DROGUE", "MAIN", "MAIN"], 1),
        (when(equals=True), [False, True], 1),
        (when(equals=0), [0], 0),
        (when(below=5000), [4000, 6000, 4000], 0),
        (when(below=5000), [None, float("nan"), 3], 2),
    ],
)
def test_fires_with_the_first_value_that_holds(condition: When, values: list[Value | None], place: int) -> None:
    assert watch(condition, values).fired == START + place * TICK


@pytest.mark.parametrize(
    ("condition", "values", "told"),
    [
        (
            when(below=5000),
            [6000, 5012.5, 7000],
            "DESCENT.altitude < 5000 m: never, the least of 3 values was 5012.5 m",
        ),
        (when(above=9), [3, 4, 2], "DESCENT.altitude > 9 m: never, the greatest of 3 values was 4 m"),
        (when(equals="MAIN"), ["ENTRY", "DROGUE"], "= MAIN: never, the last of 2 values was DROGUE m"),
        (when(below=1), [None, None], "DESCENT.altitude < 1 m: never, no value of it came, 2 void"),
        (when(below=1), [], "DESCENT.altitude < 1 m: never, no value of it came"),
    ],
)
def test_never_fired_says_how_near_it_came(condition: When, values: list[Value | None], told: str) -> None:
    found = watch(condition, values)
    assert found.fired is None
    assert found.text.endswith(told)


def test_late_frames_and_other_packets_fire_nothing() -> None:
    found = Watch(when(below=5000))
    found.take(sample(0, 4000, late=True))
    found.take(sample(1, 4000, packet="LANDER_HK"))
    assert found.fired is None
    found.take(sample(2, 4500.0))
    assert found.text == "when DESCENT.altitude < 5000: 4500 at 09:08:00.200"


@pytest.mark.parametrize("raw", [True, "m", "", float("inf"), "1e999 m", [3], "5 m\n"])
def test_an_amount_that_is_none_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="invalid value"):
        Amount.parse(raw)


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        (5, Amount(5)),
        ("5 m", Amount(5, "m")),
        ("-2.5e3 m/s", Amount(-2500, "m/s")),
        ("7", Amount(7)),
        ("3m", Amount(3, "m")),
    ],
)
def test_amounts(raw: object, amount: Amount) -> None:
    assert Amount.parse(raw) == amount


@pytest.mark.parametrize("keys", [{}, {"above": 1, "below": 2}, {"equals": 1, "below": 2}])
def test_a_condition_asks_for_one_thing(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected one of above, below and equals"):
        when(**keys).check()


def test_a_condition_is_a_value() -> None:
    assert msgspec.structs.replace(when(below=1), below=Amount(2)) == when(below=2)
