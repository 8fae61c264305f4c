#include "fixed.h"

int64_t fixed_isqrt(int64_t square)
{
    /* Unsigned, because an AVR shifts and compares those faster; the first bit keeps every sum below 2^63. */
    uint64_t left = (uint64_t)square;
    uint64_t bit = UINT64_C(1) << 60;
    uint64_t root = 0;

    while (bit > left) {
        bit >>= 2;
        if (bit == 0u)
            return 0;
    }
    while (bit != 0u) {
        const uint64_t trial = root + bit;
        root >>= 1;
        if (left >= trial) {
            left -= trial;
            root += bit;
        }
        bit >>= 2;
    }
    return (int64_t)root;
}

struct fixed_place fixed_place(uint16_t entries, int64_t position, int32_t step)
{
    struct fixed_place place = {0, 0};

    if (position <= 0)
        return place;
    const int64_t index = position / step;
    if (index >= (int64_t)entries - 1) {
        place.index = (uint16_t)(entries - 1u);
        return place;
    }
    place.index = (uint16_t)index;
    place.past = (int32_t)(position - index * step);
    return place;
}

int64_t fixed_between(int64_t low, int64_t high, int32_t past, int32_t step)
{
    return low + (high - low) * past / step;
}
