/* Telemetry of the lander: packets of a tick, and the frames they go in. */
#ifndef CORE_TELEMETRY_H
#define CORE_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

struct lander;

/* Queue the events of milestones, one for each bit; they wait aboard until the lander is heard. */
void telemetry_milestones(struct lander *l, uint16_t passed);

/* Queue LANDER_HK. */
void telemetry_housekeeping(struct lander *l);

/* Whether the lander's transmitter is on the air in this tick, on VC0 or VC1. */
bool telemetry_radiates(const struct lander *l);

/* Send the VC0 or VC1 frame of this tick, if one is due and the lander transmits. */
void telemetry_lander_frame(struct lander *l);

#endif
