#include "bus.h"

#include "lander.h"
#include "packets.h"

#define RELAY_HOLD_TICKS 5u
/* On the surface the lander sends every 10 s. */
#define SURFACE_HOLD_TICKS 105u
#define SURFACE_TICK 4550
#define SILENCE_MAX UINT16_C(0xFFFF)
#define RELAY_MASK 1500 /* 15° */

void bus_init(struct bus *b)
{
    bus_instruments_seed(&b->instruments, 0);
    b->heard = NO_TICK;
    b->frames = 0;
    b->locked = false;
}

void bus_hear(struct bus *b, mission_tick tick)
{
    b->heard = tick;
    b->frames++;
}

static void report(struct lander *l, enum bus_word word, uint32_t argument)
{
    struct bus_report entry = {.argument = argument, .tick = report_tick(l->tick), .word = (uint32_t)word & 0xFu};

    transmitter_report_bus(&l->transmitter, &entry);
}

static uint16_t relay_silence(const struct lander *l)
{
    if (l->bus.heard == NO_TICK)
        return SILENCE_MAX;
    const int32_t silence = (int32_t)l->tick - l->bus.heard;
    return silence < (int32_t)SILENCE_MAX ? (uint16_t)silence : SILENCE_MAX;
}

/* Whether the lander is heard; a change is an event. */
static void watch_relay(struct lander *l)
{
    const uint16_t hold = l->tick < SURFACE_TICK ? RELAY_HOLD_TICKS : SURFACE_HOLD_TICKS;
    const bool locked = relay_silence(l) <= hold;

    if (locked == l->bus.locked)
        return;
    l->bus.locked = locked;
    report(l, locked ? BUS_RELAY_LOCK : BUS_RELAY_LOST, l->bus.frames);
}

/* What the second passes on the way past Mars is an event. */
static void watch_way(struct lander *l, const struct geometry *g)
{
    const int32_t before = (int32_t)l->tick - TICKS_PER_S;
    const int32_t shock = orbit_bow_shock_tick();

    if (before < shock && shock <= l->tick)
        report(l, BUS_BOW_SHOCK, orbit_km(g->altitude));
    if (l->tick > 0 && g->elevation < RELAY_MASK && orbit_elevation(before) >= RELAY_MASK)
        report(l, BUS_RELAY_SET, l->bus.frames);
}

static uint8_t encode_hk(struct lander *l, uint8_t *out, const struct geometry *g)
{
    const struct mars6_bus_hk body = {
        .tick = l->tick,
        .dictionary_hash = MARS6_DICTIONARY_HASH,
        .slant_range = orbit_km(g->slant_range),
        .elevation = g->elevation,
        .relay_frames = l->bus.frames,
        .relay_horizon = l->tick >= 0,
        .relay_lock = l->bus.locked,
        .relay_silence = relay_silence(l),
    };

    mars6_pack_bus_hk(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, BUS_HK, transmitter_count(&l->transmitter.counts.bus_hk), l->tick);
}

static uint8_t encode_orbit(struct lander *l, uint8_t *out, const struct geometry *g)
{
    const struct mars6_bus_orbit body = {
        .tick = l->tick,
        .range = orbit_radius_km(g->altitude),
        .altitude = orbit_km(g->altitude),
        .speed = orbit_speed_ms(g->altitude),
        .light_time = orbit_light_time(g->slant_range),
    };

    mars6_pack_bus_orbit(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, BUS_ORBIT, transmitter_count(&l->transmitter.counts.bus_orbit), l->tick);
}

static uint8_t encode_magnetometer(struct lander *l, uint8_t *out, const struct geometry *g)
{
    int16_t axes[3];

    bus_measure_field(&l->bus.instruments, l->tick, g, axes);
    const struct mars6_magnetometer body = {.tick = l->tick, .bx = axes[0], .by = axes[1], .bz = axes[2]};
    mars6_pack_magnetometer(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, MAGNETOMETER, transmitter_count(&l->transmitter.counts.magnetometer), l->tick);
}

