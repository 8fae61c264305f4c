/* The instruments of a landed lander, on VC1; hil/lander/systems/surface.py has the model. */
#ifndef CORE_SURFACE_H
#define CORE_SURFACE_H

#include <stdint.h>

#include "tick.h"

#define SURFACE_READING_TICKS 100
#define SURFACE_READING_PHASE 50
#define SURFACE_SWEEP_TICKS 600
#define SURFACE_SWEEP_PHASE 380
#define SURFACE_MASSES 80u

struct surface {
    uint32_t thermometer; /* generators of the instruments' noise */
    uint32_t barometer;
    uint32_t spectrometer;
    uint16_t sweeps;
};

void surface_start(struct surface *s, uint32_t seed);

/* Counts; the lander is on the ground since `ground_ms`. */
uint16_t surface_temperature(struct surface *s, mission_tick tick, int32_t ground_ms);
uint16_t surface_pressure(struct surface *s);

/* The next sweep: intensities at m/z 1 to 80; its number is then in `sweeps`. */
void surface_sweep(struct surface *s, uint8_t *intensity);

#endif
