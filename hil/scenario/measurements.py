"""The names of all measurements: a scenario may limit these, `hil.verdict.limits` has their units and usual limits."""

from __future__ import annotations

from typing import Literal, get_args

MeasurementName = Literal[
    "stream_equal",
    "received_equal",
    "golden_to_los",
    "frames_missing",
    "lost_miscounted",
    "duplicates_miscounted",
    "outage_lost",
    "last_good_frame",
    "los_time_error",
    "los_declared_late",
    "los_cause",
    "losses",
    "false_los",
    "frames_after_los",
    "frames_lost",
    "crc_rejects_unpredicted",
    "undetected_unpredicted",
    "resync",
    "interarrival_p99",
    "byte_to_published_p99",
    "reacquisition",
    "resets",
    "build_id_equal",
    "bytes_conserved",
    "bytes_accounted",
    "command",
    "command_latency",
    "fault",
]

MEASURED: tuple[MeasurementName, ...] = get_args(MeasurementName)

OF_A_LOSS: tuple[MeasurementName, ...] = ("last_good_frame", "los_time_error", "los_declared_late", "los_cause")
"""Made once for each planned loss."""
OF_A_COMMAND: tuple[MeasurementName, ...] = ("command", "command_latency")
"""Made once for each command of the scenario."""
NUMBERED: frozenset[MeasurementName] = frozenset({*OF_A_LOSS, *OF_A_COMMAND, "reacquisition", "outage_lost", "fault"})
"""Measurements of which a flight may have several."""
