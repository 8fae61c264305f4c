/* The trace of a machine fault, reported after the reset that it caused. */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include <stdint.h>

struct fault {
    uint32_t pc; /* of the instruction that failed, or the one after it */
    uint32_t lr;
    uint32_t cfsr; /* what kind of fault, as a Cortex-M has it */
    uint32_t stack; /* bytes of stack that were used, at the deepest */
};

#endif
