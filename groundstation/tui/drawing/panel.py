"""A line-API panel: it is given rows, keeps them, and repaints only those that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from groundstation.formats.printable import printable
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, width_of

Styles = Mapping[Tone, Style]


class Panel(Widget):
    """Paints rows. It knows tones and styles, nothing of what they say."""

    def __init__(self, styles: Styles, *, name: str, edge: str = "", newest_last: bool = False) -> None:
        """``newest_last``: while there are more rows than fit, those after the first are left out, not the last."""
        super().__init__(id=name, markup=False)
        self._newest_last = newest_last
        self._styles = styles
        self._edge: Row = (Span(edge, "rule"),) if edge else ()
        self._rows: list[Row] = []

    @property
    def room(self) -> tuple[int, int]:
        """Columns and rows that rows may fill, without the edge."""
        return max(0, self.size.width - width_of(self._edge)), self.size.height

    def apply_styles(self, styles: Styles) -> None:
        """Paint in other styles from now on."""
        self._styles = styles
        self.refresh()

    def show(self, rows: Sequence[Row]) -> None:
        """Take new rows and repaint those that differ."""
        old, self._rows = self._rows, [tuple(map(_shown, row)) for row in rows]
        if self._newest_last and max(len(old), len(self._rows)) > self.size.height:
            self.refresh()
            return
        for index in range(max(len(old), len(self._rows))):
            if index >= len(old) or index >= len(self._rows) or old[index] != self._rows[index]:
                self.refresh(Region(0, index, self.size.width, 1))

    def show_title(self, title: Row) -> None:
        """Take a new first row; the others stay. Without rows, wait for them."""
        if self._rows:
            self.show([title, *self._rows[1:]])

    def render_line(self, y: int) -> Strip:
        """One row as a strip, exactly as wide as the panel."""
        width = self.size.width
        above = len(self._rows) - self.size.height
        if self._newest_last and above > 0 < y:
            y += above
        row = self._rows[y] if y < len(self._rows) else ()
        spans = fit((*self._edge, *row), width)
        segments = [Segment(span.text, self._styles[span.tone]) for span in spans if span.text]
        return Strip(segments, width)


def _shown(span: Span) -> Span:
    """The last check before the terminal: no row has a control sequence, wherever it was made."""
    return span if span.text.isprintable() else Span(printable(span.text), span.tone)
