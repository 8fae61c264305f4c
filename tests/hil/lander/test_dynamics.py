"""The descent against the truth table, and the promises that let C repeat it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from hil.lander.physics.atmosphere import density, pressure_mpa, temperature_ck
from hil.lander.physics.atmosphere_table import DENSITY, TEMPERATURE
from hil.lander.physics.dynamics import ENTRY_STATE, State, Vehicle, advance
from hil.lander.physics.fixed import isqrt
from hil.lander.sequencer import HISTORICAL, SOFT_LANDING, Sequence, deploy_parachute
from tests.hil.lander.flight import LAST_TICK, Moment, fly

ROOT = Path(__file__).parents[3]
REST = Vehicle(450_000, 674_400, 674_400)


def test_altitude_follows_the_truth(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    for second, row in enumerate(truth):
        altitude = descent[second * 10].state.altitude_mm / 1000
        assert abs(altitude - row["alt_m"]) <= max(0.01 * row["alt_m"], 50), second


def test_speed_follows_the_truth(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    for second, row in enumerate(truth):
        speed = descent[second * 10].state.speed_mms / 1000
        assert speed == pytest.approx(row["speed_mps"], rel=0.01), second


def test_motion_is_far_better_than_asked(descent: list[Moment], truth: list[dict[str, float]]) -> None:
    """A change of the integrator or of the drag areas shows here long before it breaks the acceptance."""
    for second, row in enumerate(truth):
        state = descent[second * 10].state
        assert state.altitude_mm / 1000 == pytest.approx(row["alt_m"], abs=2), second
        assert state.speed_mms / 1000 == pytest.approx(row["speed_mps"], rel=0.001), second
        assert state.vertical_mms / 1000 == pytest.approx(row["vertical_speed_mps"], abs=0.1), second
        assert state.downrange_mm / 1e6 == pytest.approx(row["downrange_km"], abs=0.05), second


def test_the_truth_covers_the_whole_descent(truth: list[dict[str, float]]) -> None:
    assert [row["t_s"] for row in truth] == list(range(LAST_TICK // 10 + 1))


def test_speed_at_the_drogue(descent: list[Moment]) -> None:
    assert descent[1590].state.speed_mms == pytest.approx(600_000, abs=6_000)


def test_where_the_signal_is_lost(descent: list[Moment]) -> None:
    state = descent[3120].state
    assert state.altitude_mm == pytest.approx(25_000, abs=10_000)
    assert state.speed_mms == pytest.approx(61_000, abs=1_000)


def test_peak_drag(descent: list[Moment]) -> None:
    """9.76 g at t = 96.6 s."""
    peak = max(range(len(descent)), key=lambda tick: descent[tick].state.drag_ums2)
    assert descent[peak].state.drag_ums2 / 9.80665e6 == pytest.approx(9.76, abs=0.01)
    assert peak == pytest.approx(966, abs=3)


def test_unbraked_impact_then_rest() -> None:
    """412 ms after the loss of signal, at the speed of the fall."""
    moments = fly(last_tick=3130)
    impact = next(tick for tick, moment in enumerate(moments) if moment.state.landed)
    assert impact == 3125
    assert moments[impact].state.altitude_um == 0
    assert moments[impact].state.vertical_mms == pytest.approx(61_000, abs=1_000)
    assert moments[-1].state == State(0, 0, 0, moments[impact].state.downrange_um, 0, 0)


def test_entry_state_is_consistent() -> None:
    squares = ENTRY_STATE.horizontal_mms**2 + ENTRY_STATE.vertical_mms**2
    assert isqrt(squares) == pytest.approx(ENTRY_STATE.speed_mms, abs=1)


def test_a_lander_at_rest_in_the_air_falls() -> None:
    fallen = advance(State(10_000_000, 0, 0, 0, 0, 0), REST)
    assert fallen.vertical_mms == 371
    assert fallen.horizontal_ums == 0
    assert 10_000_000 - fallen.altitude_um == pytest.approx(18_500, abs=100)


def test_upward_motion_is_slowed_by_drag_and_gravity() -> None:
    risen = advance(State(10_000_000, 0, -50_000_000, 0, 50_000, 0), REST)
    assert -50_000_000 < risen.vertical_ums < -50_000_000 + 1_000_000
    assert risen.altitude_um > 10_000_000


def test_thrust_pushes_up() -> None:
    state = ENTRY_STATE
    coast = advance(state, Vehicle(450_000, 0, 0))
    burn = advance(state, Vehicle(450_000, 0, 0, thrust_mn=45_000_000))
    assert coast.vertical_ums - burn.vertical_ums == 10_000_000


def test_millimetres_truncate_toward_zero() -> None:
    state = State(1_999, -1_999, -999, 1_000, 0, 1_999)
    assert (state.altitude_mm, state.horizontal_mms, state.vertical_mms) == (1, -1, 0)
    assert (state.downrange_mm, state.drag_mms2) == (1, 1)


@pytest.mark.parametrize("second", [0, 40, 90, 120, 159, 200, 260, 312])
def test_atmosphere_follows_the_truth(second: int, truth: list[dict[str, float]]) -> None:
    """Half of the table's last digit, and 0.05 % for the chords; the truth's altitude ends at 0.1 m."""
    row = truth[second]
    altitude = round(row["alt_m"] * 1000)
    assert temperature_ck(altitude) / 100 == pytest.approx(row["temperature_K"], abs=0.06)
    assert pressure_mpa(altitude) / 1e5 == pytest.approx(row["pressure_hPa"], rel=1e-3, abs=2e-5)


def test_atmosphere_outside_its_tables() -> None:
    assert (density(-1), temperature_ck(-1)) == (DENSITY[0], TEMPERATURE[0])
    assert (density(10**9), temperature_ck(10**9)) == (DENSITY[-1], TEMPERATURE[-1])


def test_tables_fit_a_small_chip() -> None:
    assert 4 * len(DENSITY) + 2 * len(TEMPERATURE) <= 2048
    assert max(DENSITY) < 2**31
    assert max(TEMPERATURE) < 2**16


def test_committed_table_is_the_generated_one() -> None:
    subprocess.run([sys.executable, ROOT / "tools" / "make_atmosphere.py", "--check"], check=True)


def test_the_machine_is_integers_only(descent: list[Moment]) -> None:
    """`type`, not `isinstance`: a numpy integer or an IntEnum in the state would not be what C has."""
    for tick, moment in enumerate(descent):
        values = [*astuple(moment.state), *astuple(moment.sequence), *astuple(moment.readings)]
        assert {type(value) for value in values} <= {int, bool}, tick


# Every intermediate fits in int64: dynamics.py argues it, and these numbers check it where the lander goes.


class Int64(int):
    """An int whose arithmetic fails where C's int64_t would overflow or where C would divide otherwise."""


