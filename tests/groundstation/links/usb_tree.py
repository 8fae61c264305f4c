"""Boards on USB as sysfs and /dev show them, in a file system of the test's own; a pseudo-terminal is the port."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def plug(
    root: Path, usb_id: str, socket: str, tty: str, serial: str = "", interface: str = "00", node: str | None = None
) -> Path:
    """Plug a board in; its port's path. ``node`` is the device that the port's name leads to."""
    device = root / f"sys/devices/usb1/{socket}"
    below = f"{tty}/tty/{tty}" if tty.startswith("ttyUSB") else f"tty/{tty}"
    place = device / f"{socket}:1.{int(interface, 16)}"
    (place / below).mkdir(parents=True)
    (device / "idVendor").write_text(usb_id[:4] + "\n")
    (device / "idProduct").write_text(usb_id[5:] + "\n")
    if serial:
        (device / "serial").write_text(serial + "\n")
    (place / "bInterfaceNumber").write_text(interface + "\n")
    for folder, name, target in (("sys/class/tty", tty, place / below), ("sys/bus/usb/devices", socket, device)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        if not (root / folder / name).is_symlink():
            (root / folder / name).symlink_to(target)
    port = root / "dev" / tty
    port.parent.mkdir(exist_ok=True)
    if node is None:
        port.touch()
    else:
        port.symlink_to(node)
    return port


def unplug(root: Path, socket: str, tty: str) -> None:
    """Pull its cable."""
    shutil.rmtree(root / f"sys/devices/usb1/{socket}")
    (root / "sys/class/tty" / tty).unlink()
    (root / "sys/bus/usb/devices" / socket).unlink()
    (root / "dev" / tty).unlink()


def name_port(root: Path, name: str, port: Path) -> Path:
    """Give a port a name below /dev/lander, as udev does."""
    link = root / "dev/lander" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(port, link.parent))
    return link
