"""The command screen: a line to type into under all that one needs to know for it. Keyboard only.

Reception goes on behind it, and so does its alarm: a loss of signal takes the second row, whatever is being typed.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen

from groundstation.errors import CommandRefused
from groundstation.messages.commanding import CommandInfo
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.line import Line
from groundstation.tui.drawing.panel import Panel, Styles
from groundstation.tui.drawing.spans import Span, Tone, fit
from groundstation.tui.entry import Draft, complete, hint, matching, read
from groundstation.tui.panels.banner import alarm_row
from groundstation.tui.panels.commands import (
    UPLINK_ROWS,
    command_help,
    command_list,
    history,
    history_length,
    known_commands,
    uplink,
)
from groundstation.tui.panels.compact import values_row
from groundstation.tui.panels.header import header
from groundstation.tui.panels.replay import replay_bar
from groundstation.tui.panels.rows import View, clamp_offset, footer

KEYS = (
    ("enter", "Send"),
    ("tab", "Complete"),
    ("up/down", "Choose"),
    ("page keys", "History"),
    ("esc", "Clear, close"),
)
_PROMPT = (Span(" > ", "bright"),)
_LISTS_FROM, _HISTORY_FROM, _VALUES_FROM = 14, 9, 4
"""Rows of a terminal from which each part is shown. Where the lists are not, altitude and speed are."""


class Ordered(Message):
    """The user ordered something; the screen it came from is told what became of it with `CommandScreen.answered`."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft


