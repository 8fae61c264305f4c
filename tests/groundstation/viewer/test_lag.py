"""How old what is shown is: the meter against a station, a line and clocks whose truth is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groundstation.messages.wire import LATE_NS
from groundstation.viewer.lag import LagMeter, LagReports

S = 1_000_000_000
MS = 1_000_000

offsets = st.integers(-(10**18), 10**18)
delays = st.lists(st.integers(0, 60 * S), min_size=1, max_size=60)
periods = st.integers(MS, S)


def arrivals(waits: list[int], period: int) -> list[tuple[int, int]]:
    """(published, used) of messages that each wait so long, but never overtake each other."""
    found: list[tuple[int, int]] = []
    used = 0
    for number, wait in enumerate(waits):
        used = max(used, number * period + wait)
        found.append((number * period, used))
    return found


@given(offsets, delays, periods)
def test_lag_is_what_a_message_waited_beyond_the_least(offset: int, waits: list[int], period: int) -> None:
    meter = LagMeter()
    least: int | None = None
    for published, used in arrivals(waits, period):
        wait = used - published
        least = wait if least is None else min(least, wait)
        lag = meter.take(published + offset + 10**19, used)
        assert lag >= 0
        assert wait - least - (used // 10_000 + len(waits)) <= lag <= wait - least  # 100 ppm of all the time


@given(offsets, st.integers(-100, 100), periods, st.integers(0, 500 * MS))
def test_drift_of_the_clocks_is_no_lag(offset: int, ppm: int, period: int, way: int) -> None:
    meter = LagMeter()
    for number in range(400):
        published = number * period
        seen = published + way + published * ppm // 1_000_000
        assert meter.take(published + offset + 10**19, seen) <= number + 2  # whole ns each time


@given(offsets, st.integers(2, 100), st.integers(-100, 100))
def test_a_growing_queue_is_seen_whatever_the_clocks_do(offset: int, share: int, ppm: int) -> None:
    """A line that carries only so many per cent of what is published."""
    meter = LagMeter()
    true = 0
    for number in range(1000):
        published = number * 100 * MS
        used = published * 100 // share if share < 100 else published
        true = used - published
        shown = meter.take(published + offset + 10**19, used + used * ppm // 1_000_000)
        assert abs(shown - true) <= 2 * used // 10_000 + 10


def test_a_snapshot_tells_the_offset_to_who_joins_behind_a_full_queue() -> None:
    meter = LagMeter()
    meter.take(100 * S, 500 * S)
    for second in range(100):
        assert abs(meter.take((101 + second) * S, (523 + second) * S) - 22 * S) <= 15 * MS


def test_short_answer_tells_the_offset_better_than_a_snapshot_that_took_seconds() -> None:
    meter = LagMeter()
    meter.take(100 * S, 506 * S)
    meter.compare(106 * S, 506 * S)
    assert meter.lag == 0
    assert abs(meter.take(102 * S, 507 * S) - 5 * S) <= MS


def test_what_came_last_grows_old_while_nothing_follows() -> None:
    meter = LagMeter()
    meter.take(10 * S, 20 * S)
    assert meter.age(20 * S) == 0
    assert meter.age(21 * S + 5) == S + 5
    assert meter.take(11 * S, 23 * S) == 2 * S - 300_000
    assert meter.age(24 * S) == 3 * S - 300_000


def test_another_run_of_the_station_has_another_clock() -> None:
    meter = LagMeter()
    meter.take(1_000 * S, 20 * S)
    meter.restart()
    assert meter.take(5 * S, 21 * S) == 0
    assert meter.take(6 * S, 24 * S) == 2 * S - 300_000


def test_messages_without_a_stamp_are_taken_as_they_come() -> None:
    meter = LagMeter()
    assert [meter.take(0, time * S) for time in (1, 2, 9)] == [0, 0, 0]
    assert meter.age(10 * S) == S


def test_lines_say_that_they_are_late_at_most_every_second_and_when_that_is_over() -> None:
    reports = LagReports()
    behind = [0, LATE_NS - 1, LATE_NS, LATE_NS, LATE_NS, LATE_NS - 1, 0, 3 * LATE_NS]
    due = [reports.due(lag, number * 600 * MS) for number, lag in enumerate(behind)]
    assert due == [False, False, True, False, True, True, False, True]
