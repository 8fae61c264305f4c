"""What a terminal is shown, written by a thread of its own: whatever becomes of the terminal, nothing waits for it.

- `write` never blocks. A terminal that takes nothing (a stalled ssh session) must not stop keys, reception or the end.
- What there is no room for is dropped and makes the screen `torn`: it has to be painted whole once there is room again.
- A terminal that is gone takes no more, and that is said once. An error here is its end, never a traceback.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

ROOM = 262_144
"""Characters that may wait."""


class TerminalOutput:
    """Text to a terminal, from now until `stop`.

    Attributes:
        gone: it takes nothing any more.
        torn: something was dropped since `mend`.
        dropped: characters that were dropped.
    """

    def __init__(self, fileno: int, encoding: str, on_gone: Callable[[], None]) -> None:
        """``on_gone`` is called from the writing thread."""
        self.gone = self.torn = False
        self.dropped = 0
        self._fileno, self._encoding, self._on_gone = fileno, encoding, on_gone
        self._waiting: deque[str] = deque()
        self._size = 0
        self._writing = self._stopped = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether the terminal has taken everything."""
        return not self._size and not self._writing

    def write(self, text: str) -> None:
        """Text to be written in its turn."""
        with self._change:
            if self.gone or self._stopped or self._size + len(text) > ROOM:
                self.dropped += len(text)
                self.torn = True
                return
            self._waiting.append(text)
            self._size += len(text)
            self._change.notify()

    def mend(self) -> bool:
        """Whether the screen is torn; it is about to be painted whole."""
        torn, self.torn = self.torn, False
        return torn

    def stop(self, timeout_s: float) -> None:
        """Take no more, and wait for what is there to be written, but not for ever. Idempotent."""
        with self._change:
            self._stopped = True
            self._change.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (text := self._next()) is not None:
            try:
                self._put(text.encode(self._encoding, "backslashreplace"))
            except OSError:
                self._end()
            self._writing = False

    def _next(self) -> str | None:
        """All that waits; None: there is no more to come."""
        with self._change:
            while not self._waiting and not self._stopped:
                self._change.wait()
            text = "".join(self._waiting)
            self._waiting.clear()
            self._size, self._writing = 0, bool(text)
            return text or None

    def _put(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._fileno, data) :]
            except BlockingIOError:  # another program has made the terminal non-blocking
                room = select.poll()
                room.register(self._fileno, select.POLLOUT)
                room.poll()

    def _end(self) -> None:
        with self._change:
            self.gone = True
            self._waiting.clear()
            self._size = 0
        self._on_gone()
