"""A view as blocks in columns: its packets and panels, from the top down, then on in the next column.

Rules:

1. There are as few columns as the blocks need, and as many as the width has room for: a column is as wide as the widest
   of its blocks asks for.
2. A block that would be cut goes to the next column, if there is one and it fits there.
3. What has no room is counted in the last row, and can be scrolled to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from groundstation.messages.wire import ViewInfo
from groundstation.tui.drawing.spans import Row, Span, fit
from groundstation.tui.panels.rows import View, clamp_offset, more_row, packet_blocks, scrolled_title
from groundstation.tui.views.channels import expected
from groundstation.tui.views.light_times import light_times
from groundstation.tui.views.quality import quality
from groundstation.tui.views.relays import relay_rows

COLUMN = 39
"""Two of them fit into 80 cells."""
WIDE = 68


@dataclass(frozen=True, slots=True)
class _Panel:
    """A panel that a mission can name: the least width that it needs, and its rows."""

    least: int
    rows: Callable[[View, ViewInfo, int], list[Row]]


PANELS = {
    "light times": _Panel(COLUMN, light_times),
    "expected": _Panel(COLUMN, expected),
    "quality": _Panel(WIDE, quality),
    "relays": _Panel(WIDE, lambda view, page, width: relay_rows(view, width, "text")),
}


def columns(view: View, page: ViewInfo, width: int, height: int, offset: int = 0) -> tuple[list[Row], int]:
    """``height`` rows or fewer, and the place that was scrolled to: at most to the last row."""
    if width < 1 or height < 1:  # hidden behind the plots
        return [], offset
    panels = [PANELS[name] for name in page.panels if name in PANELS]
    least = max([COLUMN, *(panel.least for panel in panels)])
    most = max(1, (width + 1) // (least + 1))
    for count in range(1, most + 1):
        room = (width - count + 1) // count
        blocks = [*packet_blocks(view, page, room), *(panel.rows(view, page, room) for panel in panels)]
        placed, total = _place(blocks, count, height)
        if total <= count * height and len(placed) <= count:
            return _side_by_side(view, placed, width, room), 0
    rows = [row for block in blocks for row in block]
    start = clamp_offset(offset, len(rows), count * height - 2)
    head = [scrolled_title(view, page.name.upper(), room, start)] if start else []
    rows = [*head, *rows[start:]]
    shown, hidden = rows[: count * height], len(rows) - count * height
    if hidden > 0:
        shown[-1] = more_row(view, hidden + 1, room)
    return _side_by_side(view, [shown[n : n + height] for n in range(0, len(shown), height)], width, room), start


def _place(blocks: list[list[Row]], count: int, height: int) -> tuple[list[list[Row]], int]:
    """The blocks in columns, and how many rows there are."""
    placed: list[list[Row]] = [[]]
    for block in blocks:
        if placed[-1] and len(placed[-1]) + len(block) > height and len(placed) < count and len(block) <= height:
            placed.append([])
        placed[-1] += block
        while len(placed[-1]) > height:
            placed.append(placed[-1][height:])
            placed[-2] = placed[-2][:height]
    return placed, sum(map(len, blocks))


def _side_by_side(view: View, placed: list[list[Row]], width: int, room: int) -> list[Row]:
    """Columns with an edge between them."""
    out: list[Row] = []
    for line in range(max(map(len, placed), default=0)):
        spans: list[Span] = []
        for number, column in enumerate(placed):
            spans += [Span(view.glyphs.edge, "rule")] if number else []
            spans += fit(column[line] if line < len(column) else (), room)
        out.append(fit(tuple(spans), width))
    return out
