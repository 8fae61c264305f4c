"""How a serial port is written, in every command; `groundstation.ports.devices` says which device that is.

``/dev/ttyACM0``, ``serial:/dev/ttyACM0?baud=115200``, ``serial:066CFF515150``, ``serial:auto``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Literal

from groundstation.errors import CallerError
from groundstation.ports.url_options import url_options

DEFAULT_BAUD = 115_200
USUAL_BAUDS = (115_200, 250_000, 500_000, 57_600, 38_400, 19_200, 9_600, 230_400, 460_800, 921_600, 1_000_000)
"""Rates that a lander may have been built with, the likely ones first."""
SCHEME = "serial:"
WANTED = "/dev/ttyACM0, serial:/dev/ttyACM0?baud=115200, serial:SERIAL_NUMBER or serial:auto"

MAX_BAUD = 100_000_000
_OTHER_SCHEME = re.compile(r"[a-z]{3,}:")
"""A serial number may have colons too: that of an ESP32 is its MAC address."""
Kind = Literal["path", "name", "auto", "all"]


@dataclass(frozen=True, slots=True)
class PortAddress:
    """A port as the user wrote it.

    Attributes:
        kind: a path; a name, which may be a serial number; the one port with a lander; all ports with one.
        text: the path or the name; empty for the others.
        baud: bits per second; None: nothing was said of it.
    """

    kind: Kind
    text: str
    baud: int | None = None

    @property
    def url(self) -> str:
        """In its long form."""
        place = self.text or self.kind
        return f"{SCHEME}{place}" + ("" if self.baud is None else f"?baud={self.baud}")

    def at(self, baud: int | None) -> PortAddress:
        """The same port at another rate; None: as it is.

        Raises:
            CallerError: the address has another rate itself.
        """
        if baud is None:
            return self
        if self.baud not in (None, baud):
            raise CallerError(f"{self.url}: it has a rate already: leave out --baud {baud}, or ?baud={self.baud}")
        return replace(self, baud=baud)


def parse_port(text: str) -> PortAddress:
    """Read an address in any of its forms.

    Raises:
        CallerError: it is none.
    """
    place, question, query = text.removeprefix(SCHEME).partition("?")
    if _OTHER_SCHEME.match(place):
        raise CallerError(f"{text!r} is not a serial port: expected {WANTED}")
    if not place:
        raise CallerError(f"{text!r} names no port: expected {WANTED}")
    given = url_options(text, query, ("baud",)) if question else {}
    baud = checked_baud(given["baud"]) if "baud" in given else None
    if place in ("auto", "all"):
        return PortAddress("auto" if place == "auto" else "all", "", baud)
    if "/" in place:
        return PortAddress("path", place, baud)
    if os.path.exists(f"/dev/{place}"):
        return PortAddress("path", f"/dev/{place}", baud)
    return PortAddress("name", place, baud)


def checked_baud(text: str) -> int:
    """A rate that was written.

    Raises:
        CallerError: it is not a positive whole number, or beyond what any port can do.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 0 < int(text) <= MAX_BAUD:
        raise CallerError(f"baud={text}: expected bits per second, such as {DEFAULT_BAUD}")
    return int(text)
