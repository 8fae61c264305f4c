"""The descent in a terminal that has no room for panels: the rows that matter, at any size.

The first five rows are the least that an operator needs: badges, the loss (or the clock), the two values that the
mission plots (altitude and speed), and the keys. Of fewer rows the last go first; the values then share one. With more
room follow why the signal was lost, and the telemetry.
"""

from __future__ import annotations

from groundstation.messages.text import utc
from groundstation.messages.wire import ViewInfo
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, width_of
from groundstation.tui.panels.banner import alarm_row, verdict_rows
from groundstation.tui.panels.header import header
from groundstation.tui.panels.replay import replay_bar
from groundstation.tui.panels.rows import (
    View,
    age_text,
    elapsed_text,
    footer,
    held_mark,
    limit_tone,
    quality_mark,
    telemetry,
    value_text,
)
from groundstation.viewer.flight import Key
from groundstation.viewer.model import Reading

_KEYS = (("?", "Help"), ("q", "Quit"), (":", "Cmd"), ("a", "Ack"), ("space", "Hold"))
_REPLAY_KEYS = (("?", "Help"), ("q", "Quit"), ("space", "Play"), ("{}()", "10/60"), ("n", "Evt"), ("L", "LOS"))
_TELEMETRY_FROM = 3


def compact(live: View, shown: View, page: ViewInfo, width: int, height: int, notice: str = "") -> list[Row]:
    """``height`` rows: of ``live`` what never freezes, of ``shown`` the values, which may be held; a view's packets."""
    values = [_value_row(shown, key, name, width) for key, name in _shown(shown)]
    if height < 3:
        return [_one_row(live, shown, width)] if height < 2 else [header(live, width), values_row(shown, width)]
    if height == 3:
        return [header(live, width), *values]
    alarm = alarm_row(live, width)
    rows = [header(live, width), *(alarm or [_clock(live, width)]), *values]
    if height == 4:
        return rows
    more = [*([_clock(live, width)] if alarm else []), *verdict_rows(live, width), *replay_bar(live, width)]
    rows += more[: height - len(rows) - 1]
    if (room := height - len(rows) - 1) >= _TELEMETRY_FROM:
        rows += held_mark(telemetry(shown, page, width, room), shown, width)
    rows += [fit((), width)] * (height - len(rows) - 1)
    return [*rows, footer(width, live.glyphs, notice, _REPLAY_KEYS if live.model.replay else _KEYS)]


def _shown(view: View) -> list[tuple[Key, str]]:
    """The parameters that matter, with their short names."""
    return [((plot.packet, plot.name), plot.label) for plot in view.model.display.plots]


def _value_row(view: View, key: Key, name: str, width: int) -> Row:
    reading = view.model.reading(key, view.now)
    row: Row = (Span(f"{name} ", "dim"), *_value(view, reading, " "))
    if view.held_ns is not None:
        return held_mark([fit(row, width)], view, width)[0]
    if reading.freshness == "STALE":
        row = (*row, Span(f" {view.glyphs.stale}{age_text(reading.age_ns).replace(' ', '')}", "stale"))
    return fit(row, width)


def values_row(view: View, width: int) -> Row:
    """Altitude and speed in one row; where it is narrow without their names: their units tell them apart."""
    named = _values(view, named=True)
    return fit(named if width_of(named) <= width else _values(view, named=False), width)


def _values(view: View, *, named: bool) -> Row:
    spans: list[Span] = []
    for key, name in _shown(view):
        reading = view.model.reading(key, view.now)
        stale = view.glyphs.stale if reading.freshness == "STALE" else ""
        label = (Span(f"{name} ", "dim"),) if named else ()
        spans += [*label, *_value(view, reading, "", whole=True), Span(f"{stale} ", "stale")]
    return tuple(spans)


def _value(view: View, reading: Reading, gap: str, *, whole: bool = False) -> Row:
    glyphs, info = view.glyphs, reading.info
    if reading.freshness == "NEVER":
        return (Span(glyphs.never.strip(), "dim"),)
    if reading.value is None:
        return (Span(glyphs.absent, "dim"),)
    tone: Tone = limit_tone(reading.limit)
    if tone == "text":
        tone = "stale" if reading.freshness == "STALE" else "bright"
    if reading.quality is not None and reading.limit == "GREEN":
        tone = "doubt"
    mark = quality_mark(reading.quality, glyphs)
    rounded = isinstance(reading.value, float) and whole
    text = f"{reading.value:,.0f}" if rounded else value_text(info, reading.value)
    return (Span(f"{mark}{glyphs.text(text)}", tone), Span(f"{gap}{glyphs.text(info.unit)}", "dim"))


def _one_row(live: View, shown: View, width: int) -> Row:
    """Everything in one row: the badges get what altitude and speed leave."""
    values = tuple(span for span in _values(shown, named=False) if span.text.strip())
    room = width - width_of(values) - 1
    return fit((*header(live, max(room, 3)), Span(" "), *values), width)


def _clock(view: View, width: int) -> Row:
    """The mission clock and the phase of the flight, and what else fits."""
    model = view.model
    if model.clock is None:
        return fit((Span("--:--:-- UTC", "dim"),), width)
    tone: Tone = "stale" if model.clock_frozen(view.now) else "bright"
    time, zone = Span(utc(model.clock, 0), tone), Span(" UTC", tone)
    where = None if model.display.phase is None else model.reading(model.display.phase, view.now).value
    phase: Row = () if where is None else (Span(f" {view.glyphs.text(str(where))}", tone),)
    since = model.mission_elapsed()
    elapsed: Row = () if since is None else (Span(f" {elapsed_text(since)}", "dim"),)
    rows: tuple[Row, ...] = ((time, zone, *phase, *elapsed), (time, zone, *phase), (time, *phase))
    return fit(next((row for row in rows if width_of(row) <= width), rows[-1]), width)
