#include "bus_instruments.h"

#include "fixed.h"
#include "flash.h"
#include "random.h"

#define SHOCK_HALF_TICKS 100
#define FIELD_MAX 1280
#define FIELD_PT INT32_C(3000)
#define PARKER_DECIDEG INT32_C(570)
#define TURN_DECIDEG INT32_C(200)
#define TURN_TICKS UINT32_C(36000)
#define FIELD_NOSE INT32_C(4000)
#define FIELD_FLANK INT32_C(1700)
#define FIELD_WIND_NOISE INT32_C(50)
#define FIELD_SHEATH_NOISE INT32_C(300)
#define ENERGY_MAX UINT32_C(6000)
#define CURRENT_MAX UINT32_C(10000)
#define SPEED_KMS UINT32_C(420)
#define SPEED_NOSE UINT32_C(400)
#define SPEED_FLANK UINT32_C(800)
#define DENSITY UINT32_C(250)
#define TEMPERATURE UINT32_C(600)
#define SPEED_NOISE 20
#define PLASMA_NOISE 100
#define COSMIC_HALF UINT32_C(1350000)
#define RADIUS_HM UINT32_C(33960)
#define IMPACTS_MAX 255u
#define IMPACT_BELOW UINT32_C(858993)
#define DRIFT_TICKS UINT32_C(72000)
#define EXACT_BELOW UINT32_C(50000)
#define UNIFORMS 12
#define UNIT_POISSON_ENTRIES 9u

static const uint32_t generators[BUS_INSTRUMENTS] FLASH = {
    RANDOM_MAGNETOMETER, RANDOM_PLASMA_TRAPS, RANDOM_COSMIC_RAYS, RANDOM_MICROMETEOROIDS, RANDOM_PARTICLES,
};

/* Means of a minute in thousandths. */
static const uint32_t particles[BUS_PARTICLE_CHANNELS] FLASH = {600000, 180000, 60000, 18000, 3000000, 300000};

/* Poisson with mean 1: the number is at most k if a draw is below the entry k. */
static const uint32_t unit_poisson_table[UNIT_POISSON_ENTRIES] FLASH = {
    UINT32_C(1580030168), UINT32_C(3160060337), UINT32_C(3950075422), UINT32_C(4213413783), UINT32_C(4279248374),
    UINT32_C(4292415292), UINT32_C(4294609778), UINT32_C(4294923276), UINT32_C(4294962463),
};

void bus_instruments_seed(struct bus_instruments *b, uint32_t seed)
{
    for (uint8_t n = 0; n < (uint8_t)BUS_INSTRUMENTS; n++)
        b->draws[n] = random_start(seed, FLASH_U32(&generators[n]));
    b->impacts = 0;
}

static uint32_t draw(uint32_t *state)
{
    *state = random_next(*state);
    return *state;
}

/* A draw as one of -most … most, all alike. */
static int16_t spread(uint32_t *state, int16_t most)
{
    const uint32_t drawn = draw(state);

    return (int16_t)((int16_t)((drawn >> 16) * (2u * (uint32_t)most + 1u) >> 16) - most);
}

/* How much of what is about the bus is magnetosheath, in ‰. */
static int16_t sheath_share(int32_t tick)
{
    const int32_t inside = tick - orbit_bow_shock_tick() + SHOCK_HALF_TICKS;

    if (inside <= 0)
        return 0;
    if (inside >= 2 * SHOCK_HALF_TICKS)
        return 1000;
    return (int16_t)(inside * 500 / SHOCK_HALF_TICKS);
}

/* 0 ‰ at the nose, 1,000 ‰ on the flank. */
static int16_t flank(const struct geometry *g)
{
    if (g->zenith >= 9000u)
        return 1000;
    return (int16_t)(g->zenith / 9u);
}

/* 0 … half_period and back, evenly, from separation on. */
static uint32_t to_and_fro(int32_t tick, uint32_t half_period)
{
    const uint32_t phase = (uint32_t)(tick - SEPARATION_TICK) % (2u * half_period);

    return phase < half_period ? phase : 2u * half_period - phase;
}

/* Sine of 0 … 180° in ‰, within 2 ‰. */
static int16_t sine(int16_t decidegrees)
{
    /* 4,000 · 810,000 = 3.2e9 */
    const uint32_t product = (uint32_t)decidegrees * (uint32_t)(1800 - decidegrees);

    return (int16_t)(UINT32_C(4000) * product / (UINT32_C(4050000) - product));
}

/* 0.1 nT of a mean in fT and a share of noise of the field in pT. */
static int16_t axis(uint32_t *state, int32_t mean_ft, int32_t field_pt, int16_t noise)
{
    const int32_t picotesla = mean_ft / 1000 + field_pt * spread(state, noise) / 1000;
    const int32_t counts = (picotesla + (picotesla >= 0 ? 50 : -50)) / 100;

    if (counts > FIELD_MAX)
        return FIELD_MAX;
    if (counts < -FIELD_MAX)
        return -FIELD_MAX;
    return (int16_t)counts;
}

