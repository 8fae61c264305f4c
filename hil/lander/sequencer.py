"""What happens when: phases, milestones, and the vehicle that they make of the lander.

Times are milliseconds after entry (09:05:53 UTC [S]), because the main parachute opens between two ticks.
A `Sequence` holds the time of every happening, planned or commanded; nothing else decides. An event of the
tick ``n`` is one in ``((n - 1) * 100, n * 100]``: on the tick, or between it and the one before.

For one tick ``n``: apply commands to the sequence, `step` it, build frames, then ``descend(state, sequence, n)``
(physics/descent.py) leads to the tick ``n + 1``.

The retrorockets fire 20 m above the ground by the radio altimeter's low channel [A], not by a planned time: two
looks, half a second apart, give the rate of fall and with it the ms at which 20 m are passed. So the lander also lands
after a parachute that was commanded early, and an altimeter without an echo means that they do not fire. Where
history has the lander fall silent, 80 ms before, they never do.
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
    LANDED = 8
    SURFACE = 9
    CRASHED = 10
    COAST = 11


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
    TOUCHDOWN = 10
    IMPACT = 11


class Retro(IntEnum):
    """The retrorockets; the numbers are on the wire."""

    SAFE = 0
    ARMED = 1
    FIRING = 2
    BURNT = 3


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
_LOOK_MS = ALTIMETER_PERIOD_TICKS * TICK_MS
_LOW_CHANNEL_DM = 1_000
"""Full scale of the altimeter's low channel [A]."""
FIRE_AT_DM = 202
"""20 m [C from R], and half of what two looks may be wrong: fired too low costs more than fired too high."""

_RETRO_THRUST_MN = 41_900_000
_RETRO_BURN_MS = 550
"""41.9 kN for 0.55 s [C from R]."""

SURVIVED_BELOW_MMS = 15_000
"""An impact faster than this is the lander's end [A]."""
SURFACE_MS = 455_000
"""A landed lander is heard again from here, 143 s after the historical loss of signal [R]."""
RELAY_SET_MS = 1_215_000
"""The bus falls below the relay's mask of 15° [A]: it passes nothing more on."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """When each thing happens or happened, in ms after entry; `NEVER` for what does not.

    Attributes:
        drogue_ms: drogue parachute [F]; `NEVER` if it fails.
        main_ms: main parachute opens reefed [A]; `NEVER` if it fails.
        cone_ms: heat-shield cone released [A]; `NEVER` if it sticks.
        lock_ms: radio altimeter has an echo; set by `step`.
        retro_arm_ms: retrorockets armed [C].
        retro_fire_ms: retrorockets fired and parachute released; set by `step` where the altimeter fires them.
        silence_ms: the lander falls silent [S]; in all profiles but the historical ones never.
        ground_ms: the tick at which the lander is on the ground; set by `step`.
        crashed: it came down too fast; set by `step`.
        fire_at_dm: height in 0.1 m at which the low channel fires the retrorockets; 0: it does not.
        blind: the radio altimeter finds no echo.
        dud: the retrorockets do not fire, whatever is commanded.
        low_dm: the low channel at its last look in 0.1 m, for the rate of fall; 0 before. Set by `step`.
    """

    drogue_ms: int = 159_000
    main_ms: int = 212_670
    cone_ms: int = 218_670
    lock_ms: int = NEVER
    retro_arm_ms: int = 308_000
    retro_fire_ms: int = NEVER
    silence_ms: int = NEVER
    ground_ms: int = NEVER
    crashed: bool = False
    fire_at_dm: int = FIRE_AT_DM
    blind: bool = False
    dud: bool = False
    low_dm: int = 0


HISTORICAL = Sequence(silence_ms=312_000, fire_at_dm=0)
"""12 March 1974: silent at 312 s, retrorockets never fired. The degraded profile's, too."""
SOFT_LANDING = Sequence()
"""Had it not gone silent: retrorockets at 20 m, touchdown at 12 m/s, and the lander is heard again [C from R]."""
PARACHUTE_FAILS = Sequence(drogue_ms=NEVER, main_ms=NEVER, cone_ms=NEVER)
MAIN_FAILS = Sequence(main_ms=NEVER, cone_ms=NEVER)
CONE_STICKS = Sequence(cone_ms=NEVER)
RETROS_EARLY = Sequence(fire_at_dm=400)
"""At 40 m: they are burnt at 20 m, and the parachute is gone [A]."""
RETROS_LATE = Sequence(fire_at_dm=80)
"""At 8 m: the ground comes while they burn [A]."""
RETROS_NEVER = Sequence(dud=True)
ALTIMETER_BLIND = Sequence(blind=True)


