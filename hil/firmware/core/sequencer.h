/* What happens when: phases, milestones, and the vehicle that they make of the lander. Times are ms after entry. */
#ifndef CORE_SEQUENCER_H
#define CORE_SEQUENCER_H

#include <stdbool.h>
#include <stdint.h>

#include "dynamics.h"

#define NEVER_MS INT32_C(2147483647)
#define ALTIMETER_PERIOD_TICKS 5

/* The only source of when each thing happens or happened, planned or commanded. */
struct sequence {
    int32_t drogue_ms;
    int32_t main_ms;
    int32_t cone_ms;
    int32_t lock_ms; /* the radio altimeter has an echo; set by sequencer_step */
    int32_t retro_arm_ms;
    int32_t retro_fire_ms;
    int32_t silence_ms;
};

void sequencer_historical(struct sequence *s);
void sequencer_soft_landing(struct sequence *s);

/* At each tick, once and in order: bit n of the answer is set if the tick passes milestone n (MARS6_EVENT_…). */
uint16_t sequencer_step(struct sequence *s, mission_tick tick, int64_t altitude_mm);

/* MARS6_DESCENT_PHASE_… */
uint8_t sequencer_phase(const struct sequence *s, mission_tick tick);

/* The lander from a tick to the next. */
void sequencer_vehicle(const struct sequence *s, mission_tick tick, struct vehicle *v);

/* Whether the lander's frames exist: from the end of the blackout (included) to silence (excluded). */
bool sequencer_transmits(const struct sequence *s, mission_tick tick);

bool sequencer_locked(const struct sequence *s, mission_tick tick);

/* Open the next parachute at this tick, which sequencer_can_deploy allowed: the drogue or the main one. */
bool sequencer_can_deploy(const struct sequence *s, mission_tick tick);
void sequencer_deploy(struct sequence *s, mission_tick tick);

/* Fire at this tick and release the parachute: allowed once armed and not yet fired. */
bool sequencer_can_fire(const struct sequence *s, mission_tick tick);
void sequencer_fire(struct sequence *s, mission_tick tick);

#endif
