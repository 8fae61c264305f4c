"""The checks that found something wrong now, and the share of usable values by phase of the flight and instrument.

A value that is good or suspect is usable. Of a phase in which nothing was judged there is no share, and no number. The
packet that tells the phase has a row for each parameter, as its instruments share it; the others have one each.
"""

from __future__ import annotations

from groundstation.formats.counted import counted
from groundstation.messages.wire import UsableShare, ViewInfo
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, left, right
from groundstation.tui.panels.rows import View, quality_mark, title
from groundstation.viewer.model import Reading

_NAME, _CELL = 24, 9
_GOOD, _POOR = 95.0, 50.0


def quality(view: View, page: ViewInfo, width: int) -> list[Row]:
    """A title with the whole share, a row a parameter with a column a phase, and what is wrong now."""
    rows = view.model.usable.rows()
    if not rows:
        text = " no checked value received yet"
        return [*_checks(view, width), title("USABLE", width, view.glyphs), fit((Span(text, "dim"),), width)]
    phases = list(dict.fromkeys(row.phase for row in rows))
    room = max(1, (width - _NAME - 2 - _CELL) // _CELL)
    shown = phases[-room:]
    before = len(phases) - room
    note = f"{counted(before, 'phase')} before" if before > 0 else ""
    heads = "".join(f" {right(view.glyphs.text(phase or '-').lower(), _CELL - 1)}" for phase in (*shown, "all"))
    body = [fit((Span(f" {left('', _NAME)} ", "dim"), Span(heads, "dim")), width)]
    judged = [row for row in rows if row.parameter not in page.without and _is_judged(view, row)]
    body.append(_shares(view, "all that is checked", judged, shown, width))
    parts: dict[str, list[UsableShare]] = {}
    for row in sorted(judged, key=lambda row: list(view.model.parameters).index((row.packet, row.parameter))):
        parts.setdefault(_part(view, row), []).append(row)
    body += [_shares(view, name, own, shown, width) for name, own in parts.items()]
    return [*_checks(view, width), title("USABLE, % OF VALUES", width, view.glyphs, note), *body]


def _is_judged(view: View, row: UsableShare) -> bool:
    info = view.model.parameters.get((row.packet, row.parameter))
    return info is not None and bool(info.checks)


def _part(view: View, row: UsableShare) -> str:
    """What a row of the table is of."""
    phase = view.model.display.phase
    name = row.parameter if phase is not None and row.packet == phase[0] else row.packet.lower()
    return name.replace("_", " ")


def _shares(view: View, name: str, rows: list[UsableShare], phases: list[str], width: int) -> Row:
    cells = [_cell(view, [row for row in rows if row.phase == phase]) for phase in phases]
    return fit((Span(f" {left(view.glyphs.text(name), _NAME)} "), *cells, _cell(view, rows)), width)


def _cell(view: View, rows: list[UsableShare]) -> Span:
    usable = sum(row.good + row.suspect for row in rows)
    total = usable + sum(row.unusable for row in rows)
    if not total:
        return Span(right(view.glyphs.absent, _CELL), "dim")
    share = 100 * usable / total
    tone: Tone = "text" if share >= _GOOD else "caution" if share >= _POOR else "doubt"
    return Span(right(f"{_floored(share):.1f}", _CELL), tone)


def _floored(share: float) -> float:
    """100.0 stands only for all of them."""
    return min(share, 99.9) if share < 100 else share


def _checks(view: View, width: int) -> list[Row]:
    """The checks that found something wrong with the last values, with the parameter of each."""
    model = view.model
    readings = [model.reading(key, view.now) for key in model.parameters]
    bad = [reading for reading in readings if reading.quality is not None]
    rows = [_check(view, reading, width) for reading in bad]
    note = f"{len(bad)} of the last values"
    nothing = fit((Span(" none: all of the last values are good, or not checked", "dim"),), width)
    return [title("CHECKS THAT FOUND SOMETHING", width, view.glyphs, note), *(rows or [nothing])]


def _check(view: View, reading: Reading, width: int) -> Row:
    assert reading.quality is not None
    found, info = reading.quality, reading.info
    tone: Tone = "stale" if reading.freshness == "STALE" else "doubt"
    name = f"{info.packet}.{info.name}"
    return fit(
        (
            Span(f" {left(quality_mark(found, view.glyphs), 2)} ", tone),
            Span(left(view.glyphs.text(name), 32)),
            Span(left(found.quality, 10), tone),
            Span(view.glyphs.text(found.reason), tone),
        ),
        width,
    )
