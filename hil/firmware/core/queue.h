/* What waits for room on a channel. A packet's contents wait, not its bytes: 32 packets fit in the RAM of a small chip
 * because a report is 8 or 12 bytes there. Widths of the bit fields: ticks of a descent end at 12,600, of an encounter they need
 * a sign and 18 bits; lander frames start at tick 880. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "tick.h"

#define QUEUE_LIMIT 32u

#ifdef LANDER_DESCENT_ONLY
#define REPORT_TICK uint32_t tick : 14
#define report_tick(now) ((uint32_t)(now) & 0x3FFFu)
#else
#define REPORT_TICK int32_t tick
#define report_tick(now) (now)
#endif

/* A ring's indices; what they index is the owner's. */
struct queue {
    uint8_t first;
    uint8_t waiting;
};

/* The slot for one more report; false if the queue is full. */
bool queue_put(struct queue *q, uint8_t *slot);

/* The slot of the oldest report, which leaves the queue; there is one. */
uint8_t queue_take(struct queue *q);

/* VC0: LANDER_EVENT, or LANDER_HK if `number` is 0. */
struct lander_report {
    REPORT_TICK;
    uint32_t sequence : 14;
    uint32_t number : 4;
    union {
        struct {
            uint32_t first : 17; /* altitude in m; at the ground the speed in cm/s */
            uint32_t speed_ms : 13;
        } event;
        struct {
            uint32_t frames_sent : 12;
            uint32_t backlog : 11; /* of at most 32 · 42 bytes and what is left of one packet */
            uint32_t events_sent : 5;
            uint32_t transmitter_on : 1;
            uint16_t commands_accepted;
            uint16_t commands_rejected;
        } hk;
    } is;
};

/* The content of a report on VC2. 1 … 7 are the failures by their numbers on the wire: WRONG_STATE is found when a command is
 * carried out and goes out as COMMAND_FAILED, all others are found before and go out as COMMAND_REFUSED. */
enum bus_word {
    BUS_ACCEPTED = 0,
    BUS_FAILURE_FIRST = 1,
    BUS_FAILURE_LAST = 7,
    BUS_COMPLETED = 8,
    BUS_ALIVE = 9,
    BUS_RELAY_LOCK = 10,
    BUS_RELAY_LOST = 11,
    BUS_RELAY_SET = 12,
    BUS_BOW_SHOCK = 13,
};

/* VC2: reports about commands, and the bus's events. */
struct bus_report {
    uint32_t argument; /* the request, the relay's count of frames, or an altitude */
    REPORT_TICK;
    uint32_t sequence : 14;
    uint32_t word : 4;
};

#endif
