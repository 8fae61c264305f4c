#include "tc.h"

#include "../generated/lander_packets.h"
#include "crc.h"

#define HEADER_SIZE 5u
#define FECF_SIZE 2u
#define VERSION_BITS 0xC0u
#define BYPASS_BIT 0x20u
#define CONTROL_BIT 0x10u

uint8_t tc_size(const uint8_t *bytes, uint8_t length)
{
    if (length <= HEADER_SIZE || (bytes[0] & VERSION_BITS) != 0u)
        return 0;
    const uint16_t size = (uint16_t)(((uint16_t)(bytes[2] & 0x03u) << 8 | bytes[3]) + 1u);
    return size > HEADER_SIZE && size <= length ? (uint8_t)size : 0u;
}

bool tc_decode(struct tc_frame *f, const uint8_t *bytes, uint8_t length)
{
    if (length <= HEADER_SIZE + FECF_SIZE || crc16(bytes, length) != 0u)
        return false;
    const uint16_t scid = (uint16_t)((uint16_t)(bytes[0] & 0x03u) << 8 | bytes[1]);
    const uint8_t vcid = bytes[2] >> 2;
    f->bypass = (bytes[0] & BYPASS_BIT) != 0u;
    f->control = (bytes[0] & CONTROL_BIT) != 0u;
    if (scid != MARS6_SCID || vcid != 0u || (f->control && !f->bypass))
        return false;
    f->ns = bytes[4];
    f->data = bytes + HEADER_SIZE;
    f->length = (uint8_t)(length - HEADER_SIZE - FECF_SIZE);
    return true;
}
