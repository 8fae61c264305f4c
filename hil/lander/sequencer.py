"""What happens when: phases, milestones, and the vehicle that they make of the lander.

Times are milliseconds after entry (09:05:53 UTC [S]), because the main parachute opens between two ticks.
A `Sequence` holds the time of every happening, planned or commanded; nothing else decides. An event of the
tick ``n`` is one in ``((n - 1) * 100, n * 100]``: on the tick, or between it and the one before.

For one tick ``n``: apply commands to the sequence, `step` it, build frames, then
``advance(state, vehicle_at(sequence, n))`` leads to the tick ``n + 1``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from hil.lander.physics.dynamics import TICK_MS, Vehicle


class Phase(IntEnum):
    """Where the sequencer stands; the numbers are on the wire."""

    ENTRY = 0
    BLACKOUT = 1
    AEROBRAKING = 2
    DROGUE = 3
    MAIN = 4
    TERMINAL = 5
    RETRO_ARMED = 6
    LOST = 7


class Milestone(IntEnum):
    """What a descent passes; the numbers are those of the event packets."""

    ENTRY = 1
    BLACKOUT_START = 2
    BLACKOUT_END = 3
    DROGUE = 4
    MAIN = 5
    CONE_RELEASE = 6
    ALTIMETER_LOCK = 7
    RETRO_ARM = 8
    LOSS_OF_SIGNAL = 9


NEVER = 2**31 - 1
"""A time in ms that no descent reaches."""

BLACKOUT_START_MS = 60_000
"""[A]"""
BLACKOUT_END_MS = 88_000
"""First lander data: loss of signal less the 224 s of data [S+C]."""

_DROGUE_INFLATION_MS = 1_500
_MAIN_INFLATION_MS = 3_000
_CONE_AFTER_MAIN_MS = 6_000
_CDA_AEROSHELL_CM2 = 116_600
_CDA_DROGUE_CM2 = 80_000
_CDA_MAIN_CM2 = 674_400
"""The drag areas and inflation times are fitted or assumed [C/A]."""

_MASS_ENTRY_G = 635_000
"""[F]"""
_MASS_TERMINAL_G = 450_000
"""Without the heat-shield cone [A]."""

_ALTIMETER_CEILING_MM = 6_600_000
"""The radio altimeter has an echo from here down [A]."""
ALTIMETER_PERIOD_TICKS = 5
"""2 Hz [A]."""

_RETRO_THRUST_MN = 41_900_000
_RETRO_BURN_MS = 550
"""41.9 kN for 0.55 s [C from R]."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """When each thing happens or happened, in ms after entry; `NEVER` for what does not.

    Attributes:
        drogue_ms: drogue parachute [F].
        main_ms: main parachute opens reefed [A].
        cone_ms: heat-shield cone released [A].
        lock_ms: radio altimeter has an echo; set by `step`.
        retro_arm_ms: retrorockets armed [C].
        retro_fire_ms: retrorockets fired and parachute released; in history never.
        silence_ms: the lander falls silent [S]; in a soft landing never.
    """

    drogue_ms: int = 159_000
    main_ms: int = 212_670
    cone_ms: int = 218_670
    lock_ms: int = NEVER
    retro_arm_ms: int = 308_000
    retro_fire_ms: int = NEVER
    silence_ms: int = 312_000


HISTORICAL = Sequence()
"""12 March 1974: silent at 312 s, retrorockets never fired."""

SOFT_LANDING = Sequence(retro_fire_ms=312_080, silence_ms=NEVER)
"""Had it not gone silent: retrorockets at 20 m, touchdown at 12 m/s, and the lander is heard on [C from R]."""


def step(sequence: Sequence, tick: int, altitude_mm: int) -> tuple[Sequence, tuple[Milestone, ...]]:
    """The sequence at a tick and the milestones that the tick passes, in the order of `Milestone`.

    Args:
        sequence: as the tick before left it, with this tick's commands applied.
        tick: 0 is entry; every tick once, in order.
        altitude_mm: height at this tick, for the radio altimeter.
    """
    now = tick * TICK_MS
    if _finds_echo(sequence, tick, altitude_mm):
        sequence = replace(sequence, lock_ms=now)
    return sequence, tuple(what for what, at in _schedule(sequence) if now - TICK_MS < at <= now)


def phase_at(sequence: Sequence, tick: int) -> Phase:
    """The phase at a tick: the latest one whose time has come."""
    now = tick * TICK_MS
    latest_first = (
        (Phase.LOST, sequence.silence_ms),
        (Phase.RETRO_ARMED, sequence.retro_arm_ms),
        (Phase.TERMINAL, sequence.cone_ms),
        (Phase.MAIN, sequence.main_ms),
        (Phase.DROGUE, sequence.drogue_ms),
        (Phase.AEROBRAKING, BLACKOUT_END_MS),
        (Phase.BLACKOUT, BLACKOUT_START_MS),
    )
    return next((phase for phase, begin in latest_first if now >= begin), Phase.ENTRY)


def vehicle_at(sequence: Sequence, tick: int) -> Vehicle:
    """The lander from a tick to the next.

    Mass and the drag that moves the lander are those at the middle of the tick, where the step looks.
    """
    start = tick * TICK_MS
    middle = start + TICK_MS // 2
    return Vehicle(
        mass_g=_MASS_TERMINAL_G if middle >= sequence.cone_ms else _MASS_ENTRY_G,
        cda_middle_cm2=_cda_cm2(sequence, middle),
        cda_end_cm2=_cda_cm2(sequence, start + TICK_MS),
        thrust_mn=_thrust_mn(sequence, start),
    )


def transmits_at(sequence: Sequence, tick: int) -> bool:
    """True while the lander's frames exist: from the end of the blackout (included) to silence (excluded)."""
    return BLACKOUT_END_MS <= tick * TICK_MS < sequence.silence_ms


