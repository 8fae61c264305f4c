/* TC transfer frames, CCSDS 232.0-B §4.1, without segment header and with FECF. */
#ifndef CORE_TC_H
#define CORE_TC_H

#include <stdbool.h>
#include <stdint.h>

struct tc_frame {
    const uint8_t *data; /* within the bytes that were decoded */
    uint8_t length;
    uint8_t ns;
    bool bypass;
    bool control;
};

/* Size of the frame at the start of `bytes`, by its header; 0 if the frame is incomplete, or fill. */
uint8_t tc_size(const uint8_t *bytes, uint8_t length);

/* A frame of the size that its header gives; false if it is none of ours. */
bool tc_decode(struct tc_frame *f, const uint8_t *bytes, uint8_t length);

#endif
