#include "lander.h"

#include "bytes.h"
#include "descent.h"
#include "tc.h"
#include "telemetry.h"

/* A tick of 100 ms, in hundredths of a microsecond: SCALE is in hundredths. */
#define PERIOD_AT_SCALE_1 UINT32_C(10000000)

void lander_init(struct lander *l, lander_send *send, void *port)
{
    memset(l, 0, sizeof *l);
    l->send = send;
    l->port = port;
    l->scale = POWER_ON_SCALE;
    cltu_init(&l->cltu);
    farm1_init(&l->farm);
    lander_power_on(l);
}

void lander_power_on(struct lander *l)
{
    transmitter_init(&l->transmitter);
    chip_init(&l->chip);
    dynamics_entry(&l->motion);
    l->tick = 0;
    lander_choose(l, MARS6_SELECT_PROFILE_PROFILE_HISTORICAL, MARS6_SELECT_SPAN_SPAN_DESCENT);
    l->seed = 0;
    memset(&l->readings, 0, sizeof l->readings);
    memset(&l->vitals, 0, sizeof l->vitals);
    bus_init(&l->bus);
    l->commands.accepted = 0;
    l->commands.rejected = 0;
    l->mode = LANDER_READY;
    l->steps_left = 0;
    l->events_sent = 0;
    l->frame_period = 1;
    l->transmitter_on = true;
}

void lander_choose(struct lander *l, uint8_t profile, uint8_t span)
{
    l->profile = profile;
    l->span = span;
    sequencer_plan(&l->sequence, profile);
    l->end_tick = sequencer_falls_silent(profile) ? PASS_TICKS : LANDING_PASS_TICKS;
#ifndef LANDER_DESCENT_ONLY
    l->tick = span == MARS6_SELECT_SPAN_SPAN_ENCOUNTER ? ENCOUNTER_FIRST_TICK : 0;
    if (span == MARS6_SELECT_SPAN_SPAN_ENCOUNTER)
        l->end_tick = ENCOUNTER_END_TICK;
#endif
}

void lander_start(struct lander *l)
{
    transmitter_init(&l->transmitter);
    l->events_sent = 0;
    l->systems_wait = false;
    surface_start(&l->surface, l->seed);
    wear_start(&l->wear, l->seed);
    l->mode = LANDER_RUNNING;
}

bool lander_finished(const struct lander *l)
{
    return l->tick >= l->end_tick;
}

bool lander_clock_stopped(const struct lander *l)
{
    return l->mode != LANDER_RUNNING || lander_finished(l);
}

bool lander_step_pending(const struct lander *l)
{
    return l->steps_left > 0u && !lander_finished(l);
}

uint32_t lander_period_us(const struct lander *l)
{
    return PERIOD_AT_SCALE_1 / l->scale;
}

void lander_hello(struct lander *l, uint8_t reset_reason, uint32_t build_id, const struct fault *fault)
{
    if (l->mode == LANDER_READY)
        bus_hello(l, reset_reason, build_id, fault);
}

bool lander_is_degraded(const struct lander *l)
{
    return l->profile == MARS6_SELECT_PROFILE_PROFILE_DEGRADED;
}

void lander_send_frame(struct lander *l, struct channel *c)
{
    uint8_t *const wire = l->transmitter.wire;

    transmitter_finish(&l->transmitter, c, farm1_clcw(&l->farm));
    if (c == &l->transmitter.lander) {
        if (lander_is_degraded(l))
            wear_corrupt_frame(&l->wear, l->tick, wire, WIRE_SIZE);
        chip_corrupt_frame(&l->chip, wire, WIRE_SIZE);
    }
    l->send(l->port, wire, WIRE_SIZE);
}

/* A frame of a CLTU: what FARM-1 accepts of it is a packet. */
static void receive_frame(struct lander *l, const uint8_t *bytes, uint8_t length)
{
    struct tc_frame frame;

    if (!tc_decode(&frame, bytes, length)) {
        l->frames_dropped++;
        return;
    }
    if (frame.control) {
        farm1_control(&l->farm, frame.data, frame.length);
        return;
    }
    /* There is always room: a command beyond the queue's size is rejected by a report, not by Wait. */
    if (frame.bypass)
        farm1_bypass(&l->farm);
    else if (!farm1_sequenced(&l->farm, frame.ns, true))
        return;
    commands_receive(l, frame.data, frame.length);
}

/* The frames of a CLTU, cut by their length fields; where fill or noise begins there is none. A command may be answered
 * before the next frame is looked at, so the bytes are read again for each: they lie where frames are built. */
static void receive_cltu(struct lander *l)
{
    uint8_t *const data = l->transmitter.wire;
    uint8_t at = 0;

    for (;;) {
        const uint8_t length = cltu_read(&l->cltu, data);
        const uint8_t size = tc_size(data + at, (uint8_t)(length - at));
        if (size == 0u)
            break;
        receive_frame(l, data + at, size);
        at = (uint8_t)(at + size);
    }
    if (at == 0u)
        l->frames_dropped++;
}

void lander_receive(struct lander *l, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        cltu_put(&l->cltu, bytes[at]);
        while (cltu_next(&l->cltu))
            receive_cltu(l);
    }
}

/* The lander crashed in this tick: a flight of the descent alone is over soon. */
static void end_with_crash(struct lander *l)
{
    const mission_tick end = (mission_tick)(l->tick + AFTER_CRASH_TICKS);

    if (l->span == MARS6_SELECT_SPAN_SPAN_DESCENT && !sequencer_falls_silent(l->profile) && end < l->end_tick)
        l->end_tick = end;
}

/* The sequencer steps and the instruments measure. */
static void observe(struct lander *l)
{
    const uint16_t passed =
        sequencer_step(&l->sequence, l->tick, l->motion.altitude_um / 1000, l->motion.speed_mms);

    instruments_measure(&l->readings, &l->motion, l->tick, sequencer_locked(&l->sequence, l->tick));
    vitals_observe(&l->vitals, l->tick, l->readings.deceleration, telemetry_radiates(l));
    telemetry_milestones(l, passed);
    if (((unsigned)passed >> MARS6_EVENT_IMPACT & 1u) != 0u)
        end_with_crash(l);
}

/* Before entry the lander coasts: it neither moves nor measures nor sends. */
static void fly(struct lander *l)
{
    const bool entered = l->tick >= 0;

    if (entered) {
        observe(l);
        telemetry_lander_frame(l);
    }
    bus_transmit(l);
    if (entered)
        descent_tick(&l->motion, &l->sequence, l->tick);
    l->tick++;
    if (l->steps_left > 0u)
        l->steps_left--;
}

void lander_step(struct lander *l)
{
    commands_apply(l);
    if (!lander_finished(l) && (l->mode == LANDER_RUNNING || l->steps_left > 0u))
        fly(l);
}
