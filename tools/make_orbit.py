"""Write the bus's fly-by as integers: hil/lander/physics/orbit_table.py, and the same in C for the firmware.

    python tools/make_orbit.py            write both
    python tools/make_orbit.py --check    compare; exit 1 if a committed table differs

The model [C]: a hyperbola about Mars with v∞ 2.634 km/s and its periapsis 1,600 km high [S] at 460 s after entry. In
its plane the lander's radius vector stands at −12.5° plus its way over ground from the bus's periapsis, the sun at −45°
from the site [A: 15:00 local solar time, the sun in the plane]. The way over ground and the lander's height are those
of the lander's own descent. Floats live here and stop here: the spacecraft sees the integers.

Range and elevation begin at entry: before it the range is a straight line from 0 [A], and no elevation is defined.
The speed has no table: the energy of the orbit gives it from the altitude.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from hil.lander.physics.descent import descend
from hil.lander.physics.dynamics import ENTRY_STATE, TICKS_PER_S
from hil.lander.sequencer import HISTORICAL

HIL = Path(__file__).resolve().parent.parent / "hil"
TABLE = HIL / "lander" / "physics" / "orbit_table.py"
C_TABLE = HIL / "firmware" / "generated" / "orbit_table.h"

GM = 4.282837e13
"""Gravitational parameter of Mars, m³/s² [C]."""
RADIUS = 3_396_000.0
"""m [C]."""
EXCESS_SPEED = 2_634.0
"""v∞ in m/s [C]."""
PERIAPSIS = 1_600_000.0
"""Altitude in m [S]."""
PERIAPSIS_S = 460.0
"""Seconds after entry [C]."""
LANDER_ANGLE = math.radians(-12.5)
"""Of the lander at entry, from the periapsis [C]."""
SUN_FROM_SITE = math.radians(45.0)
"""15:00 local solar time at the site [A]."""
SHOCK_STANDOFF, SHOCK_WIDTH = 1.65, 4.219
"""The bow shock: ρ² = width · (stand-off − x), in radii of Mars about the sun line [F for form and width, A for quiet
wind]."""
LANDED_S = 312
"""The way over ground does not grow after that."""

SEGMENTS = ((-14_640, 60), (-1_200, 20), (0, 20), (60, 10), (160, 20), (1_980, 60))
"""Where steps of so many seconds begin. A chord misses by at most acceleration · step² / 8: the altitude by 0.3 km, the
range by 0.9 km while the lander brakes with 10 g."""
END_S = 4_080
DESCENT_END_S = 1_300
"""What boards that hold the descent alone keep: from entry to here."""


@dataclass(frozen=True)
class Row:
    """One entry. Lengths in 0.1 km, angles in 0.01°.

    The elevation goes on beyond 90° after the bus has passed the zenith, so that straight lines cut off no corner.
    """

    second: int
    altitude: int
    sun_angle: int
    slant_range: int
    elevation: int


def anomaly_and_radius(second: float) -> tuple[float, float]:
    """True anomaly in rad and distance from the centre of Mars in m."""
    semi_axis = GM / EXCESS_SPEED**2
    eccentricity = 1 + (RADIUS + PERIAPSIS) / semi_axis
    mean = math.sqrt(GM / semi_axis**3) * (second - PERIAPSIS_S)
    hyperbolic = math.asinh(mean / eccentricity)
    for _ in range(50):
        error = eccentricity * math.sinh(hyperbolic) - hyperbolic - mean
        hyperbolic -= error / (eccentricity * math.cosh(hyperbolic) - 1)
    half = math.sqrt((eccentricity + 1) / (eccentricity - 1)) * math.tanh(hyperbolic / 2)
    return 2 * math.atan(half), semi_axis * (eccentricity * math.cosh(hyperbolic) - 1)


def descent() -> list[tuple[float, float]]:
    """Way over ground and altitude of the lander in m, once a second from entry."""
    state, moments = ENTRY_STATE, []
    for tick in range(LANDED_S * TICKS_PER_S + 1):
        if tick % TICKS_PER_S == 0:
            moments.append((state.downrange_um / 1e6, state.altitude_um / 1e6))
        state = descend(state, HISTORICAL, tick)
    return moments


def rows() -> list[Row]:
    """All entries, in order of time."""
    lander = descent()
    site = LANDER_ANGLE + lander[-1][0] / RADIUS
    found = []
    for second in seconds():
        anomaly, radius = anomaly_and_radius(second)
        over_ground, altitude = lander[second] if 0 <= second <= LANDED_S else (lander[-1][0], 0.0)
        slant_range, elevation = 0.0, 0.0
        if second >= 0:
            angle = anomaly - LANDER_ANGLE - over_ground / RADIUS
            up = radius * math.cos(angle) - RADIUS - altitude
            slant_range = math.hypot(up, radius * math.sin(angle))
            elevation = math.degrees(math.atan2(up, -radius * math.sin(angle))) % 360
        found.append(
            Row(
                second,
                round((radius - RADIUS) / 100),
                round(math.degrees(SUN_FROM_SITE + anomaly - site) * 100),
                round(slant_range / 100),
                round(elevation * 100),
            )
        )
    return found


def seconds() -> list[int]:
    """When the entries are."""
    ends = [start for start, _ in SEGMENTS[1:]] + [END_S + 1]
    return [second for (start, step), end in zip(SEGMENTS, ends, strict=True) for second in range(start, end, step)]


def shock_tick() -> int:
    """The tick at which the bus crosses the bow shock inbound, by halving."""
    site = LANDER_ANGLE + descent()[-1][0] / RADIUS

    def outside(second: float) -> bool:
        anomaly, radius = anomaly_and_radius(second)
        zenith = SUN_FROM_SITE + anomaly - site
        along, across = radius / RADIUS * math.cos(zenith), radius / RADIUS * math.sin(zenith)
        return across**2 > SHOCK_WIDTH * (SHOCK_STANDOFF - along)

    low, high = -1_200.0, 0.0
    assert outside(low)
    assert not outside(high)
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (middle, high) if outside(middle) else (low, middle)
    return round(high * TICKS_PER_S)


def render() -> str:
    """The text of orbit_table.py."""
    entries = rows()
    after = [row for row in entries if row.second >= 0]
    segments = "".join(f"    ({start * TICKS_PER_S}, {step * TICKS_PER_S}),\n" for start, step in SEGMENTS)
    return (
        '"""Written by tools/make_orbit.py; do not edit. The bus about Mars, and as the lander sees it [C]."""\n\n'
        f"SEGMENTS: tuple[tuple[int, int], ...] = (\n{segments})\n"
        '"""First tick and step in ticks, of each part of the tables."""\n'
        f"ENTRY_INDEX = {len(entries) - len(after)}\n"
        '"""Where tick 0 stands. The tables of range and elevation begin there."""\n'
        f"BOW_SHOCK_TICK = {shock_tick()}\n"
        '"""The bow shock is crossed inbound."""\n\n'
        f"ALTITUDE: tuple[int, ...] = (\n{lines([row.altitude for row in entries])})\n"
        '"""0.1 km above the sphere of 3,396 km."""\n\n'
        f"SUN_ANGLE: tuple[int, ...] = (\n{lines([row.sun_angle for row in entries])})\n"
        '"""0.01°; its magnitude is the solar zenith angle. Negative over the morning side."""\n\n'
        f"SLANT_RANGE: tuple[int, ...] = (\n{lines([row.slant_range for row in after])})\n"
        '"""0.1 km, bus to lander, from entry on."""\n\n'
        f"ELEVATION: tuple[int, ...] = (\n{lines([row.elevation for row in after])})\n"
        '"""0.01° above the horizon from which the bus comes, from entry on; beyond 90° it has passed the zenith."""\n'
    )


def render_c() -> str:
    """The text of orbit_table.h. One file includes it: the tables are static."""
    entries = rows()
    known = [row for row in entries if row.second >= 0]
    kept = sum(0 <= start <= DESCENT_END_S for start, _ in SEGMENTS)
    return (
        "/* Written by tools/make_orbit.py: do not edit. The bus about Mars, and as the lander sees it [C]. Boards\n"
        f" * that fly the descent alone keep 0 … {DESCENT_END_S:,} s, and have shorter types. */\n"
        "#ifndef ORBIT_TABLE_H\n"
        "#define ORBIT_TABLE_H\n\n"
        "#include <stdint.h>\n\n"
        '#include "../core/flash.h"\n\n'
        "#ifdef LANDER_DESCENT_ONLY\n"
        "typedef int16_t orbit_tick;\n"
        "typedef uint16_t orbit_length;\n"
        f"#define ORBIT_SEGMENTS {kept}u\n"
        "#define ORBIT_ENTRY_INDEX 0\n"
        "#else\n"
        "typedef int32_t orbit_tick;\n"
        "typedef uint32_t orbit_length;\n"
        f"#define ORBIT_SEGMENTS {len(SEGMENTS)}u\n"
        f"#define ORBIT_ENTRY_INDEX {len(entries) - len(known)}\n"
        "#endif\n"
        "/* The bow shock is crossed inbound. */\n"
        f"#define ORBIT_BOW_SHOCK_TICK INT32_C({shock_tick()})\n\n"
        "/* Ticks at which parts of the tables begin, and their steps in ticks. */\n"
        + c_table("orbit_tick", "orbit_start", [(start, start * TICKS_PER_S) for start, _ in SEGMENTS])
        + c_table("int16_t", "orbit_step", [(start, step * TICKS_PER_S) for start, step in SEGMENTS])
        + "/* Lengths in 0.1 km, angles in 0.01°. */\n"
        + c_table("orbit_length", "orbit_altitude", [(row.second, row.altitude) for row in entries])
        + c_table("int16_t", "orbit_sun_angle", [(row.second, row.sun_angle) for row in entries])
        + "/* From entry on. Elevations beyond 90° are those after the bus has passed the zenith. */\n"
        + c_table("orbit_length", "orbit_slant_range", [(row.second, row.slant_range) for row in known])
        + c_table("int16_t", "orbit_elevation", [(row.second, row.elevation) for row in known])
        + "#endif\n"
    )


def c_table(kind: str, name: str, values: list[tuple[int, int]]) -> str:
    """One table of values with their seconds; what is not of the descent is left out on small boards."""
    before = [value for second, value in values if second < 0]
    during = [value for second, value in values if 0 <= second <= DESCENT_END_S]
    after = [value for second, value in values if second > DESCENT_END_S]
    text = f"static const {kind} {name}_table[] FLASH = {{\n"
    return text + beyond_descent(before) + c_lines(during) + beyond_descent(after) + "};\n\n"


def beyond_descent(values: list[int]) -> str:
    """Entries that small boards leave out."""
    return f"#ifndef LANDER_DESCENT_ONLY\n{c_lines(values)}#endif\n" if values else ""


def lines(values: list[int]) -> str:
    """One value a line: what the formatter would make of a tuple this long."""
    return "".join(f"    {value},\n" for value in values)


def c_lines(values: list[int]) -> str:
    """Ten values a line."""
    rows_of_ten = [values[at : at + 10] for at in range(0, len(values), 10)]
    return "".join(f"    {', '.join(map(str, row))},\n" for row in rows_of_ten)


def main() -> int:
    """Write or check; the exit status."""
    parser = argparse.ArgumentParser(description="Write the orbit tables of the Python and the C lander.")
    parser.add_argument("--check", action="store_true", help="compare with the committed tables")
    check = parser.parse_args().check
    stale = False
    for path, text in ((TABLE, render()), (C_TABLE, render_c())):
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name} is stale: run python tools/make_orbit.py", file=sys.stderr)
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
