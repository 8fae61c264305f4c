/* The bus's fly-by by tick, from small integer tables (docs/lander.md). Lengths in 0.1 km, angles in 0.01°. */
#ifndef CORE_ORBIT_H
#define CORE_ORBIT_H

#include <stdbool.h>
#include <stdint.h>

/* 05:01:56 UTC, and the end of the encounter. */
#define SEPARATION_TICK INT32_C(-146370)

struct geometry {
    uint32_t altitude;    /* 0.1 km above the sphere of 3,396 km */
    uint32_t slant_range; /* 0.1 km, bus to lander */
    uint16_t zenith;      /* solar zenith angle in 0.01° */
    int16_t elevation;    /* 0.01° above the lander's horizon; 0 before entry */
};

/* At a tick of the mission; of the descent on boards that hold that alone. */
void orbit_geometry(struct geometry *g, int32_t tick);

/* Height of the bus above the lander's horizon alone, as in `struct geometry`. */
int16_t orbit_elevation(int32_t tick);

/* Speed of the bus in m/s, at an altitude in 0.1 km. */
uint16_t orbit_speed_ms(uint32_t altitude);

/* From the lander to the bus in 0.01 ms, over a range in 0.1 km. */
uint16_t orbit_light_time(uint32_t slant_range);

/* The nearest kilometre. */
uint16_t orbit_km(uint32_t length);

/* From the centre of Mars in km, at an altitude in 0.1 km. */
uint16_t orbit_radius_km(uint32_t altitude);

/* The tick at which the bus crosses the bow shock inbound; it stays inside. */
int32_t orbit_bow_shock_tick(void);

#endif
