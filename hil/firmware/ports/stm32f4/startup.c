/* From reset to main, the vectors, and the three functions that a compiler counts on. */
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "registers.h"

/* Of the linker's script: only their addresses mean something. */
extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[], stack_limit[], stack_in_use[], stack_top[];

#define STACK_PAINT UINT32_C(0xA5A5A5A5)

void reset(void);
void usart2_interrupt(void);
void systick_interrupt(void);
_Noreturn void port_main(void);

/* A fault has nobody to tell: it waits for the watchdog. */
static void fault(void)
{
    for (;;) {
    }
}

void reset(void)
{
    const uint32_t *from = data_source;

    for (uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    /* Below what this function uses itself: a debugger reads later how deep the stack went. */
    for (uint32_t *to = stack_limit; to < stack_in_use; to++)
        *to = STACK_PAINT;
    port_main();
}

typedef void vector(void);

struct vectors {
    uint32_t *stack;
    vector *exceptions[15];
    vector *interrupts[USART2_IRQ + 1u];
};

#define FOUR_FAULTS fault, fault, fault, fault

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .exceptions = {reset, fault, FOUR_FAULTS, FOUR_FAULTS, FOUR_FAULTS, systick_interrupt},
    .interrupts =
        {
            FOUR_FAULTS, FOUR_FAULTS, FOUR_FAULTS, FOUR_FAULTS, FOUR_FAULTS, /* 0 … 19 */
            FOUR_FAULTS, FOUR_FAULTS, FOUR_FAULTS, FOUR_FAULTS, fault, fault, /* 20 … 37 */
            usart2_interrupt,
        },
};
_Static_assert(sizeof(struct vectors) == 4u * (16u + 39u), "the table has no gaps");

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    while (count-- > 0u)
        *out++ = *in++;
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if (out <= in)
        return memcpy(to, from, count);
    while (count-- > 0u)
        out[count] = in[count];
    return to;
}

void *memset(void *to, int byte, size_t count)
{
    uint8_t *out = to;

    while (count-- > 0u)
        *out++ = (uint8_t)byte;
    return to;
}
