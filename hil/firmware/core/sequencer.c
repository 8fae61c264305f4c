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
#define LOOK_MS (ALTIMETER_PERIOD_TICKS * TICK_MS)
#define LOW_CHANNEL_DM 1000 /* full scale */
/* 20 m, and half of what two looks may be wrong: fired too low costs more than fired too high. */
#define FIRE_AT_DM 202
#define RETRO_THRUST_MN INT64_C(41900000)
#define RETRO_BURN_MS INT32_C(550)
#define FIRE_EARLY_DM 400 /* 40 m: they are burnt at 20 m, and the parachute is gone */
#define FIRE_LATE_DM 80   /* 8 m: the ground comes while they burn */
#define SURVIVED_BELOW_MMS INT32_C(15000)
#define SURFACE_MS INT32_C(455000)
#define RELAY_SET_MS INT32_C(1215000)

static int32_t ms_of(mission_tick tick)
{
    return (int32_t)tick * TICK_MS;
}

static int32_t earlier(int32_t one_ms, int32_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

/* What does not happen in a profile, or not in time. */
static void let_fail(struct sequence *s, uint8_t profile)
{
    switch (profile) {
    case MARS6_SELECT_PROFILE_PROFILE_PARACHUTE_FAILS:
        s->drogue_ms = NEVER_MS;
        s->main_ms = NEVER_MS;
        s->cone_ms = NEVER_MS;
        break;
    case MARS6_SELECT_PROFILE_PROFILE_MAIN_FAILS:
        s->main_ms = NEVER_MS;
        s->cone_ms = NEVER_MS;
        break;
    case MARS6_SELECT_PROFILE_PROFILE_CONE_STICKS:
        s->cone_ms = NEVER_MS;
        break;
    case MARS6_SELECT_PROFILE_PROFILE_RETROS_EARLY:
        s->fire_at_dm = FIRE_EARLY_DM;
        break;
    case MARS6_SELECT_PROFILE_PROFILE_RETROS_LATE:
        s->fire_at_dm = FIRE_LATE_DM;
        break;
    case MARS6_SELECT_PROFILE_PROFILE_RETROS_NEVER:
        s->dud = true;
        break;
    case MARS6_SELECT_PROFILE_PROFILE_ALTIMETER_BLIND:
        s->blind = true;
        break;
    default:
        break;
    }
}

void sequencer_plan(struct sequence *s, uint8_t profile)
{
    const bool silent = sequencer_falls_silent(profile);

    *s = (struct sequence){
        .drogue_ms = INT32_C(159000),
        .main_ms = INT32_C(212670),
        .cone_ms = INT32_C(218670),
        .lock_ms = NEVER_MS,
        .retro_arm_ms = INT32_C(308000),
        .retro_fire_ms = NEVER_MS,
        .silence_ms = silent ? INT32_C(312000) : NEVER_MS,
        .ground_ms = NEVER_MS,
        .fire_at_dm = silent ? 0 : FIRE_AT_DM,
    };
    let_fail(s, profile);
}

bool sequencer_falls_silent(uint8_t profile)
{
    return profile == MARS6_SELECT_PROFILE_PROFILE_HISTORICAL || profile == MARS6_SELECT_PROFILE_PROFILE_DEGRADED;
}

/* The low channel's look: two of them give the rate of fall, and with it when 20 m are passed. */
static void look_low(struct sequence *s, int32_t now, int32_t low_dm)
{
    const int32_t fallen_dm = s->low_dm - low_dm;

    s->low_dm = (uint16_t)low_dm;
    if (now < s->retro_arm_ms || s->dud || fallen_dm <= 0)
        return;
    const int32_t wait_ms = low_dm > s->fire_at_dm ? (low_dm - s->fire_at_dm) * LOOK_MS / fallen_dm : 0;
    if (wait_ms < LOOK_MS)
        s->retro_fire_ms = now + wait_ms;
}

/* What the radio altimeter makes of the ground, at one of its looks below its ceiling. */
static void look(struct sequence *s, int32_t now, int32_t altitude_mm)
{
    const int32_t low_dm = (altitude_mm + 50) / 100;

    if (s->lock_ms == NEVER_MS) {
        if (s->blind || now < s->cone_ms)
            return;
        s->lock_ms = now;
    }
    if (s->fire_at_dm != 0u && low_dm < LOW_CHANNEL_DM && now < earlier(s->retro_fire_ms, s->ground_ms))
        look_low(s, now, low_dm);
}

uint16_t sequencer_step(struct sequence *s, mission_tick tick, int64_t altitude_mm, int32_t speed_mms)
{
    const int32_t now = ms_of(tick);
    uint16_t found = 0;

    if (tick_is(tick, ALTIMETER_PERIOD_TICKS, 0) && altitude_mm <= ALTIMETER_CEILING_MM)
        look(s, now, (int32_t)altitude_mm);
    if (altitude_mm <= 0 && s->ground_ms == NEVER_MS) {
        s->ground_ms = now;
        s->crashed = speed_mms >= SURVIVED_BELOW_MMS;
    }
    /* By the numbers of the events, from ENTRY on. */
    const int32_t at_ms[] = {
        0,          BLACKOUT_START_MS, BLACKOUT_END_MS,  s->drogue_ms,  s->main_ms,
        s->cone_ms, s->lock_ms,        s->retro_arm_ms, s->silence_ms, s->ground_ms,
    };
    for (uint8_t number = MARS6_EVENT_ENTRY; number <= MARS6_EVENT_TOUCHDOWN; number++) {
        const int32_t at = at_ms[number - MARS6_EVENT_ENTRY];

        if (now - TICK_MS < at && at <= now)
            found = (uint16_t)(found | 1u << number);
    }
    if (s->crashed && (found >> MARS6_EVENT_TOUCHDOWN & 1u) != 0u)
        found = (uint16_t)(found + (1u << MARS6_EVENT_IMPACT) - (1u << MARS6_EVENT_TOUCHDOWN));
    return found;
}

static uint8_t phase_on_ground(const struct sequence *s, int32_t now)
{
    if (s->crashed)
        return MARS6_DESCENT_PHASE_CRASHED;
    return now >= SURFACE_MS && now > s->ground_ms ? MARS6_DESCENT_PHASE_SURFACE : MARS6_DESCENT_PHASE_LANDED;
}

uint8_t sequencer_phase(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    if (now >= s->silence_ms)
        return MARS6_DESCENT_PHASE_LOST;
    if (now >= s->ground_ms)
        return phase_on_ground(s, now);
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
    if (now >= BLACKOUT_START_MS)
        return MARS6_DESCENT_PHASE_BLACKOUT;
    return now >= 0 ? MARS6_DESCENT_PHASE_ENTRY : MARS6_DESCENT_PHASE_COAST;
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

/* Thrust in mN, the mean over a step: a burn begins and ends between steps. */
static int32_t thrust_of(const struct sequence *s, int32_t start_ms, int32_t step_ms)
{
    const int32_t since_fire = start_ms - s->retro_fire_ms;

    return (int32_t)(RETRO_THRUST_MN * (burnt_ms(since_fire + step_ms) - burnt_ms(since_fire)) / step_ms);
}

void sequencer_vehicle(const struct sequence *s, int32_t start_ms, int32_t step_ms, struct vehicle *v)
{
    const int32_t middle = start_ms + step_ms / 2;

    /* Mass and the drag that moves the lander are those at the middle of the step, where the motion looks. */
    v->mass_g = middle >= s->cone_ms ? MASS_TERMINAL_G : MASS_ENTRY_G;
    v->cda_middle_cm2 = cda_at(s, middle);
    v->cda_end_cm2 = cda_at(s, start_ms + step_ms);
    v->thrust_mn = thrust_of(s, start_ms, step_ms);
}

bool sequencer_transmits(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    return now >= BLACKOUT_END_MS && now < earlier(s->silence_ms, RELAY_SET_MS) && now <= s->ground_ms;
}

bool sequencer_on_surface(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    return !s->crashed && now > s->ground_ms && now >= SURFACE_MS && now < earlier(s->silence_ms, RELAY_SET_MS);
}

bool sequencer_on_ground(const struct sequence *s, mission_tick tick)
{
    return ms_of(tick) >= s->ground_ms;
}

uint8_t sequencer_retro(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    if (now < s->retro_fire_ms)
        return now >= s->retro_arm_ms ? MARS6_LANDER_SYSTEMS_RETRO_ARMED : MARS6_LANDER_SYSTEMS_RETRO_SAFE;
    return now - s->retro_fire_ms < RETRO_BURN_MS ? MARS6_LANDER_SYSTEMS_RETRO_FIRING : MARS6_LANDER_SYSTEMS_RETRO_BURNT;
}

int32_t sequencer_thrust_mn(const struct sequence *s, mission_tick tick)
{
    return thrust_of(s, ms_of(tick), TICK_MS);
}

bool sequencer_locked(const struct sequence *s, mission_tick tick)
{
    return ms_of(tick) >= s->lock_ms;
}

bool sequencer_can_deploy(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    if (tick < 0 || now >= s->ground_ms)
        return false;
    if (now < s->drogue_ms)
        return s->drogue_ms != NEVER_MS;
    return now < s->main_ms && s->main_ms != NEVER_MS;
}

void sequencer_deploy(struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    if (now < s->drogue_ms) {
        s->drogue_ms = now;
        return;
    }
    s->main_ms = now;
    if (s->cone_ms != NEVER_MS)
        s->cone_ms = now + CONE_AFTER_MAIN_MS;
}

bool sequencer_can_fire(const struct sequence *s, mission_tick tick)
{
    const int32_t now = ms_of(tick);

    return !s->dud && now >= s->retro_arm_ms && now < earlier(s->retro_fire_ms, s->ground_ms);
}

void sequencer_fire(struct sequence *s, mission_tick tick)
{
    s->retro_fire_ms = ms_of(tick);
}
