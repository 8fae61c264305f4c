"""The command ``hil lander``."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import click

from groundstation.cli.options.number import Number
from groundstation.errors import CallerError, WorldError
from groundstation.exit_codes import DONE, INTERRUPTED, exit_codes
from groundstation.formats.output import echo
from groundstation.host.service import end_with_parent, stop_signals
from groundstation.messages.text import utc
from hil.cli.mission_time import MissionTime
from hil.lander.spacecraft import Spacecraft
from hil.lander_io.realtime_loop import fly_paced, fly_stepped
from hil.lander_io.servers import ByteServer, PtyServer, TerminalServer, ZmqServer
from hil.verdict.oracle import Burst


@click.command("lander", epilog=exit_codes(DONE, WorldError, CallerError, INTERRUPTED))
@click.option("--pty", is_flag=True, help="Serve as a serial device (a PTY).")
@click.option("--zmq", "endpoint", help="Serve on this ZeroMQ endpoint, such as tcp://127.0.0.1:5570.")
@click.option("--symlink", type=click.Path(path_type=Path), help="With --pty: symbolic link to the serial device.")
@click.option("--speed", type=Number(0.1, 200), default=1.0, show_default=True, help="Mission seconds per second.")
@click.option("--ready", is_flag=True, help="Wait for the command START instead of starting by itself.")
@click.option(
    "--stepped", is_flag=True, help="Read a number of 100 ms ticks from each line of standard input, and fly them."
)
@click.option("--link-drop", type=MissionTime(), help="Silence the whole link from this mission time on.")
@click.option("--terminal", type=click.Path(path_type=Path), hidden=True, help="Serve on a terminal that is there.")
@click.option("--announce", is_flag=True, hidden=True, help="Speak JSON on standard output.")
def lander_command(
    pty: bool,
    endpoint: str | None,
    symlink: Path | None,
    speed: float,
    ready: bool,
    stepped: bool,
    link_drop: int | None,
    terminal: Path | None,
    announce: bool,
) -> None:
    """Serve the software lander, so that any station can receive it.

    The descent begins when a station opens the link. After the pass the link stays open until Ctrl-C, SIGTERM or
    the end of its terminal, and the lander takes commands: RESET, then START, fly it again.
    """
    if announce:
        end_with_parent()
    server = _lander_port(pty, endpoint, symlink, terminal)
    try:
        _end_in_order()
        if terminal is None:
            _await_listener(server, announce)
        craft = Spacecraft()
        if not ready:
            craft.start()
        if stepped:
            _serve_stepped(server, craft, link_drop, announce)
        else:
            _serve_paced(server, craft, link_drop, speed, announce)
    finally:
        server.close()


def _lander_port(pty: bool, endpoint: str | None, symlink: Path | None, terminal: Path | None) -> ByteServer:
    if [pty, endpoint is not None, terminal is not None].count(True) != 1:
        raise click.UsageError("expected either --pty or --zmq ENDPOINT")
    if symlink is not None and not pty:
        raise click.UsageError("--symlink needs --pty")
    if terminal is not None:
        return TerminalServer(terminal)
    return ZmqServer(endpoint) if endpoint is not None else PtyServer(symlink)


def _end_in_order() -> None:
    """Let ``kill`` and a terminal that closed end the lander as Ctrl-C does: its port and symlink go with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script's ``&`` has it ignored
    numbers = [number for number in stop_signals() if number != signal.SIGINT]

    def end(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)  # a second one must not interrupt the clearing up
        sys.exit(0)

    for number in numbers:
        signal.signal(number, end)


def _await_listener(server: ByteServer, announce: bool) -> None:
    if announce:
        _emit_json(state="waiting", url=server.url)
    else:
        echo(f"the lander waits for a listener: groundstation run {server.url}")
    server.wait_for_listener(None)


def _emit_json(**fields: str) -> None:
    """One JSON line to the process that started this one."""
    os.write(1, (json.dumps(fields) + "\n").encode())


def _serve_paced(server: ByteServer, craft: Spacecraft, drop: int | None, speed: float, announce: bool) -> None:
    """Fly in real time, and go on taking commands after the pass."""
    told = False
    for burst in fly_paced(craft, server, speed, time.monotonic_ns, time.sleep, drop):
        if craft.finished and not told:
            _print_end(burst, announce)
        told = craft.finished


def _serve_stepped(server: ByteServer, craft: Spacecraft, drop: int | None, announce: bool) -> None:
    burst = Burst(craft.scet, b"")
    for burst in _checked(fly_stepped(craft, server, iter(sys.stdin.readline, ""), drop)):
        echo(f"{utc(burst.scet)} {len(burst.data)} bytes")
    _print_end(burst, announce)
    _wait_for_signal()


def _print_end(last: Burst, announce: bool) -> None:
    if announce:
        _emit_json(state="finished")
    else:
        echo(f"the pass is over at {utc(last.scet)}; the link stays open, Ctrl-C ends it")


def _checked(bursts: Iterator[Burst]) -> Iterator[Burst]:
    try:
        yield from bursts
    except ValueError as error:
        raise CallerError(f"--stepped: expected a number of ticks per line: {error}") from error


def _wait_for_signal(sleep: Callable[[float], None] = time.sleep) -> None:
    while True:
        sleep(3600)
