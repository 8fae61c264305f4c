"""The checks of value quality of Mars 6: ranges of its instruments [A], and how the lander's belong together [C/A].

The atmosphere and gravity are those of the descent model (docs/mars6.md), which are assumptions for the simulation:
a station has no others.
"""

from __future__ import annotations

from protocols.declare.checks import (
    Atmosphere,
    Bound,
    Check,
    Clock,
    FallChange,
    FlatLine,
    Hydrostatic,
    Integral,
    Labels,
    LapseRate,
    OnlyWhile,
    Order,
    Proportional,
    Range,
    Rate,
    SpeedChange,
)
from protocols.times import utc_ns
from protocols.units import NS_PER_MS

_EPOCH = utc_ns("1974-03-12T09:05:53")
_RADIUS = 3_396_000.0
_GRAVITY = 4.282837e13 / _RADIUS**2

AIR = Atmosphere(
    pressure=6.1,
    temperature=230.0,
    lapse=80.0 / 24_817.3,
    top=24_817.3,
    gas_constant=191.8,
    gravity=_GRAVITY,
    radius=_RADIUS,
)

PHASES_IN_ORDER = (
    "COAST", "ENTRY", "BLACKOUT", "AEROBRAKING", "DROGUE", "MAIN", "TERMINAL", "RETRO_ARMED", "LANDED", "SURFACE",
)  # fmt: skip
"""What a descent goes through; one that ends on the ground in another way says so often enough to be believed."""

_DESCENT: tuple[Check, ...] = (
    Clock("DESCENT.tick", _EPOCH, 100 * NS_PER_MS),
    Labels("DESCENT.phase"),
    Order("DESCENT.phase", PHASES_IN_ORDER),
    Range("DESCENT.altitude", 0, 113_000),
    Rate("DESCENT.altitude", window=48, per_second=1_200, bend=30, settle_s=1.5),
    Integral("DESCENT.altitude", "DESCENT.vertical_speed", factor=-1, drift=1),
    Range("DESCENT.speed", 0, 5_700),
    Rate("DESCENT.speed", window=4.8, per_second=110, bend=15),
    SpeedChange("DESCENT.speed", "DESCENT.vertical_speed", "DESCENT.deceleration", _GRAVITY, drift=0.5),
    FlatLine("DESCENT.speed", 4.2, 3, "DESCENT.altitude", 300, 9_000, 113_000),
    Range("DESCENT.vertical_speed", -50, 1_200),
    Rate("DESCENT.vertical_speed", window=4.8, per_second=50, bend=15),
    FallChange("DESCENT.vertical_speed", "DESCENT.speed", "DESCENT.deceleration", _GRAVITY, _RADIUS, drift=0.5),
    Bound("DESCENT.vertical_speed", "DESCENT.speed", 5),
    Range("DESCENT.deceleration", 0, 25),
    Rate("DESCENT.deceleration", window=0.095, per_second=1.5, bend=0.8),
    FlatLine("DESCENT.deceleration", 0.02, 3, "DESCENT.altitude", 300, 16_000, 26_000),
    Range("DESCENT.temperature", 120, 320),
    Rate("DESCENT.temperature", window=0.95, per_second=4, bend=0.3, every_ms=1_000, settle_s=2),
    LapseRate("DESCENT.temperature", "DESCENT.altitude", AIR, 2.0),
    FlatLine("DESCENT.temperature", 0.06, 4, "DESCENT.altitude", 150, 100, 24_000),
    Range("DESCENT.pressure", 0, 12),
    Rate("DESCENT.pressure", window=0.048, per_second=0.2, bend=0.02, every_ms=1_000, settle_s=2),
    Hydrostatic("DESCENT.pressure", "DESCENT.altitude", AIR, 0.03, 0.01),
    FlatLine("DESCENT.pressure", 0.005, 4, "DESCENT.altitude", 150, 100, 24_000),
    Order("DESCENT.altimeter_lock"),
    OnlyWhile("DESCENT.altimeter_lock", "DESCENT.altitude", -100, 6_610),
    OnlyWhile("DESCENT.altimeter_lock", "DESCENT.pressure", 3.3, 12),
    Range("DESCENT.radio_altitude", 0, 7_000),
    Rate("DESCENT.radio_altitude", window=19, per_second=150, bend=3, every_ms=500, settle_s=1.5),
    Proportional("DESCENT.radio_altitude", "DESCENT.altitude", 80),
    Range("DESCENT.radio_altitude_low", 0, 100),
    Rate("DESCENT.radio_altitude_low", window=0.95, per_second=70, bend=3, every_ms=500),
    Proportional("DESCENT.radio_altitude_low", "DESCENT.altitude", 5, highest=100),
    Range("DESCENT.pump_current", 0, 10),
    Rate("DESCENT.pump_current", window=0.19, per_second=0.2, bend=0.02, every_ms=1_000, settle_s=2),
    Proportional("DESCENT.pump_current", "DESCENT.pressure", 0.1, scale=0.6, offset=0.4),
)
"""Of the packet DESCENT, which the failing chip spoils."""

_TICKED = (
    "LANDER_HK", "LANDER_SYSTEMS", "SURFACE", "BUS_HK", "BUS_ORBIT", "MAGNETOMETER", "PLASMA", "COSMIC_RAYS",
    "MICROMETEOROIDS", "PARTICLES",
)  # fmt: skip

_RANGES: tuple[Check, ...] = (
    Range("LANDER_SYSTEMS.peak_deceleration", 0, 25),
    Range("LANDER_SYSTEMS.mean_deceleration", 0, 25),
    Range("LANDER_SYSTEMS.swing", -90, 90),
    Labels("LANDER_SYSTEMS.retro"),
    Range("SURFACE.temperature", 120, 320),
    Range("SURFACE.pressure", 0, 12),
    Range("MAGNETOMETER.bx", -128, 128),
    Range("MAGNETOMETER.by", -128, 128),
    Range("MAGNETOMETER.bz", -128, 128),
    Range("PLASMA.energy", 0, 6_000),
    Range("PLASMA.current", 0, 1_000),
    Range("PLASMA.speed", 0, 1_070),
    Range("COSMIC_RAYS.rate", 0, 10_000),
    Range("MICROMETEOROIDS.impacts", 0, 255),
    *(Range(f"PARTICLES.proton_{n}", 0, 100_000) for n in range(1, 5)),
    *(Range(f"PARTICLES.electron_{n}", 0, 100_000) for n in range(1, 3)),
)
"""Ranges of the other instruments [A]."""

CHECKS: tuple[Check, ...] = (
    *_DESCENT,
    *(Clock(f"{packet}.tick", _EPOCH, 100 * NS_PER_MS) for packet in _TICKED),
    *_RANGES,
)
