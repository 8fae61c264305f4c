"""Write the Martian atmosphere as integers: hil/lander/physics/atmosphere_table.py, and the same in C for the firmware.

    python tools/make_atmosphere.py            write both
    python tools/make_atmosphere.py --check    compare; exit 1 if a committed table differs

The model [A]: hydrostatic, 610 Pa at the surface; temperature linear in geopotential height from 230 K at the
surface to 150 K at 25 km, isothermal above. Floats live here and stop here: the lander sees the integers.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

HIL = Path(__file__).resolve().parent.parent / "hil"
TABLE = HIL / "lander" / "physics" / "atmosphere_table.py"
C_TABLE = HIL / "firmware" / "generated" / "atmosphere_table.h"

GM = 4.282837e13
"""Gravitational parameter of Mars, m³/s² [C]."""
RADIUS = 3_396_000.0
"""m [C]."""
GAS_CONSTANT = 191.8
"""J/kg/K [C]."""
SURFACE_PRESSURE = 610.0
"""Pa [A]."""
SURFACE_TEMPERATURE = 230.0
"""K [A]."""
TROPOPAUSE_TEMPERATURE = 150.0
"""K [A]."""
TROPOPAUSE = 25_000.0
"""Geometric height in m [A]."""

DENSITY_STEP = 500
"""m. A chord lies above an exponential by at most (step / scale height)² / 8: 0.05 % for 7.7 km."""
DENSITY_TOP = 112_500
"""m: the first step above the entry altitude."""
TEMPERATURE_STEP = 2_500
"""m. The profile bends only by the difference of geopotential and geometric height: 0.002 K."""


def geopotential(altitude: float) -> float:
    """Geopotential height in m of a geometric altitude in m."""
    return RADIUS * altitude / (RADIUS + altitude)


def temperature(altitude: float) -> float:
    """Temperature in K at a geometric altitude in m."""
    share = min(1.0, geopotential(altitude) / geopotential(TROPOPAUSE))
    return SURFACE_TEMPERATURE + (TROPOPAUSE_TEMPERATURE - SURFACE_TEMPERATURE) * share


def pressure(altitude: float) -> float:
    """Hydrostatic pressure in Pa at a geometric altitude in m."""
    gravity = GM / RADIUS**2
    top = geopotential(TROPOPAUSE)
    lapse = (SURFACE_TEMPERATURE - TROPOPAUSE_TEMPERATURE) / top
    warm = temperature(altitude) / SURFACE_TEMPERATURE
    below = SURFACE_PRESSURE * math.pow(warm, gravity / (GAS_CONSTANT * lapse))
    above = max(0.0, geopotential(altitude) - top)
    return below * math.exp(-gravity * above / (GAS_CONSTANT * TROPOPAUSE_TEMPERATURE))


def density(altitude: float) -> float:
    """Density in kg/m³ at a geometric altitude in m."""
    return pressure(altitude) / (GAS_CONSTANT * temperature(altitude))


def tables() -> tuple[list[int], list[int]]:
    """Densities in 1e-11 kg/m³ and temperatures in 0.01 K, from the surface up."""
    densities = [round(density(h) * 1e11) for h in range(0, DENSITY_TOP + 1, DENSITY_STEP)]
    temperatures = [round(temperature(h) * 100) for h in range(0, int(TROPOPAUSE) + 1, TEMPERATURE_STEP)]
    return densities, temperatures


def render() -> str:
    """The text of atmosphere_table.py."""
    densities, temperatures = tables()
    size = 4 * len(densities) + 2 * len(temperatures)
    return (
        f'"""Written by tools/make_atmosphere.py; do not edit. {size} bytes as uint32_t and uint16_t."""\n\n'
        f"DENSITY_STEP_MM = {DENSITY_STEP}_000\n"
        f"DENSITY = (\n{rows(densities)})\n"
        f'"""1e-11 kg/m³, from the surface up [A]."""\n\n'
        f"TEMPERATURE_STEP_MM = {TEMPERATURE_STEP}_000\n"
        f"TEMPERATURE = (\n{rows(temperatures)})\n"
        f'"""0.01 K, from the surface up [A]."""\n'
    )


def render_c() -> str:
    """The text of atmosphere_table.h. One file includes it: the tables are static."""
    densities, temperatures = tables()
    return (
        "/* Written by tools/make_atmosphere.py: do not edit. From the surface up [A]. */\n"
        "#ifndef ATMOSPHERE_TABLE_H\n"
        "#define ATMOSPHERE_TABLE_H\n\n"
        "#include <stdint.h>\n\n"
        '#include "../core/flash.h"\n\n'
        f"#define ATMOSPHERE_DENSITY_STEP_MM INT32_C({DENSITY_STEP}000)\n"
        f"#define ATMOSPHERE_DENSITY_ENTRIES {len(densities)}u\n"
        "/* 1e-11 kg/m³ */\n"
        "static const uint32_t atmosphere_density_table[ATMOSPHERE_DENSITY_ENTRIES] FLASH = {\n"
        f"{c_rows([f'UINT32_C({value})' for value in densities])}}};\n\n"
        f"#define ATMOSPHERE_TEMPERATURE_STEP_MM INT32_C({TEMPERATURE_STEP}000)\n"
        f"#define ATMOSPHERE_TEMPERATURE_ENTRIES {len(temperatures)}u\n"
        "/* 0.01 K */\n"
        "static const uint16_t atmosphere_temperature_table[ATMOSPHERE_TEMPERATURE_ENTRIES] FLASH = {\n"
        f"{c_rows([f'{value}u' for value in temperatures])}}};\n\n"
        "#endif\n"
    )


def rows(values: list[int]) -> str:
    """One value a line: what the formatter would make of a tuple this long."""
    return "".join(f"    {value},\n" for value in values)


def c_rows(values: list[str]) -> str:
    """Five values a line."""
    lines = [values[at : at + 5] for at in range(0, len(values), 5)]
    return "".join(f"    {', '.join(line)},\n" for line in lines)


def main() -> int:
    """Write or check; the exit status."""
    parser = argparse.ArgumentParser(description="Write the atmosphere tables of the Python and the C lander.")
    parser.add_argument("--check", action="store_true", help="compare with the committed tables")
    check = parser.parse_args().check
    stale = False
    for path, text in ((TABLE, render()), (C_TABLE, render_c())):
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name} is stale: run python tools/make_atmosphere.py", file=sys.stderr)
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
