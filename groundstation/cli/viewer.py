"""Commands that show a station: ``watch``, ``run``, ``replay``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Self

import click

from groundstation.cli.options.completion import recordings, stations
from groundstation.cli.options.connection import key_options
from groundstation.cli.options.mission import mission_for, mission_option, recorded_mission_option
from groundstation.cli.options.number import Number
from groundstation.cli.options.station import (
    check_links,
    named_links,
    output_options,
    station_config,
    station_options,
)
from groundstation.cli.output import show
from groundstation.cli.runtime import choose_style
from groundstation.errors import PartlyRead, StationGone, ViewerCrashed
from groundstation.exit_codes import READING, RECEPTION, REQUEST, VIEWER, exit_codes
from groundstation.formats.output import echo
from groundstation.formats.printable import shell_join
from groundstation.host.clock import host_clock
from groundstation.host.hangup import end_with_terminal
from groundstation.host.service import EXIT_INTERRUPTED
from groundstation.links.replay import ReplayLink, replay_url
from groundstation.links.replay_clock import FASTEST, SLOWEST
from groundstation.messages.text import utc
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.summary import onboard_lines
from groundstation.station.address import find_station
from groundstation.station.config import StationConfig
from groundstation.station.process import check_recording, is_running, start_station, stop_station
from groundstation.station.registry import StationInfo
from groundstation.viewer.replay_client import ReplayClient, replay_is_over
from protocols.declare.mission import Mission

_CLOSED_BY_USER = (0, EXIT_INTERRUPTED, 128 + signal.SIGTERM)
"""Exit codes of a viewer that its user closed; after any other the station goes on."""


class _Interrupts:
    """SIGINT and SIGTERM where no viewer listens to them: one is noted, the next is a KeyboardInterrupt.

    So a station that has just been started, or is being stopped, is not left behind unnoticed.
    """

    _NUMBERS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._noted = False
        self._before = {number: signal.getsignal(number) for number in self._NUMBERS}

    def __enter__(self) -> Self:
        self.defer()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self) -> None:
        """Note the next one."""
        self._noted = False
        for number in self._NUMBERS:
            signal.signal(number, self._on_signal)

    def enable(self) -> None:
        """Let the next one be a KeyboardInterrupt; one that was noted is one now."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as asyncio expects it
        if self._noted:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._noted:
            raise KeyboardInterrupt
        self._noted = True


@click.command(epilog=exit_codes(*REQUEST, *VIEWER))
@click.argument("station", required=False, shell_complete=stations)
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
      groundstation watch tcp://HOST:5571 --key anna --server-key KEY    a remote one; see `groundstation keys`
    """
    style = choose_style(plain, as_json)
    end_with_terminal(drawing=style == "tui")
    target = find_station(station, key, server_key)
    try:
        sys.exit(show(target.ends, style, in_ascii, client=target.client()))
    except ViewerCrashed as error:
        again = [station or target.name, *(["--key", key] if key else [])]
        again += ["--server-key", server_key] if server_key else []
        raise ViewerCrashed(f"{error}; to go on: {shell_join(['groundstation', 'watch', *again])}") from error


@click.command(epilog=exit_codes(*RECEPTION, *VIEWER))
@click.argument("link", required=False)
@mission_option
@station_options
@click.option("--keep", is_flag=True, help="Leave the station running when the viewer is closed.")
@output_options
def run(
    link: str | None,
    mission: Mission,
    more: tuple[str, ...],
    command_link: str | None,
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

    The station is another process. Closing the viewer ends it, and so does the end of what reads its lines (| head). If
    the viewer crashes, or its terminal is closed, reception and recording go on.

    \b
    Examples:
      groundstation run serial:/dev/ttyACM0?baud=115200
      groundstation run 'zmq:tcp://HOST:5580?key=NAME&server_key=KEY'    the port of a remote bench
    """
    style = choose_style(plain, as_json)
    end_with_terminal(drawing=style == "tui")
    links = named_links(link, more)
    check_links(links, wait, mission)
    config = station_config(links, name, record, mission, bind, key, command_link)
    code: int | None = None
    with _Interrupts() as interrupts:
        info = start_station(config, wait=wait)
        try:
            interrupts.enable()
            code = show(info, style, in_ascii, closing=None if keep else f"Stopping station {info.name}.")
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED
        except BrokenPipeError:  # each command handles it; the reader of the pipe has left in any case
            code = 0
            raise
        finally:
            interrupts.defer()
            _stop_or_leave(info, stop=not keep and code in _CLOSED_BY_USER)
    sys.exit(code)


