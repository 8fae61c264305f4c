"""Ways to bytes, one file each, opened by URL: ``serial:/dev/ttyACM0?baud=115200``, ``zmq:ipc:///run/lander``,
``replay:pass.sqlite?speed=4``.

Lives here: reading, stamping, reconnecting, writing. May not live here: what the bytes mean. A new link is a
class with the methods of `base.Link`, an ``OPTIONS`` tuple and a ``from_url``, and one line in `LINKS`.
"""

from __future__ import annotations

from groundstation.errors import CallerError
from groundstation.links.base import Clock, Link
from groundstation.links.replay import ReplayLink
from groundstation.links.serial import SerialLink
from groundstation.links.zmq import ZmqLink
from groundstation.ports.url_options import unknown, url_options
from protocols.declare.mission import Mission

LINKS: dict[str, type[SerialLink] | type[ZmqLink] | type[ReplayLink]] = {
    "serial": SerialLink,
    "zmq": ZmqLink,
    "replay": ReplayLink,
}


def open_link(url: str, clock: Clock, mission: Mission | None = None) -> Link:
    """The link of a URL ``scheme:address?option=value``. Nothing is opened before its `start`.

    Args:
        url: of the link.
        clock: stamps what is read.
        mission: whose lander ``serial:auto`` looks for; the default one's by default.

    Raises:
        CallerError: an unknown scheme or option, or a value that cannot be.
    """
    if url.startswith("/"):
        raise CallerError(f"unknown link {url!r}; did you mean 'serial:{url}'?")
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in LINKS:
        raise CallerError(unknown("link", scheme if colon else url, LINKS))
    address, _, query = rest.partition("?")
    if not address:
        raise CallerError(f"{url} names no port: expected {scheme}:ADDRESS")
    kind = LINKS[scheme]
    return kind.from_url(address, url_options(url, query, kind.OPTIONS), clock, mission)
