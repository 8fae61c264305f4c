/* Telemetry of the lander and its bus: packets of a tick, and the frames they go in. */
#ifndef CORE_TELEMETRY_H
#define CORE_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

struct lander;

/* Queue the events of milestones, one for each bit; they wait aboard until the lander is heard. */
void telemetry_milestones(struct lander *l, uint16_t passed);

/* Queue LANDER_HK. */
void telemetry_housekeeping(struct lander *l);

/* Send the VC0 frame of this tick, if one is due and the lander transmits. */
void telemetry_lander_frame(struct lander *l);

/* Send the VC2 frame of this tick: on whole seconds, or for what waits. */
void telemetry_bus_frame(struct lander *l);

/* Send VC2 frames until no packet waits for one. */
void telemetry_flush(struct lander *l);

/* Send one VC2 frame with BUS_HK and the event BOOT, and the trace of a fault unless that is NULL. */
void telemetry_hello(struct lander *l, uint8_t reset_reason, uint32_t build_id, const struct fault *fault);

#endif
