"""Rows of toned text: what the pure functions return and the panels paint. No colours here, only meanings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

Tone = Literal[
    "text", "bright", "dim", "rule", "title", "good", "info", "caution", "warning", "critical", "stale",
    "alarm", "alarm_title", "badge", "badge_good", "badge_alarm", "badge_warn", "badge_stale",
    "key", "plot_a", "plot_b", "now", "doubt",
]  # fmt: skip


class Span(NamedTuple):
    """A run of text in one tone."""

    text: str
    tone: Tone = "text"


Row = tuple[Span, ...]

CUT = ">"
"""Stands where a text goes on that has no more room: in both alphabets, as in ``less -S``."""


def width_of(row: Row) -> int:
    """Cells a row takes."""
    return sum(cell_len(span.text) for span in row)


def fit(row: Row, width: int, tone: Tone = "text") -> Row:
    """Cut or pad a row to exactly ``width`` cells. What is cut ends in `CUT`: half a number is another number."""
    room = width - width_of(row)
    if room >= 0:
        return (*row, Span(" " * room, tone)) if room else row
    fitted: list[Span] = []
    left_over = width
    for index, span in enumerate(row):
        taken = cell_len(span.text)
        if taken >= left_over:
            more = "".join(each.text for each in row[index + 1 :])
            fitted.append(Span(cut(span.text + more, left_over), span.tone))
            break
        fitted.append(span)
        left_over -= taken
    return tuple(fitted)


def cut(text: str, width: int) -> str:
    """The start of a text in at most ``width`` cells, with `CUT` in the last if more than blanks is missing."""
    shown = set_cell_size(text, width) if cell_len(text) > width else text
    if width > 0 and text.rstrip() != shown.rstrip():
        return set_cell_size(text, width - 1) + CUT
    return shown


def left(text: str, width: int) -> str:
    """Text at the left of a column, cut to it."""
    return set_cell_size(cut(text, width), width)


def right(text: str, width: int) -> str:
    """Text at the right of a column, cut to it."""
    return " " * (width - cell_len(text)) + cut(text, width)


def spread(start: Row, end: Row, width: int, tone: Tone = "text") -> Row:
    """``start`` at the left and ``end`` at the right edge; the end yields if both do not fit."""
    room = width - width_of(end)
    if room <= width_of(start):
        return fit(start, width, tone)
    return (*fit(start, room, tone), *end)


def merge(spans: Sequence[Span]) -> Row:
    """Neighbours of one tone become one span: fewer escape sequences, cheaper comparison."""
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].tone == span.tone:
            merged[-1] = Span(merged[-1].text + span.text, span.tone)
        else:
            merged.append(span)
    return tuple(merged)


def plain(rows: list[Row]) -> str:
    """The text alone, one line a row."""
    return "\n".join("".join(span.text for span in row).rstrip() for row in rows)
