/* From reset to main, the vectors, and the three functions that a compiler counts on.
 *
 * This may start without a reset: a debugger that loads and runs, or a boot loader that jumps, leaves stack, vector
 * table, interrupts and SysTick as it set them. So all of these are set here. */
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "port.h"
#include "port_fault.h"
#include "registers.h"

/* Of the linker's script: only their addresses mean something. */
extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[], stack_limit[], stack_in_use[], stack_top[];

void reset(void);
_Noreturn void start(void);
void usart2_interrupt(void);
void systick_interrupt(void);
_Noreturn void port_main(void);

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

/* No interrupt, and this stack, before any C. */
__attribute__((naked)) void reset(void)
{
    __asm__ volatile("cpsid i\n\t"
                     "ldr r0, =stack_top\n\t"
                     "msr msp, r0\n\t"
                     "movs r0, #0\n\t"
                     "msr control, r0\n\t" /* MSP, privileged */
                     "msr basepri, r0\n\t"
                     "isb\n\t"
                     "b start");
}

static void start_core(void)
{
    SYST_CSR = 0;
    for (uint32_t n = 0; n < NVIC_WORDS; n++) {
        NVIC_ICER(n) = UINT32_MAX;
        NVIC_ICPR(n) = UINT32_MAX;
    }
    SCB_ICSR = SCB_ICSR_PENDSTCLR | SCB_ICSR_PENDSVCLR;
    SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
    /* Faults of their own level: one while the core saves registers for the first has somewhere to go. */
    SCB_SHCSR = SCB_SHCSR_MEMFAULTENA | SCB_SHCSR_BUSFAULTENA | SCB_SHCSR_USGFAULTENA;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

_Noreturn void start(void)
{
    const uint32_t *from = data_source;

    start_core();
    for (uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    /* Below what this function uses itself: how deep the stack went is read later, by a fault and by tests. */
    for (uint32_t *to = stack_limit; to < stack_in_use; to++)
        *to = STACK_PAINT;
    port_main();
}

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
