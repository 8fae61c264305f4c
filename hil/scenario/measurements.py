"""The names of all measurements: a scenario may limit these, `hil.verdict.limits` has their units and usual limits."""

from __future__ import annotations

from typing import Literal, get_args

from groundstation.messages.commanding import CommandState
from groundstation.messages.wire import Cause
from protocols.nearest import nearest

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
    "frames_mended",
    "mended_share",
    "mended_wrong",
    "garbage_marked",
    "good_marked",
    "words_unusable",
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
    "merged_wrong",
    "merged_disorder",
    "lander_lost",
    "share_miscounted",
    "failover",
    "held_most",
]

MEASURED: tuple[MeasurementName, ...] = get_args(MeasurementName)

OF_A_LOSS: tuple[MeasurementName, ...] = ("last_good_frame", "los_time_error", "los_declared_late", "los_cause")
"""Made once for each planned loss."""
OF_A_COMMAND: tuple[MeasurementName, ...] = ("command", "command_latency")
"""Made once for each command of the scenario."""
OF_VALUES: tuple[MeasurementName, ...] = ("garbage_marked", "good_marked", "words_unusable")
"""Made of a flight whose chip spoilt values; all in percent."""
NUMBERED: frozenset[MeasurementName] = frozenset(
    {*OF_A_LOSS, *OF_A_COMMAND, "reacquisition", "outage_lost", "fault", "share_miscounted"}
)
"""Measurements of which a flight may have several."""

TRUTHS: frozenset[MeasurementName] = frozenset(
    {"stream_equal", "received_equal", "golden_to_los", "build_id_equal", "bytes_conserved", "bytes_accounted"}
)
"""Measurements that are true or false."""
WORDS_OF: dict[MeasurementName, tuple[str, ...]] = {"los_cause": get_args(Cause), "command": get_args(CommandState)}
"""Measurements that are one of some words."""
COUNTS: frozenset[MeasurementName] = frozenset(
    {
        *("frames_missing", "outage_lost", "losses", "false_los", "frames_after_los", "frames_lost", "resync"),
        *("resets", "fault", "merged_wrong", "merged_disorder", "lander_lost", "share_miscounted"),
        *("frames_mended", "mended_wrong"),
    }
)
"""Measurements that are whole numbers, and never less than 0."""
PERCENTAGES: frozenset[MeasurementName] = frozenset({"mended_share", *OF_VALUES})
"""Measurements that are 0 to 100 %."""
NOT_NEGATIVE: frozenset[MeasurementName] = frozenset(
    {
        *COUNTS,
        "interarrival_p99",
        "byte_to_published_p99",
        "reacquisition",
        "command_latency",
        "failover",
        "held_most",
        *PERCENTAGES,
    }
)
"""Measurements that are never less than 0."""


def check_reachable(place: str, name: MeasurementName, most: float | None, equals: float | str | bool | None) -> None:
    """Refuse a limit that no value of a measurement passes.

    Args:
        place: of the limit, for the error.
        name: of the measurement, without its number.
        most: greatest value that passes; None: none is given.
        equals: the one value that passes; None: there are bounds.

    Raises:
        ValueError: the measurement has other values; with the place.
    """
    if name in TRUTHS:
        if not isinstance(equals, bool):
            raise ValueError(f"{place}: {name} is true or false: give equals = true, or equals = false")
    elif name in WORDS_OF:
        words = WORDS_OF[name]
        if not isinstance(equals, str):
            raise ValueError(f"{place}: {name} is a word: give equals, one of {', '.join(words)}")
        if equals not in words:
            raise ValueError(f"{place}.equals: unknown value {equals!r}{nearest(equals, words)}")
    elif isinstance(equals, (str, bool)):
        raise ValueError(f"{place}.equals: {equals!r} is never reached: {name} is a number")
    else:
        _check_number(place, name, most, equals)


def check_limiting(place: str, name: MeasurementName, least: float | None, most: float | None) -> None:
    """Refuse bounds that every value of a measurement passes.

    Args:
        place: of the limit, for the error.
        name: of the measurement, without its number.
        least: smallest value that passes; None: none is given.
        most: greatest value that passes; None: none is given.

    Raises:
        ValueError: nothing can fail them; with the place.
    """
    if most is None and least is not None and least <= 0 and name in NOT_NEGATIVE:
        raise ValueError(f"{place}: nothing can fail it: {name} is never less than min {least:g}; give max or equals")
    if most is not None and most >= 100 and (least is None or least <= 0) and name in PERCENTAGES:
        raise ValueError(f"{place}: nothing can fail it: {name} is never more than max {most:g}; it is in percent")


def _check_number(place: str, name: MeasurementName, most: float | None, equals: float | None) -> None:
    for key, value in (("max", most), ("equals", equals)):
        if value is not None and value < 0 and name in NOT_NEGATIVE:
            raise ValueError(f"{place}.{key}: {value:g} is never reached: {name} is not less than 0")
    if equals is not None and name in COUNTS and equals != int(equals):
        raise ValueError(f"{place}.equals: {equals:g} is never reached: {name} is a whole number")
