#include "atmosphere.h"

#include "../generated/atmosphere_table.h"
#include "fixed.h"

#define GAS_CONSTANT_E1 1918 /* 0.1 J/kg/K */
/* 1e-11 kg/m³ × 0.01 K × 0.1 J/kg/K is 1e-14 Pa; 1e11 of them are a mPa. */
#define PRESSURE_DIVISOR INT64_C(100000000000)

int64_t atmosphere_density(int64_t altitude_mm)
{
    const struct fixed_place at = fixed_place(ATMOSPHERE_DENSITY_ENTRIES, altitude_mm, ATMOSPHERE_DENSITY_STEP_MM);
    const int64_t low = FLASH_U32(&atmosphere_density_table[at.index]);

    if (at.past == 0)
        return low;
    return fixed_between(low, FLASH_U32(&atmosphere_density_table[at.index + 1u]), at.past,
                         ATMOSPHERE_DENSITY_STEP_MM);
}

int64_t atmosphere_temperature_ck(int64_t altitude_mm)
{
    const struct fixed_place at =
        fixed_place(ATMOSPHERE_TEMPERATURE_ENTRIES, altitude_mm, ATMOSPHERE_TEMPERATURE_STEP_MM);
    const int64_t low = FLASH_U16(&atmosphere_temperature_table[at.index]);

    if (at.past == 0)
        return low;
    return fixed_between(low, FLASH_U16(&atmosphere_temperature_table[at.index + 1u]), at.past,
                         ATMOSPHERE_TEMPERATURE_STEP_MM);
}

int64_t atmosphere_pressure_mpa(int64_t altitude_mm)
{
    /* 1.383e9 · 2.3e4 · 1918 = 6.1e16 */
    return atmosphere_density(altitude_mm) * atmosphere_temperature_ck(altitude_mm) * GAS_CONSTANT_E1
        / PRESSURE_DIVISOR;
}
