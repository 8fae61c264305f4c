#include "sequencer.h"

#include "../generated/lander_packets.h"

#define BLACKOUT_START_MS INT32_C(60000)
#define BLACKOUT_END_MS INT32_C(88000)
#define DROGUE_INFLATION_MS INT32_C(1500)
#define MAIN_INFLATION_MS INT32_C(3000)
#define CONE_AFTER_MAIN_MS INT32_C(6000)
#define CDA_AEROSHELL_CM2 INT32_C(116600)
#define CDA_DROGUE_CM2 INT32_C(80000)
#define CDA_MAIN_CM2 INT32_C(674400)
#define MASS_ENTRY_G INT32_C(635000)
#define MASS_TERMINAL_G INT32_C(450000)
#define ALTIMETER_CEILING_MM INT32_C(6600000)
#define RETRO_THRUST_MN INT64_C(41900000)
#define RETRO_BURN_MS INT32_C(550)
#define SOFT_LANDING_FIRE_MS INT32_C(312080)

static int32_t ms_of(mission_tick tick)
{
    return (int32_t)tick * TICK_MS;
}

void sequencer_historical(struct sequence *s)
{
    s->drogue_ms = INT32_C(159000);
    s->main_ms = INT32_C(212670);
    s->cone_ms = INT32_C(218670);
    s->lock_ms = NEVER_MS;
    s->retro_arm_ms = INT32_C(308000);
    s->retro_fire_ms = NEVER_MS;
    s->silence_ms = INT32_C(312000);
}

void sequencer_soft_landing(struct sequence *s)
{
    sequencer_historical(s);
    s->retro_fire_ms = SOFT_LANDING_FIRE_MS;
    s->silence_ms = NEVER_MS;
}

/* True when the altimeter, which looks twice a second, sees the ground for the first time. */
static bool finds_echo(const struct sequence *s, mission_tick tick, int64_t altitude_mm)
{
    const bool looks = s->lock_ms == NEVER_MS && tick_is(tick, ALTIMETER_PERIOD_TICKS, 0);

    return looks && ms_of(tick) >= s->cone_ms && altitude_mm <= ALTIMETER_CEILING_MM;
}

/* The bit of a milestone, if it lies after the last tick and not after this one. */
static uint16_t passed(uint8_t milestone, int32_t at_ms, int32_t now_ms)
{
    return (uint16_t)(now_ms - TICK_MS < at_ms && at_ms <= now_ms ? 1u << milestone : 0u);
}

uint16_t sequencer_step(struct sequence *s, mission_tick tick, int64_t altitude_mm)
{
    const int32_t now = ms_of(tick);
    uint16_t found = 0;

    if (finds_echo(s, tick, altitude_mm))
        s->lock_ms = now;
    found = (uint16_t)(found | passed(MARS6_EVENT_ENTRY, 0, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_BLACKOUT_START, BLACKOUT_START_MS, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_BLACKOUT_END, BLACKOUT_END_MS, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_DROGUE, s->drogue_ms, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_MAIN, s->main_ms, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_CONE_RELEASE, s->cone_ms, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_ALTIMETER_LOCK, s->lock_ms, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_RETRO_ARM, s->retro_arm_ms, now));
    found = (uint16_t)(found | passed(MARS6_EVENT_LOSS_OF_SIGNAL, s->silence_ms, now));
    return found;
}

uint8_t sequencer_phase(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    if (now >= s->silence_ms)
        return MARS6_DESCENT_PHASE_LOST;
    if (now >= s->retro_arm_ms)
        return MARS6_DESCENT_PHASE_RETRO_ARMED;
    if (now >= s->cone_ms)
        return MARS6_DESCENT_PHASE_TERMINAL;
    if (now >= s->main_ms)
        return MARS6_DESCENT_PHASE_MAIN;
    if (now >= s->drogue_ms)
        return MARS6_DESCENT_PHASE_DROGUE;
    if (now >= BLACKOUT_END_MS)
        return MARS6_DESCENT_PHASE_AEROBRAKING;
    return now >= BLACKOUT_START_MS ? MARS6_DESCENT_PHASE_BLACKOUT : MARS6_DESCENT_PHASE_ENTRY;
}

/* Area in cm² of a canopy that fills with the square of time. */
static int32_t inflated(int32_t area_cm2, int32_t since_ms, int32_t inflation_ms)
{
    if (since_ms <= 0)
        return 0;
    if (since_ms >= inflation_ms)
        return area_cm2;
    return (int32_t)((int64_t)area_cm2 * since_ms * since_ms / ((int64_t)inflation_ms * inflation_ms));
}

/* Drag area in cm²: the aeroshell until the cone goes, and what is inflated of the parachutes. */
static int32_t cda_at(const struct sequence *s, int32_t now)
{
    if (now >= s->retro_fire_ms)
        return 0;
    const int32_t drogue = inflated(CDA_DROGUE_CM2, now - s->drogue_ms, DROGUE_INFLATION_MS);
    /* The main parachute grows out of the drogue's area, not on top of it. */
    const int32_t canopy = drogue + inflated(CDA_MAIN_CM2 - drogue, now - s->main_ms, MAIN_INFLATION_MS);
    return now >= s->cone_ms ? canopy : canopy + CDA_AEROSHELL_CM2;
}

/* How long the retrorockets have burnt, `since_ms` after firing. */
static int32_t burnt_ms(int32_t since_ms)
{
    if (since_ms <= 0)
        return 0;
    return since_ms < RETRO_BURN_MS ? since_ms : RETRO_BURN_MS;
}

void sequencer_vehicle(const struct sequence *s, mission_tick tick, struct vehicle *v)
{
    const int32_t start = ms_of(tick);
    const int32_t middle = start + TICK_MS / 2;
    const int32_t since_fire = start - s->retro_fire_ms;

    /* Mass and the drag that moves the lander are those at the middle of the tick, where the step looks. */
    v->mass_g = middle >= s->cone_ms ? MASS_TERMINAL_G : MASS_ENTRY_G;
    v->cda_middle_cm2 = cda_at(s, middle);
    v->cda_end_cm2 = cda_at(s, start + TICK_MS);
    /* The mean over the tick: a burn begins and ends between ticks. */
    v->thrust_mn = RETRO_THRUST_MN * (burnt_ms(since_fire + TICK_MS) - burnt_ms(since_fire)) / TICK_MS;
}

bool sequencer_transmits(const struct sequence *s, mission_tick tick)
{
    return ms_of(tick) >= BLACKOUT_END_MS && ms_of(tick) < s->silence_ms;
}

bool sequencer_locked(const struct sequence *s, mission_tick tick)
{
    return ms_of(tick) >= s->lock_ms;
}

bool sequencer_can_deploy(const struct sequence *s, mission_tick tick)
{
    return ms_of(tick) < s->drogue_ms || ms_of(tick) < s->main_ms;
}

void sequencer_deploy(struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    if (now < s->drogue_ms) {
        s->drogue_ms = now;
        return;
    }
    s->main_ms = now;
    s->cone_ms = now + CONE_AFTER_MAIN_MS;
}

bool sequencer_can_fire(const struct sequence *s, mission_tick tick)
{
    return ms_of(tick) >= s->retro_arm_ms && ms_of(tick) < s->retro_fire_ms;
}

void sequencer_fire(struct sequence *s, mission_tick tick)
{
    s->retro_fire_ms = ms_of(tick);
}
