"""Signals that end a program, and programs that end with the one that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

EXIT_INTERRUPTED = 130
_PR_SET_PDEATHSIG = 1
_PARENT = "GROUNDSTATION_PARENT_PID"


def parented() -> dict[str, str]:
    """The environment for a process that calls `end_with_parent`."""
    return {**os.environ, _PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """Let the kernel send this process SIGTERM when the one that started it dies, even if that was killed.

    Where the environment names the parent (`parented`), one that died before this call counts, too.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = os.environ.pop(_PARENT, "")
    if parent and parent != str(os.getppid()):
        os.kill(os.getpid(), signal.SIGTERM)


def stop_signals() -> list[signal.Signals]:
    """What asks a service to end in good order: Ctrl-C, ``kill``, and a terminal or ssh session that closed.

    Under ``nohup`` the last is ignored, and stays so. A script's ``&`` starts programs with Ctrl-C ignored; it is
    handled all the same: a service that outlived its script would keep the port.
    """
    heard = [signal.SIGINT, signal.SIGTERM]
    return heard if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*heard, signal.SIGHUP]


def hold_signals() -> None:
    """Keep signals that ask this program to end until `Interrupts` can note them: none ends it while it starts.

    For a command that begins with them, before its modules are imported.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals())


class Interrupted(KeyboardInterrupt):
    """A signal asked this program to end.

    Attributes:
        exit_code: what it then exits with: 128 and the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.strsignal(number) or f"signal {number}")
        self.exit_code = 128 + number


class Interrupts:
    """Ctrl-C, SIGTERM and a terminal that closed, for a program that reads: they end a read, and no work half done.

    A signal that comes during the work between two reads ends the next read; a second one ends the work too, which may
    be held up by a full pipe.

    Attributes:
        exit_code: 128 and the number of the first signal that came; None: none did.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self._reading = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._on_signal) for number in stop_signals()}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._before)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        """A read, or other work that may be broken off. A signal makes it an `Interrupted`."""
        self._reading = True
        try:
            if self.exit_code is not None:
                raise Interrupted(self.exit_code - 128)
            yield
        finally:
            self._reading = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self.exit_code = self.exit_code is not None, self.exit_code or 128 + number
        if self._reading or again:
            raise Interrupted(number)
