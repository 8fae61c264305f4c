"""What both command lines share: how errors end a program, and how a station is followed as lines of text."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import click

from groundstation.client import StationClient
from groundstation.errors import StationError, StationGone
from groundstation.messages import AnyMessage
from groundstation.plain import PlainLines, json_line
from groundstation.registry import Endpoints
from groundstation.tui.source import StationBack, StationLost, Update
from protocols.errors import ProtocolError

Style = Literal["tui", "plain", "json"]

EXIT_INTERRUPTED = 130
EXIT_DECLARATION = 3
_PR_SET_PDEATHSIG = 1


def host_clock() -> int:
    """Nanoseconds since 1970-01-01 UTC by this machine."""
    return time.time_ns()


def end_with_parent() -> None:
    """Let the kernel send this process SIGTERM when the one that started it dies, even if that was killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


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


def write_line(text: str) -> None:
    """One line, at once: whoever reads a pipe reads live."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def follow(
    station: Endpoints,
    style: Literal["plain", "json"],
    until: Callable[[AnyMessage], bool] | None = None,
    client: StationClient | None = None,
) -> int:
    """Write a station's messages as lines until it stops, is interrupted, or ``until`` says so.

    A ``client`` of that station may be given; it is closed in the end.

    Raises:
        StationGone: it does not answer at the start.
    """
    client = client or StationClient(station, host_clock)
    try:
        snapshot = await client.connect()
        lines = PlainLines()
        _write(snapshot, style, lines)
        code = await _interruptible(_lines(client, style, lines, until))
        if client.missed:
            click.echo(f"this viewer was too slow: it missed {sum(client.missed.values())} messages", err=True)
        return code
    finally:
        await client.close()


async def _lines(
    client: StationClient,
    style: Literal["plain", "json"],
    lines: PlainLines,
    until: Callable[[AnyMessage], bool] | None,
) -> int:
    async for update in client.messages():
        _write(update, style, lines)
        if isinstance(update, StationLost):
            await client.check_access()
            return StationGone.exit_code
        if not isinstance(update, StationBack) and until is not None and until(update):
            return 0
    return 0


def _write(update: Update, style: Literal["plain", "json"], lines: PlainLines) -> None:
    if isinstance(update, StationLost):
        click.echo("the station is gone", err=True)
    elif isinstance(update, StationBack):
        _write(update.snapshot, style, lines)
    elif style == "json":
        write_line(json_line(update))
    elif (line := lines.line(update)) is not None:
        write_line(line)


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Run until done or Ctrl-C; the terminal's ^C is answered at once and quietly."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return EXIT_INTERRUPTED
