"""A descent of the bare machine: dynamics, sequencer and instruments, without frames."""

from __future__ import annotations

from dataclasses import dataclass

from hil.lander.instruments import Readings, measure
from hil.lander.physics.descent import descend
from hil.lander.physics.dynamics import ENTRY_STATE, State
from hil.lander.sequencer import HISTORICAL, Milestone, Sequence, altimeter_locked, step

LAST_TICK = 3_120


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything the machine knows at a tick."""

    state: State
    sequence: Sequence
    readings: Readings
    milestones: tuple[Milestone, ...]


def fly(
    state: State = ENTRY_STATE,
    sequence: Sequence = HISTORICAL,
    last_tick: int = LAST_TICK,
) -> list[Moment]:
    """A descent without commands, tick 0 to `last_tick`."""
    readings = Readings()
    moments = []
    for tick in range(last_tick + 1):
        sequence, milestones = step(sequence, tick, state.altitude_mm, state.speed_mms)
        readings = measure(state, tick, altimeter_locked(sequence, tick), readings)
        moments.append(Moment(state, sequence, readings, milestones))
        state = descend(state, sequence, tick)
    return moments
