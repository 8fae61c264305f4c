"""The help screen: keys and symbols on one page."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from groundstation.tui.glyphs import Glyphs
from groundstation.tui.panel import Panel, Styles
from groundstation.tui.spans import Row, Span, Tone, fit

WIDTH = 58
_KEYS = (
    ("a", "acknowledge: removes the banner, never the badge"),
    ("space", "hold the display; reception and recording go on"),
    ("p", "plots instead of values, and back"),
    ("j k", "scroll the telemetry (also the arrow and page keys)"),
    ("y", "copy diagnostics to the clipboard"),
    ("s", "save the screen as SVG"),
    ("q", "quit this viewer; the station goes on"),
)


def help_rows(glyphs: Glyphs, width: int = WIDTH) -> list[Row]:
    """The page."""
    symbols: tuple[tuple[str, Tone, str], ...] = (
        (glyphs.nominal, "text", "nominal"),
        (glyphs.caution, "caution", "caution: outside the yellow limit shown beside it"),
        (glyphs.warning, "warning", "warning: degraded, or an event that matters"),
        (glyphs.critical, "critical", "critical: outside the red limit, or signal lost"),
        (glyphs.stale, "stale", "stale: the last value, with its age"),
        (glyphs.never, "dim", "never received"),
        (glyphs.absent, "dim", "void: received, but not valid (no echo)"),
    )
    rows: list[Row] = [(Span(" HELP", "title"),), ()]
    rows += [(Span(f" {key:<6} ", "bright"), Span(text)) for key, text in _KEYS]
    rows += [()]
    rows += [(Span(f" {symbol:<2}", tone), Span("     "), Span(text)) for symbol, tone, text in symbols]
    rows += [(), (Span(" Times are mission UTC; an r marks a time of reception.", "dim"),)]
    return [fit(row, width, "badge") for row in rows]


class HelpScreen(ModalScreen[None]):
    """Lies over the descent; any key closes it, and so does a loss of signal."""

    BINDINGS: ClassVar[list[BindingType]] = [("question_mark,escape,space,enter,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: #000000 60%; }
    """

    def __init__(self, styles: Styles, glyphs: Glyphs) -> None:
        super().__init__()
        self._styles, self._rows = styles, help_rows(glyphs)

    def compose(self) -> ComposeResult:
        """One panel."""
        panel = Panel(self._styles, name="help")
        panel.styles.width, panel.styles.height = WIDTH, len(self._rows)
        yield panel

    def on_mount(self) -> None:
        """Show the page."""
        self.query_one("#help", Panel).show(self._rows)
