"""What both command lines share: how they start, and how errors and signals end them."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Literal, Self

import click

from groundstation.errors import StationError
from groundstation.output import echo, show_fault
from groundstation.printable import printable
from protocols.errors import ProtocolError

Style = Literal["tui", "plain", "json"]

EXIT_INTERRUPTED = 130
EXIT_DECLARATION = 3
_PR_SET_PDEATHSIG = 1
_PARENT = "MARS6_PARENT_PID"


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

    Under ``nohup`` the last is ignored, and stays so.
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
        self._before = {number: signal.signal(number, self._note) for number in stop_signals()}
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

    def _note(self, number: int, frame: FrameType | None) -> None:
        again, self.exit_code = self.exit_code is not None, self.exit_code or 128 + number
        if self._reading or again:
            raise Interrupted(number)


def run_cli(command: click.Command, name: str) -> None:
    """Run a click command; a known error becomes one line on standard error and its own exit code.

    If whoever reads its lines has gone (``| head``), it ends quietly with 1: click's own way.
    """
    _prepare_streams()
    sys.excepthook = lambda kind, error, trace: show_fault(error)
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        _show_usage(error)
        code = error.exit_code
    except click.Abort as error:
        code = error.__cause__.exit_code if isinstance(error.__cause__, Interrupted) else EXIT_INTERRUPTED
    except StationError as error:
        echo(f"{name}: {error}", err=True)
        code = error.exit_code
    except ProtocolError as error:
        echo(f"{name}: {error}", err=True)
        code = EXIT_DECLARATION
    sys.exit(code or 0)


def _prepare_streams() -> None:
    """Three streams to count on, whatever this program was started with: closed, not blocking, of another language."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free is this one
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    for stream in (sys.stdout, sys.stderr):
        os.set_blocking(stream.fileno(), True)  # else Python drops what a full pipe does not take
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def choose_style(plain: bool, json: bool) -> Style:
    """The output that was asked for; without a terminal the TUI is not possible.

    Raises:
        click.UsageError: both were asked for.
    """
    if plain and json:
        raise click.UsageError("--plain and --json exclude each other")
    if json:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # RFC 8259
        return "json"
    return "tui" if not plain and sys.stdin.isatty() and sys.stdout.isatty() else "plain"


def _show_usage(error: click.ClickException) -> None:
    """Usage and hint as click words them; what was typed is quoted in them."""
    said = io.StringIO()
    error.show(said)
    sys.stderr.write(printable(said.getvalue(), lines=True))
