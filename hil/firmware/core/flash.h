/* Constant tables. A Harvard machine (AVR) keeps them in flash and reads them with instructions of its own; elsewhere
 * they are ordinary constants. Only tables marked FLASH are read with FLASH_U…: no other code is affected. */
#ifndef CORE_FLASH_H
#define CORE_FLASH_H

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define FLASH PROGMEM
#define FLASH_U8(place) ((uint8_t)pgm_read_byte(place))
#define FLASH_U16(place) ((uint16_t)pgm_read_word(place))
#define FLASH_U32(place) ((uint32_t)pgm_read_dword(place))
#else
#define FLASH
#define FLASH_U8(place) (*(place))
#define FLASH_U16(place) (*(place))
#define FLASH_U32(place) (*(place))
#endif

#endif
