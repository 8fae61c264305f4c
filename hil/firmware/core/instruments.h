/* The lander's instruments: motion in, raw counts out. One that is not due keeps its last count. */
#ifndef CORE_INSTRUMENTS_H
#define CORE_INSTRUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dynamics.h"

struct readings {
    uint16_t temperature;  /* 0.05 K above 120 K, 1 Hz */
    uint16_t pressure;     /* 0.003 hPa, 1 Hz */
    uint16_t deceleration; /* 0.01 g of D/m, 10 Hz */
    uint16_t radio_altitude;     /* 2 m, 2 Hz; without lock both altitudes are 0 */
    uint16_t radio_altitude_low; /* 0.1 m, 2 Hz; full scale above 100 m */
    uint8_t pump_current;        /* 0.04 mA, 1 Hz */
    bool altimeter_lock;         /* 2 Hz */
};

void instruments_measure(struct readings *r, const struct motion *m, mission_tick tick, bool locked);

#endif
