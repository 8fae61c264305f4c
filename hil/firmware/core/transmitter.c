#include "transmitter.h"

#include "bytes.h"
#include "crc.h"
#include "orbit.h"
#include "packets.h"

#define SEQUENCE_MASK 0x3FFFu

void transmitter_init(struct transmitter *t)
{
    memset(t, 0, sizeof *t);
}

uint16_t transmitter_count(uint16_t *count)
{
    const uint16_t now = *count;

    *count = (uint16_t)((now + 1u) & SEQUENCE_MASK);
    return now;
}

static uint8_t size_of_lander_report(const struct lander_report *report)
{
    return report->number == 0u ? MARS6_LANDER_HK_PACKET_SIZE : MARS6_LANDER_EVENT_PACKET_SIZE;
}

void transmitter_report_lander(struct transmitter *t, struct lander_report *report)
{
    uint16_t *count = report->number == 0u ? &t->counts.lander_hk : &t->counts.lander_event;
    uint8_t slot;

    report->sequence = transmitter_count(count) & SEQUENCE_MASK;
    if (!queue_put(&t->lander.queue, &slot)) {
        t->lander.dropped++;
        return;
    }
    t->lander_reports[slot] = *report;
    t->lander.queued_bytes = (uint16_t)(t->lander.queued_bytes + size_of_lander_report(report));
}

void transmitter_report_bus(struct transmitter *t, struct bus_report *report)
{
    const bool event = report->word >= BUS_RELAY_LOCK;
    uint8_t slot;

    report->sequence = transmitter_count(event ? &t->counts.bus_event : &t->counts.report) & SEQUENCE_MASK;
    if (!queue_put(&t->bus.queue, &slot)) {
        t->bus.dropped++;
        return;
    }
    t->bus_reports[slot] = *report;
}

bool transmitter_waits(const struct channel *c)
{
    return c->cut || c->queue.waiting > 0u;
}

uint16_t transmitter_backlog(const struct channel *c)
{
    return (uint16_t)(c->carry_length + c->queued_bytes);
}

void transmitter_begin(struct transmitter *t, const struct channel *c)
{
    memcpy(t->wire + DATA_OFFSET, c->carry, c->carry_length);
    t->used = c->carry_length;
}

uint8_t *transmitter_place(struct transmitter *t)
{
    return t->wire + DATA_OFFSET + t->used;
}

void transmitter_add(struct transmitter *t, uint8_t size)
{
    t->used = (uint8_t)(t->used + size);
}

static uint8_t encode_lander_event(uint8_t *out, const struct lander_report *report)
{
    const struct mars6_lander_event body = {
        .number = report->number,
        .tick = report->tick,
        .a = (int32_t)report->is.event.first,
        .b = (int32_t)report->is.event.speed_ms,
    };

    mars6_pack_lander_event(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, LANDER_EVENT, report->sequence, report->tick);
}

static uint8_t encode_lander_hk(uint8_t *out, const struct lander_report *report)
{
    const struct mars6_lander_hk body = {
        .tick = report->tick,
        .dictionary_hash = MARS6_DICTIONARY_HASH,
        .frames_sent = report->is.hk.frames_sent,
        .events_sent = report->is.hk.events_sent,
        .commands_accepted = report->is.hk.commands_accepted,
        .commands_rejected = report->is.hk.commands_rejected,
        .transmitter_on = report->is.hk.transmitter_on != 0u,
        .backlog = report->is.hk.backlog,
    };

    mars6_pack_lander_hk(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, LANDER_HK, report->sequence, report->tick);
}

static uint8_t encode_bus_event(uint8_t *out, const struct bus_report *report)
{
    struct mars6_bus_event body = {.tick = report->tick, .a = (int32_t)report->argument};

    if (report->word == BUS_RELAY_SET) {
        /* The elevation is that of its tick. */
        body.number = MARS6_EVENT_RELAY_SET;
        body.a = orbit_elevation(report->tick);
        body.b = (int32_t)report->argument;
    } else if (report->word == BUS_BOW_SHOCK) {
        body.number = MARS6_EVENT_BOW_SHOCK;
    } else {
        body.number = report->word == BUS_RELAY_LOCK ? MARS6_EVENT_RELAY_LOCK : MARS6_EVENT_RELAY_LOST;
    }
    mars6_pack_bus_event(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, BUS_EVENT, report->sequence, report->tick);
}

static uint8_t encode_alive(uint8_t *out, const struct bus_report *report)
{
    const struct mars6_alive body = {.tick = report->tick};

    mars6_pack_alive(out + MARS6_TM_BODY_OFFSET, &body);
    return PACKET_WRAP(out, ALIVE, report->sequence, report->tick);
}