void bus_measure_field(struct bus_instruments *b, int32_t tick, const struct geometry *g, int16_t axes[3])
{
    const int32_t share = sheath_share(tick);
    const int32_t sheath = FIELD_NOSE - (FIELD_NOSE - FIELD_FLANK) * flank(g) / 1000;
    const int32_t field = FIELD_PT * (1000 + (sheath - 1000) * share / 1000) / 1000;
    const int16_t noise = (int16_t)(FIELD_WIND_NOISE + (FIELD_SHEATH_NOISE - FIELD_WIND_NOISE) * share / 1000);
    const int16_t angle =
        (int16_t)(PARKER_DECIDEG - TURN_DECIDEG + (int32_t)(to_and_fro(tick, TURN_TICKS) / 90u));

    axes[0] = axis(&b->draws[BUS_MAGNETOMETER], -field * sine((int16_t)(900 - angle)), field, noise);
    axes[1] = axis(&b->draws[BUS_MAGNETOMETER], field * sine(angle), field, noise);
    axes[2] = axis(&b->draws[BUS_MAGNETOMETER], 0, field, noise);
}

static uint32_t noisy(uint32_t *state, uint32_t mean, int16_t noise)
{
    return mean * (uint32_t)(1000 + spread(state, noise));
}

static uint16_t at_most(uint32_t value, uint32_t most)
{
    return (uint16_t)(value < most ? value : most);
}

void bus_measure_plasma(struct bus_instruments *b, int32_t tick, const struct geometry *g, struct plasma *p)
{
    const uint32_t share = (uint32_t)sheath_share(tick);
    const uint32_t sheath = SPEED_NOSE + (SPEED_FLANK - SPEED_NOSE) * (uint32_t)flank(g) / 1000u;
    /* 420 · 1,020 · 1,000 = 4.3e8 */
    const uint32_t speed =
        noisy(&b->draws[BUS_PLASMA], SPEED_KMS, SPEED_NOISE) * (1000u - (1000u - sheath) * share / 1000u) / 1000000u;
    const uint32_t density = noisy(&b->draws[BUS_PLASMA], DENSITY * (1000u + 2u * share) / 1000u, PLASMA_NOISE) / 1000u;

    p->speed = (uint16_t)speed;
    p->density = (uint16_t)density;
    p->temperature =
        (uint16_t)(noisy(&b->draws[BUS_PLASMA], TEMPERATURE * (1000u + 14u * share) / 1000u, PLASMA_NOISE) / 1000u);
    /* Half a proton's mass is 0.00522 eV/(km/s)²; a proton's charge a second in (0.01 /cm³)·(km/s) 1.602e-16 A. */
    p->energy = at_most(speed * speed * 522u / 100000u, ENERGY_MAX);
    p->current = at_most(density * speed * 10u / 6242u, CURRENT_MAX);
}

uint32_t bus_count_cosmic_rays(struct bus_instruments *b, const struct geometry *g)
{
    /* √(r² − R²) / r; 453,942 · 521,862 = 2.4e11 */
    const int64_t square = (int64_t)g->altitude * (int64_t)(g->altitude + 2u * RADIUS_HM);
    const int64_t open_sky = fixed_isqrt(square);

    const uint32_t mean = COSMIC_HALF + (uint32_t)(COSMIC_HALF * open_sky / (RADIUS_HM + g->altitude));

    return bus_poisson(&b->draws[BUS_COSMIC_RAYS], mean);
}

uint8_t bus_count_meteoroids(struct bus_instruments *b)
{
    for (uint8_t second = 0; second < 60u; second++) {
        if (draw(&b->draws[BUS_MICROMETEOROIDS]) < IMPACT_BELOW && b->impacts < IMPACTS_MAX)
            b->impacts++;
    }
    return b->impacts;
}

void bus_count_particles(struct bus_instruments *b, int32_t tick, uint32_t counts[BUS_PARTICLE_CHANNELS])
{
    const uint32_t drift = 800u + to_and_fro(tick, DRIFT_TICKS) / 180u;

    /* 3,000,000 · 1,200 = 3.6e9 */
    for (uint8_t n = 0; n < BUS_PARTICLE_CHANNELS; n++)
        counts[n] = bus_poisson(&b->draws[BUS_PARTICLES], FLASH_U32(&particles[n]) * drift / 1000u);
}

static uint8_t unit_poisson(uint32_t *state)
{
    const uint32_t drawn = draw(state);
    uint8_t count = 0;

    while (count < UNIT_POISSON_ENTRIES && drawn >= FLASH_U32(&unit_poisson_table[count]))
        count++;
    return count;
}

/* As many Poisson numbers of mean 1 as the mean has units; of one more each event with its fraction's chance. */
static uint32_t exact_poisson(uint32_t *state, uint16_t mean)
{
    uint16_t count = 0;

    for (uint8_t units = (uint8_t)(mean / 1000u); units > 0u; units--)
        count = (uint16_t)(count + unit_poisson(state));
    for (uint8_t events = unit_poisson(state); events > 0u; events--) {
        if ((draw(state) >> 16) * 1000u >> 16 < mean % 1000u)
            count++;
    }
    return count;
}

uint32_t bus_poisson(uint32_t *state, uint32_t mean)
{
    int32_t total = -UNIFORMS * INT32_C(65535) / 2;

    if (mean < EXACT_BELOW)
        return exact_poisson(state, (uint16_t)mean);
    for (uint8_t n = 0; n < UNIFORMS; n++)
        total += (int32_t)(draw(state) >> 16);
    /* 6,325 · 196,605 = 1.2e9 */
    const int32_t deviation = (int32_t)fixed_isqrt((int64_t)mean * 10) * (total / 2) / 32768;
    return (uint32_t)((int32_t)(mean / 10u) + deviation + 50) / 100u;
}
