/* The lander and its bus as one machine of integers: bytes and ticks in, frames out (docs/lander.md).
 *
 *     lander_init(&l, send, port);          once; send gets whole frames, ASM first
 *     lander_receive(&l, bytes, length);    whatever came on the uplink, cut anyhow
 *     lander_step(&l);                      every lander_period_us(&l), or at once while lander_step_pending(&l)
 *
 * It knows no clock. The same bytes before the same calls of lander_step give the same frames, on every machine. */
#ifndef CORE_LANDER_H
#define CORE_LANDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "chip.h"
#include "cltu.h"
#include "commands.h"
#include "dynamics.h"
#include "farm1.h"
#include "fault.h"
#include "instruments.h"
#include "sequencer.h"
#include "surface.h"
#include "tick.h"
#include "transmitter.h"
#include "vitals.h"
#include "wear.h"

/* When the pass ends: ten seconds after the historical loss of signal, or 45 s after the bus has set for a lander that did
 * not fall silent, but ten seconds after an impact. */
#define PASS_TICKS 3220
#define LANDING_PASS_TICKS 12600
#define AFTER_CRASH_TICKS 100
/* The encounter: from separation to an hour after the bus's closest approach. */
#define ENCOUNTER_FIRST_TICK (-146370)
#define ENCOUNTER_END_TICK 40600
#define POWER_ON_SCALE 100u

typedef void lander_send(void *port, const uint8_t *bytes, size_t length);

enum lander_mode { LANDER_READY, LANDER_RUNNING, LANDER_HELD };

struct lander {
    lander_send *send;
    void *port;
    struct motion motion;
    struct sequence sequence;
    struct readings readings;
    struct vitals vitals;
    struct mars6_lander_systems systems; /* the last LANDER_SYSTEMS */
    struct surface surface;
    struct wear wear;
    struct bus bus;
    struct chip chip;
    struct transmitter transmitter;
    struct cltu cltu;
    struct farm1 farm;
    struct commands commands;
    mission_tick tick; /* that comes next */
    mission_tick end_tick; /* of the pass */
    uint32_t seed; /* of the chip and of the instruments' noise; 0: the default */
    uint16_t steps_left; /* calls of lander_step that still fly in HELD */
    uint16_t scale; /* 0.01 mission time over real time */
    uint16_t frames_dropped; /* TC frames that were damaged or not for this spacecraft */
    uint8_t mode;
    uint8_t profile; /* MARS6_SELECT_PROFILE_PROFILE_… */
    uint8_t span; /* MARS6_SELECT_SPAN_SPAN_… */
    uint8_t events_sent;
    uint8_t frame_period;
    bool transmitter_on;
    bool systems_wait; /* it was not sent yet */
};

void lander_init(struct lander *l, lander_send *send, void *port);
void lander_receive(struct lander *l, const uint8_t *bytes, size_t length);
void lander_step(struct lander *l);

/* What START does, without a command and its reports: for a port that starts by itself. In READY. */
void lander_start(struct lander *l);

/* Report that the machine is up: one VC2 frame with BUS_HK and the event BOOT, and which fault ended the
 * previous run, unless that is NULL. Only in READY. */
void lander_hello(struct lander *l, uint8_t reset_reason, uint32_t build_id, const struct fault *fault);

/* Real time from one tick to the next. */
uint32_t lander_period_us(const struct lander *l);

/* Whether the next call of lander_step need not wait for its time: what STEP asked for is not flown yet. */
bool lander_step_pending(const struct lander *l);

/* The pass is over: no tick will be flown before a RESET. */
bool lander_finished(const struct lander *l);

/* For commands.c: whether commands do not wait for a tick, because none may come. */
bool lander_clock_stopped(const struct lander *l);

/* Whether the profile lets the chip fail with time. */
bool lander_is_degraded(const struct lander *l);

/* Close the frame of VC0 or VC2 that was begun, and send it; the chip corrupts the lander's. */
void lander_send_frame(struct lander *l, struct channel *c);

/* Everything but the pace, FARM-1 and the uplink as at power on. */
void lander_power_on(struct lander *l);

/* Plan the flight by MARS6_SELECT_PROFILE_PROFILE_… and MARS6_SELECT_SPAN_SPAN_…. In READY. */
void lander_choose(struct lander *l, uint8_t profile, uint8_t span);

#endif
