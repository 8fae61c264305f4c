"""Altitude and speed over mission time, as they were received, and dashed as the oracle expects them.

`pieces` and `path` are for other curves, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hil.report.drawing.axis import PERIOD_NS, Axis
from hil.report.drawing.svg import UNITS, Panel, stretched
from hil.report.markup import Attribute, Markup, el, join, number
from hil.verdict.result import RunResult, Sample

Point = tuple[int, float]
"""Mission time in ns, and a value."""

HEIGHT = 130
_COLUMNS = 500
_PIECES = 400
"""With more gaps than that the curve is drawn without them: it would be all gaps."""
_GAP = 3 * PERIOD_NS


@dataclass(frozen=True, slots=True)
class Scale:
    """From ``bottom`` to ``top``, over so many pixels of ``height``."""

    bottom: float
    top: float
    height: int

    def y(self, value: float) -> float:
        """Pixels below the upper edge, of a value that may lie beyond."""
        inside = min(max(value, self.bottom), self.top)
        return self.height * (self.top - inside) / (self.top - self.bottom)


def curves(result: RunResult, axis: Axis) -> list[Panel]:
    """The two panels; none of another mission."""
    if not result.is_mars6:
        return []
    return [
        _panel(axis, _altitudes(result.samples), _altitudes(result.expected), "altitude", "km"),
        _panel(axis, _speeds(result.samples), _speeds(result.expected), "speed", "m/s"),
    ]


def _altitudes(samples: list[Sample]) -> list[Point]:
    return [(s.scet, s.altitude / 1000) for s in samples]


def _speeds(samples: list[Sample]) -> list[Point]:
    return [(s.scet, s.speed) for s in samples]


def _panel(axis: Axis, points: list[Point], expected: list[Point], name: str, unit: str) -> Panel:
    points, expected = (
        [(time, value) for time, value in each if math.isfinite(value) and axis.holds(time)]
        for each in (points, expected)
    )
    top, step = scale([value for _, value in points or expected])
    beyond = [value for _, value in points if value > top]
    gutter = [el("text", name, x=2, y=20, class_="name"), el("text", unit, x=2, y=35, class_="unit")]
    grid = []
    for n in range(round(top / step) + 1):
        y = HEIGHT - (HEIGHT - 10) * n * step / top
        gutter.append(
            el("text", f"{n * step:g}", x="94%", y=y + (0 if n == 0 else 4), text_anchor="end", class_="tick")
        )
        grid.append(el("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
    about: dict[str, Attribute] = {"data_unit": unit, "data_top": top, "data_height": HEIGHT - 10}
    over = Scale(0.0, top, HEIGHT - 10)
    flown = "".join(path(axis, piece, over) for piece in pieces(points))
    lines = [el("path", d=flown, class_=f"curve {name}", data_name=name, **about)]
    if expected:
        dashed = path(axis, expected, over)
        lines.append(
            el("path", d=dashed, class_=f"curve expected expected-{name}", data_name=f"expected {name}", **about)
        )
        gutter.append(el("text", "– – expected", x=2, y=50, class_="note"))
    plot = [*grid, el("svg", stretched(HEIGHT - 10, *lines), y=10, width="100%", height=HEIGHT - 10)]
    if beyond:
        text = f"{len(beyond)} beyond this scale, up to {max(beyond):.4g} {unit}"
        plot.append(el("text", text, x="50%", y=22, text_anchor="middle", class_="warn"))
    if not points:
        plot.append(el("text", "nothing received", x="50%", y=70, text_anchor="middle", class_="tick"))
    return Panel(HEIGHT + 8, join(gutter), join(plot))


def scale(values: Sequence[float]) -> tuple[float, float]:
    """Upper end of a scale from 0, and its step. A few values far beyond the others do not stretch it."""
    if not values:
        return 1.0, 0.5
    ordered = sorted(values)
    high = ordered[-1]
    usual = ordered[int(0.98 * (len(ordered) - 1))]
    if usual > 0 and high > 3 * usual:
        high = usual * 1.2
    if high <= 0:
        return 1.0, 0.5
    step = 10.0 ** math.floor(math.log10(high))
    step = next(step * f for f in (0.2, 0.5, 1, 2, 5) if high <= 5 * step * f)
    return step * math.ceil(high / step), step


def pieces(points: list[Point], gap: int = _GAP) -> list[list[Point]]:
    """The curve cut where the signal was away: for longer than ``gap``, in ns."""
    if not points:
        return []
    cuts = [n for n, (a, b) in enumerate(pairwise(points), 1) if b[0] - a[0] > gap]
    if len(cuts) > _PIECES:
        return [points]
    return [points[a:b] for a, b in pairwise([0, *cuts, len(points)])]


def path(axis: Axis, points: list[Point], over: Scale, most: int = _COLUMNS, digits: int = 3) -> Markup:
    """A piece, thinned to the least and the greatest value of each of ``most`` columns; a lone point stays a dot.

    ``digits``: decimals of a place.
    """
    columns: dict[int, list[Point]] = {}
    for point in points:
        columns.setdefault(int(axis.x(point[0]) * most / 100), []).append(point)
    kept: list[Point] = []
    for column in columns.values():
        low, high = min(column, key=_value), max(column, key=_value)
        kept += sorted({low, high} | ({points[0], points[-1]} & set(column)))
    dot = "h0" if len(kept) == 1 else ""
    return Markup(
        "M"
        + "L".join(
            f"{number(round(_x(axis, time), digits))} {number(round(over.y(value), digits))}" for time, value in kept
        )
        + dot
    )


def _value(point: Point) -> float:
    return point[1]


def _x(axis: Axis, time: int) -> float:
    return axis.x(time) * UNITS / 100
