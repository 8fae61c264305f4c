"""A repeated number as a bar chart, one bar an item, the first counted as 1: a spectrum.

A bar has a cell or more where there is room; else, in braille, half a cell; in ASCII several items share a cell, which
then shows the highest. Items that are unusable are marked below the chart, and are not drawn as numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from groundstation.messages.wire import ViewInfo
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, merge, right
from groundstation.tui.panels.plot import nice
from groundstation.tui.panels.rows import View, age_text, title
from groundstation.viewer.model import Reading

_AXIS = 6
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LEFT, _RIGHT = (0x00, 0x40, 0x44, 0x46, 0x47), (0x00, 0x80, 0xA0, 0xB0, 0xB8)
"""Braille dots of the left and of the right column, filled from the foot."""
_PEAKS = 4
_ITEM = re.compile(r"\[(\d+)\]")


def bars(view: View, page: ViewInfo, width: int, height: int) -> list[Row]:
    """Title with the highest items, the chart with its scale, and the axis of the items: ``height`` rows."""
    if page.bars is None or height < 3:
        return []
    packet, name = page.bars
    keys = [key for key in view.model.keys(packet) if key[1].startswith(f"{name}[")]
    readings = [view.model.reading(key, view.now) for key in keys]
    values = [_number(reading) for reading in readings]
    head = _title(view, name, readings, values, width)
    if not any(value is not None for value in values):
        return [head, *[fit((Span(" no data yet" if line == 0 else "", "dim"),), width) for line in range(height - 1)]]
    room, rows = width - _AXIS - 1, height - 2
    chart = _Chart(values, room, rows, unicode=view.glyphs.unicode)
    tone: Tone = "stale" if any(reading.freshness == "STALE" for reading in readings) else "plot_a"
    body = [_line(view, chart, row, tone) for row in range(rows)]
    return [head, *(fit(row, width) for row in body), fit(_axis(chart, room), width)]


def _number(reading: Reading) -> float | None:
    bad = reading.quality is not None and reading.quality.quality == "unusable"
    return float(reading.value) if isinstance(reading.value, int | float) and not bad else None


def _title(view: View, name: str, readings: Sequence[Reading], values: Sequence[float | None], width: int) -> Row:
    unit = readings[0].info.unit if readings else ""
    known = sorted(((value, n) for n, value in enumerate(values, 1) if value), reverse=True)[:_PEAKS]
    peaks = ", ".join(f"{n}: {value:g}" for value, n in known)
    stale = [reading for reading in readings if reading.freshness == "STALE"]
    note = f"stale {age_text(stale[0].age_ns)}" if stale else ""
    missing = sum(value is None for value in values)
    if missing and known:
        note = f"{missing} unusable {note}".rstrip()
    text = f"{name.replace('_', ' ').upper()} {unit}" + (f"  highest {peaks}" if peaks else "")
    return title(text, width, view.glyphs, note)


class _Chart:
    """Bars in cells."""

    def __init__(self, values: Sequence[float | None], width: int, rows: int, *, unicode: bool) -> None:
        self.count, self.rows = len(values), rows
        self.top = nice(max((value for value in values if value is not None), default=0.0)) or 1.0
        self.cells = max(1, width // self.count)
        self.per_cell = 1 if width >= self.count else 2 if unicode else math.ceil(self.count / width)
        self._unicode, self._values = unicode, values

    @property
    def width(self) -> int:
        """Cells of all bars."""
        return self.count * self.cells if self.per_cell == 1 else math.ceil(self.count / self.per_cell)

    def column_of(self, item: int) -> int:
        """The first cell of an item, counted from 0."""
        return item * self.cells if self.per_cell == 1 else item // self.per_cell

    def char(self, column: int, row: int) -> str:
        """What stands in a cell; ``row`` counts from the top."""
        foot = self.rows - 1 - row
        if self.per_cell == 1:
            item = column // self.cells
            is_gap = self.cells > 1 and column % self.cells == self.cells - 1
            return " " if is_gap else self._filled(self._level(item, foot))
        items = range(column * self.per_cell, min(self.count, (column + 1) * self.per_cell))
        if not self._unicode:
            return self._filled(max(self._level(item, foot) for item in items))
        levels = [round(self._level(item, foot) * 4) for item in items]
        bits = _LEFT[levels[0]] | (_RIGHT[levels[1]] if len(levels) > 1 else 0)
        return chr(0x2800 + bits) if bits else " "

    def _level(self, item: int, foot: int) -> float:
        """How much of a cell a bar fills, 0 to 1; a bar that is not 0 is seen at the foot."""
        value = self._values[item]
        if not value or value < 0:
            return 0.0
        level = min(1.0, max(0.0, value / self.top * self.rows - foot))
        return max(level, 0.25) if foot == 0 else level

    def _filled(self, level: float) -> str:
        if self._unicode:
            return _EIGHTHS[round(level * 8)]
        return "#" if level >= 0.5 else "." if level > 0 else " "


def _line(view: View, chart: _Chart, row: int, tone: Tone) -> Row:
    labels = {0: chart.top, chart.rows - 1: 0.0}
    label = f"{labels[row]:g} " if row in labels else ""
    spans = [Span(right(label, _AXIS), "dim"), Span(view.glyphs.edge, "rule")]
    spans += [Span(chart.char(column, row), tone) for column in range(chart.width)]
    return merge(spans)


def _axis(chart: _Chart, room: int) -> Row:
    cells = [" "] * room
    step = 10 if chart.count > 20 else 1
    for item in [1, *range(step, chart.count + 1, step)]:
        text, start = str(item), chart.column_of(item - 1)
        if start + len(text) <= room and all(cell == " " for cell in cells[max(0, start - 1) : start + len(text) + 1]):
            cells[start : start + len(text)] = text
    return (Span(" " * (_AXIS + 1)), Span("".join(cells), "dim"))