class CommandScreen(Screen[None]):
    """Commands and what they take, the uplink, all clients' commands, and the line to type into."""

    DEFAULT_CSS = """
    CommandScreen { background: #0e1116; }
    CommandScreen.nocolour { background: ansi_default; }
    CommandScreen Panel { width: 1fr; }
    #c-header, #c-alarm, #c-replay, #c-values, #c-note, #c-footer, #c-line { height: 1; }
    #c-alarm, #c-replay { display: none; }
    #c-top { height: 50%; }
    #c-list { width: 26; height: 100%; }
    #c-help { height: 1fr; }
    #c-history { height: 1fr; }
    #c-prompt { width: 3; }
    """

    def __init__(self, styles: Styles, glyphs: Glyphs, live: Callable[[], View]) -> None:
        """``live`` is what is known now."""
        super().__init__()
        self._styles, self._glyphs, self._live = styles, glyphs, live
        self._panels: dict[str, Panel] = {}
        self._arranged_for: int | None = None
        self._found: list[CommandInfo] = []
        self._searched = ""
        self._chosen = 0
        self._above = 0
        self._note: tuple[str, Tone] = ("", "dim")
        self._asked = ""

    def compose(self) -> ComposeResult:
        """The panels, in reading order."""
        for name in ("header", "alarm", "replay", "values"):
            yield self._panel(name)
        with Horizontal(id="c-top"):
            yield self._panel("list")
            with Vertical():
                yield self._panel("help", edge=self._glyphs.edge)
                yield self._panel("uplink", edge=self._glyphs.edge)
        yield self._panel("history")
        with Horizontal(id="c-line"):
            yield self._panel("prompt")
            yield Line(
                {
                    "enter": self._order,
                    "tab": self._complete,
                    "escape": self._leave,
                    "up": lambda: self._choose(-1),
                    "down": lambda: self._choose(1),
                    "pageup": lambda: self._scroll(5),
                    "pagedown": lambda: self._scroll(-5),
                }
            )
        yield self._panel("note")
        yield self._panel("footer")

    def on_mount(self) -> None:
        """The first look; keys are taken at once, unless the application closes already."""
        if not self.query(Line):
            return
        self.set_focus(self._entry)
        self._panels["uplink"].styles.height = UPLINK_ROWS
        self._search()

    def on_resize(self) -> None:
        """Arrange the panels at once."""
        if self.query("#c-top"):
            self._fit()

    def _fit(self) -> None:
        """Hide the panels that a terminal of this height has no rows for. Each paint calls it: see `DescentScreen`."""
        height = self.size.height
        if height == self._arranged_for:
            return
        self._arranged_for = height
        self.query_one("#c-top").display = height >= _LISTS_FROM
        self._panels["history"].display = self._panels["footer"].display = height >= _HISTORY_FROM
        self._panels["values"].display = _VALUES_FROM <= height < _LISTS_FROM
        self.call_after_refresh(self.paint)

    @property
    def _entry(self) -> Line:
        return self.query_one(Line)

    @property
    def _meant(self) -> CommandInfo | None:
        return self._found[self._chosen] if self._found else None

    def apply_styles(self, styles: Styles) -> None:
        """Other styles: a replay is marked on every screen."""
        self._styles = styles
        for panel in self._panels.values():
            panel.apply_styles(styles)

    def paint(self) -> None:
        """Everything, for the clock as it stands."""
        if not (self.is_mounted and self.is_attached and all(panel.is_attached for panel in self._panels.values())):
            return
        self._fit()
        view, width = self._live(), self.size.width
        panels = self._panels
        panels["header"].show([header(view, width)])
        for name, rows in (("alarm", alarm_row(view, width)), ("replay", replay_bar(view, width))):
            panels[name].display = bool(rows)
            panels[name].show(rows)
        panels["values"].show([values_row(view, width)])
        panels["list"].show(command_list(view, self._found, self._chosen, *panels["list"].room))
        panels["help"].show(command_help(view, self._meant, *panels["help"].room))
        panels["uplink"].show(uplink(view, panels["uplink"].room[0]))
        panels["history"].show(history(view, *panels["history"].room, self._above))
        panels["prompt"].show([_PROMPT])
        text, tone = self._note
        panels["note"].show([fit((Span(f"   {self._glyphs.text(text)}", tone),), width)])
        panels["footer"].show([footer(width, self._glyphs, keys=KEYS)])

    def answered(self, text: str, *, taken: bool) -> None:
        """What became of an order: the station's words, and whether it took it."""
        self._show_note(text, "good" if taken else "warning")
        if taken and self._entry.value == self._asked:
            self._entry.value = ""

    def on_input_changed(self) -> None:
        """Search and check while the user types; what a key has looked at already is settled."""
        if self._entry.value == self._searched:
            return
        self._search()
        if self._entry.value.strip():
            self._show_note(*self._outlook(self._entry.value))

    def _outlook(self, text: str) -> tuple[str, Tone]:
        """What would become of the text."""
        known = known_commands(self._live())
        if " " not in text.lstrip() and not any(info.name.casefold() == text.casefold() for info in known):
            return ("tab completes" if self._found else "no command of that name"), "dim"
        try:
            read(text, known)
        except CommandRefused as error:
            return hint(text, self._meant) or str(error), "dim"
        return "enter sends it", "dim"

    def _order(self) -> None:
        """Enter: send what is typed; a name that is not whole yet is completed instead."""
        self._search()
        text, known = self._entry.value, known_commands(self._live())
        name, *arguments = text.split() or [""]
        whole = any(info.name.casefold() == name.casefold() for info in known)
        if not whole and not arguments and self._meant is not None:
            self._complete()
            return
        try:
            draft = read(text, known)
        except CommandRefused as error:
            self._show_note(str(error), "warning")
            return
        self._asked = text
        self._show_note("sent, no answer yet", "dim")
        self.post_message(Ordered(draft))

    def _complete(self) -> None:
        """Tab: the name, the next argument, or the label."""
        self._search()
        self._entry.put(complete(self._entry.value, self._meant))

    def _choose(self, step: int) -> None:
        """Up and down in the list."""
        self._search()
        self._chosen = max(0, min(self._chosen + step, len(self._found) - 1))
        self.paint()

    def _scroll(self, rows: int) -> None:
        """Back and forth in the history."""
        total = history_length(self._live(), self._panels["history"].room[0])
        self._above = clamp_offset(max(0, self._above + rows), total, self._panels["history"].room[1] - 1)
        self.paint()

    def _leave(self) -> None:
        """Escape: clear the line; when it is clear, close."""
        if self._entry.value:
            self._entry.put("")
            self._show_note("", "dim")
        else:
            self.dismiss()

    def _search(self) -> None:
        """What may be meant by what is typed; the choice stays where it can."""
        before, self._searched = self._meant, self._entry.value
        self._found = matching(self._entry.value, known_commands(self._live()))
        self._chosen = self._found.index(before) if before in self._found else 0
        self.paint()

    def _show_note(self, text: str, tone: Tone) -> None:
        self._note = text, tone
        self.paint()

    def _panel(self, name: str, edge: str = "") -> Panel:
        self._panels[name] = panel = Panel(self._styles, name=f"c-{name}", edge=edge)
        return panel
