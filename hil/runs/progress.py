"""How far a program is: one line that is painted over on a terminal; elsewhere a line now and then, so that a log shows
that it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from groundstation.formats.output import echo, paint

PAINT_EVERY_S = 0.2
LINE_EVERY_S = 10.0
FIRST_LINE_S = 5.0


class Progress:
    """Shows it on standard error."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, terminal: bool | None = None, line_s: float = LINE_EVERY_S
    ) -> None:
        """Prepare.

        Args:
            clock: seconds.
            terminal: whether standard error is one; None: look.
            line_s: seconds between lines where it is none; the first comes `FIRST_LINE_S` after the start.
        """
        self._clock = clock
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self.every_s = PAINT_EVERY_S if self._terminal else line_s
        self._last = -self.every_s if self._terminal else clock() - line_s + FIRST_LINE_S

    def show(self, text: Callable[[], str]) -> None:
        """Say how far it is, if it is time to."""
        now = self._clock()
        if now - self._last < self.every_s:
            return
        self._last = now
        if self._terminal:
            paint(text())
        else:
            echo(text(), err=True)

    def clear(self) -> None:
        """Make room for a line of output."""
        if self._terminal:
            paint("")
