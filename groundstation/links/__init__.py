"""Ways to bytes, one file each, opened by URL: ``serial:/dev/ttyACM0?baud=115200``, ``zmq:ipc:///run/lander``,
``replay:pass.sqlite?speed=4``.

Lives here: reading, stamping, reconnecting, writing. May not live here: what the bytes mean. A new link is a
class with the methods of `base.Link`, an ``OPTIONS`` tuple and a ``from_url``, and one line in `LINKS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from groundstation.errors import CallerError
from groundstation.links.base import Clock, Link
from groundstation.links.replay import ReplayLink
from groundstation.links.serial import SerialLink
from groundstation.links.zmq import ZmqLink

LINKS: dict[str, type[SerialLink] | type[ZmqLink] | type[ReplayLink]] = {
    "serial": SerialLink,
    "zmq": ZmqLink,
    "replay": ReplayLink,
}


def open_link(url: str, clock: Clock) -> Link:
    """The link of a URL ``scheme:address?option=value``. Nothing is opened before its `start`.

    Raises:
        CallerError: an unknown scheme or option, or a value that cannot be.
    """
    if url.startswith("/"):
        raise CallerError(f"unknown link {url!r}: did you mean serial:{url}?")
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in LINKS:
        raise CallerError(_unknown("link", scheme if colon else url, LINKS))
    address, _, query = rest.partition("?")
    if not address:
        raise CallerError(f"{url} names no port: {scheme}:ADDRESS is wanted")
    kind = LINKS[scheme]
    return kind.from_url(address, _options(url, query, kind.OPTIONS), clock)


def _options(url: str, query: str, known: Iterable[str]) -> Mapping[str, str]:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError as error:
        raise CallerError(f"{url}: after the question mark comes option=value, not {query!r}") from error
    for name in options:
        if name not in known:
            raise CallerError(_unknown("link option", name, known))
    return options


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"unknown {what} {name!r}: {guess}known: {', '.join(names) or 'none'}"
