/* Accelerometer over a second, swing, battery and transmitter, for LANDER_SYSTEMS; hil/lander/systems/vitals.py has the
 * rules. */
#ifndef CORE_VITALS_H
#define CORE_VITALS_H

#include <stdbool.h>
#include <stdint.h>

#include "sequencer.h"
#include "tick.h"

#define VITALS_PHASE 5 /* LANDER_SYSTEMS is of the ticks tick % 10 == 5 */

struct vitals {
    uint32_t drawn_ma_s;  /* from the battery, since entry */
    uint16_t peak;        /* of the accelerometer's counts in the ten ticks up to the one of the packet */
    uint16_t sum;         /* of them */
    bool radiates;        /* the transmitter is on */
};

/* One tick: the accelerometer's count, and whether the transmitter is on. */
void vitals_observe(struct vitals *v, mission_tick tick, uint16_t deceleration, bool radiates);

uint16_t vitals_mean(const struct vitals *v);       /* 0.01 g */
uint16_t vitals_voltage_cv(const struct vitals *v); /* 0.01 V */
uint16_t vitals_current_ca(const struct vitals *v); /* 0.01 A */
uint8_t vitals_power_dw(const struct vitals *v);    /* 0.1 W */

/* Angle under the parachute, 0.1°. */
int16_t vitals_swing(const struct sequence *s, mission_tick tick);

#endif