def altimeter_locked(sequence: Sequence, tick: int) -> bool:
    """True from the tick at which the radio altimeter found an echo."""
    return tick * TICK_MS >= sequence.lock_ms


def deploy_parachute(sequence: Sequence, tick: int) -> Sequence:
    """Open the next parachute at this tick: the drogue, or the main one if the drogue is out.

    The cone leaves 6 s after the main parachute, whenever that opens [A]. With both out nothing changes.
    """
    now = tick * TICK_MS
    if now < sequence.drogue_ms:
        return replace(sequence, drogue_ms=now)
    if now < sequence.main_ms:
        return replace(sequence, main_ms=now, cone_ms=now + _CONE_AFTER_MAIN_MS)
    return sequence


def fire_retrorockets(sequence: Sequence, tick: int) -> Sequence:
    """Fire at this tick and release the parachute; unchanged while not armed or once fired."""
    now = tick * TICK_MS
    if now < sequence.retro_arm_ms or now >= sequence.retro_fire_ms:
        return sequence
    return replace(sequence, retro_fire_ms=now)


def _schedule(sequence: Sequence) -> tuple[tuple[Milestone, int], ...]:
    """Every milestone with its time in ms."""
    return (
        (Milestone.ENTRY, 0),
        (Milestone.BLACKOUT_START, BLACKOUT_START_MS),
        (Milestone.BLACKOUT_END, BLACKOUT_END_MS),
        (Milestone.DROGUE, sequence.drogue_ms),
        (Milestone.MAIN, sequence.main_ms),
        (Milestone.CONE_RELEASE, sequence.cone_ms),
        (Milestone.ALTIMETER_LOCK, sequence.lock_ms),
        (Milestone.RETRO_ARM, sequence.retro_arm_ms),
        (Milestone.LOSS_OF_SIGNAL, sequence.silence_ms),
    )


def _finds_echo(sequence: Sequence, tick: int, altitude_mm: int) -> bool:
    """True when the altimeter, which looks twice a second, sees the ground for the first time."""
    looks = sequence.lock_ms == NEVER and tick % ALTIMETER_PERIOD_TICKS == 0
    return looks and tick * TICK_MS >= sequence.cone_ms and altitude_mm <= _ALTIMETER_CEILING_MM


def _cda_cm2(sequence: Sequence, now: int) -> int:
    """Drag area in cm²: the aeroshell until the cone goes, and what is inflated of the parachutes."""
    if now >= sequence.retro_fire_ms:
        return 0
    drogue = _inflated(_CDA_DROGUE_CM2, now - sequence.drogue_ms, _DROGUE_INFLATION_MS)
    # The main parachute grows out of the drogue's area, not on top of it.
    canopy = drogue + _inflated(_CDA_MAIN_CM2 - drogue, now - sequence.main_ms, _MAIN_INFLATION_MS)
    return canopy if now >= sequence.cone_ms else canopy + _CDA_AEROSHELL_CM2


def _inflated(area_cm2: int, since_ms: int, inflation_ms: int) -> int:
    """Area in cm² of a canopy that fills with the square of time [A]."""
    if since_ms <= 0:
        return 0
    if since_ms >= inflation_ms:
        return area_cm2
    return area_cm2 * since_ms * since_ms // (inflation_ms * inflation_ms)


def _thrust_mn(sequence: Sequence, start: int) -> int:
    """Thrust in mN, mean over the tick that starts at `start` ms: a burn begins and ends between ticks."""
    since_ms = start - sequence.retro_fire_ms
    burning_ms = _burnt_ms(since_ms + TICK_MS) - _burnt_ms(since_ms)
    return _RETRO_THRUST_MN * burning_ms // TICK_MS


def _burnt_ms(since_ms: int) -> int:
    """How long the retrorockets have burnt, `since_ms` after firing."""
    return min(max(since_ms, 0), _RETRO_BURN_MS)
