#include "telemetry.h"

#include "lander.h"
#include "packets.h"

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

    bus_hear(&l->bus, l->tick);
    transmitter_begin(t, &t->lander);
    transmitter_add(t, encode_descent(l, transmitter_place(t)));
    lander_send_frame(l, &t->lander);
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
