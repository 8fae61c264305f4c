"""The timeline: planned moments on a line, the mission clock on it, and the next of them.

It has four scales: two minutes around the mission clock (seconds), the pass (minutes), the day around it (hours), and
the whole mission (months). A moment of which no more than the day is known is never shown with a time of day.
"""

from __future__ import annotations

from typing import Literal, get_args

from groundstation.messages.text import utc, utc_day
from groundstation.messages.wire import MilestoneInfo
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, merge, right
from groundstation.tui.panels.rows import View
from groundstation.viewer.model import PassModel
from protocols.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MIN, NS_PER_S

Scale = Literal["pass", "day", "mission", "moment"]
SCALES: tuple[Scale, ...] = get_args(Scale)

MOMENT_NS = NS_PER_MIN
"""To either side of the mission clock."""
_COUNTDOWN = 20
ROWS = 2


def scales_of(model: PassModel) -> list[Scale]:
    """The scales in which there is something to see."""
    return [scale for scale in SCALES if scale == "pass" or _has_something(model, scale)]


def _has_something(model: PassModel, scale: Scale) -> bool:
    return model.clock is not None if scale == "moment" else len(stones_of(model, scale)) > 1


def stones_of(model: PassModel, scale: Scale) -> list[MilestoneInfo]:
    """The moments that a scale shows, in order of time."""
    if scale == "pass" or not model.timeline:
        return model.timeline
    if scale == "mission":
        return model.mission_events
    if scale == "moment":
        clock = model.clock or 0
        exact = [*model.timeline, *(event for event in model.mission_events if not event.day_only)]
        near = {stone.scet: stone for stone in exact if abs(stone.scet - clock) <= MOMENT_NS}
        return [near[scet] for scet in sorted(near)]
    start = model.timeline[0].scet
    return [event for event in model.mission_events if not event.day_only and abs(event.scet - start) < NS_PER_DAY]


def timeline(view: View, width: int, scale: Scale = "pass") -> list[Row]:
    """Two rows: the bar with the time to the next moment, and the labels that fit."""
    model, glyphs = view.model, view.glyphs
    stones = stones_of(model, scale)
    ends = _ends(model, stones, scale)
    if ends is None or width < 2 * _COUNTDOWN:
        return [fit((Span(" no timeline", "dim"),), width), fit((), width)]
    bar = width - _COUNTDOWN - 1
    columns = [column_of(stone.scet, ends, bar) for stone in stones]
    here = None if model.clock is None else column_of(model.clock, ends, bar)
    cells = [_cell(view, column, columns, here) for column in range(bar)]
    upcoming = _next(view, stones_of(model, "pass") if scale == "moment" else stones)
    tone: Tone = "stale" if model.clock is not None and model.clock_frozen(view.now) else "bright"
    first = fit((Span(" "), *cells, Span(right(glyphs.text(_countdown(view, upcoming)), _COUNTDOWN), tone)), width)
    labels = (
        _window(ends, width)
        if scale == "moment" and not stones
        else _labels(view, stones, columns, upcoming, width, scale)
    )
    return [merge(first), fit(labels, width)]


def _ends(model: PassModel, stones: list[MilestoneInfo], scale: Scale) -> tuple[int, int] | None:
    """The first and the last moment of the bar."""
    if scale == "moment":
        return None if model.clock is None else (model.clock - MOMENT_NS, model.clock + MOMENT_NS)
    return (stones[0].scet, stones[-1].scet) if len(stones) > 1 else None


def _window(ends: tuple[int, int], width: int) -> Row:
    """The times of both ends, where nothing is planned between them."""
    start, end = utc(ends[0], 0), utc(ends[1], 0)
    return (Span(f" {start}{end:>{max(1, width - _COUNTDOWN - 1 - len(start))}}", "dim"),)


def column_of(scet: int, ends: tuple[int, int], width: int) -> int:
    """The column of a moment on a bar from the first to the last of the ``ends``."""
    first, last = ends
    share = (scet - first) / max(1, last - first)
    return max(0, min(width - 1, round(share * (width - 1))))


def _cell(view: View, column: int, columns: list[int], here: int | None) -> Span:
    glyphs = view.glyphs
    if column == here:
        return Span(glyphs.here, "stale" if view.model.clock_frozen(view.now) else "now")
    passed = here is not None and column < here
    if column in columns:
        return Span(glyphs.tick, "info" if passed else "text")
    return Span(glyphs.passed if passed else glyphs.ahead, "info" if passed else "rule")


def _next(view: View, stones: list[MilestoneInfo]) -> MilestoneInfo | None:
    clock = view.model.clock
    if clock is None:
        return stones[0]
    return next((stone for stone in stones if stone.scet > clock), None)


def _countdown(view: View, upcoming: MilestoneInfo | None) -> str:
    clock = view.model.clock
    if upcoming is None or clock is None:
        return "" if upcoming else "timeline over"
    left_ns = upcoming.scet - clock
    if left_ns >= NS_PER_DAY:
        return f"{upcoming.label} in {left_ns // NS_PER_DAY} d"
    if left_ns >= 100 * NS_PER_MIN:
        return f"{upcoming.label} in {left_ns // NS_PER_HOUR}:{left_ns % NS_PER_HOUR // NS_PER_MIN:02d} h"
    seconds = -(-left_ns // NS_PER_S)
    return f"{upcoming.label} in {seconds // 60:02d}:{seconds % 60:02d}"


def _labels(
    view: View,
    stones: list[MilestoneInfo],
    columns: list[int],
    upcoming: MilestoneInfo | None,
    width: int,
    scale: Scale,
) -> Row:
    """Labels under their ticks; where they collide the ends and the next one win, then the earlier."""
    cells = [" "] * width
    bright = range(0)
    order = sorted(stones, key=lambda stone: (stone is not upcoming, stone not in (stones[0], stones[-1])))
    for stone in order:
        time = utc_day(stone.scet) if scale == "mission" or stone.day_only else utc(stone.scet, 0)
        text = f"{view.glyphs.text(stone.label)} {time}"
        start = min(columns[stones.index(stone)] + 1, width - len(text) - 1)
        if start < 1 or any(cell != " " for cell in cells[start - 1 : start + len(text) + 1]):
            continue
        cells[start : start + len(text)] = text
        if stone is upcoming:
            bright = range(start, start + len(text))
    return merge([Span(char, "text" if index in bright else "dim") for index, char in enumerate(cells)])
