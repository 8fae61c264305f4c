#include "dynamics.h"

#include "atmosphere.h"
#include "fixed.h"

#define RADIUS_M INT64_C(3396000)
#define GM_E5 INT64_C(4282837000000000000) /* 1e-5 m³/s²: the finest power of ten that fits in int64 */

struct rates {
    int64_t horizontal_ums2;
    int64_t vertical_ums2;
};

void dynamics_entry(struct motion *m)
{
    m->altitude_um = INT64_C(112004300000);
    m->horizontal_ums = INT64_C(5483647739);
    m->vertical_ums = INT64_C(1135608854);
    m->speed_mms = INT32_C(5600000);
    m->drag_ums2 = 9630;
}

/* Magnitude of a velocity in mm/s: squares of µm/s would not fit. */
static int32_t speed_of(const struct motion *m)
{
    const int64_t u = m->horizontal_ums / 1000;
    const int64_t w = m->vertical_ums / 1000;

    return (int32_t)fixed_isqrt(u * u + w * w);
}

/* D/m in µm/s². */
static int64_t drag_of(const struct motion *m, int32_t cda_cm2, int32_t mass_g)
{
    /* (mm/s)² / 20,000 is v²/2 in 0.01 m²/s²; times 1e-11 kg/m³ it is 1e-13 Pa, and 1e7 of these are a µPa. */
    const int64_t half_square = (int64_t)m->speed_mms * m->speed_mms / 20000;
    const int64_t q_upa = atmosphere_density(m->altitude_um / 1000) * half_square / 10000000;

    /* µPa · cm² / g is 1e-7 m/s². */
    return q_upa * cda_cm2 / mass_g / 10;
}

/* Rates of the horizontal and the downward velocity in µm/s², thrust included. */
static void rates_of(const struct motion *m, int64_t lift_ums2, struct rates *out)
{
    const int64_t radius = RADIUS_M + m->altitude_um / 1000000;
    const int64_t u = m->horizontal_ums / 1000;
    const int64_t w = m->vertical_ums / 1000;

    /* (mm/s)² / m is µm/s². */
    out->horizontal_ums2 = u * w / radius;
    out->vertical_ums2 = GM_E5 / (radius * radius) * 10 - u * u / radius;
    if (m->speed_mms != 0) {
        out->horizontal_ums2 -= m->drag_ums2 * u / m->speed_mms;
        out->vertical_ums2 -= m->drag_ums2 * w / m->speed_mms;
    }
    out->vertical_ums2 -= lift_ums2;
}

/* `m`, moved from where it is by the velocity and rates at another moment, over a part of a second. */
static void move(struct motion *m, int64_t vertical_ums, const struct rates *r, int32_t parts_per_s)
{
    m->altitude_um -= vertical_ums / parts_per_s;
    m->horizontal_ums += r->horizontal_ums2 / parts_per_s;
    m->vertical_ums += r->vertical_ums2 / parts_per_s;
    m->speed_mms = speed_of(m);
}

void dynamics_advance(struct motion *m, const struct vehicle *v, int32_t steps_per_s)
{
    const int64_t lift_ums2 = v->thrust_mn * 1000000 / v->mass_g;
    struct motion middle = *m;
    struct rates r;

    rates_of(m, lift_ums2, &r);
    move(&middle, m->vertical_ums, &r, 2 * steps_per_s);
    middle.drag_ums2 = drag_of(&middle, v->cda_middle_cm2, v->mass_g);

    rates_of(&middle, lift_ums2, &r);
    move(m, middle.vertical_ums, &r, steps_per_s);
    m->drag_ums2 = drag_of(m, v->cda_end_cm2, v->mass_g);
}

void dynamics_touch(struct motion *below, const struct motion *above)
{
    const int32_t part = (int32_t)(above->altitude_um / 1000);
    const int32_t whole = (int32_t)((above->altitude_um - below->altitude_um) / 1000) + 1;

    below->altitude_um = 0;
    below->horizontal_ums = fixed_between(above->horizontal_ums, below->horizontal_ums, part, whole);
    below->vertical_ums = fixed_between(above->vertical_ums, below->vertical_ums, part, whole);
    below->speed_mms = speed_of(below);
}
