"""The descent as a strip chart: altitude, speed and lanes, with milestones, fault windows and losses through all."""

from __future__ import annotations

from groundstation.messages.text import utc
from hil.report.drawing.axis import Axis, merged, pace, whole
from hil.report.drawing.curves import curves
from hil.report.drawing.lanes import lanes
from hil.report.drawing.svg import Panel, drawing, label, rows_for, time_scale, upright, window
from hil.report.markup import Markup, join
from hil.report.words import plural, utc_ms
from hil.verdict.result import RunResult
from protocols.declare.dictionary import Milestone
from protocols.lander import MARS6
from protocols.units import NS_PER_MIN

_ROW = 15
_LABEL_ROWS = 6
_WINDOWS = 200
"""Drawn of one fault; nearer ones are drawn as one before that."""


def strip(result: RunResult) -> Markup:
    """The drawing."""
    axis = whole(result)
    ticks = list(axis.ticks(12))
    panels = [
        heads(result, axis),
        *curves(result, axis),
        time_scale(axis, [tick_label(time) for time in ticks]),
        *lanes(result, axis),
    ]
    behind = [*windows(result, axis), *(upright(axis, tick, "grid") for tick in ticks), *_lines(result, axis)]
    return drawing(f"The descent, {result.run}", _text(result), panels, join(behind), kind="strip", **axis.attributes)


def windows(result: RunResult, axis: Axis) -> list[Markup]:
    """Where faults acted."""
    near = (axis.last - axis.first) // 2000
    out = []
    for fault in result.faults:
        for start, end in merged(sorted(fault.windows), near)[:_WINDOWS]:
            title = f"fault {fault.fault}, {fault.text}: {utc_ms(start)} … {utc_ms(end)}"
            out.append(window(axis, start, end, title, data_fault=fault.fault))
    return out


def lines_at(result: RunResult, axis: Axis) -> list[Markup]:
    """Planned and observed loss of signal, and the first byte that differs."""
    kinds = {"los planned": result.planned_los, "los observed": result.observed_los, "mismatch": _differs(result)}
    return [upright(axis, time, kind) for kind, time in kinds.items() if time is not None and axis.holds(time)]


def _differs(result: RunResult) -> int | None:
    return None if result.mismatch is None else result.mismatch.scet


def _lines(result: RunResult, axis: Axis) -> list[Markup]:
    marks = [upright(axis, m.scet, "milestone") for m in _milestones(result) if axis.holds(m.scet)]
    return [*marks, *lines_at(result, axis)]


def _milestones(result: RunResult) -> tuple[Milestone, ...]:
    return MARS6.timeline if result.is_mars6 else ()


def heads(result: RunResult, axis: Axis) -> Panel:
    """Names of milestones, losses and the first mismatch, in as many rows as they need."""
    names = [(m.scet, m.label, "head") for m in _milestones(result) if m.name != "LOSS_OF_SIGNAL"]
    if result.planned_los is not None and result.planned_los == result.observed_los:
        names.append((result.planned_los, "LOS as planned", "head los"))
    else:
        kinds = {"planned": result.planned_los, "observed": result.observed_los}
        names += [(time, f"LOS {kind}", "head los") for kind, time in kinds.items() if time is not None]
    if (differs := _differs(result)) is not None:
        names.append((differs, "mismatch", "head mismatch"))
    names = sorted(name for name in names if axis.holds(name[0]))
    rows = rows_for(axis, [time for time, _, _ in names], _LABEL_ROWS)
    texts = [
        label(axis, time, 12 + _ROW * row, text, kind, f"{text} {utc_ms(time)}")
        for (time, text, kind), row in zip(names, rows, strict=True)
    ]
    return Panel(_ROW * (max(rows, default=0) + 1) + 4, Markup(), join(texts))


def tick_label(time: int) -> tuple[int, str, bool]:
    """Whole minutes in full, the seconds between them alone."""
    between = time % NS_PER_MIN != 0
    return time, utc(time, 0)[5:] if between else utc(time, 0)[:5], between


def _text(result: RunResult) -> str:
    """The drawing in words."""
    parts = [f"{plural(len(result.samples), 'sample')} of altitude and speed"]
    if result.samples:
        a, b = result.samples[0], result.samples[-1]
        parts.append(f"from {a.altitude:.0f} m and {a.speed:.1f} m/s at {utc_ms(a.scet)}")
        parts.append(f"to {b.altitude:.1f} m and {b.speed:.1f} m/s at {utc_ms(b.scet)}")
    for word, time in (("planned", result.planned_los), ("observed", result.observed_los)):
        parts.append(f"loss of signal {word} {'at ' + utc_ms(time) if time is not None else ': none'}")
    parts += [f"fault {f.fault}, {f.text}, {plural(f.occurrences, 'occurrence')}" for f in result.faults]
    if pace(result) != 1:
        parts.append(f"frames and events by the host's clock, {pace(result):g} mission seconds a second")
    return "; ".join(parts)
