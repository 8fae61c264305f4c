"""The command ``groundstation``."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from groundstation.archive.paths import default_path
from groundstation.archive_cli import export_command, info, passes, salvage_command
from groundstation.bridge_cli import bridge
from groundstation.client import StationClient
from groundstation.command_cli import arm, commands, cop, send
from groundstation.decode_cli import decode
from groundstation.errors import CallerError, StationError
from groundstation.keys_cli import keys
from groundstation.links import open_link
from groundstation.links.ports import format_ports, list_ports
from groundstation.links.replay import replay_url
from groundstation.links.serial import SerialLink
from groundstation.messages import Refusal, StopRequest
from groundstation.registry import Endpoints, Registry, StationInfo
from groundstation.replaying import PlayingClient, replay_is_over
from groundstation.shell import EXIT_INTERRUPTED, Style, choose_style, end_with_parent, follow, host_clock, run_cli
from groundstation.station import Station, StationConfig
from groundstation.target import find_target, invitation, key_options
from groundstation.tui.app import run_tui
from groundstation.udev_cli import udev
from protocols.lander import MARS6
from protocols.profile import UART

_EXIT_CODES = """
\b
Exit codes: 0 fine, 2 wrong usage, 11 port absent, 12 port busy, 13 port not permitted,
14 recording cannot be written, 15 no station answers, 16 nothing decoded, 17 udev: something is not right,
18 root is needed, 22 order refused, 23 command failed, 24 no word of a command in time, 25 key not let in,
26 key file damaged or open to others, 130 interrupted.
"""

_CLOSED_BY_USER = (0, EXIT_INTERRUPTED)
"""Exit codes of a viewer that its user closed; after any other the station goes on."""

_output = [
    click.option("--plain", is_flag=True, help="Lines for people, also chosen when there is no terminal."),
    click.option("--json", "as_json", is_flag=True, help="Every message as one JSON object a line."),
    click.option("--ascii", "in_ascii", is_flag=True, help="Draw the TUI in ASCII only."),
]

_station = [
    click.option("--name", help="Name of the station. [default: from the link]"),
    click.option("--record", type=click.Path(path_type=Path), help="Path of the recording; a new file."),
    click.option("--wait", is_flag=True, help="Wait for a port that is absent or busy instead of giving up."),
    click.option(
        "--bind",
        metavar="tcp://ADDRESS:PORT",
        help="Let clients elsewhere come, too: telemetry at this port, commands at the next one. Needs --key.",
    ),
    click.option("--key", metavar="NAME", help="The station's own key: `groundstation keys new NAME` makes it."),
]


def output_options(command: click.decorators.FC) -> click.decorators.FC:
    """The three options that say how to show a station."""
    for option in reversed(_output):
        command = option(command)
    return command


def station_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say how a station is run."""
    for option in reversed(_station):
        command = option(command)
    return command


@click.group(epilog=_EXIT_CODES)
@click.version_option(package_name="mars6-groundstation")
def cli() -> None:
    """Receive, keep and show the telemetry of a Mars 6 lander.

    \b
    Examples:
      groundstation ports                                  what is plugged in, and may I use it
      groundstation run serial:/dev/ttyACM0?baud=115200    receive a board and watch it
      groundstation serve zmq:tcp://127.0.0.1:5570         receive only
      groundstation watch                                  watch the station that runs
      groundstation watch --json | jq .                    every message, for programs
      groundstation send PING --wait                       command the lander
      groundstation replay PASS.sqlite --speed 4           watch a recording again
      groundstation keys --help                            let others connect from elsewhere
    """


