"""Raw counts against the truth table, and how instruments hold, saturate and lose lock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.lander.instruments import Readings, measure
from hil.lander.physics.dynamics import ENTRY_STATE, State
from tests.hil.lander.flight import Moment

GROUND = State(0, 0, 0, 0, 0, 0)


def test_thermometer_follows_the_truth(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    """Half a count (0.025 K), half of the truth's last digit (0.05 K) and 1 m of altitude (0.003 K)."""
    for second, row in enumerate(truth):
        kelvin = 120 + 0.05 * descent[second * 10].readings.temperature
        assert kelvin == pytest.approx(row["temperature_K"], abs=0.08), second


def test_barometer_follows_the_truth(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    """Half a count (0.0015 hPa) and 1 m of altitude (0.0005 hPa)."""
    for second, row in enumerate(truth):
        hpa = 0.003 * descent[second * 10].readings.pressure
        assert hpa == pytest.approx(row["pressure_hPa"], abs=0.002), second


def test_accelerometer_follows_the_truth(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    """Half a count (0.005 g), half of the truth's last digit, and 0.1 % of the drag."""
    for second, row in enumerate(truth):
        g = 0.01 * descent[second * 10].readings.deceleration
        assert g == pytest.approx(row["axial_decel_g"], abs=0.0056 + 0.001 * row["axial_decel_g"]), second


def test_radio_altimeter_follows_the_truth(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    """Half a count and 1 m of altitude."""
    for second in range(219, 313):
        readings, altitude = descent[second * 10].readings, truth[second]["alt_m"]
        assert readings.altimeter_lock
        assert 2 * readings.radio_altitude == pytest.approx(altitude, abs=2), second
        assert 0.1 * readings.radio_altitude_low == pytest.approx(min(altitude, 100), abs=1.05), second


def test_no_lock_before_the_cone_is_gone(descent: list[Moment]) -> None:
    for readings in (moment.readings for moment in descent[:2190]):
        assert not readings.altimeter_lock
        assert readings.radio_altitude == readings.radio_altitude_low == 0


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("temperature", 10),
        ("pressure", 10),
        ("pump_current", 10),
        ("radio_altitude", 5),
        ("radio_altitude_low", 5),
        ("altimeter_lock", 5),
        ("deceleration", 1),
    ],
)
def test_readings_change_only_at_their_rate(name: str, period: int, descent: list[Moment]) -> None:
    values = [getattr(moment.readings, name) for moment in descent]
    changes = [tick for tick in range(1, len(values)) if values[tick] != values[tick - 1]]
    assert changes
    assert all(tick % period == 0 for tick in changes)


def test_pump_current_rises_with_pressure_and_stays_green(descent: list[Moment]) -> None:
    currents = [moment.readings.pump_current for moment in descent]
    assert currents == sorted(currents)
    assert currents[0] * 0.04 == pytest.approx(0.4)
    assert currents[-1] * 0.04 == pytest.approx(4.05, abs=0.04)


def test_on_the_ground() -> None:
    readings = measure(GROUND, 0, True, Readings())
    assert readings == Readings(2_200, 2_033, 0, True, 0, 0, 102)


@pytest.mark.parametrize(
    ("drag_ums2", "count"),
    [
        (0, 0),
        (49_033, 0),
        (49_034, 1),
        (98_066, 1),
        (9_806_650, 100),
        (245_166_250, 2_500),
        (10**10, 2_500),
        (-1, 0),
    ],
)
def test_accelerometer_rounds_and_saturates(drag_ums2: int, count: int) -> None:
    assert measure(replace(GROUND, drag_ums2=drag_ums2), 1, False, Readings()).deceleration == count


@pytest.mark.parametrize(
    ("altitude_mm", "high", "low"),
    [
        (0, 0, 0),
        (-5_000, 0, 0),
        (25_049, 13, 250),
        (25_050, 13, 251),
        (100_000, 50, 1_000),
        (100_100, 50, 1_000),
        (6_999_000, 3_500, 1_000),
        (9_000_000, 3_500, 1_000),
    ],
)
def test_radio_altimeter_rounds_and_saturates(altitude_mm: int, high: int, low: int) -> None:
    readings = measure(replace(GROUND, altitude_um=altitude_mm * 1_000), 5, True, Readings())
    assert (readings.radio_altitude, readings.radio_altitude_low) == (high, low)


def test_counts_are_held_between_measurements() -> None:
    last = Readings(1, 2, 3, True, 5, 6, 7)
    assert measure(ENTRY_STATE, 11, False, last) == replace(last, deceleration=0)
