"""The commands of ``groundstation`` that command something: send, commands, arm, cop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from groundstation.cli.options.completion import command_arguments, lander_commands, stations
from groundstation.cli.options.connection import key_options
from groundstation.cli.options.mission import mission_option
from groundstation.cli.options.number import Number
from groundstation.errors import CommandFailed, CommandRefused, CommandTimeout, StationGone
from groundstation.exit_codes import DONE, REQUEST, exit_codes
from groundstation.formats.counted import counted
from groundstation.formats.output import echo, write_json, write_line
from groundstation.host.clock import host_clock
from groundstation.messages.base import Value
from groundstation.messages.commanding import (
    FINAL_STATES,
    TIMEOUTS_MS,
    CommandRequest,
    CommandUpdate,
    RequestAccepted,
    UplinkStatus,
)
from groundstation.messages.text import command_line, json_line, utc
from groundstation.messages.wire import AnyMessage, Refusal, Snapshot
from groundstation.station.address import StationAddress, find_station
from groundstation.viewer.client import StationClient
from groundstation.viewer.requests import RequestFactory, who_am_i
from groundstation.viewer.source import StationBack, StationLost
from protocols.cop1 import DirectiveKind
from protocols.declare.commands import ArgumentDef, Command
from protocols.declare.mission import Mission
from protocols.errors import EncodeError
from protocols.nearest import nearest
from protocols.structures.calibration import Linear

_T = TypeVar("_T")
_PATIENCE_S = 5.0
"""How much longer than a command's own time-out its end is waited for."""

_DIRECTIVES = ("unlock", *(kind.lower().replace("_", "-") for kind in get_args(DirectiveKind)))
_NEGATIVE = re.compile(r"-\d[\d.]*")


class _TakesNumbers(click.Command):
    """A command to which ``-1`` is a number and no option: its range is what refuses it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put numbers behind a double dash."""
        numbers = [] if "--" in args else [each for each in args if _NEGATIVE.fullmatch(each)]
        others = [each for each in args if each not in numbers]
        return super().parse_args(ctx, [*others, "--", *numbers] if numbers else others)


def _directives(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(each) for each in _DIRECTIVES if each.startswith(incomplete)]


_station = click.option(
    "--station", shell_complete=stations, help="Name or endpoint. [default: the only one that runs here]"
)


@click.command(epilog=exit_codes(*REQUEST, CommandRefused, CommandFailed, CommandTimeout))
@click.argument("name", shell_complete=lander_commands)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=command_arguments)
@click.option("--wait", is_flag=True, help="Wait until the command ends; the exit code is its outcome.")
@click.option("--bypass", is_flag=True, help="Send as a type-BD (bypass) frame; works during lockout.")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to wait for completion.")
@click.option(
    "--repeats",
    type=click.IntRange(0, 1000),
    help="Resend up to N times if no report comes. The command may be executed twice.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every state as one JSON object per line.")
@_station
@key_options
def send(
    name: str,
    arguments: tuple[str, ...],
    wait: bool,
    bypass: bool,
    timeout: float,
    repeats: int | None,
    as_json: bool,
    station: str | None,
    key: str | None,
    server_key: str | None,
) -> None:
    """Send the command NAME with its arguments; `groundstation commands` lists them.

    \b
    Examples:
      groundstation send PING --wait
      groundstation send STEP ticks=10
      groundstation send SELECT_PROFILE profile=SOFT_LANDING --wait
      groundstation send PING --station tcp://HOST:5571 --key anna --server-key KEY

    Without --wait it ends when the station has taken the command. A PING is sent again by itself if its report is
    lost; anything else only with --repeats.
    """
    if not TIMEOUTS_MS.start <= timeout * 1000 < TIMEOUTS_MS.stop:
        raise click.UsageError("--timeout takes a number of seconds: the range is 0.1 … 3600")
    request = _orderer().command(
        name,
        _arguments(name, arguments),
        bypass=bypass,
        timeout_ms=round(timeout * 1000),
        repeats=repeats,
    )

    def show(update: CommandUpdate) -> None:
        if as_json:
            write_json(json_line(update))
        else:
            write_line(command_line(update))

    def follow(client: StationClient) -> Awaitable[CommandUpdate | None]:
        return _send(client, request, show, timeout + _PATIENCE_S if wait else None)

    last = _with_station(find_station(station, key, server_key), follow)
    if last is not None:
        _conclude(last)


