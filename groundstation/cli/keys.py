"""The commands ``groundstation keys new|list|allow|revoke``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from groundstation.cli.options.named import NamedGroup
from groundstation.errors import CallerError, KeyUnusable
from groundstation.exit_codes import DONE, exit_codes
from groundstation.formats.output import echo
from groundstation.host.clock import host_clock
from groundstation.security.keys import AuthorizedKey, KeyPair, KeyStore
from protocols.units import NS_PER_S

_EPILOG = exit_codes(DONE, CallerError, KeyUnusable)


@click.group(cls=NamedGroup, epilog=_EPILOG)
def keys() -> None:
    """Make keys, and authorize clients of the stations and bridges of this host.

    Remote clients need a key to connect. The user who runs the station on this host needs none.

    \b
    Examples:
      groundstation keys new bench                    on the host of the station: its own key
      groundstation keys new anna                     on the viewer's host: hers
      groundstation keys allow anna KEY               on the host of the station: she may receive
      groundstation keys allow anna KEY --command     she may command, too
      groundstation serve serial:/dev/ttyACM0 --bind tcp://0.0.0.0:5571 --key bench
      groundstation watch tcp://HOST:5571 --key anna --server-key KEY_OF_BENCH
      groundstation keys revoke anna                  out at once, even from a running station
    """


@keys.command(epilog=_EPILOG)
@click.argument("name")
def new(name: str) -> None:
    """Make a key pair called NAME, for this host's station or for a client of another host's.

    \b
    Example:
      groundstation keys new anna
    """
    store = KeyStore()
    pair = store.new(name)
    echo(f"public key of {name}:", f"  {pair.public}")
    echo(f"The secret half is in {store.folder / name}.key and stays on this host.")
    echo(f"To authorize it on another host: groundstation keys allow {name} {pair.public}")


@keys.command("list", epilog=_EPILOG)
def list_command() -> None:
    """List the keys of this host, and the clients that its stations and bridges authorize.

    \b
    Example:
      groundstation keys list
    """
    store = KeyStore()
    echo("Keys of this host:")
    names = store.names()
    unusable = None
    for name in names:
        try:
            echo(_own_line(store.load(name)))
        except KeyUnusable as error:
            unusable = error
            echo(f"  {name:<20} {error}")
    if not names:
        echo("  none: groundstation keys new NAME")
    echo("Authorized clients of its stations and bridges:")
    clients = store.clients()
    for client in clients:
        echo(_client_line(client))
    if not clients:
        echo("  none yet: groundstation keys allow NAME KEY")
    if unusable is not None:
        raise unusable


@keys.command(epilog=_EPILOG)
@click.argument("name")
@click.argument("public", required=False)
@click.option(
    "--command/--telemetry", "may_command", default=False, help="Rights of the client. [default: --telemetry]"
)
def allow(name: str, public: str | None, may_command: bool) -> None:
    """Authorize the client NAME with its PUBLIC key; given again, change its rights.

    Without PUBLIC: the key that NAME has here already. Running stations apply it at once.

    \b
    Examples:
      groundstation keys allow anna 5c1e…             she may receive
      groundstation keys allow anna --command         she may command, too
      groundstation keys allow anna --telemetry       she may only receive
    """
    store = KeyStore()
    client = store.allow(name, public or _known(store, name), "command" if may_command else "telemetry", host_clock())
    echo(f"{name} may {'listen and command' if client.rights == 'command' else 'listen'}")


@keys.command(epilog=_EPILOG)
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the authorization of the client NAME. Running stations and bridges apply it at once.

    Its connections are closed within a second, and all its requests are refused from now on.

    \b
    Example:
      groundstation keys revoke anna
    """
    KeyStore().revoke(name, host_clock())
    echo(f"{name} is no longer authorized")


def _known(store: KeyStore, name: str) -> str:
    """The public key of a name: a client's that was authorized before, or one of this host's own."""
    for client in store.clients():
        if client.name == name and client.revoked is None:
            return client.public
    if name in store.names():
        return store.load(name).public
    raise CallerError(f"{name!r} is not known here: groundstation keys allow {name} PUBLIC")


def _own_line(pair: KeyPair) -> str:
    return f"  {pair.name:<20} {'':<10} {pair.public}"


def _client_line(client: AuthorizedKey) -> str:
    rights = client.rights if client.revoked is None else "revoked"
    when = datetime.fromtimestamp((client.revoked or client.since) // NS_PER_S, UTC)
    return f"  {client.name:<20} {rights:<10} {client.public}  {when:%Y-%m-%d %H:%M} UTC"
