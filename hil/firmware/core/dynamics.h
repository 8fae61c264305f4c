/* The descent as planar motion of a point; hil/lander/physics/dynamics.py has the equations and why everything fits in int64. */
#ifndef CORE_DYNAMICS_H
#define CORE_DYNAMICS_H

#include <stdbool.h>
#include <stdint.h>

#include "tick.h"

/* What the sequencer makes of the lander for one step. */
struct vehicle {
    int32_t mass_g;
    int32_t cda_middle_cm2; /* drag area at the middle of the step, which moves the lander */
    int32_t cda_end_cm2;    /* and at its end, which the accelerometer then feels */
    int64_t thrust_mn;      /* straight up, mean over the step */
};

/* Where the lander is and how it moves. The way over ground is in no packet, so it is not flown here. */
struct motion {
    int64_t altitude_um; /* 0 is the ground */
    int64_t horizontal_ums;
    int64_t vertical_ums; /* positive is down */
    int64_t drag_ums2;    /* D/m, against the velocity: what the accelerometer feels */
    int32_t speed_mms;
};

void dynamics_entry(struct motion *m);

/* One midpoint step on, of a tick or of a part of one. It knows no ground. */
void dynamics_advance(struct motion *m, const struct vehicle *v, int32_t steps_per_s);

/* Bring the first step that is not above the ground to the ground: straight lines from the one before it. */
void dynamics_touch(struct motion *below, const struct motion *above);

#endif
