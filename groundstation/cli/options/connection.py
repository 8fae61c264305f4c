"""Which station a command line connects to: one of this host by its name, or a remote one with keys."""

from __future__ import annotations

from dataclasses import dataclass

import click

from groundstation.cli.options.completion import keys
from groundstation.errors import CallerError
from groundstation.host.clock import host_clock
from groundstation.security.endpoints import Endpoints, is_private, pair_of
from groundstation.security.keys import Credentials, KeyStore, checked_key
from groundstation.station.registry import Registry, StationInfo
from groundstation.viewer.client import StationClient


@dataclass(frozen=True, slots=True)
class Target:
    """A station to connect to. ``info`` is None for a remote one."""

    ends: Endpoints
    credentials: Credentials | None = None
    info: StationInfo | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.ends.telemetry if self.info is None else self.info.name

    def client(self) -> StationClient:
        """A new client of it."""
        return StationClient(self.ends, host_clock, credentials=self.credentials)


def find_target(wanted: str | None, key: str | None = None, server_key: str | None = None) -> Target:
    """The station that was asked for.

    Args:
        wanted: a name or endpoint of this host, ``tcp://HOST:PORT``, or None for the only one that runs here.
        key: the name or path of the key to show.
        server_key: the public key that the station must prove.

    Raises:
        StationGone: none runs here.
        CallerError: it does not run here, or a key is missing or cannot be.
        KeyUnusable: the key's file cannot be used.
    """
    if wanted is None or not wanted.startswith("tcp://"):
        info = Registry().find(wanted)
        return Target(info, info=info)
    ends = pair_of(wanted)
    if key is not None and server_key is not None:
        return Target(ends, Credentials(KeyStore().load(key), checked_key(server_key)))
    if key is not None or server_key is not None or not is_private(wanted):
        raise CallerError(
            f"{wanted} needs a key: --key NAME (groundstation keys new NAME) and --server-key with the public key "
            "of the station, which `groundstation keys list` shows on its host"
        )
    return Target(ends)


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
