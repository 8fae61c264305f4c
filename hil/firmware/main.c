/* The lander on a machine: its mission clock paced by the machine's timer (port.h). */
#include "port.h"

#include <stdbool.h>

#include "core/lander.h"

#define HELLO_PERIOD_US UINT32_C(1000000)
/* A machine that was stopped for longer, by a debugger or in an emulator, continues without catching up. */
#define LATE_LIMIT_US INT32_C(1000000)
#define CHUNK 16u /* small, so that a flood does not keep ticks from being flown */

static struct lander lander;

static void send(void *port, const uint8_t *bytes, size_t length)
{
    (void)port;
    port_write(bytes, length);
}

/* How long until `due`; negative is late. */
static int32_t until(uint32_t due)
{
    return (int32_t)(due - port_microseconds());
}

/* Take what came; true if anything did. Not while STEP flies: what was sent after it is processed when it is done. */
static bool receive(void)
{
    uint8_t chunk[CHUNK];
    const size_t length = port_read(chunk, sizeof chunk);

    lander_receive(&lander, chunk, length);
    return length > 0u;
}

/* In READY the lander sends a greeting once a second, so that no rig talks to a port that still boots. */
static void greet(uint32_t *due)
{
    if (lander.mode != LANDER_READY) {
        *due = port_microseconds(); /* at once after a RESET, however long the flight was */
    } else if (until(*due) <= 0) {
        lander_hello(&lander, (uint8_t)port_reset_reason(), firmware_image_id(), port_fault());
        *due = port_microseconds() + HELLO_PERIOD_US;
    }
}

/* Fly the tick if it is due, or at once if it need not wait; true if it was flown. */
static bool fly(uint32_t *due)
{
    const bool step_pending = lander_step_pending(&lander);
    const uint32_t period = lander_period_us(&lander);

    if (until(*due) > (int32_t)period) /* SCALE made ticks shorter while a long one was waited for */
        *due = port_microseconds() + period;
    if (!step_pending && until(*due) > 0)
        return false;
    lander_step(&lander);
    if (step_pending || until(*due) < -LATE_LIMIT_US)
        *due = port_microseconds();
    *due += lander_period_us(&lander);
    return true;
}

_Noreturn void firmware_run(void)
{
    uint32_t tick_due = port_microseconds();
    uint32_t hello_due = tick_due;

    lander_init(&lander, send, NULL);
    for (;;) {
        port_alive();
        const bool received = !lander_step_pending(&lander) && receive();
        greet(&hello_due);
        if (!fly(&tick_due) && !received) {
            const int32_t left = until(tick_due);
            if (left > 0)
                port_idle((uint32_t)left);
        }
    }
}
