#include "cltu.h"

#include "bytes.h"

#define START UINT16_C(0xEB90)
#define TAIL_BYTE 0xC5u
#define TAIL_LAST 0x79u
#define GENERATOR 0x8Au /* x⁷ + x⁶ + x² + 1 without its leading term, left-aligned in a byte */
#define PARITY_BITS 0xFEu
#define FILLER_BIT 0x01u
#define CODE_LENGTH 63u

void cltu_init(struct cltu *c)
{
    memset(c, 0, sizeof *c);
}

void cltu_put(struct cltu *c, uint8_t byte)
{
    c->raw[c->length++] = byte;
}

/* One division step: the remainder, times x. */
static uint8_t times_x(uint8_t remainder)
{
    return (uint8_t)((uint8_t)(remainder << 1) ^ ((remainder & 0x80u) != 0u ? GENERATOR : 0u));
}

/* 0 for a codeword; the filler bit does not count. */
static uint8_t syndrome_of(const uint8_t *block)
{
    uint8_t remainder = 0;

    for (uint8_t at = 0; at < CLTU_INFO_SIZE; at++) {
        remainder = (uint8_t)(remainder ^ block[at]);
        for (uint8_t bit = 0; bit < 8u; bit++)
            remainder = times_x(remainder);
    }
    return (uint8_t)((remainder ^ PARITY_BITS ^ block[CLTU_INFO_SIZE]) & PARITY_BITS);
}

/* The bit of the codeblock that a syndrome asks to turn over, 1 … 63 from its end, or 0 if none does. */
static uint8_t error_bit(uint8_t syndrome)
{
    uint8_t single = 2u;

    for (uint8_t bit = 1; bit <= CODE_LENGTH; bit++) {
        if (single == syndrome)
            return bit;
        single = times_x(single);
    }
    return 0;
}

/* Take the information bytes of a codeblock, corrected; false if it cannot be. */
static bool decode_block(const uint8_t *block, uint8_t *info)
{
    const uint8_t syndrome = syndrome_of(block);

    memcpy(info, block, CLTU_INFO_SIZE);
    if (syndrome == 0u)
        return true;
    const uint8_t bit = error_bit(syndrome);
    /* No sent codeblock has a filler of 1, the tail does (CCSDS 230.1-G). */
    if (bit == 0u || (block[CLTU_INFO_SIZE] & FILLER_BIT) != 0u)
        return false;
    const uint8_t at = (uint8_t)(CLTU_INFO_SIZE - bit / 8u);
    if (at < CLTU_INFO_SIZE)
        info[at] = (uint8_t)(info[at] ^ 1u << bit % 8u);
    return true;
}

/* Number of ones, as far as it matters: 0, 1 or 2 and more. */
static uint8_t add_ones(uint8_t ones, uint8_t difference)
{
    if (difference == 0u)
        return ones;
    return (difference & (uint8_t)(difference - 1u)) == 0u && ones == 0u ? 1u : 2u;
}

static bool near_start(const uint8_t *two)
{
    const uint8_t ones = add_ones(0, (uint8_t)(two[0] ^ (uint8_t)(START >> 8)));

    return add_ones(ones, (uint8_t)(two[1] ^ (uint8_t)(START & 0xFFu))) < 2u;
}

static bool near_tail(const uint8_t *block)
{
    uint8_t ones = 0;

    for (uint8_t at = 0; at < CLTU_INFO_SIZE; at++)
        ones = add_ones(ones, block[at] ^ TAIL_BYTE);
    return add_ones(ones, block[CLTU_INFO_SIZE] ^ TAIL_LAST) < 2u;
}

/* Drop bytes from the start of the buffer. */
static void drop(struct cltu *c, uint8_t count)
{
    c->length = (uint8_t)(c->length - count);
    memmove(c->raw, c->raw + count, c->length);
    c->phase = (uint8_t)(((unsigned)c->phase + count) % CLTU_BLOCK_SIZE);
    for (uint8_t at = 0; at < CLTU_BLOCK_SIZE; at++)
        c->run_ends[at] = c->run_ends[at] > count ? (uint8_t)(c->run_ends[at] - count) : 0u;
}

/* Whether the codeblocks after a start sequence have been decoded before. */
static bool in_step(const struct cltu *c, uint8_t start)
{
    return start + CLTU_START_SIZE < c->run_ends[(uint8_t)(c->phase + start) % CLTU_BLOCK_SIZE];
}

/* SEARCH: to the next start sequence, or to where part of one may stand at the end. */
static void search(struct cltu *c)
{
    uint8_t at = 0;

    for (; at + CLTU_START_SIZE <= c->length; at++) {
        if (near_start(c->raw + at) && !in_step(c, at)) {
            c->decoding = true;
            c->blocks = 0;
            break;
        }
    }
    if (!c->decoding && at < c->length && add_ones(0, (uint8_t)(c->raw[at] ^ (uint8_t)(START >> 8))) > 1u)
        at = c->length;
    drop(c, at);
}

/* End the CLTU with `end` bytes of it looked at; true if it has any codeblock. The search continues after it or, if its
 * tail did not come, within it. */
static bool close(struct cltu *c, uint8_t end, bool whole)
{
    const bool any = c->blocks > 0u;

    c->decoding = false;
    c->run_ends[c->phase] = end;
    c->done = any && whole ? end : 1u;
    return any;
}

/* Look at the next codeblock, if it is there; true if it was. */
static bool advance(struct cltu *c, bool *ended)
{
    const uint8_t at = (uint8_t)(CLTU_START_SIZE + CLTU_BLOCK_SIZE * c->blocks);
    uint8_t info[CLTU_INFO_SIZE];

    if (c->length < at + CLTU_BLOCK_SIZE)
        return false;
    if (!decode_block(c->raw + at, info)) {
        const bool whole = near_tail(c->raw + at);
        *ended = close(c, whole ? (uint8_t)(at + CLTU_BLOCK_SIZE) : at, whole);
    } else if (c->blocks == CLTU_BLOCKS) {
        *ended = close(c, at, false);
    } else {
        c->blocks++;
    }
    return true;
}

bool cltu_next(struct cltu *c)
{
    bool ended = false;

    do {
        if (c->done > 0u)
            drop(c, c->done);
        c->done = 0;
        if (!c->decoding)
            search(c);
    } while (c->decoding && advance(c, &ended) && !ended);
    return ended;
}

uint8_t cltu_read(const struct cltu *c, uint8_t *data)
{
    for (uint8_t block = 0; block < c->blocks; block++)
        (void)decode_block(c->raw + CLTU_START_SIZE + CLTU_BLOCK_SIZE * block, data + CLTU_INFO_SIZE * block);
    return (uint8_t)(c->blocks * CLTU_INFO_SIZE);
}
