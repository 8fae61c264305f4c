/* The bus's instruments: tick, geometry and random numbers in, raw counts out (docs/lander.md). Each has a generator of
 * its own and draws only when it measures. */
#ifndef CORE_BUS_INSTRUMENTS_H
#define CORE_BUS_INSTRUMENTS_H

#include <stdint.h>

#include "orbit.h"

#define BUS_PARTICLE_CHANNELS 6u

enum bus_instrument {
    BUS_MAGNETOMETER,
    BUS_PLASMA,
    BUS_COSMIC_RAYS,
    BUS_MICROMETEOROIDS,
    BUS_PARTICLES,
    BUS_INSTRUMENTS,
};

/* The states of the generators, and what is counted since start. */
struct bus_instruments {
    uint32_t draws[BUS_INSTRUMENTS];
    uint8_t impacts;
};

struct plasma {
    uint16_t energy;      /* of the peak, 1 eV/q */
    uint16_t current;     /* at the peak, 1e-13 A */
    uint16_t speed;       /* km/s */
    uint16_t density;     /* 0.01 /cm³ */
    uint16_t temperature; /* 100 K */
};

/* As at power on; seed 0 is the default. */
void bus_instruments_seed(struct bus_instruments *b, uint32_t seed);

/* The magnetic field in 0.1 nT: x to the sun, y against the orbital motion, z north. */
void bus_measure_field(struct bus_instruments *b, int32_t tick, const struct geometry *g, int16_t axes[3]);

void bus_measure_plasma(struct bus_instruments *b, int32_t tick, const struct geometry *g, struct plasma *p);

/* Counts of the last minute. */
uint32_t bus_count_cosmic_rays(struct bus_instruments *b, const struct geometry *g);

/* Impacts since start, after the last minute's. */
uint8_t bus_count_meteoroids(struct bus_instruments *b);

/* Counts of the last minute: protons in four channels, then electrons in two. */
void bus_count_particles(struct bus_instruments *b, int32_t tick, uint32_t counts[BUS_PARTICLE_CHANNELS]);

/* A Poisson number of a mean in thousandths, at most 4,000,000. */
uint32_t bus_poisson(uint32_t *state, uint32_t mean);

#endif