@click.command(epilog=exit_codes(DONE, CommandRefused))
@click.argument("name", required=False, shell_complete=lander_commands)
@mission_option
def commands(name: str | None, mission: Mission) -> None:
    """List all commands, or say all about the command NAME. Critical ones, marked with !, need arming."""
    if name is None:
        for each in mission.dictionary.command_by_name.values():
            write_line(_summary(each))
        return
    try:
        command = mission.dictionary.command(name)
    except EncodeError as error:
        raise CommandRefused(str(error)) from error
    for line in _description(command):
        write_line(line)


@click.command(cls=_TakesNumbers, epilog=exit_codes(*REQUEST, CommandRefused))
@click.argument("seconds", type=Number())
@_station
@key_options
def arm(seconds: float, station: str | None, key: str | None, server_key: str | None) -> None:
    """Allow critical commands for so many SECONDS, up to 600; 0 forbids them at once.

    \b
    Example:
      groundstation arm 30
    """
    request = _orderer().arm(seconds)
    write_line(_with_station(find_station(station, key, server_key), lambda client: _order(client, request)).text)


@click.command(epilog=exit_codes(*REQUEST, CommandRefused))
@_station
@key_options
def acknowledge(station: str | None, key: str | None, server_key: str | None) -> None:
    """Acknowledge all losses of signal, for all viewers of the station: what `a` does in the TUI.

    \b
    Examples:
      groundstation acknowledge
      groundstation acknowledge --station tcp://HOST:5571 --key anna --server-key KEY

    Who did it and when is recorded and shown. A loss that lasts keeps its badge; a later one is another alarm.
    """
    request = _orderer().acknowledge()
    write_line(_with_station(find_station(station, key, server_key), lambda client: _order(client, request)).text)


@click.command(cls=_TakesNumbers, epilog=exit_codes(*REQUEST, CommandRefused))
@click.argument("directive", required=False, shell_complete=_directives)
@click.argument("value", type=int, required=False)
@_station
@key_options
def cop(directive: str | None, value: int | None, station: str | None, key: str | None, server_key: str | None) -> None:
    """Show how COP-1 stands, or give FOP-1 a DIRECTIVE (CCSDS 232.1-B 4.2).

    \b
    unlock                      leave lockout: initiate-with-unlock
    initiate, initiate-with-clcw-check, initiate-with-set-v-r N
    terminate, resume
    set-v-s N, set-window N, set-limit N, set-timeout-type 0|1
    set-t1 NANOSECONDS          100000000 (0.1 s) at least

    The station initiates by itself when a command waits; only lockout waits for a person.
    """
    if directive is None:
        echo(*_with_station(find_station(station, key, server_key), _uplink_status))
        return
    request = _orderer().directive(_known_directive(directive), value)
    write_line(_with_station(find_station(station, key, server_key), lambda client: _order(client, request)).text)


def _known_directive(name: str) -> str:
    """The directive of that name, in whatever case. What it takes the station knows."""
    directive = name.lower().replace("_", "-")
    if directive not in _DIRECTIVES:
        raise CommandRefused(f"no directive {name!r}{nearest(directive, _DIRECTIVES)}")
    return directive


def _with_station(target: StationAddress, work: Callable[[StationClient], Awaitable[_T]]) -> _T:
    """Do something with a client of the station, and close it."""

    async def run() -> _T:
        client = target.client()
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


async def _order(client: StationClient, request: AnyMessage) -> RequestAccepted:
    answer = await client.request(request)
    if isinstance(answer, Refusal):
        raise CommandRefused(answer.text)
    if not isinstance(answer, RequestAccepted):
        raise StationGone("unexpected answer: not a station")
    return answer