static uint8_t encode_success(uint8_t *out, const struct bus_report *report)
{
    const struct mars6_command_accepted body = {.request = report->argument, .tick = report->tick};

    /* COMMAND_COMPLETED has the same body. */
    mars6_pack_command_accepted(out + MARS6_TM_BODY_OFFSET, &body);
    if (report->word == BUS_ACCEPTED)
        return PACKET_WRAP(out, COMMAND_ACCEPTED, report->sequence, report->tick);
    return PACKET_WRAP(out, COMMAND_COMPLETED, report->sequence, report->tick);
}

static uint8_t encode_failure(uint8_t *out, const struct bus_report *report)
{
    const struct mars6_command_refused body = {
        .request = report->argument,
        .tick = report->tick,
        .failure = report->word,
    };

    /* COMMAND_FAILED has the same body. */
    mars6_pack_command_refused(out + MARS6_TM_BODY_OFFSET, &body);
    if (report->word == MARS6_COMMAND_FAILED_FAILURE_WRONG_STATE)
        return PACKET_WRAP(out, COMMAND_FAILED, report->sequence, report->tick);
    return PACKET_WRAP(out, COMMAND_REFUSED, report->sequence, report->tick);
}

static uint8_t encode_bus_report(uint8_t *out, const struct bus_report *report)
{
    switch (report->word) {
    case BUS_RELAY_LOCK:
    case BUS_RELAY_LOST:
    case BUS_RELAY_SET:
    case BUS_BOW_SHOCK:
        return encode_bus_event(out, report);
    case BUS_ALIVE:
        return encode_alive(out, report);
    case BUS_ACCEPTED:
    case BUS_COMPLETED:
        return encode_success(out, report);
    default:
        return encode_failure(out, report);
    }
}

/* The oldest packet that waits, at the end of the data field so far. */
static uint8_t encode_oldest(struct transmitter *t, struct channel *c)
{
    const uint8_t slot = queue_take(&c->queue);
    uint8_t *out = transmitter_place(t);

    if (c == &t->bus)
        return encode_bus_report(out, &t->bus_reports[slot]);
    const struct lander_report *report = &t->lander_reports[slot];
    c->queued_bytes = (uint16_t)(c->queued_bytes - size_of_lander_report(report));
    return report->number == 0u ? encode_lander_hk(out, report) : encode_lander_event(out, report);
}

/* One idle packet over what is left; it may reach into the next frame. */
static void fill(struct transmitter *t, struct channel_counts *counts)
{
    const uint8_t room = (uint8_t)(FRAME_DATA_SIZE - t->used);
    const uint8_t size = room > PACKET_IDLE_MIN ? room : PACKET_IDLE_MIN;

    packet_idle(transmitter_place(t), size, transmitter_count(&counts->idle));
    transmitter_add(t, size);
}

/* Everything around the data field. */
static void close_frame(struct transmitter *t, uint8_t vcid, struct channel_counts *counts, uint8_t pointer,
                        uint32_t clcw)
{
    static const uint8_t unsegmented = 3;
    const uint16_t identity = (uint16_t)(MARS6_SCID << 4 | (uint32_t)vcid << 1 | 1u); /* version 0, OCF present */
    uint8_t *const w = t->wire;
    uint8_t *const end = w + DATA_OFFSET + FRAME_DATA_SIZE;

    w[0] = 0x1A;
    w[1] = 0xCF;
    w[2] = 0xFC;
    w[3] = 0x1D;
    w[4] = (uint8_t)(identity >> 8);
    w[5] = (uint8_t)(identity & 0xFFu);
    w[6] = t->mcfc++;
    w[7] = counts->vcfc++;
    /* No secondary header; what is left over is shorter than a frame, so that a packet starts in each. */
    w[8] = (uint8_t)(unsegmented << 3);
    w[9] = pointer;
    end[0] = (uint8_t)(clcw >> 24);
    end[1] = (uint8_t)(clcw >> 16 & 0xFFu);
    end[2] = (uint8_t)(clcw >> 8 & 0xFFu);
    end[3] = (uint8_t)(clcw & 0xFFu);
    crc16_append(w + ASM_SIZE, FRAME_SIZE - 2u);
    counts->sent++;
}

void transmitter_finish(struct transmitter *t, struct channel *c, uint32_t clcw)
{
    const uint8_t pointer = c->carry_length;

    while (t->used < FRAME_DATA_SIZE && c->queue.waiting > 0u)
        transmitter_add(t, encode_oldest(t, c));
    c->cut = t->used > FRAME_DATA_SIZE;
    if (t->used < FRAME_DATA_SIZE)
        fill(t, &c->counts);
    c->carry_length = (uint8_t)(t->used - FRAME_DATA_SIZE);
    memcpy(c->carry, t->wire + DATA_OFFSET + FRAME_DATA_SIZE, c->carry_length);
    close_frame(t, c == &t->bus ? MARS6_VC_BUS : MARS6_VC_LANDER, &c->counts, pointer, clcw);
}

void transmitter_finish_surface(struct transmitter *t, uint8_t size, uint32_t clcw)
{
    t->used = size;
    fill(t, &t->surface);
    close_frame(t, MARS6_VC_SURFACE, &t->surface, 0, clcw);
}