def _stop_or_leave(info: StationInfo, *, stop: bool) -> None:
    """Stop the station or leave it, and print which if the output is still open.

    Raises:
        ArchiveError: it has ended, and its recording lacks something.
    """
    if not is_running(info):
        check_recording(info)
        text = f"station {info.name} has ended; the recording is {info.recording}"
    elif stop:
        _stop(info)
        text = f"stopped; the recording is {info.recording}"
    else:
        text = f"station {info.name} goes on: groundstation watch {info.name}"
    with contextlib.suppress(OSError):
        echo(text, err=True)


def _stop(info: StationInfo) -> None:
    try:
        asyncio.run(stop_station(info, "its viewer was closed"))
    except StationGone:
        if is_running(info):
            raise  # else another process has stopped it


def _prepared(archive: Path, given: Mission | None) -> Mission:
    """The mission of a recording. Says if not all frames agree on what time it was on board."""
    with ArchiveReader(archive) as reader:
        mission = mission_for(reader, given)
        spans = reader.onboard_spans()
    if len(spans) > 1:
        echo(*onboard_lines(spans), err=True)
    return mission


@click.command(epilog=exit_codes(*READING, *VIEWER))
@click.argument("archive", type=click.Path(path_type=Path), shell_complete=recordings)
@click.option(
    "--from",
    "start",
    metavar="UTC",
    help="Start at this mission or receive time; 09:10:55 alone will do. It is preceded by some seconds of context.",
)
@click.option(
    "--speed",
    type=Number(SLOWEST, FASTEST),
    default=1.0,
    show_default=True,
    help=f"Replay speed, {SLOWEST:g} to {FASTEST:g} times real time.",
)
@click.option("--paused", is_flag=True, help="Start paused.")
@recorded_mission_option
@output_options
def replay(
    archive: Path,
    start: str | None,
    speed: float,
    paused: bool,
    mission: Mission | None,
    plain: bool,
    as_json: bool,
    in_ascii: bool,
) -> None:
    """Play ARCHIVE again, through the same decoding and viewers, marked as a replay.

    Nothing is recorded, no alarm is raised and nothing can be sent. Lines end with the recording; the TUI stays.
    Exit code 19: the recording is damaged or incomplete; what could be read was played.

    \b
    Examples:
      groundstation replay PASS.sqlite --speed 10
      groundstation replay PASS.sqlite --from 09:10:55
      groundstation replay PASS.sqlite --from 1974-03-12T12:10:55+03:00    another time zone, a certain day
    """
    style = choose_style(plain, as_json)
    end_with_terminal(drawing=style == "tui")
    lack = _lack_of(archive, speed, start)
    if lack:
        echo(f"{archive} {lack}", err=True)
    played = _prepared(archive, mission)
    config = StationConfig(f"replay-{os.getpid()}", replay_url(archive, speed, start, paused=True), None, played)
    station = start_station(config, with_parent=True)
    client = ReplayClient(station, host_clock, paused=paused)
    if paused and style != "tui":
        echo(f"paused: groundstation watch {station.name} moves it", err=True)
    code = EXIT_INTERRUPTED
    try:
        code = show(station, style, in_ascii, closing="The replay ends.", client=client, over=replay_is_over)
    except ViewerCrashed as error:
        begin = start if error.at is None else utc(error.at, 0)
        again = shell_join(["groundstation", "replay", str(archive), *(["--from", begin] if begin else [])])
        raise ViewerCrashed(f"{error}; to go on: {again}") from error
    finally:
        asyncio.run(stop_station(station, "its viewer was closed"))
    sys.exit(PartlyRead.exit_code if lack and not code else code)


def _lack_of(archive: Path, speed: float, start: str | None) -> str:
    """See that a recording can be played from there; what it lacks."""
    link = ReplayLink(archive, speed, start)
    try:
        return link.lack
    finally:
        link.stop()
