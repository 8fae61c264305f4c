"""Measurements, their units and their usual limits: the table of the field, as data. A scenario may put others.

    name, unit, limits in lockstep, limits in real time

A measurement that was not made is not judged; one that was to be made and could not is UNSET, and fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hil.scenario.measurements import MeasurementName
from hil.scenario.scenario import Limit, Mode, State, applies
from hil.verdict.result import Measurement, Shown


@dataclass(frozen=True, slots=True)
class LimitBand:
    """What passes, and what passes but is marginal. Bounds are inclusive; None: no bound."""

    least: float | None = None
    most: float | None = None
    marginal_least: float | None = None
    marginal_most: float | None = None
    equals: Shown = None

    def judge(self, value: Shown) -> State:
        """The state of a value."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "UNSET"
        if self.equals is not None:
            return "PASS" if value == self.equals else "FAIL"
        if self == ANY:
            return "PASS"
        if isinstance(value, (str, bool)):
            return "UNSET"
        if _outside(value, self.least, self.most):
            return "FAIL"
        return "MARGINAL" if _outside(value, self.marginal_least, self.marginal_most) else "PASS"

    @property
    def text(self) -> str:
        """What passes, in words."""
        if self.equals is not None:
            return f"= {_shown(self.equals)}"
        return _range(self.least, self.most)

    @property
    def marginal_text(self) -> str:
        """What is marginal, in words."""
        parts = [] if self.marginal_least is None else [f"< {self.marginal_least:g}"]
        return ", ".join([*parts, *([] if self.marginal_most is None else [f"> {self.marginal_most:g}"])])


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """A measurement's unit and usual bands."""

    unit: str
    lockstep: LimitBand
    realtime: LimitBand


ANY = LimitBand()
"""Whatever was measured passes."""
EXACT = LimitBand(equals=0)
TRUE = LimitBand(equals=True)
PERIOD_MS = 100
"""T, of the lander's frames."""

