#include "descent.h"

/* Where 100 ms are too coarse for the speed at the ground: while the retrorockets burn, and in the tick that reaches it. */
#define SHORT_STEPS 5
#define SHORT_MS (TICK_MS / SHORT_STEPS)

/* One step of the whole tick; false, and nothing moved, if it has to be flown in short ones. */
static bool fly_whole(struct motion *m, const struct sequence *s, int32_t start_ms)
{
    struct motion after = *m;
    struct vehicle vehicle;

    sequencer_vehicle(s, start_ms, TICK_MS, &vehicle);
    if (vehicle.thrust_mn != 0)
        return false;
    dynamics_advance(&after, &vehicle, TICKS_PER_S);
    if (after.altitude_um <= 0)
        return false;
    *m = after;
    return true;
}

static void fly_short(struct motion *m, const struct sequence *s, int32_t start_ms)
{
    for (int32_t step = 0; step < SHORT_STEPS; step++) {
        const struct motion before = *m;
        struct vehicle vehicle;

        sequencer_vehicle(s, start_ms + step * SHORT_MS, SHORT_MS, &vehicle);
        dynamics_advance(m, &vehicle, TICKS_PER_S * SHORT_STEPS);
        if (m->altitude_um <= 0) {
            dynamics_touch(m, &before);
            return;
        }
    }
}

void descent_tick(struct motion *m, const struct sequence *s, mission_tick tick)
{
    const int32_t start_ms = (int32_t)tick * TICK_MS;

    if (m->altitude_um <= 0)
        *m = (struct motion){0, 0, 0, 0, 0};
    else if (!fly_whole(m, s, start_ms))
        fly_short(m, s, start_ms);
}
