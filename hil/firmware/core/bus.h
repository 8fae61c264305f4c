/* The flyby bus, on VC2: it relays the lander, reports itself once a second, measures, and answers telecommands. */
#ifndef CORE_BUS_H
#define CORE_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus_instruments.h"
#include "fault.h"
#include "tick.h"

struct lander;

struct bus {
    struct bus_instruments instruments;
    /* The relay receiver. */
    mission_tick heard; /* when the last lander frame came; NO_TICK: none yet */
    uint16_t frames;    /* lander frames since start */
    bool locked;
};

/* As at power on. */
void bus_init(struct bus *b);

/* A lander frame came at this tick. */
void bus_hear(struct bus *b, mission_tick tick);

/* Send the VC2 frame of this tick: on whole seconds, or for what waits. */
void bus_transmit(struct lander *l);

/* Send VC2 frames until no packet waits for one. */
void bus_flush(struct lander *l);

/* Send one VC2 frame with BUS_HK and the event BOOT, and the trace of a fault unless that is NULL. */
void bus_hello(struct lander *l, uint8_t reset_reason, uint32_t build_id, const struct fault *fault);

#endif
