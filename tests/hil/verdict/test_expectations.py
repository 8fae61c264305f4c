"""Expectations on telemetry, judged: which value decides, where it came, and what is not compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.downlink.receiver import FrameNote
from groundstation.messages.base import Value
from groundstation.messages.wire import EventMessage, Telemetry
from hil.scenario.flown_part import FlownPart
from hil.scenario.scenario import parse_scenario
from hil.scenario.toml import to_toml
from hil.verdict.expectations.received import ReceivedParameters
from hil.verdict.expectations.rows import expectation_rows
from hil.verdict.result import Measurement
from protocols.declare.dictionary import utc_ns
from protocols.lander import EPOCH, MARS6

START = utc_ns("1974-03-12T09:08:00")
WHOLE = FlownPart(EPOCH, EPOCH + 455 * 10**9, False)
TICK = 100_000_000


def judged(
    expect: dict[str, Any],
    samples: Sequence[tuple[int, dict[str, Value | None]]],
    *,
    events: Sequence[tuple[str, int]] = (),
    part: FlownPart = WHOLE,
) -> Measurement:
    """One expectation beside packets of DESCENT, each with its tick, and events."""
    scenario = parse_scenario(to_toml({"scenario": {"id": "x"}, "expect": [expect]}))
    received = ReceivedParameters(scenario.expectations)
    for n, (tick, values) in enumerate(samples):
        scet = START + tick * TICK
        notes = [FrameNote(132 * n, 132, "GOOD", 0, n % 256, scet)]
        received.take(Telemetry(packet="DESCENT", apid=1, vcid=0, scet=scet, ert=0, values=values), notes)
    for name, tick in events:
        scet = START + tick * TICK
        received.take_event(EventMessage(severity="ACTIVITY_HI", source="LANDER", name=name, text="", ert=0, scet=scet))
    (row,) = expectation_rows(scenario.expectations, received, MARS6, part)
    assert row.name == f"expect[0] {expect['parameter']}"
    return row


def g(*values: Value | None) -> list[tuple[int, dict[str, Value | None]]]:
    return [(n, {"deceleration": value, "phase": "MAIN"}) for n, value in enumerate(values)]


def expect(**keys: Any) -> dict[str, Any]:
    return {"parameter": "DESCENT.deceleration", **keys}


@pytest.mark.parametrize(
    ("keys", "values", "state", "value", "limit"),
    [
        ({"max": 12}, [3, 12.0, 5], "PASS", 12.0, "≤ 12"),
        ({"max": 12}, [3, 12.01, 13, 5], "FAIL", 13, "≤ 12"),
        ({"min": 3}, [3, 5], "PASS", 3, "≥ 3"),
        ({"min": 3}, [5, 2.5, 2.9], "FAIL", 2.5, "≥ 3"),
        ({"min": 3, "max": 5}, [4, 4.9], "PASS", 4.9, "3 … 5"),
        ({"min": 3, "max": 5}, [4, 1, 5.5], "FAIL", 1, "3 … 5"),
        ({"max": 12}, [3, float("nan")], "FAIL", "nan", "≤ 12"),
        ({"equals": 3}, [3, 3], "PASS", 3, "= 3"),
        ({"equals": 3}, [3, 4, 5], "FAIL", 4, "= 3"),
        ({"equals": 3, "at_least_once": True}, [4, 3, 5], "PASS", 3, "= 3, at least once"),
        ({"equals": 3, "at_least_once": True}, [4, 5], "FAIL", 4, "= 3, at least once"),
        ({"max": 3, "at_least_once": True}, [7, 5, 6], "FAIL", 5, "≤ 3, at least once"),
        ({"max": 3, "at_least_once": True}, [7, 2, 6], "PASS", 2, "≤ 3, at least once"),
        ({"max": 3, "at_least_once": True}, [float("nan")], "FAIL", "nan", "≤ 3, at least once"),
        ({"monotonic": "increasing"}, [1, 1, 2], "PASS", 0, "never falls"),
        ({"monotonic": "increasing"}, [1, 3, 2.5, 2], "FAIL", 0.5, "never falls"),
        ({"monotonic": "decreasing"}, [3, 2, 2], "PASS", 0, "never rises"),
        ({"monotonic": "decreasing"}, [3, 2, 4], "FAIL", 2, "never rises"),
    ],
)
def test_the_value_that_decides_is_seen(
    keys: dict[str, Any], values: list[Value], state: str, value: Value, limit: str
) -> None:
    row = judged(expect(**keys), g(*values))
    assert (row.state, row.limit, row.unit) == (state, limit, "g")
    assert row.value == value or (value == "nan" and str(row.value) == "nan")


def test_the_note_has_packet_time_and_frame() -> None:
    row = judged(expect(max=12), g(3, 13, 5))
    assert row.note == "at 09:08:00.100, VC0 frame 1; 3 values"
    row = judged(expect(monotonic="increasing"), g(3, 2))
    assert row.note == "greatest fall 2 after 3, at 09:08:00.100, VC0 frame 1; 2 values"


def test_a_parameter_that_never_came_fails() -> None:
    for keys in ({"max": 12}, {"equals": 1, "at_least_once": True}, {"monotonic": "increasing"}):
        row = judged(expect(**keys), [])
        assert (row.state, row.value, row.note) == ("FAIL", None, "no value of it came")


def test_one_value_is_not_monotonic() -> None:
    row = judged(expect(monotonic="decreasing"), g(3))
    told = "nothing to compare 3 with, at 09:08:00.000, VC0 frame 0; 1 values"
    assert (row.state, row.value, row.note) == ("FAIL", None, told)


def test_a_window_before_the_whole_flight_is_not_passed() -> None:
    whole = FlownPart(START, START + 10 * TICK, False, START)
    row = judged(expect(max=12, between=["09:07:00", "09:07:30"]), g(1), part=whole)
    assert (row.state, row.note) == ("FAIL", "no value of it came from 09:07:00.000 to 09:07:30.000")
    row = judged(expect(max=12, between=["09:07:00", "09:08:00.200"]), g(1, 13), part=whole)
    assert (row.state, row.value) == ("FAIL", 13)


def test_void_values_are_counted_and_never_compared() -> None:
    row = judged(expect(max=12), g(None, 3, None))
    assert (row.state, row.note) == ("PASS", "at 09:08:00.100, VC0 frame 1; 1 values, 2 void")
    row = judged(expect(max=12), g(None, None))
    assert (row.state, row.note) == ("FAIL", "2 values came, all void")


def test_a_nonsense_onboard_time_is_counted_and_not_compared() -> None:
    samples = g(3, 4, 99, 5)
    samples[2] = (10**7, samples[2][1])
    row = judged(expect(max=12), samples)
    assert (row.state, row.value) == ("PASS", 5)
    assert row.note.endswith("3 values, 1 with an impossible onboard time")


def test_values_that_come_out_of_order_stand_at_their_own_time() -> None:
    samples = [g(1, 2, 3)[n] for n in (0, 2, 1)]
    assert judged(expect(monotonic="increasing"), samples).state == "PASS"


def test_a_window_of_times_has_its_beginning_and_not_its_end() -> None:
    row = judged(expect(max=12, between=["09:08:00.100", "09:08:00.300"]), g(99, 3, 4, 99))
    assert (row.state, row.value) == ("PASS", 4)
    assert row.note == "at 09:08:00.200, VC0 frame 2; 2 values from 09:08:00.100 to 09:08:00.300"
    row = judged(expect(max=12, between=["09:08:01", "09:08:02"]), g(1, 2))
    assert (row.state, row.note) == ("FAIL", "no value of it came from 09:08:01.000 to 09:08:02.000")


def test_a_window_of_events() -> None:
    window = [{"event": "DROGUE"}, {"event": "MAIN"}]
    events = [("MAIN", 0), ("DROGUE", 1), ("MAIN", 3)]
    row = judged(expect(max=12, between=window), g(99, 3, 4, 99), events=events)
    assert (row.state, row.value) == ("PASS", 4)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "the window never opened: no onboard event DROGUE came"),
        ([("DROGUE", 1)], "the window never closed: no onboard event MAIN came after 09:08:00.100"),
        ([("DROGUE", 1), ("MAIN", 0)], "the window never closed: no onboard event MAIN came after 09:08:00.100"),
    ],
)
def test_a_window_whose_events_never_came_is_unset(events: list[tuple[str, int]], told: str) -> None:
    window = [{"event": "DROGUE"}, {"event": "MAIN"}]
    row = judged(expect(max=12, between=window), g(1, 2), events=events)
    assert (row.state, row.value, row.note) == ("UNSET", None, told)


def test_an_event_after_the_windows_end_is_unset() -> None:
    window = [{"event": "DROGUE"}, "09:08:00.200"]
    row = judged(expect(max=12, between=window), g(1, 2), events=[("DROGUE", 5)])
    assert (row.state, row.note) == ("UNSET", "the window opened at 09:08:00.500, not before its end, 09:08:00.200")


def test_what_was_not_flown_is_not_applicable() -> None:
    part = FlownPart(START, START + 10 * TICK, True)
    assert judged(expect(max=12, between=["09:07:50", "09:08:00.500"]), g(1), part=part).state == "NA"
    assert judged(expect(max=12, between=["09:08:00", "09:08:02"]), g(1), part=part).state == "NA"
    assert judged(expect(max=12, between=["09:08:00", "09:08:01"]), g(1), part=part).state == "PASS"
    window = [{"event": "DROGUE"}, {"event": "MAIN"}]
    assert judged(expect(max=12, between=window), g(1), part=part).state == "NA"


def near(**keys: Any) -> dict[str, Any]:
    within = {"of": "DESCENT.altitude", "by": 5, **keys}
    return {"parameter": "DESCENT.radio_altitude", "within": within}


def heights(*pairs: tuple[Value | None, Value | None]) -> list[tuple[int, dict[str, Value | None]]]:
    return [(n, {"radio_altitude": a, "altitude": b}) for n, (a, b) in enumerate(pairs)]


def test_within_another_parameter() -> None:
    row = judged(near(), heights((100, 103), (None, 90), (80, 84)))
    assert (row.state, row.value, row.limit) == ("PASS", 4, "within 5 of DESCENT.altitude")
    row = judged(near(), heights((100, 103), (80, 86)))
    assert (row.state, row.value) == ("FAIL", 6)
    assert row.note == "at 09:08:00.100, VC0 frame 1: 80 and 86; 2 values"


def test_a_stale_partner_is_not_compared() -> None:
    samples = heights((100, 103), (100, None), (100, None), (100, None), (900, None))
    row = judged(near(), samples)
    assert (row.state, row.value) == ("PASS", 3)
    assert ", 1 without a value of DESCENT.altitude of the last 300 ms" in row.note
    assert judged(near(age="1 s"), samples).state == "FAIL"


def test_nothing_to_compare_with_fails() -> None:
    row = judged(near(), heights((100, None), (90, None)))
    assert (row.state, row.value) == ("FAIL", None)
    assert row.note.startswith("nothing to compare with, 2 without a value of DESCENT.altitude of the last 300 ms")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(-1e6, 1e6))
def test_a_bound_passes_as_arithmetic_says(values: list[float], bound: float) -> None:
    assert (judged(expect(max=bound), g(*values)).state == "PASS") == all(value <= bound for value in values)
    once = expect(min=bound, at_least_once=True)
    assert (judged(once, g(*values)).state == "PASS") == any(value >= bound for value in values)
