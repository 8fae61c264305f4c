"""A plot of one parameter over mission time, drawn in braille (or stars). Gaps stay gaps: nothing is interpolated.

Values that are not good are crosses, at the edge if they lie beyond it: the scale is that of the good ones.

Dots are addressed from the top left: two across and four down to a braille cell, one to an ASCII cell.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from groundstation.messages.text import utc
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, merge, right
from groundstation.tui.panels.rows import View, age_text, quality_mark, title, value_text
from groundstation.viewer.flight import Key
from protocols.units import NS_PER_HOUR, NS_PER_S

_AXIS = 8
_TEN_SECONDS_NS = 10 * NS_PER_S
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, slots=True)
class Frame:
    """What is seen: the time span, the top of the scale (its foot is 0 or below), and the canvas in cells."""

    start: int
    end: int
    low: float
    high: float
    width: int
    height: int

    def column(self, scet: int, dots: int = 1) -> int:
        """The dot column of a moment."""
        share = (scet - self.start) / max(1, self.end - self.start)
        return min(self.width * dots - 1, int(share * self.width * dots))

    def line(self, value: float, dots: int = 1) -> int:
        """The dot row of a value, 0 at the top."""
        share = (value - self.low) / (self.high - self.low)
        steps = self.height * dots - 1
        return max(0, min(steps, round((1 - share) * steps)))


def plot(view: View, key: Key, width: int, height: int, tone: Tone) -> list[Row]:
    """Title with the last value, the canvas with its scale, and the time axis: ``height`` rows in all."""
    series = view.model.flight.series[key]
    samples = series.samples
    head = plot_title(view, key, width)
    rows, columns = height - 2, width - _AXIS - 2
    if not samples or rows < 2 or columns < 8:
        return [head] + [fit((Span(" no data yet" if line == 0 else "", "dim"),), width) for line in range(height - 1)]
    frame = frame_of(view, samples, columns, rows)
    canvas = Canvas(frame, unicode=view.glyphs.unicode)
    canvas.draw(samples, series.starts)
    marks = _marks(view, frame, view.model.packet_vcid(key[0]))
    crosses = _crosses(frame, view.model.flight.bad.get(key, ()))
    body = [_line(view, frame, canvas, row, tone, marks, crosses) for row in range(rows)]
    return [head, *[fit(row, width) for row in body], fit(_time_axis(frame), width)]


def frame_of(view: View, samples: Sequence[tuple[int, float]], width: int, height: int) -> Frame:
    """From the first sample to the last planned moment, so that the curve grows towards the plan."""
    start = samples[0][0] // _TEN_SECONDS_NS * _TEN_SECONDS_NS
    end = max(samples[-1][0], start + _TEN_SECONDS_NS)
    if view.model.timeline and view.model.timeline[-1].scet - start < NS_PER_HOUR:
        end = max(end, view.model.timeline[-1].scet)
    values = [value for _, value in samples]
    low, high = 0.0 - nice(-min(values)), nice(max(values))
    return Frame(start, end + (end - start) // 40, low, high if high > low else low + 1, width, height)


def nice(value: float) -> float:
    """The next round figure at or above a positive value; 0 for the others."""
    if value <= 0:
        return 0.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next((step * scale for step in (1, 1.5, 2, 3, 4, 5, 6, 8) if value <= step * scale), 10 * scale)


class Canvas:
    """Dots by cell."""

    def __init__(self, frame: Frame, *, unicode: bool) -> None:
        self._frame = frame
        self._across, self._down = (2, 4) if unicode else (1, 1)
        self._cells: dict[tuple[int, int], int] = {}

    def draw(self, samples: Sequence[tuple[int, float]], starts: Collection[int]) -> None:
        """Draw the samples, each joined to the one before unless its time is among the ``starts``."""
        before: tuple[int, int] | None = None
        for scet, value in samples:
            dot = self._frame.column(scet, self._across), self._frame.line(value, self._down)
            if before is None or scet in starts:
                self._set(*dot)
            elif dot != before:
                self._join(before, dot)
            before = dot

    def char(self, column: int, row: int) -> str:
        """The character of a cell, or an empty string where no dot is set."""
        bits = self._cells.get((column, row), 0)
        if not bits:
            return ""
        return chr(0x2800 + bits) if self._down > 1 else "*"

    def _join(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        for step in range(1, steps + 1):
            across = start[0] + round((end[0] - start[0]) * step / steps)
            self._set(across, start[1] + round((end[1] - start[1]) * step / steps))

    def _set(self, x: int, y: int) -> None:
        cell = x // self._across, y // self._down
        bit = _BRAILLE[y % self._down][x % self._across] if self._down > 1 else 1
        self._cells[cell] = self._cells.get(cell, 0) | bit


def plot_title(view: View, key: Key, width: int) -> Row:
    """The parameter's name and its last value, not good or stale if it is, and what the curve lacks."""
    reading = view.model.reading(key, view.now)
    note = _note(view, key)
    name = key[1].replace("_", " ").replace(".", " ").upper()
    if reading.value is None:
        return title(name, width, view.glyphs, note)
    stale = f" {view.glyphs.stale}{age_text(reading.age_ns)}" if reading.freshness == "STALE" else ""
    mark = quality_mark(reading.quality, view.glyphs)
    text = f"{name}  {mark}{value_text(reading.info, reading.value)} {reading.info.unit}{stale}"
    return title(text, width, view.glyphs, note)


