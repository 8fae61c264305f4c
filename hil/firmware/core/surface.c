#include "surface.h"

#include "flash.h"
#include "random.h"

#define TEMPERATURE 2200 /* 230 K at touchdown */
#define COOLING_MS INT32_C(36000) /* for one count: 5 K an hour */
#define TEMPERATURE_NOISE 2u
#define PRESSURE 2033 /* 6.1 hPa */
#define PRESSURE_NOISE 1u
#define PEAK_NOISE 1u
#define FLOOR 9u

/* m/z and intensity of each peak. */
static const uint8_t peaks[][2] FLASH = {
    {12, 139}, {13, 100}, {14, 112}, {16, 140}, {17, 76}, {18, 90},  {20, 109}, {22, 126}, {28, 142}, {29, 102},
    {30, 86},  {32, 103}, {34, 56},  {36, 60},  {38, 46}, {40, 126}, {44, 160}, {45, 122}, {46, 112},
};

void surface_start(struct surface *s, uint32_t seed)
{
    s->thermometer = random_start(seed, RANDOM_THERMOMETER);
    s->barometer = random_start(seed, RANDOM_BAROMETER);
    s->spectrometer = random_start(seed, RANDOM_SPECTROMETER);
    s->sweeps = 0;
}

uint16_t surface_temperature(struct surface *s, mission_tick tick, int32_t ground_ms)
{
    const int16_t cooled = (int16_t)(((int32_t)tick * TICK_MS - ground_ms) / COOLING_MS);

    s->thermometer = random_next(s->thermometer);
    return (uint16_t)(TEMPERATURE - cooled + random_noise(s->thermometer, TEMPERATURE_NOISE));
}

uint16_t surface_pressure(struct surface *s)
{
    s->barometer = random_next(s->barometer);
    return (uint16_t)(PRESSURE + random_noise(s->barometer, PRESSURE_NOISE));
}

void surface_sweep(struct surface *s, uint8_t *intensity)
{
    uint8_t next = 0;

    for (uint8_t mass = 1; mass <= SURFACE_MASSES; mass++) {
        s->spectrometer = random_next(s->spectrometer);
        if (next < sizeof peaks / sizeof peaks[0] && FLASH_U8(&peaks[next][0]) == mass) {
            intensity[mass - 1u] = (uint8_t)(FLASH_U8(&peaks[next][1]) + random_noise(s->spectrometer, PEAK_NOISE));
            next++;
        } else {
            intensity[mass - 1u] = (uint8_t)(s->spectrometer % FLOOR);
        }
    }
    s->sweeps++;
}