MEASUREMENTS: dict[MeasurementName, DefaultLimits] = {
    "stream_equal": DefaultLimits("", TRUE, TRUE),
    "received_equal": DefaultLimits("", TRUE, TRUE),
    "golden_to_los": DefaultLimits("", LimitBand(), LimitBand()),
    "frames_missing": DefaultLimits("frame", LimitBand(), LimitBand()),
    "lost_miscounted": DefaultLimits("frame", EXACT, EXACT),
    "duplicates_miscounted": DefaultLimits("frame", EXACT, EXACT),
    "outage_lost": DefaultLimits("frame", LimitBand(), LimitBand()),
    "last_good_frame": DefaultLimits("ms", LimitBand(-PERIOD_MS, -1), LimitBand(-PERIOD_MS, -1)),
    "los_time_error": DefaultLimits("ms", EXACT, EXACT),
    "los_declared_late": DefaultLimits("ms", EXACT, LimitBand(0, 50, marginal_most=25)),
    "los_cause": DefaultLimits("", LimitBand(), LimitBand()),
    "losses": DefaultLimits("", LimitBand(), LimitBand()),
    "false_los": DefaultLimits("", EXACT, EXACT),
    "frames_after_los": DefaultLimits("frame", EXACT, EXACT),
    "frames_lost": DefaultLimits("frame", EXACT, EXACT),
    "crc_rejects_unpredicted": DefaultLimits("frame", EXACT, EXACT),
    "undetected_unpredicted": DefaultLimits("frame", EXACT, EXACT),
    "resync": DefaultLimits("frame", LimitBand(0, 1, marginal_most=0), LimitBand(0, 2, marginal_most=1)),
    "frames_mended": DefaultLimits("frame", ANY, ANY),
    "mended_share": DefaultLimits("%", ANY, ANY),
    "mended_wrong": DefaultLimits("frame", LimitBand(), LimitBand()),
    "garbage_marked": DefaultLimits("%", ANY, ANY),
    "good_marked": DefaultLimits("%", ANY, ANY),
    "words_unusable": DefaultLimits("%", ANY, ANY),
    "interarrival_p99": DefaultLimits("ms", EXACT, LimitBand(0, 0.1 * PERIOD_MS)),
    "byte_to_published_p99": DefaultLimits("ms", LimitBand(0), LimitBand(0, 10)),
    "reacquisition": DefaultLimits("s", LimitBand(0, 2), LimitBand(0, 2)),
    "resets": DefaultLimits("", EXACT, EXACT),
    "build_id_equal": DefaultLimits("", TRUE, TRUE),
    "bytes_conserved": DefaultLimits("", TRUE, TRUE),
    "bytes_accounted": DefaultLimits("", TRUE, TRUE),
    "command": DefaultLimits("", LimitBand(), LimitBand()),
    "command_latency": DefaultLimits("ms", LimitBand(), LimitBand()),
    "fault": DefaultLimits("", LimitBand(), LimitBand()),
    "merged_wrong": DefaultLimits("frame", EXACT, EXACT),
    "merged_disorder": DefaultLimits("frame", EXACT, EXACT),
    "lander_lost": DefaultLimits("frame", LimitBand(), LimitBand()),
    "share_miscounted": DefaultLimits("frame", EXACT, EXACT),
    "failover": DefaultLimits("ms", LimitBand(0, PERIOD_MS - 1), LimitBand(0, PERIOD_MS - 1)),
    "held_most": DefaultLimits("ms", LimitBand(0, PERIOD_MS), LimitBand(0, PERIOD_MS)),
}
"""All measurements there are. Those whose band is empty are compared with what the scenario expects, or recorded:

- stream_equal: the target sent what the oracle says, byte for byte
- received_equal: the station archived what the channel delivered
- golden_to_los: up to the last planned loss the station has the oracle's bytes, and none after it
- last_good_frame: its time before the planned loss
- los_time_error: how far the plan is from the interval in which the signal was lost
- los_declared_late: after last good frame plus time-out
- losses: of the lander's signal
- false_los: neither planned nor, where the scenario lists no losses, following from the frames that came
- frames_after_los: with a later time than the last planned loss
- frames_missing: of the lander, between those that came, as the rig numbers them
- lost_miscounted: how far the station's count of lost frames is from the rig's; 0 if it says no more than it knows
- duplicates_miscounted: likewise of frames that came again
- outage_lost: frames that the station says an outage of the lander cost, when it was over
- frames_lost: came through unchanged, and were not found
- crc_rejects_unpredicted: found, minus those that the channel's records predict
- undetected_unpredicted: good frames that are not as sent, minus those whose FECF fits by chance
- resync: most frames in a row that came through and were not found
- frames_mended: damaged frames that salvage made whole, as they were made aboard
- mended_share: these, of all damaged frames of which the rig knows what they were
- mended_wrong: frames that salvage called mended and that are not what was made aboard; as many as its stated risks
  make likely, 0 as a rule
- garbage_marked: values that are not as the lander meant them, and that the checks of value quality marked; this and
  the next two only if a chip that fails spoilt values
- good_marked: good values that they marked nevertheless
- words_unusable: of DESCENT, those of packets that did not come and those that are not as they were meant
- interarrival_p99: of lander frames, minus their period
- byte_to_published_p99: from the port to a subscriber in another process
- reacquisition: from the moment a link is there again to a signal
- resets: that no fault asked for
- build_id_equal: the target's and the ELF's
- bytes_conserved: the receiver's count of bytes adds up
- bytes_accounted: the channel's too, in both directions
- command: the state in which it ended
- command_latency: from when it was given to when the spacecraft reported its end, on the station's clock
- merged_wrong: frames that some link brought and the merged stream has not, or has twice; this and the next with relays
- merged_disorder: frames in the merged stream that come after a later one of their channel
- lander_lost: frames that the lander sent and no link brought
- share_miscounted: how far the station's counts of a link (first, duplicates, only) are from the rig's
- failover: the longest time from when a frame was sent to when the station had it in its place, of the lander's that a
  relay brought first
- held_most: likewise, of those that the bus brought first
- fault: how often it acted: at least once, or as chance has it on the bytes in its window
"""


