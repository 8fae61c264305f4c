#include "telemetry.h"

#include "lander.h"
#include "packets.h"

#define HUNDREDTH_KN_MN 10000

static void report_event(struct lander *l, uint8_t number)
{
    const uint32_t speed_mms = (uint32_t)l->motion.speed_mms;
    /* The speed at the ground in cm/s, else the altitude in m. */
    const uint32_t first =
        number >= MARS6_EVENT_TOUCHDOWN ? speed_mms / 10u : (uint32_t)(l->motion.altitude_um / 1000000);
    struct lander_report report = {.tick = report_tick(l->tick), .number = number & 0xFu};

    report.is.event.first = first & 0x1FFFFu;
    report.is.event.speed_ms = speed_mms / 1000u & 0x1FFFu;
    transmitter_report_lander(&l->transmitter, &report);
    l->events_sent++;
}

void telemetry_milestones(struct lander *l, uint16_t passed)
{
    if (sequencer_phase(&l->sequence, l->tick) == MARS6_DESCENT_PHASE_LOST)
        return;
    for (uint8_t number = MARS6_EVENT_ENTRY; number <= MARS6_EVENT_IMPACT; number++) {
        if (((unsigned)passed >> number & 1u) != 0u)
            report_event(l, number);
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
    if (lander_is_degraded(l))
        wear_corrupt_body(&l->wear, l->tick, out + MARS6_TM_BODY_OFFSET, MARS6_DESCENT_SIZE);
    chip_corrupt_body(&l->chip, out + MARS6_TM_BODY_OFFSET, MARS6_DESCENT_SIZE);
    return PACKET_WRAP(out, DESCENT, transmitter_count(&l->transmitter.counts.descent), l->tick);
}

/* What LANDER_SYSTEMS reports of this tick. */
static void note_systems(struct lander *l)
{
    l->systems = (struct mars6_lander_systems){
        .tick = l->tick,
        .peak_deceleration = l->vitals.peak,
        .mean_deceleration = vitals_mean(&l->vitals),
        .swing = vitals_swing(&l->sequence, l->tick),
        .retro = sequencer_retro(&l->sequence, l->tick),
        .thrust = (uint16_t)(sequencer_thrust_mn(&l->sequence, l->tick) / HUNDREDTH_KN_MN),
        .battery_voltage = vitals_voltage_cv(&l->vitals),
        .battery_current = vitals_current_ca(&l->vitals),
        .transmitter_power = vitals_power_dw(&l->vitals),
    };
    l->systems_wait = true;
}

static uint8_t encode_systems(struct lander *l, uint8_t *out)
{
    l->systems_wait = false;
    mars6_pack_lander_systems(out + MARS6_TM_BODY_OFFSET, &l->systems);
    return PACKET_WRAP(out, LANDER_SYSTEMS, transmitter_count(&l->transmitter.counts.systems),
                       (mission_tick)l->systems.tick);
}

static void send_science(struct lander *l, bool last)
{
    struct transmitter *t = &l->transmitter;

    bus_hear(&l->bus, l->tick);
    transmitter_begin(t, &t->lander);
    transmitter_add(t, encode_descent(l, transmitter_place(t)));
    if (l->systems_wait)
        transmitter_add(t, encode_systems(l, transmitter_place(t)));
    lander_send_frame(l, &t->lander);
    /* What waits after the frame of the ground is sent at once: there is no later one. */
    while (last && transmitter_waits(&t->lander)) {
        bus_hear(&l->bus, l->tick);
        transmitter_begin(t, &t->lander);
        lander_send_frame(l, &t->lander);
    }
}

static void send_descent(struct lander *l)
{
    if (lander_is_degraded(l))
        wear_age(&l->wear, l->tick);
    if (tick_is(l->tick, TICKS_PER_S, 0))
        telemetry_housekeeping(l);
    /* The frame of the tick that reaches the ground comes whatever the period, and its event needs the room. */
    const bool last = sequencer_on_ground(&l->sequence, l->tick);

    if (tick_is(l->tick, TICKS_PER_S, VITALS_PHASE) && !last)
        note_systems(l);
    if (tick_is(l->tick, l->frame_period, 0) || last)
        send_science(l, last);
}

static uint8_t encode_surface(struct lander *l, uint8_t *out)
{
    const struct mars6_surface body = {
        .tick = l->tick,
        .temperature = surface_temperature(&l->surface, l->tick, l->sequence.ground_ms),
        .pressure = surface_pressure(&l->surface),
        .battery_voltage = vitals_voltage_cv(&l->vitals),
        .battery_current = vitals_current_ca(&l->vitals),
        .transmitter_power = vitals_power_dw(&l->vitals),
    };

    mars6_pack_surface(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, SURFACE, transmitter_count(&l->transmitter.counts.surface), l->tick);
}

/* By hand: the 80 intensities as a structure would not fit on the stack of a small chip. */
static uint8_t encode_spectrum(struct lander *l, uint8_t *out)
{
    const struct mars6_alive tick = {.tick = l->tick};
    uint8_t *const body = out + MARS6_TM_BODY_OFFSET;

    _Static_assert(MARS6_SPECTRUM_SIZE == MARS6_ALIVE_SIZE + 2u + SURFACE_MASSES, "tick, sweep, intensities");
    surface_sweep(&l->surface, body + MARS6_ALIVE_SIZE + 2u);
    mars6_pack_alive(body, &tick);
    body[MARS6_ALIVE_SIZE] = (uint8_t)(l->surface.sweeps >> 8);
    body[MARS6_ALIVE_SIZE + 1u] = (uint8_t)(l->surface.sweeps & 0xFFu);
    return PACKET_WRAP(out, SPECTRUM, transmitter_count(&l->transmitter.counts.spectrum), l->tick);
}

/* A frame on VC1, with the one packet that is due. */
static void send_surface(struct lander *l)
{
    struct transmitter *t = &l->transmitter;
    uint8_t *const out = t->wire + DATA_OFFSET;
    uint8_t size;

    if (tick_is(l->tick, SURFACE_READING_TICKS, SURFACE_READING_PHASE))
        size = encode_surface(l, out);
    else if (tick_is(l->tick, SURFACE_SWEEP_TICKS, SURFACE_SWEEP_PHASE))
        size = encode_spectrum(l, out);
    else
        return;
    bus_hear(&l->bus, l->tick);
    transmitter_finish_surface(t, size, farm1_clcw(&l->farm));
    l->send(l->port, t->wire, WIRE_SIZE);
}

bool telemetry_radiates(const struct lander *l)
{
    return l->transmitter_on
        && (sequencer_transmits(&l->sequence, l->tick) || sequencer_on_surface(&l->sequence, l->tick));
}

void telemetry_lander_frame(struct lander *l)
{
    if (!telemetry_radiates(l))
        return;
    if (sequencer_on_surface(&l->sequence, l->tick))
        send_surface(l);
    else
        send_descent(l);
}
