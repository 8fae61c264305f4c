/* What happens at a fault, and what is left of it after the reset. */
#ifndef STM32F4_PORT_FAULT_H
#define STM32F4_PORT_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define STACK_PAINT UINT32_C(0xA5A5A5A5)

/* The vector of every exception that is not expected: keeps a trace in RAM that no reset clears, and resets the chip. */
void fault(void);

/* Once, early: whether a fault ended the run before. The trace is then what port_fault gives, and is kept no longer. */
bool fault_happened(void);

#endif
