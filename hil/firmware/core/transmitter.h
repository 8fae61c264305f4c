/* Packets into frames: the sending end of CCSDS 132.0-B for the lander's and the bus's virtual channel.
 *
 * A frame is built in one buffer: transmitter_begin puts what the channel's last frame could not hold at its start, the
 * caller adds this tick's own packet at transmitter_place, transmitter_finish fills up from the queue and closes it. */
#ifndef CORE_TRANSMITTER_H
#define CORE_TRANSMITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "../generated/lander_packets.h"
#include "queue.h"

#define ASM_SIZE 4u
#define FRAME_HEADER_SIZE 6u
#define FRAME_SIZE 128u
#define FRAME_DATA_SIZE 116u /* without header, OCF and FECF */
#define WIRE_SIZE (ASM_SIZE + FRAME_SIZE)
#define DATA_OFFSET (ASM_SIZE + FRAME_HEADER_SIZE)
/* A packet is cut only if a byte of it fits: less than the longest that waits, LANDER_HK. */
#define CARRY_MAX (MARS6_LANDER_HK_PACKET_SIZE - 1u)

/* What counts on every virtual channel. */
struct channel_counts {
    uint8_t vcfc;
    uint16_t idle; /* sequence count of idle packets */
    uint16_t sent;
};

struct channel {
    struct channel_counts counts;
    struct queue queue;
    uint8_t carry[CARRY_MAX];
    uint8_t carry_length;
    bool cut; /* what is left over is of a packet, not of idle fill */
    uint16_t dropped;
    uint16_t queued_bytes;
};

/* Sequence counts, one an APID. */
struct counts {
    uint16_t descent;
    uint16_t lander_hk;
    uint16_t lander_event;
    uint16_t systems;
    uint16_t surface;
    uint16_t spectrum;
    uint16_t bus_hk;
    uint16_t bus_orbit;
    uint16_t magnetometer;
    uint16_t plasma;
    uint16_t cosmic_rays;
    uint16_t micrometeoroids;
    uint16_t particles;
    uint16_t bus_event;
    uint16_t report;
};

struct transmitter {
    struct channel lander;
    struct channel bus;
    struct channel_counts surface; /* nothing waits there: each of its frames holds one whole packet */
    struct counts counts;
    struct lander_report lander_reports[QUEUE_LIMIT];
    struct bus_report bus_reports[QUEUE_LIMIT];
    uint8_t mcfc;
    uint8_t used; /* bytes of the data field so far */
    /* The last packet may reach over the data field before it is cut. Between frames the caller may use it as scratch. */
    uint8_t wire[DATA_OFFSET + FRAME_DATA_SIZE + CARRY_MAX];
};

void transmitter_init(struct transmitter *t);

/* The count of a packet that is being built. */
uint16_t transmitter_count(uint16_t *count);

/* Let a packet wait; its sequence count is used up even if the queue is full. */
void transmitter_report_lander(struct transmitter *t, struct lander_report *report);
void transmitter_report_bus(struct transmitter *t, struct bus_report *report);

/* Whether a packet waits on a channel, whole or in part; idle fill does not count. */
bool transmitter_waits(const struct channel *c);

/* Bytes that wait on a channel, idle fill included. */
uint16_t transmitter_backlog(const struct channel *c);

void transmitter_begin(struct transmitter *t, const struct channel *c);
uint8_t *transmitter_place(struct transmitter *t);
void transmitter_add(struct transmitter *t, uint8_t size);

/* The frame is then in `wire`, ASM first, WIRE_SIZE bytes. */
void transmitter_finish(struct transmitter *t, struct channel *c, uint32_t clcw);

/* The same for VC1, from a packet of at most FRAME_DATA_SIZE - PACKET_IDLE_MIN bytes at DATA_OFFSET. */
void transmitter_finish_surface(struct transmitter *t, uint8_t size, uint32_t clcw);

#endif
