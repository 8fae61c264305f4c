"""Flights never mix: not their curves, not their losses, not their clocks; and who joins late gets this one's."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from groundstation.messages.base import Value
from groundstation.messages.wire import History, Telemetry, ValueQuality, decode, encode
from groundstation.viewer.flight import BAD_KEPT, CURVES_KEPT, Flight
from groundstation.viewer.history import Series
from tests.groundstation.tui.scripted import LOS, S, descent, housekeeping, scet, verdict

ALTITUDE = ("DESCENT", "altitude")
PERIODS = {"DESCENT": 100, "BUS_HK": 1000}
MS = 1_000_000


def flown(start: float = 88.0, until: float = LOS, *, into: Flight | None = None, bus: bool = True) -> Flight:
    """A descent, of which the signal is lost at ``until``."""
    flight = into or Flight([ALTITUDE])
    for tick in range(round(start * 10), round(until * 10)):
        if bus and tick % 10 == 0:
            flight.add(housekeeping("BUS_HK", tick / 10, 0), PERIODS)
        flight.add(descent(tick / 10), PERIODS)
    flight.lose(verdict(until))
    return flight


def span(flight: Flight) -> tuple[int, int]:
    samples = flight.series[ALTITUDE].samples
    return samples[0][0], samples[-1][0]


def test_lander_flown_again_leaves_neither_curve_nor_loss_of_before() -> None:
    flight = flown()
    assert list(flight.loss_marks) == [(0, scet(LOS - 0.1))]
    for tick in range(880, 900):
        flight.add(descent(tick / 10), PERIODS)
    assert span(flight) == (scet(88.0), scet(89.9))
    assert not flight.loss_marks
    assert flight.clock == scet(89.9)


def test_bus_of_a_new_flight_takes_the_silent_landers_curve_away() -> None:
    """After a RESET the lander is silent for 88 s: its last curve must not stand beside the new clock."""
    flight = flown()
    for second in range(3):
        flight.add(housekeeping("BUS_HK", float(second), 0), PERIODS)
    assert flight.series[ALTITUDE].samples == [] and not flight.loss_marks
    assert flight.clock == scet(2.0)


def test_what_a_silent_channel_said_last_moves_no_clock_of_a_new_flight() -> None:
    flight = flown()
    for second in range(3):
        flight.add(housekeeping("BUS_HK", float(second), 0), PERIODS)
        flight.follow_status(scet(LOS - 0.1), 0)
    assert flight.clock == scet(2.0)
    for tick in range(880, 883):
        flight.add(housekeeping("BUS_HK", tick / 10, 0), PERIODS)
        flight.add(descent(tick / 10), PERIODS)
    assert span(flight) == (scet(88.0), scet(88.2))


def test_loss_of_the_link_is_marked_with_its_channels() -> None:
    flight = flown(until=200.0)
    flight.lose(msgspec.structs.replace(verdict(200.0), vcid=None))
    flight.lose(msgspec.structs.replace(verdict(201.0), vcid=2))
    assert list(flight.loss_marks) == [(0, scet(199.9)), (2, scet(200.9))]


def test_restart_makes_even_a_short_step_back_another_flight() -> None:
    flight = Flight([ALTITUDE])
    for start, steps in ((0, 30), (0, 5)):
        for tick in range(start, steps):
            flight.add(descent(100 + tick / 10), PERIODS)
        flight.restarted()
    assert span(flight) == (scet(100.0), scet(100.4))


def test_restart_of_a_source_whose_clock_goes_on_is_no_other_flight() -> None:
    flight = flown(until=150.0)
    flight.restarted()
    flown(start=150.0, until=160.0, into=flight)
    assert span(flight) == (scet(88.0), scet(159.9))


def test_one_nonsense_time_is_no_new_flight() -> None:
    flight = flown(until=200.0)
    flight.add(msgspec.structs.replace(descent(200.0), scet=0), PERIODS)
    flight.add(descent(200.1), PERIODS)
    assert span(flight) == (scet(88.0), scet(200.1))
    assert list(flight.loss_marks) == [(0, scet(199.9))]


def test_channels_whose_clocks_differ_are_no_new_flight() -> None:
    flight = Flight([ALTITUDE])
    for tick in range(880, 1200):
        flight.add(descent(tick / 10), PERIODS)
        for _ in range(2):
            flight.add(msgspec.structs.replace(housekeeping("BUS_HK", tick / 10 - 30, 0)), PERIODS)
    assert len(flight.series[ALTITUDE].samples) == 320
    assert flight.clock == scet(119.9)


def test_another_run_of_the_station_keeps_the_curve_until_it_says_anything() -> None:
    flight = flown(until=200.0)
    flight.restart()
    assert flight.earlier and span(flight) == (scet(88.0), scet(199.9))
    flight.lose(verdict(150.1))
    assert list(flight.loss_marks) == [(0, scet(199.9))]
    flight.add(descent(205.0), PERIODS)
    assert (flight.earlier, span(flight)) == (False, (scet(205.0), scet(205.0)))
    assert not flight.loss_marks


def over_the_wire(flight: Flight, samples: int) -> History:
    history = decode(encode(flight.history([ALTITUDE], samples, {ALTITUDE: 1})))
    assert isinstance(history, History)
    return history


def test_who_joins_late_gets_the_whole_curve_and_its_losses() -> None:
    station = flown(into=Flight(kept=1000))
    viewer = Flight([ALTITUDE])
    viewer.add(descent(LOS - 0.2), PERIODS)
    viewer.add(descent(LOS - 0.1), PERIODS)
    viewer.load(over_the_wire(station, 600))
    assert span(viewer) == (scet(88.0), scet(LOS - 0.1))
    assert 400 < len(viewer.series[ALTITUDE].samples) <= 601
    assert list(viewer.loss_marks) == [(0, scet(LOS - 0.1))]
    for at, value in viewer.series[ALTITUDE].samples:
        true = descent((at - scet(0.0)) / S).values["altitude"]
        assert isinstance(true, float) and abs(value - true) <= 0.06
    assert viewer.series[ALTITUDE].starts == {scet(88.0)}


def test_what_came_while_the_answer_was_on_its_way_stays() -> None:
    station = flown(until=100.0)
    history = over_the_wire(station, 600)
    viewer = flown(start=99.0, until=103.0)
    viewer.load(history)
    assert span(viewer) == (scet(88.0), scet(102.9))
    assert len(viewer.series[ALTITUDE].samples) == 150


def test_answer_of_the_flight_before_is_not_taken() -> None:
    history = over_the_wire(flown(), 600)
    viewer = flown(until=90.0)
    viewer.load(history)
    assert span(viewer) == (scet(88.0), scet(89.9))


def test_late_viewer_takes_the_mission_clock_of_the_flight_that_goes_on() -> None:
    station = flown()
    for second in range(3):
        station.add(housekeeping("BUS_HK", float(second), 0), PERIODS)
    viewer = Flight([ALTITUDE])
    viewer.adopt(station.number, station.clock, station.clock_vcid)
    viewer.follow_status(scet(LOS - 0.1), 0)
    assert viewer.clock == scet(2.0)


def test_flight_that_began_while_a_viewer_was_away_takes_its_curve_away() -> None:
    station, viewer = flown(), flown()
    flown(until=120.0, into=station)
    viewer.adopt(station.number, station.clock, station.clock_vcid)
    viewer.load(over_the_wire(station, 600))
    assert span(viewer) == (scet(88.0), scet(119.9))
    assert list(viewer.loss_marks) == [(0, scet(119.9))]


def test_flight_that_went_on_while_a_viewer_was_away_keeps_its_curve() -> None:
    station, viewer = flown(until=120.0), flown(until=110.0)
    viewer.adopt(station.number, station.clock, station.clock_vcid)
    assert span(viewer) == (scet(88.0), scet(109.9))


def test_station_without_a_past_leaves_what_is_of_the_run_before() -> None:
    viewer = flown(until=200.0)
    viewer.restart()
    viewer.load(History(curves=[], loss_marks=[]))
    assert viewer.earlier and span(viewer) == (scet(88.0), scet(199.9))


def test_parameters_beyond_the_bound_are_counted() -> None:
    flight = Flight()
    values: dict[str, Value | None] = {f"p{number}": number for number in range(CURVES_KEPT + 3)}
    flight.add(Telemetry(packet="BIG", apid=1, vcid=0, scet=scet(1.0), ert=1, values=values), {})
    assert len(flight.series) == CURVES_KEPT and flight.uncurved == 3


def test_declared_plots_have_room_whatever_comes_first() -> None:
    flight = Flight(first=[("B", "late")])
    many: dict[str, Value | None] = {f"p{number}": number for number in range(CURVES_KEPT + 3)}
    late: dict[str, Value | None] = {"late": 1.5}
    for packet, values in (("A", many), ("B", late)):
        flight.add(Telemetry(packet=packet, apid=1, vcid=0, scet=10**18, ert=0, values=values), {})
    assert [value for _, value in flight.series["B", "late"].samples] == [1.5]
    assert len(flight.series) == CURVES_KEPT


STEPS = st.lists(st.sampled_from([100, 100, 100, 100, 100, 1000]), min_size=1, max_size=3000)


@given(STEPS, st.integers(8, 200), st.integers(4, 100))
def test_thinned_curve_keeps_ends_gaps_and_values(steps: list[int], kept: int, most: int) -> None:
    series, true, at = Series(kept), {}, 0
    starts: set[int] = set()
    for step in steps:
        at += step * MS
        true[at] = float(at)
        starts |= {at} if step > 300 or len(true) == 1 else set()
        series.add(at, float(at), 300 * MS)
        assert len(series.samples) <= kept
        assert series.samples[-1] == (at, float(at))
    assert all(true[time] == value for time, value in series.samples)
    times = [time for time, _ in series.samples]
    assert times == sorted(set(times))
    if not series.dropped:
        assert series.starts == starts and starts <= set(times)
    shown, marks = series.thinned(most)
    assert len(shown) <= most and shown[-1] == series.samples[-1]
    assert marks <= {time for time, _ in shown} and shown[0][0] in marks


def test_a_long_curve_is_thinned_evenly_and_to_its_end() -> None:
    series = Series(100)
    for number in range(10_000):
        series.add(number * 100 * MS, float(number), 300 * MS)
    gaps = {b[1] - a[1] for a, b in zip(series.samples, series.samples[1:-1], strict=False)}
    assert gaps == {series.stride} and series.dropped == 0
    assert (series.samples[0][1], series.samples[-1][1]) == (0.0, 9999.0)


def doubted(at: float, value: float) -> Telemetry:
    """A packet whose altitude is not good."""
    message = descent(at)
    values = {**message.values, "altitude": value}
    return msgspec.structs.replace(message, values=values, bad={"altitude": ValueQuality("unusable", "range")})


def test_values_that_are_not_good_are_kept_apart_and_told_to_who_joins() -> None:
    flight, joined = flown(until=100.0), Flight([ALTITUDE])
    before = list(flight.series[ALTITUDE].samples)
    flight.add(doubted(100.0, 9e9), PERIODS)
    assert flight.series[ALTITUDE].samples == before
    assert list(flight.bad[ALTITUDE]) == [(scet(100.0), 9e9)]
    joined.load(decode(encode(flight.history([ALTITUDE], 100, {ALTITUDE: 1}))))  # type: ignore[arg-type]
    assert joined.bad == flight.bad


def test_only_so_many_values_that_are_not_good_are_kept() -> None:
    flight = Flight([ALTITUDE])
    for tick in range(880, 880 + BAD_KEPT + 50):
        flight.add(doubted(tick / 10, float(tick)), PERIODS)
    assert len(flight.bad[ALTITUDE]) == BAD_KEPT and flight.bad[ALTITUDE][-1][1] == 880.0 + BAD_KEPT + 49
