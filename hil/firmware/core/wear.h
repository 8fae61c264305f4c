/* The chip that fails with time, in the degraded profile (docs/lander.md; hil/lander/systems/wear.py has the fit). */
#ifndef CORE_WEAR_H
#define CORE_WEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "chip.h"
#include "tick.h"

struct wear {
    uint32_t draws; /* one generator for all of it */
    uint16_t stuck_values[CHIP_STUCK_MAX];
    uint8_t stuck_words[CHIP_STUCK_MAX];
    uint8_t stuck;
    bool broken; /* the bond, just now */
};

void wear_start(struct wear *w, uint32_t seed);

/* One tick older; in each tick in which the lander transmits, with a frame or without. */
void wear_age(struct wear *w, mission_tick tick);

/* What happens to DESCENT's body before its CRC, and to a finished frame with its ASM. */
void wear_corrupt_body(struct wear *w, mission_tick tick, uint8_t *body, uint8_t length);
void wear_corrupt_frame(struct wear *w, mission_tick tick, uint8_t *wire, uint8_t length);

#endif
