"""What both command lines share: how errors end a program, the host's clock, and lines of output."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from typing import Literal

import click

from groundstation.errors import StationError
from protocols.errors import ProtocolError

Style = Literal["tui", "plain", "json"]

EXIT_INTERRUPTED = 130
EXIT_DECLARATION = 3
_PR_SET_PDEATHSIG = 1


host_clock = time.time_ns
"""Nanoseconds since 1970-01-01 UTC by this machine."""


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
    """Run a click command; a known error becomes one line on standard error and its own exit code."""
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
    except BrokenPipeError:
        # Whoever read our lines has gone (| head): nothing is wrong. Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code or 0)


def choose_style(plain: bool, json: bool) -> Style:
    """The output that was asked for; without a terminal the TUI is not possible.

    Raises:
        click.UsageError: both were asked for.
    """
    if plain and json:
        raise click.UsageError("--plain and --json exclude each other")
    if json:
        return "json"
    return "tui" if not plain and sys.stdin.isatty() and sys.stdout.isatty() else "plain"


def tell(text: str) -> None:
    """One line to whoever started a service; that its terminal is gone by now is no fault."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{text}\n".encode())


def write_line(text: str) -> None:
    """One line, at once: whoever reads a pipe reads live."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
