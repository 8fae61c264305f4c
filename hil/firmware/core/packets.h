/* Values into PUS telemetry packets, stamped with the time of their tick. The bodies are the dictionary's. */
#ifndef CORE_PACKETS_H
#define CORE_PACKETS_H

#include <stdint.h>

#include "../generated/lander_packets.h"
#include "tick.h"

#define PACKET_IDLE_MIN 7u

/* Write headers and CRC around a body at `out + MARS6_TM_BODY_OFFSET`; returns `size`, the packet's. */
uint8_t packet_wrap(uint8_t *out, uint16_t apid, uint8_t service, uint8_t subtype, uint8_t size, uint16_t sequence,
                    mission_tick tick);

/* The same by the dictionary's name. Not a table: constants would lie in the RAM of an AVR. */
#define PACKET_WRAP(out, name, sequence, tick)                                                                         \
    packet_wrap((out), MARS6_##name##_APID, MARS6_##name##_SERVICE, MARS6_##name##_SUBTYPE,                            \
                MARS6_##name##_PACKET_SIZE, (sequence), (tick))

/* An idle packet of `size` bytes in all, 7 or more. */
void packet_idle(uint8_t *out, uint8_t size, uint16_t sequence);

#endif
