"""A board of a mission that has no oracle: its port is opened, and it flies whatever it flies."""

from __future__ import annotations

from hil.targets.board import BoardMachine


class OpenBoardMachine(BoardMachine):
    """Whatever sends on a serial port. Its reset lines are pulled, if the port has any; nothing is asked of it."""

    def _make_ready(self) -> None:
        with self._changed:
            self._sink(bytes(self._held))
            self._held.clear()
            self._handed = True
