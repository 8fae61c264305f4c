"""The Martian atmosphere [A] versus altitude, from two small integer tables.

Pressure has no table: the ideal gas law makes it from density and temperature, and saves the flash of a small
chip. Above the table (112.5 km) the density of its top is given: the descent starts below.
"""

from __future__ import annotations

from hil.lander.physics.atmosphere_table import DENSITY, DENSITY_STEP_MM, TEMPERATURE, TEMPERATURE_STEP_MM
from hil.lander.physics.fixed import interpolate

_GAS_CONSTANT_E1 = 1918
"""0.1 J/kg/K [C]."""
_PRESSURE_DIVISOR = 10**11
"""1e-11 kg/m³ × 0.01 K × 0.1 J/kg/K is 1e-14 Pa; 1e11 of them are a mPa."""


def density(altitude_mm: int) -> int:
    """Density in 1e-11 kg/m³ at an altitude in mm [A]: at most 1.383e9."""
    return interpolate(DENSITY, altitude_mm, DENSITY_STEP_MM)


def temperature_ck(altitude_mm: int) -> int:
    """Temperature of the still air in 0.01 K at an altitude in mm [A]: at most 23,000."""
    return interpolate(TEMPERATURE, altitude_mm, TEMPERATURE_STEP_MM)


def pressure_mpa(altitude_mm: int) -> int:
    """Pressure of the still air in millipascal at an altitude in mm [A]."""
    # 1.383e9 * 2.3e4 * 1918 = 6.1e16
    return density(altitude_mm) * temperature_ck(altitude_mm) * _GAS_CONSTANT_E1 // _PRESSURE_DIVISOR