@cli.command()
@click.argument("link")
@station_options
@click.option("--announce", is_flag=True, hidden=True, help="Say in JSON on standard output when viewers can come.")
@click.option("--with-parent", is_flag=True, hidden=True, help="Close the recording and end when the parent dies.")
def serve(
    link: str,
    name: str | None,
    record: Path | None,
    wait: bool,
    bind: str | None,
    key: str | None,
    announce: bool,
    with_parent: bool,
) -> None:
    """Receive LINK, record it, and serve viewers until stopped.

    LINK is serial:DEVICE?baud=N or zmq:ENDPOINT. The station needs no terminal; viewers come and go.

    \b
    Examples:
      groundstation serve serial:/dev/ttyACM0?baud=115200
      groundstation serve serial:/dev/ttyACM0 --bind tcp://0.0.0.0:5571 --key bench    for viewers elsewhere, too
    """
    if with_parent:
        end_with_parent()
    _check_link(link, wait)
    config = _config(link, name, record, bind, key)

    def ready(info: StationInfo) -> None:
        if announce:
            click.echo(json.dumps({"station": info.name, "recording": info.recording}))
        else:
            click.echo(f"station {info.name} receives {info.link}, recording to {info.recording or 'nothing'}")
            click.echo(f"watch it with: groundstation watch {info.name}")
            for line in invitation(info):
                click.echo(line)

    asyncio.run(Station(config, host_clock, Registry()).run(ready))
    if not announce:
        click.echo(f"stopped; the recording is {config.recording}" if config.recording else "stopped")


@cli.command()
@click.argument("station", required=False)
@key_options
@output_options
def watch(
    station: str | None, key: str | None, server_key: str | None, plain: bool, as_json: bool, in_ascii: bool
) -> None:
    """Watch STATION, by name or endpoint; without one, the only one that runs here.

    \b
    Examples:
      groundstation watch
      groundstation watch bench --json
      groundstation watch tcp://HOST:5571 --key anna --server-key KEY    elsewhere; see `groundstation keys`
    """
    target = find_target(station, key, server_key)
    sys.exit(show(target.ends, choose_style(plain, as_json), in_ascii, client=target.client()))


@cli.command()
@click.argument("link")
@station_options
@click.option("--keep", is_flag=True, help="Leave the station running when the viewer is closed.")
@output_options
def run(
    link: str,
    name: str | None,
    record: Path | None,
    wait: bool,
    bind: str | None,
    key: str | None,
    keep: bool,
    plain: bool,
    as_json: bool,
    in_ascii: bool,
) -> None:
    """Receive LINK in a station of its own and watch it.

    The station is another process. Closing the viewer ends it; if the viewer crashes, reception and recording go on.

    \b
    Examples:
      groundstation run serial:/dev/ttyACM0?baud=115200
      groundstation run 'zmq:tcp://HOST:5580?key=NAME&server_key=KEY'    the port of a bench elsewhere
    """
    style = choose_style(plain, as_json)
    _check_link(link, wait)
    config = _config(link, name, record, bind, key)
    info = start_station(config, wait=wait)
    code = show(info, style, in_ascii, None if keep else f"Stopping station {info.name}.")
    if keep or code not in _CLOSED_BY_USER:
        click.echo(f"station {info.name} goes on: groundstation watch {info.name}", err=True)
    else:
        asyncio.run(stop_station(info, "its viewer was closed"))
        click.echo(f"stopped; the recording is {info.recording}", err=True)
    sys.exit(code)


@cli.command()
@click.argument("station", required=False)
@key_options
def stop(station: str | None, key: str | None, server_key: str | None) -> None:
    """Stop STATION and close its recording.

    \b
    Examples:
      groundstation stop
      groundstation stop tcp://HOST:5571 --key anna --server-key KEY
    """
    target = find_target(station, key, server_key)
    if target.info is None:
        asyncio.run(_ask_to_stop(target.client(), "stopped from the command line"))
        click.echo(f"{target.name} was asked to stop")
        return
    asyncio.run(stop_station(target.info, "stopped from the command line"))
    click.echo(f"stopped; the recording is {target.info.recording}")


@cli.command()
def ports() -> None:
    """List the serial ports, what is behind them, and whether they can be used."""
    click.echo(format_ports(list_ports()))


@cli.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--from", "start", metavar="UTC", help="Where to begin: mission time or receive time, or 09:10:55 alone.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Times faster than it was, 0.1 to 1000.")
@click.option("--paused", is_flag=True, help="Wait for an order before anything is played.")
@output_options
def replay(
    archive: Path, start: str | None, speed: float, paused: bool, plain: bool, as_json: bool, in_ascii: bool
) -> None:
    """Play ARCHIVE again, through the same decoding and viewers, marked as a replay.

    Nothing is recorded, no alarm is raised and nothing can be sent. Lines end with the recording; the TUI stays.
    """
    style = choose_style(plain, as_json)
    _check_link(replay_url(archive, speed, start), wait=False)
    config = StationConfig(f"replay-{os.getpid()}", replay_url(archive, speed, start, paused=True), None, MARS6, UART)
    station = start_station(config)
    client = StationClient(station, host_clock) if paused else PlayingClient(station, host_clock)
    code = EXIT_INTERRUPTED
    try:
        if style == "tui":
            code = run_tui(client, ascii=in_ascii, closing="The replay ends.")
        else:
            code = asyncio.run(follow(station, style, replay_is_over, client))
    finally:
        asyncio.run(stop_station(station, "its viewer was closed"))
    sys.exit(code)