_USUAL: dict[str, DefaultLimits] = {str(name): usual for name, usual in MEASUREMENTS.items()}
"""By names that need not be known ones."""

BESIDE_A_VIEWER: frozenset[MeasurementName] = frozenset({"interarrival_p99", "byte_to_published_p99"})
"""What a viewer on the same computer may spoil: of a flight that is watched it is recorded, if no limit is given; so it
is of a machine without an oracle, whose few frames say little of the worst one in a hundred."""


def base_name(name: str) -> str:
    """Without the number that tells several of a kind apart: ``los_cause[2]``."""
    return name.partition("[")[0]


def _names(name: str) -> tuple[str, str, str]:
    """What a limit may call it: ``command[2] PING``, ``command[2]``, ``command``."""
    return name, name.partition(" ")[0], base_name(name)


def unapplied(
    rows: Iterable[Measurement],
    mode: Mode,
    target: str,
    limits: Sequence[Limit],
    *,
    part: str = "",
    why: Mapping[str, str] | None = None,
) -> list[Measurement]:
    """Rows for limits of measurements that were not made: nothing was held against them, so that they do not pass.

    Args:
        rows: that were made.
        mode: in which it was flown.
        target: what flew.
        limits: of the scenario.
        part: which part of the pass was flown; empty: all of it.
        why: the reason, by measurement, where it is known.
    """
    made = {each for row in rows for each in _names(row.name)}
    left = {limit.name for limit in limits if limit.name not in made and applies(limit, target, mode)}
    unknown, reasons = "this flight has no such measurement, so that the limit was never applied", why or {}
    if part:
        return [not_applicable(name, f"flown{part}: there is no such measurement in that") for name in sorted(left)]
    return [row(name, None, band_of(name, mode, target, limits), reasons.get(name, unknown)) for name in sorted(left)]


def not_applicable(name: str, why: str) -> Measurement:
    """A row that needs a part of the pass that was not flown."""
    unit = _USUAL[base_name(name)].unit
    return Measurement(name=name, value=None, unit=unit, limit="", state="NA", note=f"not applicable: {why}")


OF_A_FAILING_CHIP = (
    Limit(name="last_good_frame", min=-30_000, max=-1),
    Limit(name="los_time_error", min=-30_000, max=0),
)
"""Of the last seconds most frames come damaged: the signal of a lander with such a chip is lost early."""


def band_of(name: str, mode: Mode, target: str, limits: Sequence[Limit], *, watched: bool = False) -> LimitBand:
    """The band of a measurement: the scenario's own, if it has one for this target and mode, else the usual one.

    Args:
        name: of the measurement.
        mode: in which it was flown.
        target: what flew.
        limits: of the scenario.
        watched: a viewer was on the same computer.
    """
    for limit in limits:
        if limit.name in _names(name) and applies(limit, target, mode):
            return LimitBand(limit.min, limit.max, limit.marginal_min, limit.marginal_max, limit.equals)
    if watched and name in BESIDE_A_VIEWER:
        return LimitBand(least=0)
    usual = _USUAL[base_name(name)]
    return usual.lockstep if mode == "lockstep" else usual.realtime


def row(name: str, value: Shown, band: LimitBand, note: str = "", unit: str | None = None) -> Measurement:
    """One judged row, in the measurement's unit by default; the note stays if it did not pass."""
    state = band.judge(value)
    shown = round(value, 3) if isinstance(value, float) else value
    return Measurement(
        name=name,
        value=shown,
        unit=_USUAL[base_name(name)].unit if unit is None else unit,
        limit=band.text,
        marginal=band.marginal_text,
        state=state,
        note="" if state == "PASS" else note,
    )


def _outside(value: float, least: float | None, most: float | None) -> bool:
    return (least is not None and value < least) or (most is not None and value > most)


def _range(least: float | None, most: float | None) -> str:
    if least is None and most is None:
        return "any"
    if most is None:
        return f"≥ {least:g}"
    return f"≤ {most:g}" if least is None else f"{least:g} … {most:g}"


def _shown(value: Shown) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
