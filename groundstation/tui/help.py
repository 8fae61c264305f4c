"""The help screen: keys and symbols on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from groundstation.messages.wire import ViewInfo
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.panel import Panel, Styles
from groundstation.tui.drawing.spans import Row, Span, Tone, fit

WIDTH = 64
_KEYS = (
    (":", "command the lander: list, help, history, COP-1, arming"),
    ("a", "acknowledge a loss, for all viewers; its verdict stays"),
    ("space", "hold the display; reception and recording go on"),
    ("p v t", "plots; verdict of the last loss; scale of the timeline"),
    ("j k", "scroll the telemetry (also the arrow and page keys)"),
    ("r y s", "relays and links; copy diagnostics; save as SVG"),
    ("q ^Z", "quit; or leave it to the shell, and fg comes back"),
)
_REPLAY_KEYS = (
    ("space", "pause and go on"),
    ("{} ()", "10 s, 60 s back and on (also left, right; with shift)"),
    ("[ ]", "one frame back and on, then pause"),
    ("< >", "slower and faster, 0.1 to 1000 times"),
    ("n N", "next and previous event or change of contact"),
    ("L", "next loss of signal; behind the last, the first"),
    ("g", "go to a time in UTC, on board or received"),
    ("p v t", "plots; verdict of the last loss; scale of the timeline"),
    ("j k", "scroll the telemetry (also up, down and the page keys)"),
    ("r y s", "relays and links; copy diagnostics; save as SVG"),
    ("q ^Z", "quit; or leave it to the shell, where it waits for fg"),
)


def help_rows(glyphs: Glyphs, views: Sequence[ViewInfo], width: int = WIDTH, *, replay: bool = False) -> list[Row]:
    """The page: keys and symbols, those of a replay or those of a live station; the views are the mission's."""
    symbols: tuple[tuple[str, Tone, str], ...] = (
        (glyphs.nominal, "text", "nominal"),
        (glyphs.caution, "caution", "caution: outside the yellow limit beside it"),
        (glyphs.warning, "warning", "warning: degraded, or an event that matters"),
        (glyphs.critical, "critical", "critical: outside the red limit, or signal lost"),
        (glyphs.stale, "stale", "stale: the last value, with its age"),
        (glyphs.never, "dim", "never received"),
        (glyphs.absent, "dim", "void: received, but not valid (no echo)"),
        (glyphs.beat[0], "now", "moves while the screen is painted; > more text than room"),
    )
    head: Row = (Span(" HELP", "title"), *((Span("  REPLAY", "warning"),) if replay else ()))
    rows: list[Row] = [head] if replay else [head, ()]
    keys = [*(_REPLAY_KEYS if replay else _KEYS)]
    if len(views) > 1:
        keys.insert(-4, (f"1 - {len(views)}", glyphs.text(", ".join(view.name for view in views))))
    rows += [(Span(f" {key:<6} ", "bright"), Span(text)) for key, text in keys]
    rows += [] if replay else [()]
    rows += [(Span(f" {symbol:<2}", tone), Span("     "), Span(text)) for symbol, tone, text in symbols]
    rows += [] if replay else [()]
    rows += [(Span(" Times are mission UTC; an r marks a time of reception.", "dim"),)]
    return [fit(row, width, "badge") for row in rows]


class HelpScreen(ModalScreen[None]):
    """Lies over the descent; any key closes it, and so does a loss of signal."""

    BINDINGS: ClassVar[list[BindingType]] = [("question_mark,escape,space,enter,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: #000000 60%; }
    """

    def __init__(self, styles: Styles, glyphs: Glyphs, views: Sequence[ViewInfo], *, replay: bool) -> None:
        super().__init__()
        self._styles, self._rows = styles, help_rows(glyphs, views, replay=replay)

    def compose(self) -> ComposeResult:
        """One panel."""
        panel = Panel(self._styles, name="help")
        panel.styles.width, panel.styles.height = WIDTH, len(self._rows)
        yield panel

    def on_mount(self) -> None:
        """Show the page."""
        for panel in self.query(Panel):
            panel.show(self._rows)
