"""LANDER_SYSTEMS: the accelerometer over a second, the swing, the battery."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hil.lander.sequencer import HISTORICAL, MAIN_FAILS, SOFT_LANDING, Sequence
from hil.lander.systems.vitals import Vitals, swing_at


def test_peak_and_mean_are_of_the_ten_ticks_up_to_this_one() -> None:
    vitals = Vitals()
    counts = [7 * tick % 101 for tick in range(36)]
    for tick, count in enumerate(counts):
        vitals.observe(tick, count, radiates=False)
    report = vitals.report(HISTORICAL, 35)
    assert report["peak_deceleration"] == max(counts[26:36])
    assert report["mean_deceleration"] == round(sum(counts[26:36]) / 10)


@pytest.mark.parametrize(("sequence", "period"), [(MAIN_FAILS, 100), (SOFT_LANDING, 160)])
def test_it_swings_20_degrees_with_its_period(sequence: Sequence, period: int) -> None:
    angles = [swing_at(sequence, tick) for tick in range(2_200, 2_200 + 4 * period)]
    assert min(angles) == pytest.approx(-200, abs=1)
    assert max(angles) == pytest.approx(200, abs=1)
    assert angles[:period] == angles[period : 2 * period]
    assert len({tuple(angles[n : n + period]) for n in range(period)}) == period


def test_the_swing_is_a_sine_from_the_drogue_on() -> None:
    for tick in range(1_590, 2_127):
        assert swing_at(HISTORICAL, tick) == pytest.approx(200 * math.sin(math.tau * (tick - 1_590) / 100), abs=1.6)


def test_the_swing_goes_on_in_phase_under_the_main_parachute() -> None:
    steps = [abs(swing_at(HISTORICAL, tick + 1) - swing_at(HISTORICAL, tick)) for tick in range(2_100, 2_200)]
    assert max(steps) <= 14  # 20° · 2π / 10 s · 0.1 s is 1.26°


def test_there_is_no_swing_without_a_parachute() -> None:
    fired = replace(SOFT_LANDING, retro_fire_ms=312_085)
    landed = replace(HISTORICAL, ground_ms=312_500)
    assert [swing_at(HISTORICAL, tick) for tick in (0, 880, 1_589, 1_590)] == [0, 0, 0, 0]
    assert [swing_at(fired, tick) for tick in (3_121, 3_126)] == [0, 0]
    assert [swing_at(landed, tick) for tick in (3_125, 4_550)] == [0, 0]


def test_the_battery_sinks_with_what_is_drawn() -> None:
    vitals = Vitals()
    for tick in range(880):
        vitals.observe(tick, 0, radiates=False)
    # 0.8 A for 88 s are 70.4 A s: 0.01 V, and 0.2 V over the inner resistance.
    assert vitals.battery() == {"battery_voltage": 2_779, "battery_current": 80, "transmitter_power": 0}
    for tick in range(880, 3_120):
        vitals.observe(tick, 0, radiates=True)
    # 4 A for 224 s more: 966.4 A s in all.
    assert vitals.battery() == {"battery_voltage": 2_681, "battery_current": 400, "transmitter_power": 200}


def test_thrust_and_state_of_the_retrorockets() -> None:
    vitals = Vitals()
    fired = replace(SOFT_LANDING, retro_fire_ms=312_085)
    vitals.observe(3_125, 0, radiates=True)
    report = vitals.report(fired, 3_125)
    assert (report["retro"], report["thrust"]) == (2, 4_190)
    assert (vitals.report(fired, 3_115)["retro"], vitals.report(fired, 3_115)["thrust"]) == (1, 0)
