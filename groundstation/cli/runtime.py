"""What both command lines share: how they start, and how errors and signals end them."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Literal

import click

from groundstation.cli.options.named import unknown_option
from groundstation.errors import OutputFailed
from groundstation.formats.output import DISK_FULL, echo, show_fault
from groundstation.formats.printable import printable
from groundstation.host.logs import logs_to_terminal
from groundstation.host.service import EXIT_INTERRUPTED, Interrupted
from protocols.errors import Mars6Error

Style = Literal["tui", "plain", "json"]

_LONG_WORD = re.compile(r"\S{400,}")
_WORD_SHOWN = 40


def run_cli(command: click.Command, name: str) -> None:
    """Run a click command; a known error becomes one line on standard error and its own exit code.

    If the reader of its output has gone (``| head``), it exits quietly with 1, as click does.
    """
    _prepare_streams()
    sys.excepthook = lambda kind, error, trace: show_fault(error)
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        _show_usage(unknown_option(error) if isinstance(error, click.NoSuchOption) else error)
        code = error.exit_code
    except click.Abort as error:
        code = error.__cause__.exit_code if isinstance(error.__cause__, Interrupted) else EXIT_INTERRUPTED
    except Mars6Error as error:
        echo(f"{name}: {error}", err=True)
        code = error.exit_code
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        echo(f"{name}: {error.filename or 'a file'} cannot be written: {error.strerror}", err=True)
        code = OutputFailed.exit_code
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
        click.UsageError: both were asked for, or the TUI beside a log on the same terminal.
    """
    if plain and json:
        raise click.UsageError("--plain and --json exclude each other")
    if json:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # RFC 8259
        return "json"
    if plain or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "plain"
    if logs_to_terminal():
        raise click.UsageError("the terminal interface and the log need the terminal: add --log-file FILE, or --plain")
    return "tui"


def _show_usage(error: click.ClickException) -> None:
    """Usage and hint as click words them; what was typed is quoted in them."""
    said = io.StringIO()
    error.show(said)
    text = _LONG_WORD.sub(lambda word: f"{word[0][:_WORD_SHOWN]}… ({len(word[0]):,} characters)", said.getvalue())
    sys.stderr.write(printable(text, lines=True))
