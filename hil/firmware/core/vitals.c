#include "vitals.h"

#include "flash.h"

/* A swing has 800 parts: one is 12.5 ms under the drogue and 20 ms under the main parachute. */
#define QUARTER_PARTS 200
#define TABLE_PARTS 10
#define IDLE_CA 80u
#define RADIO_CA 320u
#define FULL_CV 2800u
#define DROP_MA_S UINT32_C(50000)
#define RADIATED_DW 200u

/* 200 sin x in steps of 4.5°: a quarter of a swing, in 0.1°. */
static const uint8_t quarter[QUARTER_PARTS / TABLE_PARTS + 1] FLASH = {
    0, 16, 31, 47, 62, 77, 91, 104, 118, 130, 141, 152, 162, 171, 178, 185, 190, 194, 198, 199, 200,
};

void vitals_observe(struct vitals *v, mission_tick tick, uint16_t deceleration, bool radiates)
{
    if (tick_is(tick, TICKS_PER_S, VITALS_PHASE + 1)) {
        v->peak = 0;
        v->sum = 0;
    }
    if (deceleration > v->peak)
        v->peak = deceleration;
    v->sum = (uint16_t)(v->sum + deceleration);
    v->radiates = radiates;
    /* 0.01 A for 0.1 s is 1 mA s. */
    v->drawn_ma_s += vitals_current_ca(v);
}

uint16_t vitals_mean(const struct vitals *v)
{
    return (uint16_t)((v->sum + TICKS_PER_S / 2u) / TICKS_PER_S);
}

uint16_t vitals_current_ca(const struct vitals *v)
{
    return v->radiates ? IDLE_CA + RADIO_CA : IDLE_CA;
}

uint16_t vitals_voltage_cv(const struct vitals *v)
{
    return (uint16_t)(FULL_CV - vitals_current_ca(v) / 4u - v->drawn_ma_s / DROP_MA_S);
}

uint8_t vitals_power_dw(const struct vitals *v)
{
    return v->radiates ? RADIATED_DW : 0u;
}

/* The angle at a part of half a swing. */
static int16_t angle_at(int16_t past)
{
    if (past > QUARTER_PARTS)
        past = (int16_t)(2 * QUARTER_PARTS - past);
    const uint8_t index = (uint8_t)(past / TABLE_PARTS);
    const uint8_t between = (uint8_t)(past % TABLE_PARTS);
    const uint8_t angle = FLASH_U8(&quarter[index]);

    if (between == 0u)
        return angle;
    return (int16_t)(angle + (FLASH_U8(&quarter[index + 1u]) - angle) * between / TABLE_PARTS);
}

int16_t vitals_swing(const struct sequence *s, mission_tick tick)
{
    const int32_t now = (int32_t)tick * TICK_MS;

    if (now < s->drogue_ms || now >= s->retro_fire_ms || sequencer_on_ground(s, tick))
        return 0;
    const int32_t under_drogue_ms = (now < s->main_ms ? now : s->main_ms) - s->drogue_ms;
    const int32_t under_main_ms = now < s->main_ms ? 0 : now - s->main_ms;
    const int16_t part = (int16_t)((under_drogue_ms * 2 / 25 + under_main_ms / 20) % (4 * QUARTER_PARTS));

    if (part < 2 * QUARTER_PARTS)
        return angle_at(part);
    return (int16_t)-angle_at((int16_t)(part - 2 * QUARTER_PARTS));
}
