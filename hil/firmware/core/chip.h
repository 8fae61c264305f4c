/* Faults of the lander's failing transistors: four ways in which they corrupt its frames (docs/lander.md). */
#ifndef CORE_CHIP_H
#define CORE_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "../generated/lander_packets.h"

#define CHIP_FAULTS 4u
#define CHIP_WORDS 14u    /* whole 16-bit words of DESCENT's body */
#define CHIP_STUCK_MAX 7u /* of them, at full level */
/* Chances of a draw: of a broken bond to heal, and of each bit to flip while it is broken. */
#define CHIP_HEAL_CHANCE UINT32_C(214748365)
#define CHIP_BROKEN_CHANCE UINT32_C(858993459)

struct chip {
    uint32_t draws[CHIP_FAULTS]; /* generators, by the number of the fault less one */
    uint8_t levels[CHIP_FAULTS]; /* in percent; 0 is off */
    bool broken;                 /* the bond, just now */
    uint8_t stuck_words[CHIP_STUCK_MAX];
    uint16_t stuck_values[CHIP_STUCK_MAX];
};

void chip_init(struct chip *c);

/* `fault` is a MARS6_INJECT_FAULT_FAULT_…; one that is on is replaced. */
void chip_inject(struct chip *c, uint8_t fault, uint8_t level, uint32_t seed);

/* End one fault, or all (0). */
void chip_clear(struct chip *c, uint8_t fault);

/* What happens to DESCENT's body before its CRC. */
void chip_corrupt_body(struct chip *c, uint8_t *body, uint8_t length);

/* What happens to a finished frame with its ASM. */
void chip_corrupt_frame(struct chip *c, uint8_t *wire, uint8_t length);

/* One draw for each bit, most significant first: it flips if the draw is below the chance. Returns the generator's state. */
uint32_t chip_flip(uint32_t state, uint32_t chance, uint8_t *bytes, uint8_t length);

/* Put the upper bits of a stuck word into DESCENT's body. */
void chip_stick(uint8_t *body, uint8_t word, uint16_t upper);

#endif
