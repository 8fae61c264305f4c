"""The checks of value quality of Mars 6's lander: the ranges of its instruments [A], and what its time says of them."""

from __future__ import annotations

from protocols.declare.checks import Check, Clock, Labels, Range
from protocols.times import utc_ns
from protocols.units import NS_PER_MS

_ENTRY = utc_ns("1974-03-12T09:05:53")

CHECKS: tuple[Check, ...] = (
    Clock("DESCENT.tick", _ENTRY, 100 * NS_PER_MS),
    Labels("DESCENT.phase"),
    Range("DESCENT.altitude", 0, 113_000),
    Range("DESCENT.speed", 0, 5_700),
    Range("DESCENT.vertical_speed", -50, 1_200),
    Range("DESCENT.deceleration", 0, 25),
    Range("DESCENT.temperature", 120, 320),
    Range("DESCENT.pressure", 0, 12),
    Range("DESCENT.radio_altitude", 0, 7_000),
    Range("DESCENT.radio_altitude_low", 0, 100),
    Range("DESCENT.pump_current", 0, 10),
)
"""Of the packet DESCENT, which the failing chip spoils."""
