/* CRC-16 of CCSDS 132.0-B §4.1.6 (FECF) and of PUS packets: polynomial 1021h, preset FFFFh, no reflection. */
#ifndef CORE_CRC_H
#define CORE_CRC_H

#include <stdint.h>

/* Over bytes that end in their own CRC the result is 0. */
uint16_t crc16(const uint8_t *bytes, uint16_t length);

/* Append the CRC of `length` bytes to them. */
void crc16_append(uint8_t *bytes, uint16_t length);

#endif
