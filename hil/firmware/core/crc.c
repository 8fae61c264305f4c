#include "crc.h"

uint16_t crc16(const uint8_t *bytes, uint16_t length)
{
    uint16_t crc = 0xFFFFu;

    /* Byte-wise without a table: the quotient of the leading byte folds into four shifts. */
    for (uint16_t at = 0; at < length; at++) {
        uint8_t lead = (uint8_t)(crc >> 8 ^ bytes[at]);
        lead = (uint8_t)(lead ^ lead >> 4);
        crc = (uint16_t)((uint32_t)crc << 8 ^ (uint32_t)lead << 12 ^ (uint32_t)lead << 5 ^ lead);
    }
    return crc;
}

void crc16_append(uint8_t *bytes, uint16_t length)
{
    const uint16_t crc = crc16(bytes, length);

    bytes[length] = (uint8_t)(crc >> 8);
    bytes[length + 1u] = (uint8_t)(crc & 0xFFu);
}
