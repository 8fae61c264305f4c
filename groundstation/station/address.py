"""The address of a station: one of this host by its name, or a remote one with keys."""

from __future__ import annotations

from dataclasses import dataclass

from groundstation.errors import CallerError
from groundstation.host.clock import host_clock
from groundstation.security.endpoints import Endpoints, is_private, pair_of
from groundstation.security.keys import Credentials, KeyStore, checked_key
from groundstation.station.registry import Registry, StationInfo
from groundstation.viewer.client import StationClient


@dataclass(frozen=True, slots=True)
class StationAddress:
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


def find_station(wanted: str | None, key: str | None = None, server_key: str | None = None) -> StationAddress:
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
        return StationAddress(info, info=info)
    ends = pair_of(wanted)
    if key is not None and server_key is not None:
        return StationAddress(ends, Credentials(KeyStore().load(key), checked_key(server_key)))
    if key is not None or server_key is not None or not is_private(wanted):
        raise CallerError(
            f"{wanted} needs a key: --key NAME (groundstation keys new NAME) and --server-key with the public key "
            "of the station, which `groundstation keys list` shows on its host"
        )
    return StationAddress(ends)


def connect(station: str | None = None, *, key: str | None = None, server_key: str | None = None) -> StationClient:
    """A client of a station; its `connect` joins it, `messages` follows, `request` commands.

    Args:
        station: a name or endpoint of this host, ``tcp://HOST:PORT``, or None for the only one that runs here.
        key: the name or path of the own key, for a remote station.
        server_key: the public key that a remote station must prove.

    Raises:
        StationGone: none runs here.
        CallerError: it does not run here, or a key is missing or cannot be.
        KeyUnusable: the key's file cannot be used.
    """
    return find_station(station, key, server_key).client()
