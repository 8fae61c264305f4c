"""What both command lines share: how errors and signals end a program, and lines of output."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import select
import signal
import sys
from typing import Literal

import click

from groundstation.errors import StationError
from protocols.errors import ProtocolError

Style = Literal["tui", "plain", "json"]

EXIT_INTERRUPTED = 130
EXIT_DECLARATION = 3
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the kernel send this process SIGTERM when the one that started it dies, even if that was killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def stop_signals() -> list[signal.Signals]:
    """What asks a service to end in good order: Ctrl-C, ``kill``, and a terminal or ssh session that closed.

    Under ``nohup`` the last is ignored, and stays so.
    """
    heard = [signal.SIGINT, signal.SIGTERM]
    return heard if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*heard, signal.SIGHUP]


def run_cli(command: click.Command, name: str) -> None:
    """Run a click command; a known error becomes one line on standard error and its own exit code.

    If whoever reads its lines has gone (``| head``), it ends quietly with 1: click's own way.
    """
    _prepare_streams()
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = EXIT_INTERRUPTED
    except StationError as error:
        click.echo(f"{name}: {error}", err=True)
        code = error.exit_code
    except ProtocolError as error:
        click.echo(f"{name}: {error}", err=True)
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


def tell(text: str, *, err: bool = False) -> None:
    """One line to whoever started a service. That its terminal is gone by now, or stopped (Ctrl-S), holds up nobody."""
    with contextlib.suppress(OSError):
        number = (sys.stderr if err else sys.stdout).fileno()
        ready = select.poll()
        ready.register(number, select.POLLOUT)
        if ready.poll(0):
            os.write(number, f"{text}\n".encode(errors="backslashreplace"))


def write_line(text: str) -> None:
    """One line, at once: whoever reads a pipe reads live."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
