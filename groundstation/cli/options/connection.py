"""The options with which a client connects to a station, and how to invite one."""

from __future__ import annotations

import click

from groundstation.cli.options.completion import keys
from groundstation.station.registry import StationInfo


def invitation(info: StationInfo) -> list[str]:
    """How to watch a station from another host."""
    if info.remote is None:
        return []
    if info.public_key is None:
        return [f"or, on this host, with: groundstation watch {info.remote}"]
    return [
        f"remote clients: {info.remote}, with an authorized key (groundstation keys allow); the station's own key is",
        f"  {info.public_key}",
    ]


def key_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options with which a client shows who it is."""
    for option in (
        click.option(
            "--server-key",
            envvar="GROUNDSTATION_SERVER_KEY",
            show_envvar=True,
            metavar="KEY",
            help="Public key of the remote station.",
        ),
        click.option(
            "--key",
            shell_complete=keys,
            envvar="GROUNDSTATION_KEY",
            show_envvar=True,
            metavar="NAME",
            help="Own key for a remote station: its name, or the path of its file.",
        ),
    ):
        command = option(command)
    return command
