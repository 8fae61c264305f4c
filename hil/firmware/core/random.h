/* Repeatable randomness: xorshift32, one state for each generator. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stdint.h>

/* xorshift32 never leaves 0. */
#define RANDOM_DEFAULT_SEED UINT32_C(0x9E3779B9)

/* The generators aboard, four letters of a name each: what a generator starts with is the seed xor this. */
#define RANDOM_CHIP UINT32_C(0x43484950)
#define RANDOM_THERMOMETER UINT32_C(0x5448524D)
#define RANDOM_BAROMETER UINT32_C(0x4241524F)
#define RANDOM_SPECTROMETER UINT32_C(0x53504543)
#define RANDOM_MAGNETOMETER UINT32_C(0x4D41474E)
#define RANDOM_PLASMA_TRAPS UINT32_C(0x504C4153)
#define RANDOM_COSMIC_RAYS UINT32_C(0x434F534D)
#define RANDOM_MICROMETEOROIDS UINT32_C(0x4D494352)
#define RANDOM_PARTICLES UINT32_C(0x5A48454D)

/* The next state of a generator, which is what it draws: never 0. */
uint32_t random_next(uint32_t state);

/* The state in which a generator starts, by the seed that SEED sets. */
uint32_t random_start(uint32_t seed, uint32_t generator);

/* From -most to most. */
int16_t random_noise(uint32_t drawn, uint8_t most);

#endif
