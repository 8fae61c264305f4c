"""The command ``groundstation bridge``."""

from __future__ import annotations

import asyncio
import json
import logging

import click

from groundstation.bridge.bridge import DEFAULT_BUFFER, Bridge, BridgeConfig
from groundstation.errors import CallerError, KeyUnusable, WorldError
from groundstation.exit_codes import DONE, PORT, exit_codes
from groundstation.formats.output import tell, write_json
from groundstation.formats.printable import shell_join
from groundstation.host.clock import host_clock
from groundstation.host.service import end_with_parent
from groundstation.links import open_link
from groundstation.links.serial import SerialLink
from groundstation.links.wire_log import with_wire_log
from groundstation.messages.text import utc
from groundstation.security.endpoints import is_private
from groundstation.security.keys import KeyPair, KeyStore

_LOG = logging.getLogger("groundstation.bridge")


@click.command(epilog=exit_codes(DONE, WorldError, CallerError, *PORT, KeyUnusable))
@click.argument("port", metavar="SERIAL")
@click.option("--bind", required=True, metavar="tcp://ADDRESS:PORT", help="Endpoint to serve; or ipc:///PATH.")
@click.option("--key", metavar="NAME", help="The bridge's own key; required if other hosts can reach it.")
@click.option(
    "--buffer",
    type=click.IntRange(1, 4096),
    default=DEFAULT_BUFFER >> 20,
    show_default=True,
    metavar="MIB",
    help="Memory for data not yet acknowledged by the station.",
)
@click.option("--announce", is_flag=True, hidden=True, help="Print JSON on standard output when ready.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when the parent dies.")
def bridge(port: str, bind: str, key: str | None, buffer: int, announce: bool, with_parent: bool) -> None:
    """Serve the serial port SERIAL of this host to a station on another host, until interrupted.

    Received bytes are time-stamped here and kept until the station acknowledges them: connections may break, the
    station may restart, the port may be unplugged and plugged in again. If the buffer is full, data is dropped; both
    ends count and report it. Commands of the station are written to the port if its key may command.

    \b
    Examples:
      groundstation bridge /dev/ttyACM0 --bind tcp://127.0.0.1:5580              for a station on this host
      groundstation bridge /dev/ttyACM0 --bind tcp://0.0.0.0:5580 --key bench    for a station on another host
      groundstation bridge serial:/dev/ttyUSB0?baud=921600 --bind tcp://0.0.0.0:5580 --key bench
    \b
    At the station:
      groundstation serve 'zmq:tcp://HOST:5580?key=NAME&server_key=KEY'
    """
    if with_parent:
        end_with_parent()
    link = open_link(port if ":" in port.partition("/")[0] else f"serial:{port}", host_clock)
    if not isinstance(link, SerialLink):
        raise CallerError(f"{port}: a bridge serves a serial port")
    store = KeyStore()
    own = None if key is None else store.load(key)
    config = BridgeConfig(bind, own, buffer << 20)

    def ready(endpoint: str) -> None:
        if announce:
            write_json(json.dumps({"endpoint": endpoint, "public_key": None if own is None else own.public}))
            return
        tell(f"bridge from {link.url} to {endpoint}; at the station:")
        tell(f"  {shell_join(['groundstation', 'serve', _link(endpoint, own)])}")

    async def run() -> None:
        await Bridge(config, with_wire_log(link), store, host_clock, _log_line).run(ready)

    asyncio.run(run())


def _log_line(text: str) -> None:
    tell(f"{utc(host_clock(), 0)} {text}")
    _LOG.info("%s", text)


def _link(endpoint: str, own: KeyPair | None) -> str:
    place = endpoint if is_private(endpoint) else f"tcp://HOST:{endpoint.rpartition(':')[2]}"
    return f"zmq:{place}" if own is None else f"zmq:{place}?key=NAME&server_key={own.public}"
