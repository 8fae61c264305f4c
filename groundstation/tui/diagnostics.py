"""What an operator pastes into a report: the state of the pass as plain text."""

from __future__ import annotations

from groundstation.formats.printable import printable
from groundstation.messages.text import utc
from groundstation.tui.drawing.glyphs import ASCII
from groundstation.tui.drawing.spans import plain
from groundstation.tui.panels.banner import banner
from groundstation.tui.panels.contact import contact
from groundstation.tui.panels.events import events
from groundstation.tui.panels.header import header
from groundstation.tui.panels.rows import View

_WIDTH = 100
_EVENTS = 12


def diagnostics(view: View) -> str:
    """Header, verdict, contact and the last events, in ASCII."""
    text = View(view.model, view.now, ASCII)
    rows = [header(text, _WIDTH), *banner(text, _WIDTH), *contact(text, _WIDTH)]
    rows += events(text, _WIDTH, _EVENTS)
    snapshot = view.model.snapshot
    station = f"{snapshot.station} pid {snapshot.pid}, dictionary {snapshot.dictionary_hash}" if snapshot else "none"
    return printable(f"taken {utc(view.now)} UTC, station {station}\n{plain(rows).rstrip()}\n", lines=True)
