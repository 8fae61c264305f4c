"""What happened, in lanes over time: frames by virtual channel, rejects, faults, contact, events, commands.

Thousands of frames in a row are one bar, few are strokes. What must not be overlooked is always drawn by itself: a
reject, a gap between frames, an occurrence of a fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hil.report.drawing.axis import PERIODS_NS, Axis, line_to_mission, merged
from hil.report.drawing.svg import Panel, bars, mark, stretched, strokes
from hil.report.markup import Markup, el, join
from hil.report.words import grouped, plural, utc_ms
from hil.verdict.result import Moment, RunResult
from protocols.lander import MARS6

HEIGHT = 24
FAULT_LANES = 8
MARKS = 250
"""Signs in a lane; more are counted."""

_FEW = 150
"""So many frames are drawn one by one."""
_GOOD = ("GOOD", "CORRECTED")
_SOURCES = {channel.vcid: channel.source.lower() for channel in MARS6.channels}
_MOMENTS = ("contact", "transport", "command", "event", "fault")


def lanes(result: RunResult, axis: Axis) -> list[Panel]:
    """All lanes in which something is."""
    return [*_frames(result, axis), *_rejects(result, axis), *_faults(result, axis), *_happenings(result, axis)]


def lane(name: str, note: str, *plot: Markup) -> Panel:
    """One lane with its name and a word about it."""
    gutter = [el("text", name, x=2, y=11, class_="name"), el("text", note, x=2, y=21, class_="note")]
    line = el("line", x1="0", x2="100%", y1=HEIGHT - 1, y2=HEIGHT - 1, class_="grid")
    return Panel(HEIGHT, join(gutter), join([line, *plot]))


def frame_times(result: RunResult, axis: Axis, vcid: int) -> list[int]:
    """When good frames of a channel came."""
    times = (line_to_mission(result, f.time) for f in result.frames if f.vcid == vcid and f.quality in _GOOD)
    return [time for time in times if axis.holds(time)]


def gaps(times: Sequence[int], period: int) -> list[tuple[int, int]]:
    """Where a frame was due and did not come: the times of those around it."""
    return [(a, b) for a, b in pairwise(times) if b - a > 1.5 * period]


def _frames(result: RunResult, axis: Axis) -> list[Panel]:
    vcids = {frame.vcid for frame in result.frames if frame.quality in _GOOD}
    panels = []
    periods = PERIODS_NS if result.is_mars6 else {}
    for vcid in sorted(vcids | set(periods), key=lambda v: (v < 0, v)):
        times = frame_times(result, axis, vcid)
        period = periods.get(vcid)
        holes = gaps(times, period) if period is not None else []
        note = grouped(len(times)) + (f", {plural(len(holes), 'gap')}" if holes else "")
        drawn = [_coverage(axis, times, period)]
        if holes:
            drawn.append(bars([(axis.x(a), axis.x(b)) for a, b in holes], 17, 3, "gap"))
            if len(times) > _FEW:  # across the bar, where a hole of one frame could not be seen
                drawn.append(strokes([axis.x((a + b) // 2) for a, b in holes], 3, 14, "gap"))
        name = f"VC{vcid} {_SOURCES.get(vcid, '') if result.is_mars6 else ''}".strip() if vcid >= 0 else "foreign"
        panels.append(lane(name, note, stretched(HEIGHT, *drawn)))
    return panels


def _coverage(axis: Axis, times: list[int], period: int | None) -> Markup:
    if len(times) <= _FEW or period is None:
        return strokes([axis.x(time) for time in times], 5, 11, "frame")
    hole = max(round(1.5 * period), (axis.last - axis.first) // 1500)
    runs = merged([(time, time) for time in times], hole)
    return bars([(axis.x(a), axis.x(b)) for a, b in runs], 5, 11, "frames")


def _rejects(result: RunResult, axis: Axis) -> list[Panel]:
    bad = [(line_to_mission(result, f.time), f.quality) for f in result.frames if f.quality not in _GOOD]
    bad = [(time, quality) for time, quality in bad if axis.holds(time)]
    kinds = sorted({quality for _, quality in bad})
    if not bad:
        return [lane("rejects", "none")]
    note = ", ".join(f"{grouped(sum(q == kind for _, q in bad))} {kind}" for kind in kinds)
    rows = [strokes([axis.x(time) for time, _ in bad], 4, 14, "reject")]
    corrected = [line_to_mission(result, f.time) for f in result.frames if f.quality == "CORRECTED"]
    if corrected:
        rows.append(strokes([axis.x(time) for time in corrected if axis.holds(time)], 14, 6, "corrected"))
    return [lane("rejects", note, stretched(HEIGHT, *rows))]


def _faults(result: RunResult, axis: Axis) -> list[Panel]:
    panels = []
    for fault in result.faults[:FAULT_LANES]:
        spans = [inside for start, end in fault.windows if (inside := axis.clip(start, end))]
        wide = [
            el(
                "rect",
                el("title", f"{fault.text}: {utc_ms(a)} … {utc_ms(b)}"),
                x=f"{axis.x(a):.3f}%",
                y=6,
                height=10,
                width=f"{axis.x(b) - axis.x(a):.3f}%",
                class_="fault",
            )
            for a, b in spans
        ]
        times = [line_to_mission(result, entry.at) for entry in result.applied if entry.fault == fault.fault]
        ticks = strokes([axis.x(time) for time in times if axis.holds(time)], 3, 16, "occurrence")
        note = f"{fault.kind} {grouped(fault.occurrences)}×"
        panels.append(lane(f"fault {fault.fault}", note, *wide, stretched(HEIGHT, ticks)))
    if len(result.faults) > FAULT_LANES:
        panels.append(lane("faults", f"{len(result.faults) - FAULT_LANES} more"))
    return panels


def _happenings(result: RunResult, axis: Axis) -> list[Panel]:
    names = [*_MOMENTS, *sorted({m.lane for m in result.moments} - set(_MOMENTS))]
    panels = []
    for name in names:
        there = [m for m in result.moments if m.lane == name and axis.holds(line_to_mission(result, m.time))]
        if there:
            panels.append(_signs(result, axis, name, there))
    return panels


def _signs(result: RunResult, axis: Axis, name: str, moments: list[Moment]) -> Panel:
    """The bad ones are drawn last, so that they lie on top; if there is no room for all, the plain ones go first."""
    ordered = sorted(moments, key=lambda m: ("bad", "good", "plain").index(_tone(m)))[:MARKS]
    signs = []
    for moment in reversed(ordered):
        time = line_to_mission(result, moment.time)
        signs.append(mark(axis, time, 12, _tone(moment), f"{utc_ms(time)} {moment.text}"))
    bad = sum(m.tone == "bad" for m in moments)
    note = grouped(len(moments)) + (f", {bad} bad" if bad else "")
    return lane(name, note, *signs)


def _tone(moment: Moment) -> str:
    return moment.tone if moment.tone in ("good", "bad") else "plain"
