/* One tick of the descent, to the ground: the dynamics, with the vehicle that the sequencer makes of the lander. */
#ifndef CORE_DESCENT_H
#define CORE_DESCENT_H

#include "dynamics.h"
#include "sequencer.h"

/* The tick that reaches the ground keeps the velocity of the impact, at altitude 0; the next is at rest. */
void descent_tick(struct motion *m, const struct sequence *s, mission_tick tick);

#endif