async def _send(
    client: StationClient, request: CommandRequest, show: Callable[[CommandUpdate], None], patience_s: float | None
) -> CommandUpdate | None:
    """Send and, if there is patience, follow; the command's last state, None without following."""
    if patience_s is None:
        echo((await _order(client, request)).text)
        return None
    await client.connect()  # first: nothing that becomes of the command may be missed
    number = (await _order(client, request)).command
    try:
        async with asyncio.timeout(patience_s):
            return await _last_state(client, number, show)
    except TimeoutError as error:
        raise CommandTimeout(f"{request.name}: the station reported no end of it") from error


async def _last_state(
    client: StationClient, number: int | None, show: Callable[[CommandUpdate], None]
) -> CommandUpdate:
    async for update in client.messages():
        if isinstance(update, StationLost):
            raise StationGone("the station is gone: what became of the command is in its recording")
        found = update.snapshot.commands if isinstance(update, StationBack) else [update]
        for message in found:
            if isinstance(message, CommandUpdate) and message.command == number:
                show(message)
                if message.state in FINAL_STATES:
                    return message
    raise StationGone("the connection to the station was closed")


def _conclude(last: CommandUpdate) -> None:
    if last.state == "TIMEOUT":
        raise CommandTimeout(f"{last.name}: {last.detail}")
    if last.state == "FAILED":
        raise CommandFailed(f"{last.name}: {last.detail}")


async def _uplink_status(client: StationClient) -> list[str]:
    snapshot = await client.connect()
    return _status_lines(snapshot.uplink, snapshot)


def _status_lines(status: UplinkStatus | None, snapshot: Snapshot) -> list[str]:
    if status is None:
        replay = "this is a replay: a recording takes no commands"
        raise CommandRefused(replay if snapshot.replay else f"station {snapshot.station} has no uplink")
    lines = [
        f"FOP-1       {status.cop}, V(S) {status.vs}, {status.unacknowledged} not acknowledged",
        f"last CLCW   {_clcw_text(status)}",
        f"commands    {status.waiting} waiting, {counted(status.refused, 'request')} rejected",
    ]
    if status.armed_until is None:
        lines.append("critical    not armed")
    else:
        lines.append(f"critical    armed by {status.armed_by} until {utc(status.armed_until, 0)}")
    return lines


def _clcw_text(status: UplinkStatus) -> str:
    if status.clcw_ert is None:
        return "none yet"
    flags = [name for name in ("lockout", "wait", "retransmit") if getattr(status, name)]
    return f"V(R) {status.vr}, {', '.join(flags).upper() or 'no flag'}, at ERT {utc(status.clcw_ert)}"


def _arguments(name: str, pairs: tuple[str, ...]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{pair!r} is not KEY=VALUE; try: groundstation commands {name}")
        if key in found:
            raise click.UsageError(f"{key} is given twice")
        found[key] = value
    return found


def _orderer() -> RequestFactory:
    return RequestFactory(who_am_i(), host_clock)


def _summary(command: Command) -> str:
    definition = command.definition
    usage = " ".join([definition.name, *(f"{a.name}=…" for a in command.arguments)])
    return f"{'!' if definition.critical else ' '} {usage:<38} {definition.description}"


def _description(command: Command) -> list[str]:
    definition = command.definition
    function = "" if definition.function is None else f", function {definition.function}"
    lines = [
        definition.name + ("   critical: needs `groundstation arm SECONDS`" if definition.critical else ""),
        f"  {definition.description}",
        f"  APID {definition.apid:#x}, PUS service {definition.service}.{definition.subtype}{function}",
    ]
    return lines + [f"  {argument.name:<12} {_argument_text(argument)}" for argument in command.arguments]


def _argument_text(argument: ArgumentDef) -> str:
    quantity = argument.field.quantity
    scaled = quantity is not None and not quantity.identity
    kind = "number" if scaled or argument.field.kind == "float" else "whole number"
    if argument.labels or argument.field.kind == "flag":
        kind = "one of"
    elif argument.field.kind in ("bytes", "string"):
        kind = ""
    calibration = None if quantity is None or not scaled else quantity.calibration
    step = f", steps of {calibration.scale:g}" if isinstance(calibration, Linear) else ""
    return f"{kind} {argument.range_text}{step}   {argument.description}".strip()
