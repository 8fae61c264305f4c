/* FARM-1, the spacecraft's end of COP-1 (CCSDS 232.1-B-2 §6): which TC frames are accepted, and the CLCW. */
#ifndef CORE_FARM1_H
#define CORE_FARM1_H

#include <stdbool.h>
#include <stdint.h>

#define FARM1_WINDOW 20u

enum farm1_state { FARM1_OPEN = 1, FARM1_WAIT = 2, FARM1_LOCKOUT = 3 };

struct farm1 {
    uint8_t state;
    uint8_t vr;     /* V(R), the N(S) of the next frame to be accepted */
    uint8_t farm_b; /* type-B frames; the CLCW has them modulo 4 */
    bool lockout;
    bool wait;
    bool retransmit;
};

void farm1_init(struct farm1 *f);

/* A data frame of type A, E1 … E5; `room`: whether there is a buffer for it. True if it is accepted. */
bool farm1_sequenced(struct farm1 *f, uint8_t ns, bool room);

/* A data frame of type B, E6: always accepted. */
void farm1_bypass(struct farm1 *f);

/* A control command, E7 … E9: UNLOCK, SET V(R), or neither. */
void farm1_control(struct farm1 *f, const uint8_t *data, uint8_t length);

/* A buffer is free again, E10. */
void farm1_release(struct farm1 *f);

/* The report, E11, of virtual channel 0. */
uint32_t farm1_clcw(const struct farm1 *f);

#endif
