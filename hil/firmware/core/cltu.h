/* CLTUs, CCSDS 231.0-B: codeblocks of the modified BCH code (63,56) between a start and a tail sequence.
 *
 * What comes out depends on the bytes alone. A CLTU whose tail came is taken as complete; after any other the search
 * resumes one byte after its start, for a true start may lie within a false one. A start in step with codeblocks already
 * taken is passed over, so no byte is decoded more than eight times: garbage costs bounded time. */
#ifndef CORE_CLTU_H
#define CORE_CLTU_H

#include <stdbool.h>
#include <stdint.h>

#define CLTU_BLOCKS 10u /* two of the longest telecommand fit; more codeblocks are not waited for */
#define CLTU_BLOCK_SIZE 8u
#define CLTU_INFO_SIZE 7u
#define CLTU_MAX_DATA (CLTU_BLOCKS * CLTU_INFO_SIZE)
#define CLTU_START_SIZE 2u

struct cltu {
    uint8_t raw[CLTU_START_SIZE + CLTU_BLOCK_SIZE * (CLTU_BLOCKS + 1u)];
    uint8_t length; /* bytes in `raw`, from a start sequence on while `decoding` */
    uint8_t blocks; /* taken after it */
    uint8_t done;   /* bytes to drop when a CLTU has ended and was read */
    bool decoding;
    uint8_t phase;                    /* place of raw[0] in the stream, modulo 8 */
    uint8_t run_ends[CLTU_BLOCK_SIZE]; /* for each phase, how far codeblocks were taken, counted from raw[0] */
};

void cltu_init(struct cltu *c);

/* Take one byte. Then call cltu_next until it returns false. */
void cltu_put(struct cltu *c, uint8_t byte);

/* Whether a CLTU, whole or not, has ended; it may be read until the next call. */
bool cltu_next(struct cltu *c);

/* Its information bytes, corrected, fill included: at most CLTU_MAX_DATA. The answer is how many. */
uint8_t cltu_read(const struct cltu *c, uint8_t *data);

#endif
