"""What serial ports there are, and whether they can be had: the table of ``groundstation ports``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports as pyserial_ports

from groundstation.errors import LinkError, PortForbidden
from groundstation.formats.printable import printable
from groundstation.ports.access import holders
from groundstation.ports.opening import probe

BY_ID = Path("/dev/serial/by-id")


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A serial port as it is now. Empty text: it has no such thing.

    ``usb_id`` is vendor:product in hex, ``stable`` a name that survives replugging, ``state`` is free,
    busy (by whom) or not permitted. ``advice`` says what to do about a service that took it of its own accord.
    """

    path: str
    description: str
    usb_id: str
    serial_number: str
    stable: str
    state: str
    advice: str = ""


def list_ports(by_id: Path = BY_ID) -> list[PortInfo]:
    """All serial ports that have a driver, by path. None of them is opened."""
    stable = stable_names(by_id)
    return [
        PortInfo(
            path=port.device,
            description=port.description if port.description != "n/a" else "",
            usb_id=f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else "",
            serial_number=port.serial_number or "",
            stable=stable.get(os.path.realpath(port.device), ""),
            state=port_state(port.device),
            advice="; ".join(f"{holder}: {holder.advice}" for holder in holders(port.device) if holder.advice),
        )
        for port in sorted(pyserial_ports.comports())
    ]


def stable_names(by_id: Path) -> dict[str, str]:
    """The links of a folder such as /dev/serial/by-id, by what they point at."""
    return {os.path.realpath(link): str(link) for link in sorted(by_id.glob("*"))}


def port_state(path: str) -> str:
    """Free, busy and by whom, or not permitted."""
    if who := holders(path):
        return f"busy: {', '.join(map(str, who))}"
    try:
        probe(path)
    except PortForbidden:
        return "not permitted"
    except LinkError as error:
        return str(error)
    return "free"


def format_ports(ports: Sequence[PortInfo]) -> list[str]:
    """A table for people, row by row."""
    heads = ["PORT", "STATE", "USB", "SERIAL", "DESCRIPTION", "STABLE NAME"]
    found = [(p.path, p.state, p.usb_id, p.serial_number, p.description, p.stable) for p in ports]
    rows = [heads, *(list(map(printable, row)) for row in found)]  # a board says of itself what it likes
    if len(rows) == 1:
        return ["no serial ports: plug a board in, or use a pseudo-terminal by its path"]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return table + [f"{port.path}: {port.advice}" for port in ports if port.advice]
