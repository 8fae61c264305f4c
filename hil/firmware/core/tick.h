/* The mission clock: ticks of 100 ms since entry, negative before it. A board that flies the descent alone
 * (LANDER_DESCENT_ONLY) keeps them in 16 bits: tick 0 to the end of surface operations, 12,600. */
#ifndef CORE_TICK_H
#define CORE_TICK_H

#include <stdbool.h>
#include <stdint.h>

#define TICK_MS INT32_C(100)
#define TICKS_PER_S 10

#ifdef LANDER_DESCENT_ONLY
typedef int16_t mission_tick;
#define NO_TICK INT16_MIN
#else
typedef int32_t mission_tick;
#define NO_TICK INT32_MIN
#endif

/* Whether `tick` is one of those that lie `phase` after a multiple of `period`, before entry too. */
static inline bool tick_is(mission_tick tick, int16_t period, int16_t phase)
{
    const int16_t past = (int16_t)(tick % period);

    return (past < 0 ? past + period : past) == phase;
}

#endif
