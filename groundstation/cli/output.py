"""Shows a station to a person or a program: in the terminal interface, as lines, or as JSON."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from groundstation.cli.runtime import Style
from groundstation.errors import StationGone
from groundstation.formats.counted import counted
from groundstation.formats.output import echo, write_json, write_line
from groundstation.host.clock import host_clock
from groundstation.host.hangup import EXIT_HANGUP
from groundstation.host.service import EXIT_INTERRUPTED, stop_signals
from groundstation.messages.text import PlainLines, alarm_lines, json_line
from groundstation.messages.wire import AnyMessage, Lag, Snapshot
from groundstation.security.endpoints import Endpoints
from groundstation.viewer.client import StationClient
from groundstation.viewer.lag import LagMeter, LagReports
from groundstation.viewer.source import StationBack, StationLost
from protocols.units import NS_PER_MS

LineStyle = Literal["plain", "json"]
"""A viewer that writes lines: for people, or for programs."""


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

    Raises:
        ViewerCrashed: the TUI did.
    """
    if style == "tui":
        from groundstation.tui.app import run_tui  # noqa: PLC0415 - half of a start's time, for those who look alone

        return run_tui(client or StationClient(station, host_clock), ascii=in_ascii, closing=closing)
    return asyncio.run(follow(station, style, over, client))


async def follow(
    station: Endpoints,
    style: LineStyle,
    until: Callable[[AnyMessage], bool] | None = None,
    client: StationClient | None = None,
) -> int:
    """Write a station's messages as lines until it stops, is interrupted, or ``until`` says so.

    A ``client`` of that station may be given; it is closed in the end.

    Returns:
        The exit code: `EXIT_INTERRUPTED` after Ctrl-C or SIGTERM, `EXIT_HANGUP` when the terminal closed.

    Raises:
        StationGone: it does not answer at the start.
        StationError: whatever ``until`` raises.
    """
    client = client or StationClient(station, host_clock)
    try:
        code = await _interruptible(_lines(client, style, until))
        if client.missed:
            echo(f"this viewer was too slow: it missed {counted(sum(client.missed.values()), 'message')}", err=True)
        if client.cut_off:
            echo(
                f"the station was cut off {counted(client.cut_off, 'time')}: it sent more than any station does",
                err=True,
            )
        return code
    finally:
        await client.close()


async def _lines(client: StationClient, style: LineStyle, until: Callable[[AnyMessage], bool] | None) -> int:
    lines, meter, reports = PlainLines(), LagMeter(), LagReports()
    snapshot = await client.connect()
    meter.take(snapshot.sent, host_clock())
    sent = await client.clock()
    if sent is not None:
        meter.compare(sent, host_clock())
    _write(snapshot, style, lines)
    if until is not None and until(snapshot):
        return 0
    async for update in client.messages():
        if isinstance(update, StationLost):
            await client.check_access()  # first: a viewer whose key was revoked gets that error alone
            echo("the station is gone", err=True)
            return StationGone.exit_code
        if not isinstance(update, StationBack) and not client.waited_for:
            behind = meter.take(update.sent, now := host_clock())
            if reports.due(behind, now):
                _write(Lag(behind_ms=behind // NS_PER_MS, missed=sum(client.missed.values())), style, lines)
        _write(update, style, lines)
        if until is not None and until(update.snapshot if isinstance(update, StationBack) else update):
            return 0
    return 0


def _write(update: AnyMessage | StationBack, style: LineStyle, lines: PlainLines) -> None:
    if isinstance(update, StationBack):
        _write(update.snapshot, style, lines)
    elif style == "json":
        write_json(json_line(update))
    elif (line := lines.line(update)) is not None:
        write_line(line)
        for alarm in alarm_lines(update) if isinstance(update, Snapshot) else ():
            write_line(alarm)


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Run until done or Ctrl-C; the terminal's ^C is answered at once and quietly."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    code = EXIT_INTERRUPTED

    def stop(number: signal.Signals) -> None:
        nonlocal code
        code = EXIT_HANGUP if number is signal.SIGHUP else EXIT_INTERRUPTED
        task.cancel()

    for number in stop_signals():
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        return code
