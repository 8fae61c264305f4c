"""One tick of the descent, to the ground: the dynamics, with the vehicle that the sequencer makes of the lander.

A tick is one step, but five short ones where 100 ms are too coarse for the speed at the ground: while the
retrorockets burn (9 m/s a tick), and in the tick that reaches the ground, whose state is interpolated there.
"""

from __future__ import annotations

from hil.lander.physics.dynamics import TICK_MS, TICKS_PER_S, State, advance, at_rest, touch
from hil.lander.sequencer import Sequence, vehicle_at

_SHORT_STEPS = 5
"""In a tick."""
_SHORT_MS = TICK_MS // _SHORT_STEPS


def descend(state: State, sequence: Sequence, tick: int) -> State:
    """The state one tick later.

    The tick that reaches the ground keeps the velocity of the impact, at altitude 0; the next is at rest.
    """
    if state.landed:
        return at_rest(state)
    start = tick * TICK_MS
    vehicle = vehicle_at(sequence, start, TICK_MS)
    if vehicle.thrust_mn == 0:
        after = advance(state, vehicle)
        if not after.landed:
            return after
    for step in range(_SHORT_STEPS):
        vehicle = vehicle_at(sequence, start + step * _SHORT_MS, _SHORT_MS)
        after = advance(state, vehicle, TICKS_PER_S * _SHORT_STEPS)
        if after.landed:
            return touch(state, after)
        state = after
    return state
