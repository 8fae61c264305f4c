"""Where the device of a link is now, and whether what has its port's name is that device.

Rules:
1. A link that was given a device's own name (`/dev/ttyACM0`, `/dev/pts/5`) means the device that it opened first:
   another one that gets the name later is not taken, and not opened either, which might reset it.
2. A symbolic link, of udev's or the user's, says itself what it means: whatever it leads to is taken.
3. A board that was found by its number, its name or its lander is found again by what it is, whatever its port's name.
"""

from __future__ import annotations

import os
from pathlib import Path

from groundstation.errors import CallerError, PortAbsent
from groundstation.messages.text import utc
from groundstation.ports.address import parse_port
from groundstation.ports.devices import Device, describe, find_again, find_device
from groundstation.ports.lander_search import find_lander
from protocols.declare.mission import Mission


class DeviceFinder:
    """Finds the device of one link, again and again."""

    def __init__(self, text: str, baud: int, root: Path, mission: Mission | None = None) -> None:
        """Args: the text after ``serial:``, bits per second, the root of the file system, and whose lander is sought.

        Raises:
            CallerError: it means several ports.
        """
        self._address = parse_port(text)
        if self._address.kind == "all":
            raise CallerError("serial:all: a station receives one port: name it, or serial:auto")
        self._baud = baud
        self._root = root
        self._mission = mission
        self._device: Device | None = None

    def __str__(self) -> str:
        if self._address.kind == "path":
            return self._address.text
        return str(self._device or self._address.url)

    def find(self) -> tuple[str, Device]:
        """The port's path now, and the device behind it.

        Raises:
            PortAbsent: it is not there, or another device has its name.
            LinkError: it cannot be looked at.
            CallerError: a name means several ports, or several boards have a lander.
        """
        if self._address.kind == "path":
            return self._at_path(self._address.text)
        device = self._known() or (
            find_device(self._address.text, self._root)
            if self._address.kind == "name"
            else find_lander(self._baud, self._root, mission=self._mission)
        )
        return device.path, device

    def keep(self, device: Device) -> None:
        """That device was opened: it is the one that is meant from now on."""
        self._device = device

    def _at_path(self, path: str) -> tuple[str, Device]:
        device = describe(path, self._root)
        if self._device is not None and not os.path.islink(path) and not device.is_same(self._device):
            raise PortAbsent(
                f"{path} is another device now ({_about(device)}) than the one that this link began with "
                f"({_about(self._device)}): {_advice(device)}"
            )
        return path, device

    def _known(self) -> Device | None:
        if self._device is None:
            return None
        again = find_again(self._device, self._root)
        if again is None:
            raise PortAbsent(f"{self._device} is not plugged in any more: plug it in again")
        return again


def _about(device: Device) -> str:
    if not device.usb_id:
        return f"a terminal made at {utc(device.made, 3)}" if device.made else f"device {device.key}"
    number = f"serial number {device.serial}" if device.serial else "no serial number"
    return f"{device.board or device.usb_id}, {number}"


def _advice(device: Device) -> str:
    if device.made:
        return (
            "start the station again for this one, or give the terminal a lasting name (`hil lander --pty --symlink`)"
        )
    return "plug that in again, or start the station again for this one"
