"""How each profile ends, beside an independent integration of the same equations in floats."""

from __future__ import annotations

import pytest

from hil.lander import sequencer
from hil.lander.physics.descent import descend
from hil.lander.physics.dynamics import ENTRY_STATE
from hil.lander.sequencer import NEVER, Milestone, Sequence, deploy_parachute, step
from tests.hil.lander.reference_descent import NEVER as NOT_AT_ALL
from tests.hil.lander.reference_descent import Descent, impact

PROFILES = {
    "retros-never": (sequencer.RETROS_NEVER, Descent()),
    "altimeter-blind": (sequencer.ALTIMETER_BLIND, Descent()),
    "soft-landing": (sequencer.SOFT_LANDING, Descent(fire=20.2)),
    "parachute-fails": (sequencer.PARACHUTE_FAILS, Descent(NOT_AT_ALL, NOT_AT_ALL, NOT_AT_ALL)),
    "main-fails": (sequencer.MAIN_FAILS, Descent(main=NOT_AT_ALL, cone=NOT_AT_ALL)),
    "cone-sticks": (sequencer.CONE_STICKS, Descent(cone=NOT_AT_ALL)),
    "retros-early": (sequencer.RETROS_EARLY, Descent(fire=40.0)),
    "retros-late": (sequencer.RETROS_LATE, Descent(fire=8.0)),
}


def fall(sequence: Sequence, commanded: tuple[int, ...] = ()) -> tuple[Sequence, int, int, tuple[Milestone, ...]]:
    """To the ground, with parachutes commanded at some ticks: the sequence, tick and speed there, its milestones."""
    state, tick = ENTRY_STATE, 0
    while True:
        if tick in commanded:
            sequence = deploy_parachute(sequence, tick)
        sequence, passed = step(sequence, tick, state.altitude_mm, state.speed_mms)
        if state.landed:
            return sequence, tick, state.speed_mms, passed
        state, tick = descend(state, sequence, tick), tick + 1


@pytest.mark.long
@pytest.mark.parametrize("profile", PROFILES)
def test_impact_is_that_of_the_equations(profile: str) -> None:
    sequence, expected = PROFILES[profile]
    after, tick, speed_mms, passed = fall(sequence)
    time, speed = impact(expected)
    assert tick / 10 == pytest.approx(time, abs=0.11)  # the tick after the impact
    assert speed_mms / 1000 == pytest.approx(speed, rel=0.01)
    survives = profile == "soft-landing"
    assert passed[-1] is (Milestone.TOUCHDOWN if survives else Milestone.IMPACT)
    assert after.crashed is not survives


@pytest.mark.parametrize("profile", ["parachute-fails", "main-fails", "cone-sticks", "retros-never", "altimeter-blind"])
def test_retrorockets_do_not_fire_without(profile: str) -> None:
    assert fall(PROFILES[profile][0])[0].retro_fire_ms == NEVER


def test_a_soft_landing_touches_down_at_12_m_s() -> None:
    _, tick, speed_mms, _ = fall(sequencer.SOFT_LANDING)
    assert tick == 3_127  # 312.63 s
    assert speed_mms == pytest.approx(12_000, abs=1_000)


@pytest.mark.parametrize(
    "commanded", [(1_100, 1_400), (1_300, 2_050), (1_589, 1_590), (2_000,), (1_203, 2_117), (200, 201)]
)
def test_the_altimeter_lands_softly_after_early_parachutes_too(commanded: tuple[int, ...]) -> None:
    _, _, speed_mms, _ = fall(sequencer.SOFT_LANDING, commanded)
    assert speed_mms == pytest.approx(12_000, abs=200)