def _note(view: View, key: Key) -> str:
    """What the curve lacks, or is not of."""
    series = view.model.flight.series[key]
    if view.model.flight.earlier and series.samples:
        return "earlier run"
    if series.dropped:
        return f"{series.dropped} older dropped"
    return f"1 of {series.stride} samples" if series.stride > 1 else ""


def _marks(view: View, frame: Frame, vcid: int | None) -> set[int]:
    """The columns of the losses of the channel that the curve comes over."""
    lost = [scet for lost_vcid, scet in view.model.flight.loss_marks if lost_vcid == vcid]
    return {frame.column(scet) for scet in lost if frame.start <= scet <= frame.end}


def _crosses(frame: Frame, bad: Collection[tuple[int, float]]) -> set[tuple[int, int]]:
    """The cells of values that are not good."""
    seen = ((scet, value) for scet, value in bad if frame.start <= scet <= frame.end)
    return {(frame.column(scet), frame.line(min(max(value, frame.low), frame.high))) for scet, value in seen}


def _line(
    view: View,
    frame: Frame,
    canvas: Canvas,
    row: int,
    tone: Tone,
    marks: set[int],
    crosses: Collection[tuple[int, int]] = (),
) -> Row:
    plans = {frame.column(stone.scet) for stone in view.model.timeline if frame.start < stone.scet <= frame.end}
    spans = [Span(right(_scale(frame, row), _AXIS), "dim"), Span(view.glyphs.edge, "rule")]
    for column in range(frame.width):
        char = canvas.char(column, row)
        if column in marks:
            spans.append(Span(view.glyphs.bar if row or not char else char, "critical"))
        elif char:
            spans.append(Span(char, tone))
        elif (column, row) in crosses:
            spans.append(Span(view.glyphs.text("×"), "doubt"))
        else:
            spans.append(Span(view.glyphs.planned if column in plans else " ", "rule"))
    return merge(spans)


def _scale(frame: Frame, row: int) -> str:
    """Labels at the top, the foot and, to the nearest row, the middle."""
    labels = {(frame.height - 1) // 2: (frame.low + frame.high) / 2} if frame.height >= 5 else {}
    labels |= {0: frame.high, frame.height - 1: frame.low}
    if row not in labels:
        return ""
    value = labels[row]
    return f"{value / 1000:g}k " if abs(value) >= 1000 else f"{value:g} "


def _time_axis(frame: Frame) -> Row:
    start, end = utc(frame.start, 0), utc(frame.end, 0)
    middle = utc((frame.start + frame.end) // 2, 0)
    room = frame.width - len(start) - len(end)
    text = " " * max(1, room)
    if room > len(middle) + 4:
        text = middle.center(room)
    return (Span(" " * (_AXIS + 1)), Span(f"{start}{text}{end}", "dim"))
