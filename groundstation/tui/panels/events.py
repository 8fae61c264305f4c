"""Rows of the event panel: the last events and changes of contact, newest at the bottom."""

from __future__ import annotations

from groundstation.messages.text import utc
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, Tone, fit
from groundstation.tui.panels.rows import View, title
from groundstation.viewer.history import LogEntry
from protocols.words import Severity

_TONES: dict[Severity, Tone] = {
    "DIAGNOSTIC": "dim",
    "ACTIVITY_LO": "text",
    "ACTIVITY_HI": "bright",
    "COMMAND": "info",
    "WARNING_LO": "caution",
    "WARNING_HI": "warning",
    "FATAL": "critical",
}


def events(view: View, width: int, height: int) -> list[Row]:
    """As many of the newest as fit; on wide panels with their source."""
    log = view.model.log
    room = max(0, height - 1)
    dropped = f"{log.dropped} older dropped" if log.dropped else ""
    rows = [title("EVENTS", width, view.glyphs, dropped)]
    newest = list(log.entries)[-room:] if room else []
    rows += [event_row(entry, width, view.glyphs) for entry in newest]
    if not newest and room:
        rows.append(fit((Span(" none yet", "dim"),), width))
    return rows + [fit((), width)] * (height - len(rows))


def event_row(entry: LogEntry, width: int, glyphs: Glyphs) -> Row:
    """Time, severity, source and text. Where only the reception is known the time carries an ``r``."""
    tone = _TONES[entry.severity]
    time = f"{utc(entry.scet, 0)} " if entry.scet is not None else f"{utc(entry.ert, 0)}r"
    source = (Span(f"{glyphs.text(entry.source):<8}"[:8], "dim"),) if width >= 56 else ()
    text = f"{entry.name} {entry.text}".strip()
    return fit(
        (
            Span(f" {time} ", "dim"),
            Span(f"{_mark(entry.severity, glyphs)} ", tone),
            *source,
            Span(glyphs.text(text), "text" if tone == "bright" else tone),
        ),
        width,
    )


def _mark(severity: Severity, glyphs: Glyphs) -> str:
    marks = {"WARNING_LO": glyphs.caution, "WARNING_HI": glyphs.warning, "FATAL": glyphs.critical}
    return marks.get(severity, glyphs.nominal)
