"""Phases, milestones and vehicles of the historical descent, and what commands change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.lander.sequencer import (
    ALTIMETER_BLIND,
    CONE_STICKS,
    HISTORICAL,
    MAIN_FAILS,
    NEVER,
    PARACHUTE_FAILS,
    RETROS_NEVER,
    SOFT_LANDING,
    Milestone,
    Phase,
    Retro,
    Sequence,
    altimeter_locked,
    deploy_parachute,
    fire_retrorockets,
    phase_at,
    retro_at,
    step,
    surface_at,
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
    vehicle = vehicle_at(HISTORICAL, tick * 100, 100)
    assert (vehicle.mass_g, vehicle.cda_end_cm2, vehicle.thrust_mn) == (mass_g, cda_end_cm2, 0)


def test_drag_area_never_falls_before_the_cone_goes() -> None:
    areas = [vehicle_at(HISTORICAL, tick * 100, 100).cda_end_cm2 for tick in range(2_186)]
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
    sequence, milestones = step(HISTORICAL, tick, altitude_mm, 61_000)
    assert (Milestone.ALTIMETER_LOCK in milestones) is locks
    assert (sequence.lock_ms == tick * 100) is locks


def test_deploying_takes_the_drogue_first_then_the_main() -> None:
    once = deploy_parachute(HISTORICAL, 1_000)
    assert once == replace(HISTORICAL, drogue_ms=100_000)
    assert phase_at(once, 1_000) is Phase.DROGUE
    assert Milestone.DROGUE in step(once, 1_000, 30_000_000, 2_000_000)[1]
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
    thrust = [vehicle_at(fired, tick * 100, 100).thrust_mn for tick in range(3_099, 3_107)]
    assert thrust == [0, *[41_900_000] * 5, 20_950_000, 0]


def test_nothing_can_be_commanded_before_entry_or_on_the_ground() -> None:
    landed = replace(SOFT_LANDING, ground_ms=312_700)
    assert deploy_parachute(HISTORICAL, -1) is HISTORICAL
    assert deploy_parachute(replace(landed, main_ms=400_000), 3_127) == replace(landed, main_ms=400_000)
    assert fire_retrorockets(landed, 3_127) is landed


@pytest.mark.parametrize(
    ("sequence", "tick"), [(PARACHUTE_FAILS, 1_000), (PARACHUTE_FAILS, 2_000), (MAIN_FAILS, 2_000), (MAIN_FAILS, 2_200)]
)
def test_a_parachute_that_fails_cannot_be_commanded(sequence: Sequence, tick: int) -> None:
    once = deploy_parachute(sequence, tick)
    assert (once.main_ms, once.cone_ms) == (NEVER, NEVER)
    assert deploy_parachute(once, tick + 1) is once


def test_a_cone_that_sticks_stays_with_a_commanded_parachute() -> None:
    assert deploy_parachute(CONE_STICKS, 2_000) == replace(CONE_STICKS, main_ms=200_000)


def test_dud_retrorockets_cannot_be_commanded_blind_ones_can() -> None:
    assert fire_retrorockets(RETROS_NEVER, 3_110) is RETROS_NEVER
    assert fire_retrorockets(ALTIMETER_BLIND, 3_110).retro_fire_ms == 311_000


def look(sequence: Sequence, *altitudes_m: float, tick: int = 3_100) -> Sequence:
    """The altimeter looks at these heights, half a second apart."""
    for n, altitude in enumerate(altitudes_m):
        sequence, _ = step(sequence, tick + 5 * n, round(altitude * 1000), 61_000)
    return sequence


def test_two_looks_give_the_time_of_firing() -> None:
    """61 m/s: 29.8 m above the height of firing half a second before it is 488 ms away."""
    assert look(SOFT_LANDING, 80.5, 50.0).retro_fire_ms == 310_500 + (500 - 202) * 500 // 305


@pytest.mark.parametrize("heights", [(50.0,), (130.5, 99.9), (100.0, 99.9), (50.0, 50.0), (50.0, 60.0)])
def test_without_two_looks_at_a_fall_they_do_not_fire(heights: tuple[float, ...]) -> None:
    assert look(SOFT_LANDING, *heights).retro_fire_ms == NEVER


def test_unarmed_retrorockets_do_not_fire() -> None:
    assert look(SOFT_LANDING, 80.5, 50.0, tick=3_000).retro_fire_ms == NEVER


def test_below_their_height_they_fire_at_once() -> None:
    assert look(SOFT_LANDING, 40.0, 10.0).retro_fire_ms == 310_500


@pytest.mark.parametrize(
    ("tick", "phase", "transmits", "surface"),
    [
        (3_126, Phase.RETRO_ARMED, True, False),
        (3_127, Phase.LANDED, True, False),
        (3_128, Phase.LANDED, False, False),
        (4_549, Phase.LANDED, False, False),
        (4_550, Phase.SURFACE, False, True),
        (12_149, Phase.SURFACE, False, True),
        (12_150, Phase.SURFACE, False, False),
    ],
)
def test_a_landed_lander_is_silent_then_heard_until_the_bus_sets(
    tick: int, phase: Phase, transmits: bool, surface: bool
) -> None:
    landed = replace(SOFT_LANDING, ground_ms=312_700)
    assert phase_at(landed, tick) is phase
    assert transmits_at(landed, tick) is transmits
    assert surface_at(landed, tick) is surface


def test_the_tick_that_reaches_the_ground_belongs_to_vc0() -> None:
    late = replace(SOFT_LANDING, ground_ms=500_000)
    assert [(phase_at(late, tick), transmits_at(late, tick), surface_at(late, tick)) for tick in (5_000, 5_001)] == [
        (Phase.LANDED, True, False),
        (Phase.SURFACE, False, True),
    ]


def test_a_crashed_lander_is_never_heard_again() -> None:
    crashed = replace(SOFT_LANDING, ground_ms=312_500, crashed=True)
    assert phase_at(crashed, 3_125) is Phase.CRASHED
    assert transmits_at(crashed, 3_125)
    assert not any(transmits_at(crashed, tick) or surface_at(crashed, tick) for tick in range(3_126, 12_600))


@pytest.mark.parametrize(("speed_mms", "milestone"), [(14_999, Milestone.TOUCHDOWN), (15_000, Milestone.IMPACT)])
def test_15_m_s_is_the_lander_s_end(speed_mms: int, milestone: Milestone) -> None:
    sequence, passed = step(SOFT_LANDING, 3_126, 0, speed_mms)
    assert milestone in passed
    assert sequence.ground_ms == 312_600
    assert milestone not in step(sequence, 3_127, 0, 0)[1]


def test_history_ends_with_silence_not_with_the_impact() -> None:
    sequence = replace(HISTORICAL, ground_ms=312_500, crashed=True)
    assert phase_at(sequence, 3_125) is Phase.LOST


def test_before_entry_it_coasts() -> None:
    assert [phase_at(HISTORICAL, tick) for tick in (-146_370, -1, 0)] == [Phase.COAST, Phase.COAST, Phase.ENTRY]


def test_the_retrorockets_states() -> None:
    fired = replace(SOFT_LANDING, retro_fire_ms=312_085)
    states = [retro_at(fired, tick) for tick in (3_079, 3_080, 3_120, 3_121, 3_126, 3_127)]
    assert states == [Retro.SAFE, Retro.ARMED, Retro.ARMED, Retro.FIRING, Retro.FIRING, Retro.BURNT]
