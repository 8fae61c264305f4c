"""Which device is behind a port's name, and which serial devices are on USB: read from sysfs, nothing is opened.

A name says little: the next board that is plugged in may get /dev/ttyACM0. What tells devices apart, by rule:
1. USB, with a serial number of its own: vendor, product, serial number and interface.
2. USB without one (many a CH340): vendor, product and socket. Two of a kind, one after the other in one socket, look
   the same.
3. A pseudo-terminal: its node's numbers, and when it was made: the kernel gives the numbers to the next one.
4. Any other: its node's numbers, which a port on the mainboard keeps.

Every function takes the root of the file system, so that a test need not be root.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError, PortAbsent
from groundstation.host.udev import board_name, own_serial, wanted_link
from groundstation.ports.access import is_pty, refusal

ROOT = Path("/")
_LANDER = "dev/lander"
_LEAST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Device:
    """What is behind a port's name.

    Attributes:
        path: of its node, as /dev/ttyACM0.
        key: tells it from all other devices that are there at the same time, whatever its name.
        made: of a pseudo-terminal, when it was made, in ns since 1970; else 0.
        usb_id: vendor:product in hexadecimal; empty if it is not on USB.
        serial: its own serial number; empty if it has none, or one that others have too.
        board: what the udev rules call it; empty if they do not know it.
        links: its names below /dev/lander.
    """

    path: str
    key: str
    made: int = 0
    usb_id: str = ""
    serial: str = ""
    board: str = ""
    links: tuple[str, ...] = ()

    def __str__(self) -> str:
        about = " ".join(filter(None, [self.board or self.usb_id, self.serial]))
        return f"{self.path} ({about})" if about else self.path

    def is_same(self, other: Device) -> bool:
        """Whether this is that device, found again."""
        return (self.key, self.made) == (other.key, other.made)


def describe(path: str, root: Path = ROOT) -> Device:
    """What is behind a name.

    Raises:
        PortAbsent: nothing is.
        LinkError: it cannot be looked at.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise refusal(path, error) from error
    if (tty := _tty(Path(path), root)) is not None and (device := _on_usb(tty, root)) is not None:
        return device
    node = f"{status.st_dev:x}.{status.st_ino}.{os.major(status.st_rdev)}-{os.minor(status.st_rdev)}"
    made = status.st_ctime_ns if is_pty(status) else 0
    return Device(os.path.realpath(path), f"node-{node}", made)


def usb_devices(root: Path = ROOT) -> list[Device]:
    """All serial ports on USB, by their paths."""
    ttys = [tty for kind in ("ttyACM", "ttyUSB") for tty in (root / "sys/class/tty").glob(f"{kind}[0-9]*")]
    found = [device for tty in ttys if (device := _on_usb(tty, root)) is not None]
    return sorted(found, key=lambda device: (len(device.path), device.path))


def boards(root: Path = ROOT) -> list[Device]:
    """The ports that may have a lander: those that the udev rules know, and what else is named in /dev/lander."""
    return [device for device in usb_devices(root) if device.board or device.links]


def find_device(name: str, root: Path = ROOT) -> Device:
    """The one device of a name.

    Args:
        name: a serial number, or the beginning of one; a port's name (``ttyACM0``, or one in /dev/lander); a kind of
            board (``Arduino Uno``).
        root: of the file system.

    Raises:
        PortAbsent: there is none.
        CallerError: there are several; says how to choose.
    """
    devices = usb_devices(root)
    for matches in (_by_serial, _by_port_name, _by_prefix, _by_board):
        found = [device for device in devices if matches(device, name)]
        if len(found) == 1:
            return found[0]
        if found:
            ways = ", ".join(f"serial:{lasting_name(device, root)} ({device.path})" for device in found)
            raise CallerError(f"serial:{name} means {len(found)} ports; choose one: {ways}")
    plugged = ", ".join(map(str, devices)) or "none"
    raise PortAbsent(f"serial:{name} is not plugged in: serial ports on USB: {plugged}")


def find_again(device: Device, root: Path = ROOT) -> Device | None:
    """A device on USB, wherever it is plugged in now; None if it is not there."""
    return next((other for other in usb_devices(root) if other.key == device.key), None)


def lasting_name(device: Device, root: Path = ROOT) -> str:
    """What to write behind ``serial:`` to mean this device and no other, if possible in another socket, too."""
    if device.serial and sum(other.serial == device.serial for other in usb_devices(root)) < 2:
        return device.serial
    return next((Path(link).name for link in device.links), device.path)


def _by_serial(device: Device, name: str) -> bool:
    return device.serial == name


def _by_port_name(device: Device, name: str) -> bool:
    return name in (Path(device.path).name, *(Path(link).name for link in device.links))


def _by_prefix(device: Device, name: str) -> bool:
    return len(name) >= _LEAST_PREFIX and device.serial.startswith(name)


def _by_board(device: Device, name: str) -> bool:
    return device.board.casefold() == name.casefold()


def _tty(path: Path, root: Path) -> Path | None:
    """The entry in sysfs of the port that a path leads to, by whatever links; None if the kernel names none of them."""
    for _ in range(40):
        entry = root / "sys/class/tty" / path.name
        if path.parent.resolve() == (root / "dev").resolve() and entry.exists():
            return entry
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _on_usb(tty: Path, root: Path) -> Device | None:
    """The USB device that has a port; None if none has."""
    places = list(tty.resolve().parents)
    usb = next((place for place in places if (place / "idVendor").is_file()), None)
    if usb is None:
        return None
    path = root / "dev" / tty.name
    interface = next((text for place in places if (text := _attribute(place, "bInterfaceNumber"))), "00")
    usb_id = f"{_attribute(usb, 'idVendor')}:{_attribute(usb, 'idProduct')}"
    serial = own_serial(_attribute(usb, "serial"))
    own = f"serial-{serial}" if serial else f"socket-{usb.name}"
    return Device(
        path=str(path),
        key=f"usb-{usb_id}-{own}-if{interface}",
        usb_id=usb_id,
        serial=serial,
        board=board_name(usb_id) or "",
        links=tuple(_links(path, wanted_link(root / _LANDER, serial, interface), root)),
    )


def _links(path: Path, wanted: Path, root: Path) -> Iterator[str]:
    """The names of a port below /dev/lander; the one by its serial number first."""
    found = [link for link in sorted((root / _LANDER).glob("*/*")) if link.resolve() == path.resolve()]
    yield from (str(link) for link in sorted(found, key=lambda link: link != wanted))


def _attribute(place: Path, name: str) -> str:
    try:
        return (place / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # not every folder on the way has it
        return ""
