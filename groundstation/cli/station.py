"""Commands that run a station: ``serve``, ``stop``, ``ports``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from groundstation.cli.options.completion import stations
from groundstation.cli.options.connection import invitation, key_options
from groundstation.cli.options.mission import mission_option
from groundstation.cli.options.station import check_links, named_links, station_config, station_options
from groundstation.errors import ArchiveError
from groundstation.exit_codes import DONE, RECEPTION, REQUEST, exit_codes
from groundstation.formats.output import echo, tell, write_json
from groundstation.host.clock import host_clock
from groundstation.host.service import end_with_parent
from groundstation.ports.listing import format_ports, list_ports
from groundstation.station.address import find_station
from groundstation.station.process import stop_elsewhere, stop_station
from groundstation.station.registry import Registry, StationInfo
from groundstation.station.station import run_station
from protocols.declare.mission import Mission


@click.command(epilog=exit_codes(*RECEPTION))
@click.argument("link", required=False)
@mission_option
@station_options
@click.option("--announce", is_flag=True, hidden=True, help="Print JSON on standard output when ready.")
@click.option("--with-parent", is_flag=True, hidden=True, help="Close the recording and end when the parent dies.")
def serve(
    link: str | None,
    mission: Mission,
    more: tuple[str, ...],
    command_link: str | None,
    name: str | None,
    record: Path | None,
    wait: bool,
    bind: str | None,
    key: str | None,
    announce: bool,
    with_parent: bool,
) -> None:
    """Receive LINK, record it, and serve viewers until stopped.

    Several links that carry the same spacecraft (--link) make one stream: the first good copy of each frame counts.

    LINK is serial:DEVICE?baud=N, zmq:ENDPOINT or replay:RECORDING. The station needs no terminal; viewers come and go.
    Ctrl-C, SIGTERM or the end of its terminal closes the recording and ends it; under nohup it outlives its terminal.

    \b
    Examples:
      groundstation serve serial:/dev/ttyACM0?baud=115200
      groundstation serve serial:/dev/ttyUSB0 --mission ./sparrow.py    another spacecraft
      nohup groundstation serve serial:/dev/ttyACM0 &                   goes on when ssh ends
      groundstation serve --link bus=serial:/dev/ttyACM0 --link mars5=zmq:tcp://127.0.0.1:5570
      groundstation serve serial:/dev/ttyACM0 --bind tcp://0.0.0.0:5571 --key bench    for remote viewers, too
    """
    if with_parent:
        end_with_parent()
    links = named_links(link, more)
    check_links(links, wait, mission)
    config = station_config(links, name, record, mission, bind, key, command_link)

    def ready(info: StationInfo) -> None:
        if announce:
            write_json(json.dumps({"station": info.name, "recording": info.recording}))
        else:
            tell(f"station {info.name} receives {info.link}, recording to {info.recording or 'nothing'}")
            tell(f"watch it with: groundstation watch {info.name}")
            for line in invitation(info):
                tell(line)

    asyncio.run(run_station(config, host_clock, Registry(), ready=ready))
    if not announce:
        tell(f"stopped; the recording is {config.recording}" if config.recording else "stopped; nothing was recorded")


@click.command(epilog=exit_codes(*REQUEST, ArchiveError))
@click.argument("station", required=False, shell_complete=stations)
@key_options
def stop(station: str | None, key: str | None, server_key: str | None) -> None:
    """Stop STATION and close its recording. Exit code 14: the recording lacks something; it says what and since when.

    \b
    Examples:
      groundstation stop
      groundstation stop tcp://HOST:5571 --key anna --server-key KEY
    """
    target = find_station(station, key, server_key)
    if target.info is None:
        closed = asyncio.run(stop_elsewhere(target.client(), "stopped from the command line"))
        echo(f"{target.name} has stopped and closed its recording" if closed else f"{target.name} was asked to stop")
        return
    asyncio.run(stop_station(target.info, "stopped from the command line"))
    recording = target.info.recording
    echo(f"stopped; the recording is {recording}" if recording else "stopped; nothing was recorded")


@click.command(epilog=exit_codes(DONE))
def ports() -> None:
    """List the serial ports, what is behind them, and whether they can be used."""
    echo(*format_ports(list_ports()))
