"""The screen of relays and links: lies over the descent, and is painted on while it is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from groundstation.tui.drawing.panel import Panel, Styles
from groundstation.tui.panels.rows import View
from groundstation.tui.views.relays import relay_rows

WIDTH = 78
_EVERY_S = 0.5


class RelaysScreen(ModalScreen[None]):
    """Who could carry the signal, and who brings what; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [("r,escape,space,enter,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    RelaysScreen { align: center middle; background: #000000 60%; }
    """

    def __init__(self, styles: Styles, view: Callable[[], View]) -> None:
        """Args: the styles, and what is known now."""
        super().__init__()
        self._styles, self._view = styles, view

    def compose(self) -> ComposeResult:
        """One panel."""
        yield Panel(self._styles, name="relays")

    def on_mount(self) -> None:
        """Show the page, and go on showing it."""
        self._paint()
        self.set_interval(_EVERY_S, self._paint)

    def _paint(self) -> None:
        width = min(WIDTH, self.app.size.width)
        rows = relay_rows(self._view(), width)[: self.app.size.height]
        for panel in self.query(Panel):
            panel.styles.width, panel.styles.height = width, len(rows)
            panel.show(rows)
