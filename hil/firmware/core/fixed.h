/* Integer arithmetic that Python and C11 do alike. C's `/` truncates, as `fixed.div` of the Python lander does. */
#ifndef CORE_FIXED_H
#define CORE_FIXED_H

#include <stdint.h>

/* Largest integer whose square is not above `square`, which is 0 … 2^62 - 1. */
int64_t fixed_isqrt(int64_t square);

/* The place of `position` in a table of `entries` that stand `step` apart. */
struct fixed_place {
    uint16_t index;   /* of the entry at or below the position */
    int32_t past;     /* how far after it the position lies; 0 at the ends, where the nearest entry is the answer */
};

struct fixed_place fixed_place(uint16_t entries, int64_t position, int32_t step);

/* Linear interpolation from `low` to `high`, at `past` of `step`. */
int64_t fixed_between(int64_t low, int64_t high, int32_t past, int32_t step);

#endif
