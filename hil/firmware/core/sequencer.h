/* What happens when: phases, milestones, and the vehicle that they make of the lander. Times are ms after entry.
 * hil/lander/sequencer.py has the rules and their reasons. */
#ifndef CORE_SEQUENCER_H
#define CORE_SEQUENCER_H

#include <stdbool.h>
#include <stdint.h>

#include "dynamics.h"
#include "tick.h"

#define NEVER_MS INT32_C(2147483647)
#define ALTIMETER_PERIOD_TICKS 5

/* The only source of when each thing happens or happened, planned or commanded; NEVER_MS for what does not. */
struct sequence {
    int32_t drogue_ms;
    int32_t main_ms;
    int32_t cone_ms;
    int32_t lock_ms; /* the radio altimeter has an echo; set by sequencer_step */
    int32_t retro_arm_ms;
    int32_t retro_fire_ms; /* set by sequencer_step where the altimeter fires them */
    int32_t silence_ms;
    int32_t ground_ms; /* the tick at which the lander is on the ground; set by sequencer_step */
    bool crashed;      /* it came down too fast; set by sequencer_step */
    bool blind;        /* the radio altimeter finds no echo */
    bool dud;          /* the retrorockets do not fire, whatever is commanded */
    uint16_t fire_at_dm; /* height at which the low channel fires the retrorockets, in 0.1 m; 0: it does not */
    uint16_t low_dm;   /* the low channel at its last look, for the rate of fall; 0 before */
};

/* As a profile plans it: MARS6_SELECT_PROFILE_PROFILE_…. */
void sequencer_plan(struct sequence *s, uint8_t profile);

/* Whether the profile is one of history's, which end with the loss of signal. */
bool sequencer_falls_silent(uint8_t profile);

/* At each tick, once and in order: bit n of the answer is set if the tick passes milestone n (MARS6_EVENT_…). The speed on
 * the ground is that of the impact. */
uint16_t sequencer_step(struct sequence *s, mission_tick tick, int64_t altitude_mm, int32_t speed_mms);

/* MARS6_DESCENT_PHASE_… */
uint8_t sequencer_phase(const struct sequence *s, mission_tick tick);

/* The lander during a step of the motion. */
void sequencer_vehicle(const struct sequence *s, int32_t start_ms, int32_t step_ms, struct vehicle *v);

/* Whether the lander's frames on VC0 exist: from the end of the blackout to silence or until the bus sets (excluded), or to
 * the ground (included). */
bool sequencer_transmits(const struct sequence *s, mission_tick tick);

/* Whether a landed lander is heard on VC1: from 143 s after the historical loss of signal until the bus sets. */
bool sequencer_on_surface(const struct sequence *s, mission_tick tick);

bool sequencer_on_ground(const struct sequence *s, mission_tick tick);

bool sequencer_locked(const struct sequence *s, mission_tick tick);

/* MARS6_LANDER_SYSTEMS_RETRO_… */
uint8_t sequencer_retro(const struct sequence *s, mission_tick tick);

/* Thrust of the retrorockets, mean over the tick. */
int32_t sequencer_thrust_mn(const struct sequence *s, mission_tick tick);

/* Open the next parachute at this tick, which sequencer_can_deploy allowed: the drogue or the main one. */
bool sequencer_can_deploy(const struct sequence *s, mission_tick tick);
void sequencer_deploy(struct sequence *s, mission_tick tick);

/* Fire at this tick and release the parachute: allowed once armed and not yet fired. */
bool sequencer_can_fire(const struct sequence *s, mission_tick tick);
void sequencer_fire(struct sequence *s, mission_tick tick);

#endif
