#include "instruments.h"

#include "atmosphere.h"
#include "sequencer.h"

#define TEMPERATURE_MAX 4000u
#define PRESSURE_MAX 4000u
#define DECELERATION_MAX 2500u
#define RADIO_ALTITUDE_MAX 3500u
#define RADIO_ALTITUDE_LOW_MAX 1000u
#define PUMP_CURRENT_MAX 250u
#define HUNDREDTH_G_NMS2 INT32_C(98066500) /* 0.01 g in nm/s²: 1 g is 9.80665 m/s² */

/* The nearest count, between 0 and `highest`. */
static uint16_t counts(int64_t value, int32_t step, uint16_t highest)
{
    if (value <= 0)
        return 0;
    const int64_t count = (value + step / 2) / step;
    return count < highest ? (uint16_t)count : highest;
}

static void measure_air(struct readings *r, int64_t altitude_mm)
{
    const int64_t millipascal = atmosphere_pressure_mpa(altitude_mm);
    /* The vacuum pump of the mass spectrometer, in µA: 400 idle and 600 per hPa outside. */
    const int64_t pump_ua = 400 + millipascal * 6 / 1000;

    r->temperature = counts(atmosphere_temperature_ck(altitude_mm) - 12000, 5, TEMPERATURE_MAX);
    r->pressure = counts(millipascal, 300, PRESSURE_MAX);
    r->pump_current = (uint8_t)counts(pump_ua, 40, PUMP_CURRENT_MAX);
}

void instruments_measure(struct readings *r, const struct motion *m, mission_tick tick, bool locked)
{
    const int64_t altitude_mm = m->altitude_um / 1000;

    r->deceleration = counts(m->drag_ums2 * 1000, HUNDREDTH_G_NMS2, DECELERATION_MAX);
    if (tick_is(tick, TICKS_PER_S, 0))
        measure_air(r, altitude_mm);
    if (tick_is(tick, ALTIMETER_PERIOD_TICKS, 0)) {
        r->altimeter_lock = locked;
        r->radio_altitude = locked ? counts(altitude_mm, 2000, RADIO_ALTITUDE_MAX) : 0u;
        r->radio_altitude_low = locked ? counts(altitude_mm, 100, RADIO_ALTITUDE_LOW_MAX) : 0u;
    }
}
