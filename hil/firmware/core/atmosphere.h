/* The Martian atmosphere [A] versus altitude, from two small integer tables. Pressure has none: the ideal gas law. */
#ifndef CORE_ATMOSPHERE_H
#define CORE_ATMOSPHERE_H

#include <stdint.h>

/* Density in 1e-11 kg/m³ at an altitude in mm: at most 1.383e9. */
int64_t atmosphere_density(int64_t altitude_mm);

/* Temperature of the still air in 0.01 K: at most 23,000. */
int64_t atmosphere_temperature_ck(int64_t altitude_mm);

/* Pressure of the still air in mPa. */
int64_t atmosphere_pressure_mpa(int64_t altitude_mm);

#endif