def step(sequence: Sequence, tick: int, altitude_mm: int, speed_mms: int) -> tuple[Sequence, tuple[Milestone, ...]]:
    """The sequence at a tick and the milestones that the tick passes, in the order of `Milestone`.

    Args:
        sequence: as the tick before left it, with this tick's commands applied.
        tick: 0 is entry; every tick once, in order.
        altitude_mm: height at this tick, for the radio altimeter.
        speed_mms: speed at this tick; on the ground that of the impact.
    """
    now = tick * TICK_MS
    if tick % ALTIMETER_PERIOD_TICKS == 0 and altitude_mm <= _ALTIMETER_CEILING_MM:
        sequence = _look(sequence, now, altitude_mm)
    if altitude_mm <= 0 and sequence.ground_ms == NEVER:
        sequence = replace(sequence, ground_ms=now, crashed=speed_mms >= SURVIVED_BELOW_MMS)
    return sequence, tuple(what for what, at in _schedule(sequence) if now - TICK_MS < at <= now)


def phase_at(sequence: Sequence, tick: int) -> Phase:
    """The phase at a tick: the latest one whose time has come."""
    now = tick * TICK_MS
    if now >= sequence.ground_ms:
        return _phase_on_ground(sequence, now)
    latest_first = (
        (Phase.LOST, sequence.silence_ms),
        (Phase.RETRO_ARMED, sequence.retro_arm_ms),
        (Phase.TERMINAL, sequence.cone_ms),
        (Phase.MAIN, sequence.main_ms),
        (Phase.DROGUE, sequence.drogue_ms),
        (Phase.AEROBRAKING, BLACKOUT_END_MS),
        (Phase.BLACKOUT, BLACKOUT_START_MS),
        (Phase.ENTRY, 0),
    )
    return next((phase for phase, begin in latest_first if now >= begin), Phase.COAST)


def _phase_on_ground(sequence: Sequence, now: int) -> Phase:
    if now >= sequence.silence_ms:
        return Phase.LOST
    if sequence.crashed:
        return Phase.CRASHED
    return Phase.SURFACE if now >= SURFACE_MS and now > sequence.ground_ms else Phase.LANDED


def vehicle_at(sequence: Sequence, start_ms: int, step_ms: int) -> Vehicle:
    """The lander during a step of the motion.

    Mass and the drag that moves the lander are those at the middle of the step, where the motion looks.
    """
    middle = start_ms + step_ms // 2
    return Vehicle(
        mass_g=_MASS_TERMINAL_G if middle >= sequence.cone_ms else _MASS_ENTRY_G,
        cda_middle_cm2=_cda_cm2(sequence, middle),
        cda_end_cm2=_cda_cm2(sequence, start_ms + step_ms),
        thrust_mn=_thrust_mn(sequence, start_ms, step_ms),
    )


def transmits_at(sequence: Sequence, tick: int) -> bool:
    """True while the lander's frames on VC0 exist: from the end of the blackout to silence or until the bus sets.

    The frame of the tick that reaches the ground is the last.
    """
    now = tick * TICK_MS
    return BLACKOUT_END_MS <= now < min(sequence.silence_ms, RELAY_SET_MS) and now <= sequence.ground_ms


def surface_at(sequence: Sequence, tick: int) -> bool:
    """True while a landed lander is heard on VC1: from 143 s after the loss of signal until the bus sets.

    With any parachutes it comes down before; a tick that reaches the ground belongs to VC0 all the same.
    """
    now = tick * TICK_MS
    if sequence.crashed or now <= sequence.ground_ms:
        return False
    return SURFACE_MS <= now < min(sequence.silence_ms, RELAY_SET_MS)