def _checked(name: str) -> Callable[[Int64, int], Any]:
    operation = getattr(int, name)
    divides = name in ("__floordiv__", "__rfloordiv__", "__mod__", "__rmod__", "__rshift__", "__rrshift__")

    def compute(self: Int64, other: int) -> Any:
        assert type(other) in (int, Int64), type(other)
        assert not divides or (self >= 0 and other >= 0), f"{name} of a negative number"
        result = operation(self, other)
        assert -(2**63) <= result < 2**63, f"{name} of {int(self)} and {int(other)}"
        return Int64(result)

    return compute


for _name in ("add", "sub", "mul", "floordiv", "mod", "rshift"):
    for _prefix in ("__", "__r"):
        setattr(Int64, f"{_prefix}{_name}__", _checked(f"{_prefix}{_name}__"))


def _refuse(self: Int64, other: object) -> Any:
    raise AssertionError("the lander has no true division and no power")


for _name in ("__truediv__", "__rtruediv__", "__pow__", "__rpow__"):
    setattr(Int64, _name, _refuse)
Int64.__neg__ = lambda self: Int64(-int(self))  # type: ignore[method-assign]


def checked(value: Any) -> Any:
    """The same dataclass with `Int64` fields."""
    assert is_dataclass(value)
    assert not isinstance(value, type)
    return type(value)(*(Int64(getattr(value, field.name)) for field in fields(value)))


def test_the_checker_finds_an_overflow_and_a_negative_division() -> None:
    with pytest.raises(AssertionError, match="__mul__"):
        Int64(2**62) * 2
    with pytest.raises(AssertionError, match="negative"):
        Int64(-1) // 2
    with pytest.raises(AssertionError, match="negative"):
        5 // Int64(-2)


def test_every_intermediate_of_the_descent_fits_in_int64(descent: list[Moment]) -> None:
    moments = fly(checked(ENTRY_STATE), checked(HISTORICAL))
    assert [moment.state for moment in moments] == [moment.state for moment in descent]
    assert type(moments[-1].state.altitude_um) is Int64


def test_every_intermediate_of_a_soft_landing_fits_in_int64() -> None:
    moments = fly(checked(ENTRY_STATE), checked(SOFT_LANDING), last_tick=3130)
    assert moments[-1].state.landed


@pytest.mark.long
def test_every_intermediate_fits_with_the_main_parachute_at_entry_speed() -> None:
    """The harshest thing that commands can do: both parachutes into the thickest drag."""
    for second in range(0, 212, 16):
        tick = second * 10
        sequence = deploy_parachute(deploy_parachute(Sequence(), tick), tick + 1)
        fly(checked(ENTRY_STATE), checked(sequence), last_tick=tick + 60)


@pytest.mark.parametrize("altitude_m", [1, 1_000, 25_000, 112_000])
@pytest.mark.parametrize(("u", "w"), [(6_000, 0), (0, 6_000), (0, -6_000), (-4_200, 4_200)])
def test_every_intermediate_fits_at_the_stated_bound(altitude_m: int, u: int, w: int) -> None:
    """6 km/s in the densest air under the largest area, far beyond any descent."""
    state = State(altitude_m * 10**6, u * 10**6, w * 10**6, 0, 6_000_000, 0)
    advance(checked(state), checked(Vehicle(450_000, 791_000, 791_000, 45_000_000)))