static uint8_t encode_plasma(struct lander *l, uint8_t *out, const struct geometry *g)
{
    struct plasma plasma;

    bus_measure_plasma(&l->bus.instruments, l->tick, g, &plasma);
    const struct mars6_plasma body = {
        .tick = l->tick,
        .energy = plasma.energy,
        .current = plasma.current,
        .speed = plasma.speed,
        .density = plasma.density,
        .temperature = plasma.temperature,
    };
    mars6_pack_plasma(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, PLASMA, transmitter_count(&l->transmitter.counts.plasma), l->tick);
}

static uint8_t encode_cosmic_rays(struct lander *l, uint8_t *out, const struct geometry *g)
{
    const struct mars6_cosmic_rays body = {
        .tick = l->tick,
        .rate = bus_count_cosmic_rays(&l->bus.instruments, g),
    };

    mars6_pack_cosmic_rays(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, COSMIC_RAYS, transmitter_count(&l->transmitter.counts.cosmic_rays), l->tick);
}

static uint8_t encode_micrometeoroids(struct lander *l, uint8_t *out)
{
    const struct mars6_micrometeoroids body = {
        .tick = l->tick,
        .impacts = bus_count_meteoroids(&l->bus.instruments),
    };

    mars6_pack_micrometeoroids(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, MICROMETEOROIDS, transmitter_count(&l->transmitter.counts.micrometeoroids), l->tick);
}

static uint8_t encode_particles(struct lander *l, uint8_t *out)
{
    uint32_t counts[BUS_PARTICLE_CHANNELS];

    bus_count_particles(&l->bus.instruments, l->tick, counts);
    const struct mars6_particles body = {
        .tick = l->tick,
        .proton_1 = counts[0],
        .proton_2 = counts[1],
        .proton_3 = counts[2],
        .proton_4 = counts[3],
        .electron_1 = counts[4],
        .electron_2 = counts[5],
    };
    mars6_pack_particles(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, PARTICLES, transmitter_count(&l->transmitter.counts.particles), l->tick);
}

/* The packet that is due in this second, by the tick modulo a minute; 0 if none is. */
static uint8_t encode_measurement(struct lander *l, uint8_t *out, const struct geometry *g)
{
    if (tick_is(l->tick, 100, 0))
        return encode_magnetometer(l, out, g);
    if (tick_is(l->tick, 100, 20))
        return encode_orbit(l, out, g);
    if (tick_is(l->tick, 200, 50))
        return encode_plasma(l, out, g);
    if (tick_is(l->tick, 600, 70))
        return encode_cosmic_rays(l, out, g);
    if (tick_is(l->tick, 600, 80))
        return encode_micrometeoroids(l, out);
    return tick_is(l->tick, 600, 90) ? encode_particles(l, out) : 0u;
}

void bus_transmit(struct lander *l)
{
    struct transmitter *t = &l->transmitter;
    const bool second = tick_is(l->tick, TICKS_PER_S, 0);
    struct geometry geometry;

    if (!second && !transmitter_waits(&t->bus))
        return;
    transmitter_begin(t, &t->bus);
    if (second) {
        orbit_geometry(&geometry, l->tick);
        watch_relay(l);
        watch_way(l, &geometry);
        transmitter_add(t, encode_hk(l, transmitter_place(t), &geometry));
        transmitter_add(t, encode_measurement(l, transmitter_place(t), &geometry));
    }
    lander_send_frame(l, &t->bus);
}

void bus_flush(struct lander *l)
{
    struct transmitter *t = &l->transmitter;

    while (transmitter_waits(&t->bus)) {
        transmitter_begin(t, &t->bus);
        lander_send_frame(l, &t->bus);
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

void bus_hello(struct lander *l, uint8_t reset_reason, uint32_t build_id, const struct fault *fault)
{
    struct transmitter *t = &l->transmitter;
    struct geometry geometry;

    orbit_geometry(&geometry, l->tick);
    transmitter_begin(t, &t->bus);
    transmitter_add(t, encode_hk(l, transmitter_place(t), &geometry));
    transmitter_add(t, encode_boot(l, transmitter_place(t), reset_reason, build_id));
    if (fault != NULL)
        transmitter_add(t, encode_fault(l, transmitter_place(t), fault));
    lander_send_frame(l, &t->bus);
}