def on_ground(sequence: Sequence, tick: int) -> bool:
    """True from the tick that reached the ground."""
    return tick * TICK_MS >= sequence.ground_ms


def retro_at(sequence: Sequence, tick: int) -> Retro:
    """The retrorockets at a tick."""
    now = tick * TICK_MS
    if now >= sequence.retro_fire_ms:
        return Retro.FIRING if now - sequence.retro_fire_ms < _RETRO_BURN_MS else Retro.BURNT
    return Retro.ARMED if now >= sequence.retro_arm_ms else Retro.SAFE


def altimeter_locked(sequence: Sequence, tick: int) -> bool:
    """True from the tick at which the radio altimeter found an echo."""
    return tick * TICK_MS >= sequence.lock_ms


def thrust_at(sequence: Sequence, tick: int) -> int:
    """Thrust of the retrorockets in mN, mean over the tick."""
    return _thrust_mn(sequence, tick * TICK_MS, TICK_MS)


def deploy_parachute(sequence: Sequence, tick: int) -> Sequence:
    """Open the next parachute at this tick: the drogue, or the main one if the drogue is out.

    The cone leaves 6 s after the main parachute, whenever that opens [A]. Nothing changes before entry, on the
    ground, with both out, and for a parachute that fails.
    """
    now = tick * TICK_MS
    if not 0 <= now < sequence.ground_ms:
        return sequence
    if now < sequence.drogue_ms:
        return sequence if sequence.drogue_ms == NEVER else replace(sequence, drogue_ms=now)
    if now < sequence.main_ms and sequence.main_ms != NEVER:
        cone_ms = NEVER if sequence.cone_ms == NEVER else now + _CONE_AFTER_MAIN_MS
        return replace(sequence, main_ms=now, cone_ms=cone_ms)
    return sequence


def fire_retrorockets(sequence: Sequence, tick: int) -> Sequence:
    """Fire at this tick and release the parachute; unchanged while not armed, once fired, on the ground, and if dud."""
    now = tick * TICK_MS
    if sequence.dud or not sequence.retro_arm_ms <= now < min(sequence.retro_fire_ms, sequence.ground_ms):
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
        (Milestone.IMPACT if sequence.crashed else Milestone.TOUCHDOWN, sequence.ground_ms),
    )


def _look(sequence: Sequence, now: int, altitude_mm: int) -> Sequence:
    """What the radio altimeter makes of the ground, at one of its looks below its ceiling."""
    if sequence.lock_ms == NEVER:
        if sequence.blind or now < sequence.cone_ms:
            return sequence
        sequence = replace(sequence, lock_ms=now)
    low_dm = (altitude_mm + 50) // 100
    if sequence.fire_at_dm == 0 or low_dm >= _LOW_CHANNEL_DM or now >= min(sequence.retro_fire_ms, sequence.ground_ms):
        return sequence
    fallen_dm = sequence.low_dm - low_dm
    sequence = replace(sequence, low_dm=low_dm)
    if now < sequence.retro_arm_ms or sequence.dud or fallen_dm <= 0:
        return sequence
    wait_ms = max(low_dm - sequence.fire_at_dm, 0) * _LOOK_MS // fallen_dm
    return replace(sequence, retro_fire_ms=now + wait_ms) if wait_ms < _LOOK_MS else sequence


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


def _thrust_mn(sequence: Sequence, start_ms: int, step_ms: int) -> int:
    """Thrust in mN, mean over a step that starts at `start_ms`: a burn begins and ends between steps."""
    since_ms = start_ms - sequence.retro_fire_ms
    if not -step_ms < since_ms < _RETRO_BURN_MS:
        return 0
    burning_ms = _burnt_ms(since_ms + step_ms) - _burnt_ms(since_ms)
    return _RETRO_THRUST_MN * burning_ms // step_ms


def _burnt_ms(since_ms: int) -> int:
    """How long the retrorockets have burnt, `since_ms` after firing."""
    return min(max(since_ms, 0), _RETRO_BURN_MS)
