#include "telemetry.h"

#include "lander.h"
#include "packets.h"

#define RELAY_HOLD_TICKS 5u
#define SILENCE_MAX UINT16_C(0xFFFF)
/* Bus to lander: 2,030 km at tick 0, 1,690 km at tick 3,120, 1,610 km at tick 4,550; straight lines between. */
#define RANGE_START_KM 2030
#define RANGE_LOST_KM 1690
#define RANGE_END_KM 1610
#define RANGE_LOST_TICK INT32_C(3120)
#define RANGE_END_TICK INT32_C(4550)

static void send_frame(struct lander *l, struct channel *c)
{
    transmitter_finish(&l->transmitter, c, farm1_clcw(&l->farm));
    if (c == &l->transmitter.lander)
        chip_corrupt_frame(&l->chip, l->transmitter.wire, WIRE_SIZE);
    l->send(l->port, l->transmitter.wire, WIRE_SIZE);
}

void telemetry_milestones(struct lander *l, uint16_t passed)
{
    if (sequencer_phase(&l->sequence, l->tick) == MARS6_DESCENT_PHASE_LOST)
        return;
    for (uint8_t number = MARS6_EVENT_ENTRY; number <= MARS6_EVENT_LOSS_OF_SIGNAL; number++) {
        struct lander_report report = {.tick = report_tick(l->tick), .number = number & 0xFu};

        if (((unsigned)passed >> number & 1u) == 0u)
            continue;
        report.is.event.altitude_m = (uint32_t)(l->motion.altitude_um / 1000000) & 0x1FFFFu;
        report.is.event.speed_ms = (uint32_t)(l->motion.speed_mms / 1000) & 0x1FFFu;
        transmitter_report_lander(&l->transmitter, &report);
        l->events_sent++;
    }
}

void telemetry_housekeeping(struct lander *l)
{
    struct lander_report report = {.tick = report_tick(l->tick), .number = 0u};

    report.is.hk.frames_sent = l->transmitter.lander.counts.sent & 0xFFFu;
    report.is.hk.backlog = transmitter_backlog(&l->transmitter.lander) & 0x7FFu;
    report.is.hk.events_sent = l->events_sent & 0x1Fu;
    report.is.hk.transmitter_on = l->transmitter_on ? 1u : 0u;
    report.is.hk.commands_accepted = l->commands.accepted;
    report.is.hk.commands_rejected = l->commands.rejected;
    transmitter_report_lander(&l->transmitter, &report);
}

static uint8_t encode_descent(struct lander *l, uint8_t *out)
{
    const struct mars6_descent body = {
        .tick = l->tick,
        .phase = sequencer_phase(&l->sequence, l->tick),
        .altitude = (uint32_t)(l->motion.altitude_um / 1000),
        .speed = (uint32_t)l->motion.speed_mms,
        .vertical_speed = (int32_t)(l->motion.vertical_ums / 1000),
        .deceleration = l->readings.deceleration,
        .temperature = l->readings.temperature,
        .pressure = l->readings.pressure,
        .altimeter_lock = l->readings.altimeter_lock,
        .radio_altitude = l->readings.radio_altitude,
        .radio_altitude_low = l->readings.radio_altitude_low,
        .pump_current = l->readings.pump_current,
    };

    mars6_pack_descent(out + MARS6_TM_BODY_OFFSET, &body);
    chip_corrupt_body(&l->chip, out + MARS6_TM_BODY_OFFSET, MARS6_DESCENT_SIZE);
    return PACKET_WRAP(out, DESCENT, transmitter_count(&l->transmitter.counts.descent), l->tick);
}

static void send_science(struct lander *l)
{
    struct transmitter *t = &l->transmitter;

    l->relay.last_tick = l->tick;
    l->relay.frames++;
    transmitter_begin(t, &t->lander);
    transmitter_add(t, encode_descent(l, transmitter_place(t)));
    send_frame(l, &t->lander);
}

void telemetry_lander_frame(struct lander *l)
{
    if (!l->transmitter_on || !sequencer_transmits(&l->sequence, l->tick))
        return;
    if (tick_is(l->tick, TICKS_PER_S, 0))
        telemetry_housekeeping(l);
    if (tick_is(l->tick, l->frame_period, 0))
        send_science(l);
}

