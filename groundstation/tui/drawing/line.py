"""A line to type into whose keys act in the order in which they were pressed, however fast they come.

Textual's `Input` takes characters at once, but Backspace, Enter and the like only after they went up to the application
and back. What comes in one burst (a slow connection, a key that repeats, a script) would be edited in another order
than it was typed: no way to command a spacecraft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.events import Key
from textual.widgets import Input


class Line(Input):
    """An `Input` that does its own editing and passes on the other keys that it is given."""

    DEFAULT_CSS = """
    Line { background: #222a35; color: #ffffff; &:ansi { background: ansi_default; color: ansi_default; } }
    """

    def __init__(self, keys: Mapping[str, Callable[[], None]]) -> None:
        """``keys``: what is to be done at which key, Enter among them."""
        super().__init__(compact=True, select_on_focus=False)
        self._keys: dict[str, Callable[[], None]] = {
            "backspace": self.action_delete_left,
            "delete": self.action_delete_right,
            "left": self.action_cursor_left,
            "right": self.action_cursor_right,
            "home": self.action_home,
            "end": self.action_end,
            "ctrl+a": self.action_home,
            "ctrl+e": self.action_end,
            "ctrl+u": self.action_delete_left_all,
            "ctrl+k": self.action_delete_right_all,
            "ctrl+w": self.action_delete_left_word,
            **keys,
        }

    async def _on_key(self, event: Key) -> None:
        act = self._keys.get(event.key)
        if act is None:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        act()

    def put(self, text: str) -> None:
        """Replace the line."""
        self.value = text
        self.cursor_position = len(text)
