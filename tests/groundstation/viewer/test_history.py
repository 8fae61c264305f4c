"""Plots and the mission clock of a viewer keep what they have when one onboard time is nonsense."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.messages.onboard_clock import OnboardClock
from groundstation.messages.wire import Telemetry
from groundstation.viewer.history import Log, LogEntry, Series
from groundstation.viewer.model import PassModel
from protocols.times import utc_ns
from protocols.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from tests.shown import ALTITUDE

START = utc_ns("1974-03-12T09:07:21")
NOT_SET = utc_ns("1958-01-01T00:00:00")
AHEAD = utc_ns("2137-06-06T00:00:00")


def filled(count: int = 100) -> Series:
    series = Series()
    for n in range(count):
        series.add(START + n * NS_PER_S, float(n))
    return series


def times(series: Series) -> list[int]:
    return [scet for scet, _ in series.samples]


@pytest.mark.parametrize("odd", [NOT_SET, AHEAD, START - NS_PER_HOUR, 0])
def test_one_odd_time_clears_no_plot(odd: int) -> None:
    series = filled()
    series.add(odd, -1.0)
    series.add(START + 100 * NS_PER_S, 100.0)
    assert times(series) == [START + n * NS_PER_S for n in range(101)]
    assert series.odd == 1


def test_many_odd_times_that_do_not_go_on_clear_no_plot() -> None:
    series = filled()
    for n in range(50):
        series.add(NOT_SET + n * NS_PER_DAY, -1.0)
    assert len(series.samples) == 100
    assert series.odd == 49


def test_mission_flown_again_starts_the_plot_at_its_first_sample() -> None:
    series = filled()
    for n in range(3):
        series.add(START + n * NS_PER_S, 5.0)
    assert list(series.samples) == [(START + n * NS_PER_S, 5.0) for n in range(3)]


def test_clock_that_is_set_starts_the_plot() -> None:
    series = Series()
    for n in range(5):
        series.add(NOT_SET + n * NS_PER_S, -1.0)
    for n in range(3):
        series.add(START + n * NS_PER_S, float(n))
    assert list(series.samples) == [(START + n * NS_PER_S, float(n)) for n in range(3)]


def test_first_time_of_all_that_is_odd_does_not_stay() -> None:
    series = Series()
    series.add(NOT_SET, -1.0)
    for n in range(3):
        series.add(START + n * NS_PER_S, float(n))
    assert times(series) == [START + n * NS_PER_S for n in range(3)]


def test_outage_of_hours_keeps_the_curve_before_it() -> None:
    series = filled(10)
    for n in range(2):
        series.add(START + (7200 + n) * NS_PER_S, 0.0)
    assert len(series.samples) == 12


def test_jump_to_an_odd_time_clears_no_plot() -> None:
    series = filled()
    series.jump()
    series.add(NOT_SET, -1.0)
    for n in range(50, 53):
        series.add(START + n * NS_PER_S, float(n))
    assert times(series) == [START + n * NS_PER_S for n in range(53)]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_samples_are_always_in_order(scets: list[int]) -> None:
    series = Series()
    for scet in scets:
        series.add(scet, 0.0)
    assert times(series) == sorted(set(times(series)))


def test_clock_that_stands_is_believed_after_three() -> None:
    clock = OnboardClock()
    assert clock.follow(START)
    assert [clock.follow(NOT_SET) for _ in range(4)] == [False, False, True, True]


def telemetry(seq: int, scet: int) -> Telemetry:
    values: dict[str, bool | int | float | str | None] = {"altitude": 1.0}
    return Telemetry(seq=seq, packet="DESCENT", apid=1, vcid=0, scet=scet, ert=seq, values=values)


def joined() -> PassModel:
    """A viewer that plots the altitude."""
    model = PassModel()
    model.flight.plot([ALTITUDE])
    return model


def test_mission_clock_does_not_follow_one_odd_time() -> None:
    model = joined()
    for seq, scet in enumerate([START, START + 1, NOT_SET, AHEAD, START + 2], 1):
        model.apply(telemetry(seq, scet), seq)
        assert model.clock is not None and START <= model.clock <= START + 2
    assert len(model.flight.series[ALTITUDE].samples) == 3


def test_numbers_that_are_none_are_no_points_of_a_plot() -> None:
    model = joined()
    for seq, value in enumerate([1.0, math.nan, math.inf, 2.0], 1):
        news = telemetry(seq, START + seq)
        news.values["altitude"] = value
        model.apply(news, seq)
    assert [value for _, value in model.flight.series[ALTITUDE].samples] == [1.0, 2.0]


def test_an_event_sent_again_and_again_is_one_line_of_the_log() -> None:
    log = Log(kept=10)
    lost = LogEntry(1, None, "WARNING_HI", "CONTACT", "lander LOS", "SILENCE")
    log.add(lost)
    for second in range(2, 100):
        log.add(LogEntry(second, START, "ACTIVITY_HI", "BUS", "BOOT", "ready"))
    log.add(LogEntry(100, START, "ACTIVITY_HI", "BUS", "BOOT", "ready: another reason"))
    log.add(lost)
    log.add(lost)  # the station's own events have no onboard time: each counts
    assert [(entry.name, entry.ert) for entry in log.entries] == [
        ("lander LOS", 1), ("BOOT", 99), ("BOOT", 100), ("lander LOS", 1), ("lander LOS", 1),
    ]  # fmt: skip
    assert log.dropped == 0
