"""What else a mission wants drawn of its telemetry: a small panel for each parameter, over mission time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from hil.report.drawing.axis import Axis, whole
from hil.report.drawing.curves import Point, Scale, path, pieces
from hil.report.drawing.strip import lines_at, tick_label, windows
from hil.report.drawing.svg import Panel, drawing, label, stretched, time_scale, upright
from hil.report.markup import Markup, el, join
from hil.report.words import plural
from hil.verdict.result import Curve, RunResult

HEIGHT = 64
_HEAD = 20
"""Of a panel, for its name."""
_COLUMNS = 120
"""As wide as a point can be told from the next in so small a panel."""
_STEPS = 3
"""On a scale, at most."""
_GAPS = 12
"""So many times the usual distance between points is a silence."""


def telemetry(result: RunResult) -> Markup:
    """The drawing; nothing if there is nothing to draw."""
    axis = whole(result)
    drawn = list(_on(axis, result.curves))
    if not drawn:
        return Markup()
    ticks = list(axis.ticks(12))
    panels = [_panel(axis, curve, points) for curve, points in drawn]
    panels.append(time_scale(axis, [tick_label(time) for time in ticks]))
    behind = [*windows(result, axis), *(upright(axis, tick, "grid") for tick in ticks), *lines_at(result, axis)]
    text = "; ".join(_words(curve, points) for curve, points in drawn)
    chart = drawing(f"Telemetry, {result.run}", text, panels, join(behind), kind="telemetry", **axis.attributes)
    return join([el("p", "Good values, as they were received.", class_="caption"), chart])


def _on(axis: Axis, curves: list[Curve]) -> Iterator[tuple[Curve, list[Point]]]:
    """The curves of which a point is on the axis."""
    for curve in curves:
        if points := [(time, value) for time, value in curve.points if axis.holds(time)]:
            yield curve, points


def _panel(axis: Axis, curve: Curve, points: list[Point]) -> Panel:
    bottom, top, step = fitted([value for _, value in points])
    over = Scale(bottom, top, HEIGHT)
    gutter, grid = [], []
    for n in range(round((top - bottom) / step) + 1):
        value = bottom + n * step
        y = _HEAD + over.y(value)
        gutter.append(el("text", f"{value:.5g}", x="94%", y=y + 4, text_anchor="end", class_="tick"))
        grid.append(el("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
    steps = [b[0] - a[0] for a, b in pairwise(points)]
    gap = round(_GAPS * median(steps)) if steps else 0
    line = el(
        "path",
        d="".join(path(axis, piece, over, _COLUMNS, 1) for piece in pieces(points, gap)),
        class_="curve",
        data_name=curve.parameter,
        data_unit=curve.unit,
        data_bottom=bottom,
        data_top=top,
        data_height=HEIGHT,
    )
    name = label(axis, axis.first, 13, curve.parameter + (f", {curve.unit}" if curve.unit else ""), "name")
    plot = [*grid, el("svg", stretched(HEIGHT, line), y=_HEAD, width="100%", height=HEIGHT), name]
    return Panel(_HEAD + HEIGHT + 6, join(gutter), join(plot))


def fitted(values: list[float]) -> tuple[float, float, float]:
    """A scale on which all values have room: its lower end, its upper end and its step, with round numbers.

    Args:
        values: at least one; finite.
    """
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high - low < 1e-300:  # a flat line
        room = abs(high) / 10 or 1.0
        low, high = low - room, high + room
    size = 10.0 ** math.floor(math.log10(high - low))
    step = next(size * f for f in (0.5, 1, 2, 5, 10) if high - low <= _STEPS * size * f)
    bottom = -step if -step < low < 0 else math.floor(low / step) * step
    return min(bottom, low), max(math.ceil(high / step) * step, high), step


def _words(curve: Curve, points: list[Point]) -> str:
    values = [value for _, value in points]
    unit = f" {curve.unit}" if curve.unit else ""
    return f"{curve.parameter}, {plural(len(values), 'point')} from {min(values):.5g} to {max(values):.5g}{unit}"
