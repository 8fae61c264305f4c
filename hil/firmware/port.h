/* The contract between the lander and a machine. A port is these functions, and a `main` (or reset handler) that sets the
 * machine up and calls firmware_run. ports/posix is the example.
 *
 * - One thread. Interrupts may fill and empty the port's own buffers; they call no other code of the firmware.
 * - Time comes from a free-running hardware timer, never from counted interrupts.
 * - Nothing here can fail: what the line loses, the frames' counters and FARM-1 show. */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/fault.h"

/* Why the machine started; the event BOOT reports it. */
enum port_reset {
    PORT_RESET_UNKNOWN = 0,
    PORT_RESET_POWER_ON = 1,
    PORT_RESET_PIN = 2,
    PORT_RESET_BROWN_OUT = 3,
    PORT_RESET_WATCHDOG = 4,
    PORT_RESET_SOFTWARE = 5,
};

/* Bytes that came, at most `room` of them; 0 if none did. Never waits. */
size_t port_read(uint8_t *bytes, size_t room);

/* Send all bytes, in order. May wait for room; `bytes` is the caller's again on return. While it waits, reception goes
 * on: the CLTU of at least one command (42 bytes) has to fit in what an interrupt fills. */
void port_write(const uint8_t *bytes, size_t length);

/* The timer. It wraps at 2^32, after 71 minutes; only differences are used. */
uint32_t port_microseconds(void);

/* Sleep until a byte came or `microseconds` have passed; sooner is allowed, not to sleep at all too. */
void port_idle(uint32_t microseconds);

/* Feed the watchdog, if the machine has one that runs. Called at least once for each tick and each port_idle. */
void port_alive(void);

/* The same answer all the time: why this run began. */
enum port_reset port_reset_reason(void);

/* The fault that ended the previous run, if it is known; the same answer at every call. NULL: there was
 * none. The event FAULT reports it. */
const struct fault *port_fault(void);

/* Provided by identity.c and main.c. */

/* Which image runs: 31 bits, a hash of the linked image, never 0. The event BOOT carries it. */
uint32_t firmware_image_id(void);

/* The loop over all of the above, at the pace that SCALE asks for. Does not return. */
_Noreturn void firmware_run(void);

#endif
