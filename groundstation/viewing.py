"""Shows a station to a person or a program: in the terminal interface, as lines, or as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import click

from groundstation.client import StationClient
from groundstation.errors import StationGone
from groundstation.messages import AnyMessage
from groundstation.plain import PlainLines, json_line
from groundstation.registry import Endpoints
from groundstation.shell import EXIT_INTERRUPTED, Style, host_clock, write_line
from groundstation.tui.source import StationBack, StationLost, Update


def show(
    station: Endpoints,
    style: Style,
    in_ascii: bool = False,
    *,
    closing: str | None = None,
    client: StationClient | None = None,
    over: Callable[[AnyMessage], bool] | None = None,
) -> int:
    """Show a station until the viewer is closed.

    Args:
        station: which.
        style: how.
        in_ascii: draw the TUI in ASCII.
        closing: what becomes of the station then, for the TUI to say.
        client: what brings its messages; by default, a new client.
        over: says of each message whether lines end with it; the TUI stays until its user leaves.

    Returns:
        The exit code.
    """
    if style == "tui":
        from groundstation.tui.app import run_tui  # noqa: PLC0415 - half of a start's time, for those who look alone

        return run_tui(client or StationClient(station, host_clock), ascii=in_ascii, closing=closing)
    return asyncio.run(follow(station, style, over, client))


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
        StationError: whatever ``until`` raises.
    """
    client = client or StationClient(station, host_clock)
    try:
        snapshot = await client.connect()
        lines = PlainLines()
        _write(snapshot, style, lines)
        over = until is not None and until(snapshot)
        code = 0 if over else await _interruptible(_lines(client, style, lines, until))
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
        if until is not None and until(update.snapshot if isinstance(update, StationBack) else update):
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
