"""The end of a terminal, and of what was started on it.

A terminal can end at any moment: its window is closed, ssh breaks, tmux kills a pane. The kernel then sends SIGHUP, but
not to every process (a `make` in between, a background job), not if a parent ignores it, and never twice. Therefore:

- `end_with_terminal` looks at the terminal itself, in a thread that nothing else in the process can hold up, and turns
  its end into the SIGHUP that should have come.
- Whatever the signal's handler then does, `Deadline` ends the process after `HANGUP_S`. Processes that were started
  with `groundstation.host.service.parented` end with it, and close what they record.
- A service that was started with ``nohup`` writes to a file, and goes on: only the terminal that is written to counts.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Self

HANGUP_S = 1.0
"""What a process may take to end after its terminal has: with that of what it started it is less than 2 s."""
SIGNAL_S = 5.0
"""What it may take after another signal. The terminal is still there, and wants to be left in order."""
EXIT_HANGUP = 128 + signal.SIGHUP

_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_LOOK_MS = 500


class Deadline:
    """Ends this process if it does not end by itself in time."""

    def __init__(self, end: Callable[[int], object] = os._exit) -> None:
        """``end`` is given the exit code; it does not return."""
        self._end = end
        self._called_off = threading.Event()
        self._at: float | None = None

    def start(self, code: int, seconds: float) -> None:
        """The time runs from now on; a later start counts if it ends the process sooner. Safe in a signal handler."""
        at = time.monotonic() + seconds
        if self._at is None or at < self._at:
            self._at = at
            threading.Thread(target=self._wait, args=(code, seconds), name="deadline", daemon=True).start()

    def call_off(self) -> None:
        """What was to end has ended."""
        self._called_off.set()

    def _wait(self, code: int, seconds: float) -> None:
        if not self._called_off.wait(seconds):
            self._end(code)


class EndSignals:
    """Within it SIGINT, SIGTERM and SIGHUP call ``end`` with 128 plus their number, and start a deadline.

    The handlers are Python's own and not the event loop's: they run even while something holds the loop up. The
    deadline is called off at the end, except after SIGHUP: nothing that follows has a terminal to be seen on.
    """

    _NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, end: Callable[[int], None], deadline: Deadline) -> None:
        self._end, self._deadline = end, deadline
        self._hung_up = False
        self._before = {number: signal.getsignal(number) for number in self._NUMBERS}

    def __enter__(self) -> Self:
        for number in self._NUMBERS:
            signal.signal(number, self._signalled)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if not self._hung_up:
            self._deadline.call_off()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._hung_up |= number == signal.SIGHUP
        self._deadline.start(128 + number, HANGUP_S if number == signal.SIGHUP else SIGNAL_S)
        self._end(128 + number)


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP are an exit with 128 plus their number: what is to be cleared up is cleared up.

    A second one does not interrupt that; after SIGHUP it has to be over by a deadline.
    """
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    deadline = Deadline()

    def end(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGHUP:
            deadline.start(EXIT_HANGUP, HANGUP_S)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_terminal(*, drawing: bool) -> None:
    """End this process with the terminal that it writes to, from now on.

    Args:
        drawing: it needs a terminal for input and output, so that one whose end a parent ignores ends it as well.
            Otherwise it writes lines, and only standard output counts.
    """
    if drawing and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    numbers = [number for number in ((0, 1, 2) if drawing else (1,)) if _is_device(number)]
    if numbers:
        threading.Thread(target=_watch, args=(numbers, Deadline()), name="terminal-watch", daemon=True).start()


def has_hung_up(*numbers: int) -> bool:
    """Whether one of these descriptors is a terminal that has ended."""
    return _ended(numbers, 0)


def _watch(numbers: Iterable[int], deadline: Deadline) -> None:
    while not _ended(numbers, _LOOK_MS):
        pass
    deadline.start(EXIT_HANGUP, HANGUP_S)
    os.kill(os.getpid(), signal.SIGHUP)


def _ended(numbers: Iterable[int], timeout_ms: int) -> bool:
    """Wait for the end of a terminal. The kernel reports it without being asked for any event."""
    ends = select.poll()
    for number in numbers:
        ends.register(number, 0)
    return any(event & _GONE for _, event in ends.poll(timeout_ms))


def _is_device(number: int) -> bool:
    """Whether it is a character device: what was a terminal is none to ``isatty`` any more once it has ended."""
    with contextlib.suppress(OSError):
        return stat.S_ISCHR(os.fstat(number).st_mode)
    return False
