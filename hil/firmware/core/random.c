#include "random.h"

uint32_t random_next(uint32_t state)
{
    state ^= state << 13;
    /* By 17, in 16 bits: an AVR shifts bit by bit, and draws for each bit that a failing chip sends. */
    state ^= (uint32_t)((uint16_t)(state >> 16) >> 1);
    return state ^ state << 5;
}

uint32_t random_start(uint32_t seed, uint32_t generator)
{
    const uint32_t state = (seed != 0u ? seed : RANDOM_DEFAULT_SEED) ^ generator;

    return state != 0u ? state : RANDOM_DEFAULT_SEED;
}

int16_t random_noise(uint32_t drawn, uint8_t most)
{
    return (int16_t)((int16_t)(drawn % (2u * most + 1u)) - most);
}