/* Distance in km from bus to lander; constant after the last known point. */
static uint16_t slant_range_km(int32_t tick)
{
    const int32_t after = tick - RANGE_LOST_TICK;

    if (after <= 0)
        return (uint16_t)(RANGE_START_KM - (RANGE_START_KM - RANGE_LOST_KM) * tick / RANGE_LOST_TICK);
    return (uint16_t)(RANGE_LOST_KM
                      - (RANGE_LOST_KM - RANGE_END_KM) * after / (RANGE_END_TICK - RANGE_LOST_TICK));
}

static uint16_t relay_silence(const struct lander *l)
{
    if (l->relay.last_tick == NO_TICK)
        return SILENCE_MAX;
    const int32_t silence = (int32_t)l->tick - l->relay.last_tick;
    return silence < (int32_t)SILENCE_MAX ? (uint16_t)silence : SILENCE_MAX;
}

/* Once a second the bus looks whether it hears the lander; a change is an event. */
static void watch_relay(struct lander *l)
{
    const bool locked = relay_silence(l) <= RELAY_HOLD_TICKS;
    struct bus_report report = {.argument = l->relay.frames, .tick = report_tick(l->tick)};

    if (locked == l->relay.locked)
        return;
    l->relay.locked = locked;
    report.word = locked ? BUS_RELAY_LOCK : BUS_RELAY_LOST;
    transmitter_report_bus(&l->transmitter, &report);
}

static uint8_t encode_bus_hk(struct lander *l, uint8_t *out)
{
    const struct mars6_bus_hk body = {
        .tick = l->tick,
        .dictionary_hash = MARS6_DICTIONARY_HASH,
        .slant_range = slant_range_km(l->tick),
        .relay_frames = l->relay.frames,
        .relay_lock = l->relay.locked,
        .relay_silence = relay_silence(l),
    };

    mars6_pack_bus_hk(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, BUS_HK, transmitter_count(&l->transmitter.counts.bus_hk), l->tick);
}

void telemetry_bus_frame(struct lander *l)
{
    struct transmitter *t = &l->transmitter;
    const bool second = tick_is(l->tick, TICKS_PER_S, 0);

    if (!second && !transmitter_waits(&t->bus))
        return;
    transmitter_begin(t, &t->bus);
    if (second) {
        watch_relay(l);
        transmitter_add(t, encode_bus_hk(l, transmitter_place(t)));
    }
    send_frame(l, &t->bus);
}

void telemetry_flush(struct lander *l)
{
    struct transmitter *t = &l->transmitter;

    while (transmitter_waits(&t->bus)) {
        transmitter_begin(t, &t->bus);
        send_frame(l, &t->bus);
    }
}

static uint8_t encode_boot(struct lander *l, uint8_t *out, uint8_t reset_reason, uint32_t build_id)
{
    const struct mars6_bus_event body = {
        .number = MARS6_EVENT_BOOT,
        .tick = l->tick,
        .a = reset_reason,
        /* Its bits, whatever the sign. */
        .b = (int32_t)(build_id & UINT32_C(0x7FFFFFFF)),
    };

    mars6_pack_bus_event(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, BUS_EVENT, transmitter_count(&l->transmitter.counts.bus_event), l->tick);
}

static uint8_t encode_fault(struct lander *l, uint8_t *out, const struct fault *fault)
{
    const struct mars6_fault_trace body = {
        .number = MARS6_EVENT_FAULT,
        .tick = l->tick,
        .pc = fault->pc,
        .lr = fault->lr,
        .cfsr = fault->cfsr,
        .stack = fault->stack,
    };

    mars6_pack_fault_trace(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, FAULT_TRACE, transmitter_count(&l->transmitter.counts.bus_event), l->tick);
}

void telemetry_hello(struct lander *l, uint8_t reset_reason, uint32_t build_id, const struct fault *fault)
{
    struct transmitter *t = &l->transmitter;

    transmitter_begin(t, &t->bus);
    transmitter_add(t, encode_bus_hk(l, transmitter_place(t)));
    transmitter_add(t, encode_boot(l, transmitter_place(t), reset_reason, build_id));
    if (fault != NULL)
        transmitter_add(t, encode_fault(l, transmitter_place(t), fault));
    send_frame(l, &t->bus);
}
