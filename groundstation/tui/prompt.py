"""One line to type into, at the foot of the screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import ModalScreen

from groundstation.tui.drawing.line import Line
from groundstation.tui.drawing.panel import Panel, Styles
from groundstation.tui.drawing.spans import Span, width_of


class PromptScreen(ModalScreen[str | None]):
    """Asks for one line; its result is the line, or None if the user gave up."""

    DEFAULT_CSS = """
    PromptScreen { background: #000000 0%; align: left bottom; }
    PromptScreen Horizontal, PromptScreen Panel { height: 1; }
    """

    def __init__(self, styles: Styles, label: str) -> None:
        super().__init__()
        self._styles, self._label = styles, (Span(f" {label} ", "badge_warn"),)

    def compose(self) -> ComposeResult:
        """The label and the line."""
        panel = Panel(self._styles, name="prompt")
        panel.styles.width = width_of(self._label)
        with Horizontal():
            yield panel
            yield Line({"enter": self._submit, "escape": self._give_up})

    def on_mount(self) -> None:
        """Show the label, and take keys at once, unless the application closes already."""
        if not self.query(Line):
            return
        self.set_focus(self.query_one(Line))
        self.query_one(Panel).show([self._label])

    def _submit(self) -> None:
        self.dismiss(self.query_one(Line).value.strip() or None)

    def _give_up(self) -> None:
        self.dismiss(None)
