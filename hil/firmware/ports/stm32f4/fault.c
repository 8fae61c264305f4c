/* A fault keeps a trace in RAM that no reset clears, and resets the chip; the next run reports it.
 *
 * - The handler has a stack of its own: the one of the program may be what is wrong.
 * - What the core has saved is read only if it lies in the stack: a fault in here would lock up the core.
 * - Magic and check word distinguish a trace from what RAM holds at power on. */
#include "port_fault.h"

#include <stddef.h>

#include "port.h"
#include "registers.h"

#define MAGIC UINT32_C(0x4D364654)
#define HANDLER_STACK_WORDS 32u
/* What the core saves: R0 to R3, R12, LR, PC, xPSR. */
#define FRAME_WORDS 8u
#define FRAME_LR 5u
#define FRAME_PC 6u

extern uint32_t stack_limit[], stack_top[]; /* memory.ld */

struct trace {
    uint32_t magic;
    struct fault fault;
    uint32_t check;
};

static struct trace kept __attribute__((section(".noinit")));
__attribute__((used)) static uint32_t handler_stack[HANDLER_STACK_WORDS] __attribute__((section(".noinit"), aligned(8)));
static struct fault last;
static bool have_last;

_Noreturn void fault_keep(uintptr_t frame);

static uint32_t check_of(const struct trace *trace)
{
    return ~(trace->magic ^ trace->fault.pc ^ trace->fault.lr ^ trace->fault.cfsr ^ trace->fault.stack);
}

/* Bytes between the stack's top and the deepest word that was ever written; more if it went over its limit. */
static uint32_t stack_used(uintptr_t frame)
{
    const uint32_t *deepest = stack_limit;

    while (deepest < stack_top && *deepest == STACK_PAINT)
        deepest++;
    const uintptr_t reached = frame < (uintptr_t)deepest ? frame : (uintptr_t)deepest;
    return (uint32_t)((uintptr_t)stack_top - reached);
}

__attribute__((naked)) void fault(void)
{
    __asm__ volatile("mrs r0, msp\n\t"
                     "ldr r1, =handler_stack\n\t"
                     "adds r1, %0\n\t"
                     "msr msp, r1\n\t"
                     "b fault_keep" ::"i"(sizeof handler_stack));
}

_Noreturn void fault_keep(uintptr_t frame)
{
    const bool whole = frame >= (uintptr_t)stack_limit && frame % sizeof(uint32_t) == 0u
        && frame <= (uintptr_t)stack_top - FRAME_WORDS * sizeof(uint32_t);
    const uint32_t *const saved = (const uint32_t *)frame;

    kept.fault.pc = whole ? saved[FRAME_PC] : 0u;
    kept.fault.lr = whole ? saved[FRAME_LR] : 0u;
    kept.fault.cfsr = SCB_CFSR;
    kept.fault.stack = stack_used(frame);
    kept.magic = MAGIC;
    kept.check = check_of(&kept);
    __asm__ volatile("dsb" ::: "memory");
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) { /* at the latest the watchdog bites */
    }
}

bool fault_happened(void)
{
    have_last = kept.magic == MAGIC && kept.check == check_of(&kept);
    if (have_last)
        last = kept.fault;
    kept.magic = 0;
    return have_last;
}

const struct fault *port_fault(void)
{
    return have_last ? &last : NULL;
}
