"""Phases, milestones and vehicles of the historical descent, and what commands change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.lander.physics.dynamics import ENTRY_STATE, advance
from hil.lander.sequencer import (
    HISTORICAL,
    NEVER,
    Milestone,
    Phase,
    Sequence,
    altimeter_locked,
    deploy_parachute,
    fire_retrorockets,
    phase_at,
    step,
    transmits_at,
    vehicle_at,
)
from tests.hil.lander.flight import Moment, fly


def test_milestones_of_the_historical_descent(descent: list[Moment]) -> None:
    passed = [(tick, what) for tick, moment in enumerate(descent) for what in moment.milestones]
    assert passed == [
        (0, Milestone.ENTRY),
        (600, Milestone.BLACKOUT_START),
        (880, Milestone.BLACKOUT_END),
        (1590, Milestone.DROGUE),
        (2127, Milestone.MAIN),
        (2187, Milestone.CONE_RELEASE),
        (2190, Milestone.ALTIMETER_LOCK),
        (3080, Milestone.RETRO_ARM),
        (3120, Milestone.LOSS_OF_SIGNAL),
    ]


@pytest.mark.parametrize(
    ("tick", "phase"),
    [
        (0, Phase.ENTRY),
        (599, Phase.ENTRY),
        (600, Phase.BLACKOUT),
        (879, Phase.BLACKOUT),
        (880, Phase.AEROBRAKING),
        (1589, Phase.AEROBRAKING),
        (1590, Phase.DROGUE),
        (2126, Phase.DROGUE),
        (2127, Phase.MAIN),
        (2186, Phase.MAIN),
        (2187, Phase.TERMINAL),
        (3079, Phase.TERMINAL),
        (3080, Phase.RETRO_ARMED),
        (3119, Phase.RETRO_ARMED),
        (3120, Phase.LOST),
    ],
)
def test_phases(tick: int, phase: Phase) -> None:
    assert phase_at(HISTORICAL, tick) is phase


def test_lander_frames_exist_for_224_seconds() -> None:
    ticks = [tick for tick in range(3_200) if transmits_at(HISTORICAL, tick)]
    assert ticks == list(range(880, 3_120))
    assert len(ticks) == 2_240


@pytest.mark.parametrize(
    ("tick", "mass_g", "cda_end_cm2"),
    [
        (0, 635_000, 116_600),
        (1589, 635_000, 116_600),
        (1590, 635_000, 116_600 + 80_000 * 100**2 // 1_500**2),
        (1604, 635_000, 196_600),
        (2125, 635_000, 196_600),
        (2126, 635_000, 196_600 + 594_400 * 30**2 // 3_000**2),
        (2155, 635_000, 196_600 + 594_400 * 2_930**2 // 3_000**2),
        (2156, 635_000, 791_000),
        (2157, 635_000, 791_000),
        (2185, 635_000, 791_000),
        (2187, 450_000, 674_400),
        (3119, 450_000, 674_400),
    ],
)
def test_vehicles(tick: int, mass_g: int, cda_end_cm2: int) -> None:
    vehicle = vehicle_at(HISTORICAL, tick)
    assert (vehicle.mass_g, vehicle.cda_end_cm2, vehicle.thrust_mn) == (mass_g, cda_end_cm2, 0)


def test_drag_area_never_falls_before_the_cone_goes() -> None:
    areas = [vehicle_at(HISTORICAL, tick).cda_end_cm2 for tick in range(2_186)]
    assert areas == sorted(areas)


def test_altimeter_locks_below_its_ceiling_at_its_own_rate(descent: list[Moment]) -> None:
    assert not altimeter_locked(descent[2189].sequence, 2189)
    assert altimeter_locked(descent[2190].sequence, 2190)
    assert descent[2190].state.altitude_mm <= 6_600_000


@pytest.mark.parametrize(
    ("tick", "altitude_mm", "locks"),
    [(2185, 100, False), (2190, 6_600_001, False), (2190, 6_600_000, True), (2191, 6_600_000, False)],
)
def test_altimeter_needs_the_cone_gone_an_echo_and_its_turn(tick: int, altitude_mm: int, locks: bool) -> None:
    sequence, milestones = step(HISTORICAL, tick, altitude_mm)
    assert (Milestone.ALTIMETER_LOCK in milestones) is locks
    assert (sequence.lock_ms == tick * 100) is locks


def test_deploying_takes_the_drogue_first_then_the_main() -> None:
    once = deploy_parachute(HISTORICAL, 1_000)
    assert once == replace(HISTORICAL, drogue_ms=100_000)
    assert phase_at(once, 1_000) is Phase.DROGUE
    assert Milestone.DROGUE in step(once, 1_000, 30_000_000)[1]
    twice = deploy_parachute(once, 1_500)
    assert twice == replace(once, main_ms=150_000, cone_ms=156_000)
    assert phase_at(twice, 1_560) is Phase.TERMINAL


def test_deploying_with_both_out_changes_nothing() -> None:
    assert deploy_parachute(HISTORICAL, 2_127) is HISTORICAL


def test_an_early_main_parachute_lands_later() -> None:
    early = fly(sequence=deploy_parachute(HISTORICAL, 2_000))
    assert early[2_000].sequence.main_ms == 200_000
    assert early[3_120].state.altitude_mm > 300_000


def test_retrorockets_fire_only_armed_and_once() -> None:
    assert fire_retrorockets(HISTORICAL, 3_079) is HISTORICAL
    fired = fire_retrorockets(HISTORICAL, 3_100)
    assert fired.retro_fire_ms == 310_000
    assert fire_retrorockets(fired, 3_101) is fired


def test_the_burn_lasts_550_ms() -> None:
    fired = fire_retrorockets(HISTORICAL, 3_100)
    thrust = [vehicle_at(fired, tick).thrust_mn for tick in range(3_099, 3_107)]
    assert thrust == [0, *[41_900_000] * 5, 20_950_000, 0]


def test_retrorockets_at_20_m_land_softly() -> None:
    """What it was about to do: 12 m/s at the ground [C from R]."""
    sequence = Sequence(retro_fire_ms=312_080, silence_ms=NEVER)
    state, tick = ENTRY_STATE, 0
    while not state.landed:
        state, tick = advance(state, vehicle_at(sequence, tick)), tick + 1
    assert state.vertical_mms == pytest.approx(12_000, abs=1_000)
    assert tick == pytest.approx(3_127, abs=1)
