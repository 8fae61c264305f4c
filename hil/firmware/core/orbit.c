#include "orbit.h"

#include "../generated/orbit_table.h"
#include "fixed.h"

#define RADIUS_M INT64_C(3396000)
#define EXCESS_CMS INT64_C(263400) /* v∞ */
#define TWICE_GM INT64_C(856567400000000000) /* cm²/s² times m */
#define LIGHT UINT32_C(29979) /* the speed of light in 100 m a second, over 10,000 */

#ifdef LANDER_DESCENT_ONLY
#define READ_TICK(place) ((int16_t)FLASH_U16(place))
#define READ_LENGTH FLASH_U16
#else
#define READ_TICK(place) ((int32_t)FLASH_U32(place))
#define READ_LENGTH FLASH_U32
#endif

/* The entry at or before a tick, how many ticks after it the tick is, and the step to the next. */
struct place {
    int16_t index;
    int16_t past;
    int16_t step;
};

static struct place find_place(orbit_tick tick)
{
    struct place place = {0, 0, (int16_t)FLASH_U16(&orbit_step_table[0])};
    orbit_tick start = READ_TICK(&orbit_start_table[0]);

    for (uint8_t next = 1; next < ORBIT_SEGMENTS; next++) {
        const orbit_tick end = READ_TICK(&orbit_start_table[next]);

        if (tick < end)
            break;
        place.index = (int16_t)(place.index + (end - start) / place.step);
        place.step = (int16_t)FLASH_U16(&orbit_step_table[next]);
        start = end;
    }
    place.past = (int16_t)((tick - start) % place.step);
    place.index = (int16_t)(place.index + (tick - start) / place.step);
    return place;
}

static int32_t between(int32_t low, int32_t high, const struct place *place)
{
    /* 1,900 · 600 = 1.1e6 */
    return low + (high - low) * place->past / place->step;
}

static uint32_t length_at(const orbit_length *table, int16_t index, const struct place *place)
{
    const int32_t low = (int32_t)READ_LENGTH(table + index);

    return (uint32_t)between(low, (int32_t)READ_LENGTH(table + index + 1), place);
}

static int16_t angle_at(const int16_t *table, int16_t index, const struct place *place)
{
    const int16_t low = (int16_t)FLASH_U16(table + index);

    return (int16_t)between(low, (int16_t)FLASH_U16(table + index + 1), place);
}

int16_t orbit_elevation(int32_t tick)
{
    const struct place place = find_place((orbit_tick)tick);

    if (tick < 0)
        return 0;
    const int16_t elevation =
        angle_at(orbit_elevation_table, (int16_t)(place.index - ORBIT_ENTRY_INDEX), &place);
    /* Beyond the zenith the table goes on. */
    if (elevation > 9000)
        return (int16_t)(18000 - elevation);
    return elevation;
}

static uint32_t slant_range(int32_t tick, const struct place *place)
{
    if (tick >= 0)
        return length_at(orbit_slant_range_table, (int16_t)(place->index - ORBIT_ENTRY_INDEX), place);
    /* From separation to entry it grows evenly: 20,291 · 146,370 = 3.0e9. */
    return (uint32_t)READ_LENGTH(orbit_slant_range_table) * (uint32_t)(tick - SEPARATION_TICK)
        / (uint32_t)-SEPARATION_TICK;
}

void orbit_geometry(struct geometry *g, int32_t tick)
{
    const struct place place = find_place((orbit_tick)tick);
    const int16_t sun_angle = angle_at(orbit_sun_angle_table, place.index, &place);

    g->altitude = length_at(orbit_altitude_table, place.index, &place);
    g->slant_range = slant_range(tick, &place);
    g->zenith = (uint16_t)(sun_angle < 0 ? -sun_angle : sun_angle);
    g->elevation = orbit_elevation(tick);
}

uint16_t orbit_speed_ms(uint32_t altitude)
{
    /* v² = v∞² + 2·GM/r: 6.9e10 + 8.6e17 / 3.4e6 */
    const int64_t square = EXCESS_CMS * EXCESS_CMS + TWICE_GM / (RADIUS_M + (int64_t)altitude * 100);

    return (uint16_t)((fixed_isqrt(square) + 50) / 100);
}

uint16_t orbit_light_time(uint32_t range)
{
    return (uint16_t)((range * 1000u + LIGHT / 2u) / LIGHT);
}

uint16_t orbit_km(uint32_t length)
{
    return (uint16_t)((length + 5u) / 10u);
}

uint16_t orbit_radius_km(uint32_t altitude)
{
    return (uint16_t)(orbit_km(altitude) + RADIUS_M / 1000);
}

int32_t orbit_bow_shock_tick(void)
{
    return ORBIT_BOW_SHOCK_TICK;
}
