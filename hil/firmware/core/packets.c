#include "packets.h"

#include "crc.h"

#define PUS_C 2u
#define UNSEGMENTED 3u
#define IDLE_APID 0x7FFu
#define IDLE_FILL 0x55u
/* Tick 0 is 12 March 1974, 09:05:53 UTC; CDS counts days from 1 January 1958. No flight reaches midnight, and none begins
 * before it: separation is at 05:01:56. */
#define EPOCH_DAY 5914u
#define EPOCH_MS_OF_DAY INT32_C(32753000)

static void put_header(uint8_t *out, uint16_t apid, bool secondary, uint16_t sequence, uint8_t size)
{
    const struct mars6_packet_header header = {
        .has_secondary_header = secondary,
        .apid = apid,
        .segmentation = UNSEGMENTED,
        .sequence = sequence,
        .data_length = (uint16_t)(size - MARS6_PACKET_HEADER_SIZE - 1u),
    };

    mars6_pack_packet_header(out, &header);
}

uint8_t packet_wrap(uint8_t *out, uint16_t apid, uint8_t service, uint8_t subtype, uint8_t size, uint16_t sequence,
                    mission_tick tick)
{
    const struct mars6_tm_header secondary = {
        .version_pus = PUS_C,
        .service = service,
        .subtype = subtype,
        .counter = sequence,
        .time_day = EPOCH_DAY,
        .time_ms_of_day = (uint32_t)(EPOCH_MS_OF_DAY + (int32_t)tick * TICK_MS),
    };

    put_header(out, apid, true, sequence, size);
    mars6_pack_tm_header(out + MARS6_PACKET_HEADER_SIZE, &secondary);
    crc16_append(out, (uint16_t)(size - MARS6_CRC_SIZE));
    return size;
}

void packet_idle(uint8_t *out, uint8_t size, uint16_t sequence)
{
    put_header(out, IDLE_APID, false, sequence, size);
    for (uint8_t at = MARS6_PACKET_HEADER_SIZE; at < size; at++)
        out[at] = IDLE_FILL;
}
