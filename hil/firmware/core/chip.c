#include "chip.h"

#include "bytes.h"
#include "random.h"

#define STUCK_BITS 12
#define PERCENT 100u
/* Chances of a draw of 32 bits; those that depend on the level are of one percent. */
#define BEFORE_CRC_CHANCE UINT32_C(858993)
#define AFTER_CRC_CHANCE UINT32_C(85899)
#define BREAK_CHANCE UINT32_C(1717987)

enum fault_index { STUCK, BEFORE_CRC, AFTER_CRC, BOND };

void chip_init(struct chip *c)
{
    memset(c, 0, sizeof *c);
}

/* The next number of a fault's generator. */
static uint32_t draw(struct chip *c, enum fault_index fault)
{
    c->draws[fault] = random_next(c->draws[fault]);
    return c->draws[fault];
}

static uint8_t stuck_count(uint8_t level)
{
    return (uint8_t)((level * CHIP_STUCK_MAX + PERCENT - 1u) / PERCENT);
}

static void choose_stuck_words(struct chip *c)
{
    for (uint8_t at = 0; at < stuck_count(c->levels[STUCK]); at++) {
        c->stuck_words[at] = (uint8_t)(draw(c, STUCK) % CHIP_WORDS);
        c->stuck_values[at] = (uint16_t)(draw(c, STUCK) & UINT32_C(0xFFF));
    }
}

void chip_inject(struct chip *c, uint8_t fault, uint8_t level, uint32_t seed)
{
    const uint8_t index = (uint8_t)(fault - 1u);

    c->draws[index] = seed != 0u ? seed : RANDOM_DEFAULT_SEED;
    c->levels[index] = level;
    if (index == STUCK)
        choose_stuck_words(c);
    if (index == BOND)
        c->broken = false;
}

void chip_clear(struct chip *c, uint8_t fault)
{
    if (fault == MARS6_CLEAR_FAULTS_FAULT_ALL)
        memset(c->levels, 0, sizeof c->levels);
    else
        c->levels[fault - 1u] = 0;
}

uint32_t chip_flip(uint32_t state, uint32_t chance, uint8_t *bytes, uint8_t length)
{
    for (uint8_t at = 0; at < length; at++) {
        for (uint8_t bit = 0x80u; bit != 0u; bit >>= 1) {
            state = random_next(state);
            if (state < chance)
                bytes[at] = (uint8_t)(bytes[at] ^ bit);
        }
    }
    return state;
}

static void flip(struct chip *c, enum fault_index fault, uint32_t chance, uint8_t *bytes, uint8_t length)
{
    c->draws[fault] = chip_flip(c->draws[fault], chance, bytes, length);
}

void chip_stick(uint8_t *body, uint8_t word, uint16_t upper)
{
    const uint16_t value = (uint16_t)(upper << (16 - STUCK_BITS));
    uint8_t *const place = body + 2u * word;

    place[0] = (uint8_t)(value >> 8);
    place[1] = (uint8_t)((place[1] & 0x0Fu) | (value & 0xF0u));
}

static void stick(const struct chip *c, uint8_t *body)
{
    for (uint8_t at = 0; at < stuck_count(c->levels[STUCK]); at++)
        chip_stick(body, c->stuck_words[at], c->stuck_values[at]);
}

void chip_corrupt_body(struct chip *c, uint8_t *body, uint8_t length)
{
    if (c->levels[STUCK] != 0u)
        stick(c, body);
    if (c->levels[BEFORE_CRC] != 0u)
        flip(c, BEFORE_CRC, c->levels[BEFORE_CRC] * BEFORE_CRC_CHANCE, body, length);
}

/* The bond breaks and heals; while it is broken the frame suffers. */
static void lift_bond(struct chip *c, uint8_t *wire, uint8_t length)
{
    const uint32_t drawn = draw(c, BOND);

    if (c->broken)
        c->broken = drawn >= CHIP_HEAL_CHANCE;
    else
        c->broken = drawn < c->levels[BOND] * BREAK_CHANCE;
    if (c->broken)
        flip(c, BOND, CHIP_BROKEN_CHANCE, wire, length);
}

void chip_corrupt_frame(struct chip *c, uint8_t *wire, uint8_t length)
{
    if (c->levels[AFTER_CRC] != 0u)
        flip(c, AFTER_CRC, c->levels[AFTER_CRC] * AFTER_CRC_CHANCE, wire, length);
    if (c->levels[BOND] != 0u)
        lift_bond(c, wire, length);
}
