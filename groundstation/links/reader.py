"""The reader thread that every link has: started once, woken at once, joined for good."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

LISTEN_MS = 20
"""How long a reader listens before it reports silence; a loss of signal is found no later than this."""


class Backoff:
    """Seconds to wait before the next try: 0.1 s, doubling to 1 s: a port that returns is found in 2 s."""

    FIRST = 0.1
    LAST = 1.0

    def __init__(self) -> None:
        self._next = self.FIRST

    def reset(self) -> None:
        """It works: the next failure is the first again."""
        self._next = self.FIRST

    def next(self) -> float:
        """How long to wait now."""
        wait, self._next = self._next, min(2 * self._next, self.LAST)
        return wait


class ReaderThread:
    """One thread that reads until it is stopped.

    Attributes:
        wake_fd: readable when the reader should look up from its port.
    """

    def __init__(self, run: Callable[[], None], name: str) -> None:
        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.wake_fd = -1
        self._wake_write = -1

    @property
    def stopping(self) -> bool:
        """The reader should end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread, once."""
        self.wake_fd, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it. Idempotent."""
        self._stopping.set()
        self.wake()
        if self._thread.ident is not None:
            self._thread.join()
        with self._lock:
            for fd in (self.wake_fd, self._wake_write):
                if fd >= 0:
                    os.close(fd)
            self.wake_fd = self._wake_write = -1

    def wake(self) -> None:
        """Make `wake_fd` readable."""
        with self._lock, contextlib.suppress(BlockingIOError):  # full: it is awake
            if self._wake_write >= 0:
                os.write(self._wake_write, b"\0")

    def clear(self) -> None:
        """Take back what `wake` did. For the reader alone."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake_fd, 4096)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until `stop`."""
        self._stopping.wait(seconds)