for _command in (passes, info, export_command, salvage_command):
    cli.add_command(_command)
cli.add_command(decode)
for _command in (send, commands, arm, cop):
    cli.add_command(_command)
cli.add_command(udev)
cli.add_command(keys)
cli.add_command(bridge)


def show(
    station: Endpoints,
    style: Style,
    in_ascii: bool = False,
    closing: str | None = None,
    client: StationClient | None = None,
) -> int:
    """Show a station until the viewer is closed; the exit code. ``closing`` says what becomes of the station then."""
    if style == "tui":
        return run_tui(client or StationClient(station, host_clock), ascii=in_ascii, closing=closing)
    return asyncio.run(follow(station, style, client=client))


def start_station(config: StationConfig, *, wait: bool = False, with_parent: bool = False) -> StationInfo:
    """Start a station as a process of its own and wait until it serves.

    It outlives this process, unless ``with_parent`` ties it to it.

    Raises:
        StationError: it ended instead; its own words and exit code.
    """
    arguments = [sys.executable, "-m", "groundstation.cli", "serve", config.link, "--announce"]
    arguments += ["--name", config.name, *(["--wait"] if wait else [])]
    arguments += ["--record", str(config.recording)] if config.recording is not None else []
    arguments += ["--with-parent"] if with_parent else []
    arguments += ["--bind", config.bind] if config.bind is not None else []
    arguments += ["--key", config.key] if config.key is not None else []
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, start_new_session=True
        )
        assert process.stdout is not None
        with process.stdout as announcement:
            started = bool(announcement.readline())
        if not started:
            code = process.wait()
            words.seek(0)
            error = StationError(words.read().decode().strip() or "the station did not start")
            error.exit_code = code
            raise error
    info = Registry().find(config.name)
    process.returncode = 0  # it is meant to outlive this process: nobody waits for it here
    return info


async def stop_station(info: StationInfo, reason: str) -> None:
    """Ask a station to stop and wait until it has closed its recording."""
    await _ask_to_stop(StationClient(info, host_clock), reason)
    for _ in range(100):
        if info.name not in [other.name for other in Registry().running()]:
            return
        await asyncio.sleep(0.05)
    raise StationError(f"station {info.name} (pid {info.pid}) did not stop in 5 s")


async def _ask_to_stop(client: StationClient, reason: str) -> None:
    try:
        answer = await client.request(StopRequest(reason=reason))
    finally:
        await client.close()
    if isinstance(answer, Refusal):
        raise StationError(answer.text)


def _check_link(url: str, wait: bool) -> None:
    """Refuse a URL that cannot be; without ``wait`` a port that cannot be opened too."""
    link = open_link(url, host_clock)
    if not wait and isinstance(link, SerialLink):
        link.probe()
    link.stop()


def _config(
    link: str, name: str | None, record: Path | None, bind: str | None = None, key: str | None = None
) -> StationConfig:
    label = name or _label(link)
    if link.startswith("replay:"):
        if record is not None:
            raise CallerError("a replay is recorded already: --record makes no sense")
        return StationConfig(label, link, None, MARS6, UART, bind, key)
    recording = (record or default_path(host_clock(), label)).absolute()
    return StationConfig(label, link, recording, MARS6, UART, bind, key)


def _label(link: str) -> str:
    """A short name from a link: ``serial:/dev/ttyACM0?baud=9600`` is ``ttyACM0``."""
    place = link.partition("?")[0].rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", place).strip("-.")[:24] or f"station-{os.getpid()}"


def main() -> None:
    """Entry point."""
    run_cli(cli, "groundstation")


if __name__ == "__main__":
    main()
