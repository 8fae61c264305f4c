"""What drawings are made of: panels one above the other, as wide as the page, whose text keeps its size.

Rules:
1. A drawing has a height in pixels and the width of the window. Places along time are percentages.
2. A path cannot have percentages: it stands in a nested SVG of `UNITS` units that is stretched, with strokes that are
   not.
3. Names and scales stand in a gutter of their own, so that the drawing can be widened and scrolled under them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.report.drawing.axis import Axis
from hil.report.markup import Markup, el, join, number

UNITS = 1000
_LABEL_PERCENT = 19.0
"""Room that a label takes in the narrowest window."""
_TURN = 82.0
"""Labels right of it are written to the left."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One strip of a drawing. ``gutter`` is drawn left of it, ``plot`` in it; both from its upper edge down."""

    height: int
    gutter: Markup
    plot: Markup


def drawing(title: str, text: str, panels: Sequence[Panel], behind: Markup, *, kind: str, **attributes: int) -> Markup:
    """Panels stacked, with what goes through all of them behind.

    Args:
        title: what it shows.
        text: the same for who cannot see it.
        panels: from the top.
        behind: drawn first; its heights are 100 %.
        kind: a class.
        attributes: of the whole, for the script.
    """
    gutters, plots, y = [], [], 0
    for panel in panels:
        gutters.append(el("g", panel.gutter, transform=f"translate(0 {y})"))
        plots.append(el("g", panel.plot, transform=f"translate(0 {y})"))
        y += panel.height
    names = el("svg", *gutters, class_="gutter", height=y, aria_hidden="true")
    plot = el("svg", el("title", title), el("desc", text), behind, *plots, class_="plot", height=y, role="img")
    scroll = el("div", plot, class_="scroll", tabindex=0, role="group", aria_label=title)
    return el("div", names, scroll, class_=f"drawing {kind}", **attributes)


def stretched(height: float, *children: Markup) -> Markup:
    """Room for paths: `UNITS` wide, whatever that comes to."""
    box = f"0 0 {UNITS} {number(height)}"
    return el("svg", *children, viewBox=box, preserveAspectRatio="none", width="100%", height=height, class_="paths")


def bars(spans: Iterable[tuple[float, float]], top: float, height: float, kind: str) -> Markup:
    """Rectangles as one path, for `stretched`; spans in percent."""
    parts = []
    for start, end in spans:
        x, w = start * UNITS / 100, (end - start) * UNITS / 100
        parts.append(f"M{number(x)} {number(top)}h{number(w)}v{number(height)}h{number(-w)}z")
    return el("path", d="".join(parts), class_=kind) if parts else Markup()


def strokes(places: Iterable[float], top: float, height: float, kind: str) -> Markup:
    """Upright strokes as one path, for `stretched`; places in percent. Those that fall together are drawn once."""
    xs = sorted({round(place * UNITS / 100, 2) for place in places})
    d = "".join(f"M{number(x)} {number(top)}v{number(height)}" for x in xs)
    return el("path", d=d, class_=kind) if d else Markup()


def upright(axis: Axis, time: int, kind: str) -> Markup:
    """A line through all panels."""
    x = percent(axis.x(time))
    return el("line", x1=x, x2=x, y1="0", y2="100%", class_=kind)


def window(axis: Axis, start: int, end: int, title: str, **attributes: str | int) -> Markup:
    """A shaded span through all panels; nothing if it is not on the axis."""
    inside = axis.clip(start, end)
    if inside is None:
        return Markup()
    left, right = (percent(axis.x(time)) for time in inside)
    width = percent(axis.x(inside[1]) - axis.x(inside[0]))
    edges = [el("line", x1=x, x2=x, y1="0", y2="100%") for x in dict.fromkeys((left, right))]
    shade = el("rect", x=left, width=width, y="0", height="100%")
    return el("g", el("title", title), shade, *edges, class_="window", **attributes)


def percent(value: float) -> str:
    """A place along time, as SVG has it."""
    return f"{number(value)}%"


def label(axis: Axis, time: int, y: float, text: str, kind: str, title: str = "") -> Markup:
    """Text at a time; near the right edge it ends there."""
    x = axis.x(time)
    turned = x > _TURN
    told = [el("title", title)] if title else []
    anchor = "end" if turned else None
    return el("text", *told, text, x=percent(x), dx=-4 if turned else 4, y=y, text_anchor=anchor, class_=kind)


def rows_for(axis: Axis, times: Sequence[int], most: int) -> list[int]:
    """For each label, in order of time, a row in which it hides no other; as far as there are rows."""
    taken: list[list[tuple[float, float]]] = []
    rows = []
    for time in times:
        x = axis.x(time)
        room = (x - _LABEL_PERCENT, x) if x > _TURN else (x, x + _LABEL_PERCENT)
        free = (n for n, row in enumerate(taken) if all(room[1] <= a or b <= room[0] for a, b in row))
        row = next(free, min(len(taken), most - 1))
        if row == len(taken):
            taken.append([])
        taken[row].append(room)
        rows.append(row)
    return rows


def mark(axis: Axis, time: int, y: float, tone: str, title: str) -> Markup:
    """A sign for one thing that happened: its form says good, bad or neither."""
    return el("use", el("title", title), href=f"#{tone}", x=percent(axis.x(time)), y=y, class_=tone)


def time_scale(axis: Axis, labels: Sequence[tuple[int, str, bool]]) -> Panel:
    """A panel of times: (time, text, whether it goes in a narrow window). The edges stay free."""
    parts = []
    for time, text, minor in labels:
        x = axis.x(time)
        if 2.5 < x < 99:
            anchor = "end" if x > 96 else "middle"
            parts.append(el("text", text, x=percent(x), y=14, text_anchor=anchor, class_="minor" if minor else "tick"))
    return Panel(20, Markup(), join(parts))


SYMBOLS = el(
    "svg",
    el(
        "defs",
        el(
            "pattern",
            el("rect", width=8, height=8, class_="hatch-ground"),
            el("path", d="M-2 2l4-4M0 8l8-8M6 10l4-4", class_="hatch-line"),
            id="hatch",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        ),
        el("path", id="good", d="M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"),
        el("path", id="bad", d="M-5 -4.5h10l-5 9z"),
        el("path", id="plain", d="M0 -5l3.5 5l-3.5 5l-3.5 -5z"),
    ),
    width=0,
    height=0,
    class_="symbols",
    aria_hidden="true",
)
"""Once in a page, before the drawings that refer to it."""
