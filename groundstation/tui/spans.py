"""Rows of toned text: what the pure functions return and the panels paint. No colours here, only meanings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

Tone = Literal[
    "text", "bright", "dim", "rule", "title", "good", "info", "caution", "warning", "critical", "stale",
    "alarm", "alarm_title", "badge", "badge_good", "badge_alarm", "badge_warn", "badge_stale",
    "key", "plot_a", "plot_b", "now",
]  # fmt: skip


class Span(NamedTuple):
    """A run of text in one tone."""

    text: str
    tone: Tone = "text"


Row = tuple[Span, ...]


def width_of(row: Row) -> int:
    """Cells a row takes."""
    return sum(cell_len(span.text) for span in row)


def fit(row: Row, width: int, tone: Tone = "text") -> Row:
    """Cut or pad a row to exactly ``width`` cells."""
    fitted: list[Span] = []
    room = width
    for span in row:
        taken = cell_len(span.text)
        if taken > room:
            return (*fitted, Span(set_cell_size(span.text, room), span.tone))
        fitted.append(span)
        room -= taken
    return (*fitted, Span(" " * room, tone)) if room else tuple(fitted)


def left(text: str, width: int) -> str:
    """Text at the left of a column, cut to it."""
    return set_cell_size(text, width)


def right(text: str, width: int) -> str:
    """Text at the right of a column, cut to it."""
    missing = width - cell_len(text)
    return " " * missing + text if missing >= 0 else set_cell_size(text, width)


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
