"""The udev rules on this machine: where they go, and whether every board that is plugged in is as they say.

The rules themselves are the one declaration of boards; the link in this folder puts them into the distribution. Every
function takes the root of the file system, so that a package can be filled and a test need not be root.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from groundstation.errors import RulesError
from groundstation.formats.output_file import OutputFile

Membership = Literal["joined", "listed", "outside", "no group"]
"""A session is in a group, will be after the next login, is not, or the group does not exist."""

NAME = "70-mars6-lander.rules"
GROUP = "dialout"
MODE = 0o660
RELOAD = (
    ("udevadm", "control", "--reload"),
    ("udevadm", "trigger", "--action=change", "--subsystem-match=usb", "--subsystem-match=tty", "--settle"),
)
"""The commands after which udev knows the rules of now, also for what is plugged in already."""

_FOLDERS = (
    "etc/udev/rules.d",
    "run/udev/rules.d",
    "usr/local/lib/udev/rules.d",
    "usr/lib/udev/rules.d",
    "lib/udev/rules.d",
)
"""Where udev looks for rules; the first file of a name hides the others."""

_BOARD_LINE = re.compile(r'ATTRS\{idVendor\}=="(\w+)", ATTRS\{idProduct\}=="([\w|?*]+)", ENV\{ID_LANDER_BOARD\}="(.+)"')
_NOT_IN_A_NAME = re.compile(r"[^0-9A-Za-z#+\-.:=@_]")
_UNFIT_SERIAL = re.compile(r"[^ -\x7f]|,")
_NO_SERIAL = ("", "0001")
_PORTLESS = ("J-Link",)
"""Debug probes that need not have a serial port."""
_RELOAD_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port of a board, as the system shows it.

    ``links`` are all names below /dev/lander that mean this port; ``wanted`` is the one that the rules give it, or the
    folder in which they give it one. ``taken`` is the port that has the wanted name instead. ``usable`` says whether
    this user may open it, for whatever reason.
    """

    path: Path
    links: tuple[Path, ...]
    wanted: Path
    taken: Path | None
    group: str
    mode: int
    usable: bool


@dataclass(frozen=True, slots=True)
class PluggedBoard:
    """A board on USB; without ``ports`` its driver is missing."""

    name: str
    usb_id: str
    serial: str
    place: str
    ports: tuple[Port, ...]


def rules() -> str:
    """The rules that came with this program."""
    return (files("groundstation.host") / NAME).read_text(encoding="utf-8")


@cache
def known_boards() -> dict[str, str]:
    """The boards that the rules name: vendor:product, either of them perhaps a pattern, and what it is."""
    found = [match.groups() for line in rules().splitlines() if (match := _BOARD_LINE.fullmatch(line))]
    return {f"{vendor}:{product}": name for vendor, products, name in found for product in products.split("|")}


def board_name(usb_id: str) -> str | None:
    """What the rules call a board of this vendor:product; None if they do not know it."""
    return next((name for pattern, name in known_boards().items() if fnmatchcase(usb_id, pattern)), None)


def destination(root: Path) -> Path:
    """Where an administrator's rules belong."""
    return root / _FOLDERS[0] / NAME


def installed(root: Path) -> Path | None:
    """The rules file that udev reads, of whatever version."""
    return next((path for folder in _FOLDERS if (path := root / folder / NAME).is_file()), None)


def may_write(path: Path) -> bool:
    """This user may make or replace the file, and the folders that it needs."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


def write_rules(path: Path) -> None:
    """Put the rules there, whole or not at all.

    Raises:
        RulesError: the disk says no.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with OutputFile(path, force=True) as output:  # until it is whole its name does not end in .rules
            os.fchmod(output.file.fileno(), 0o644)
            output.file.write(rules().encode())
    except OSError as error:
        raise RulesError(f"{path} cannot be written: {error.strerror}") from error


def delete_rules(path: Path) -> None:
    """Take the rules away.

    Raises:
        RulesError: the disk says no.
    """
    try:
        path.unlink()
    except OSError as error:
        raise RulesError(f"{path} cannot be removed: {error.strerror}") from error


def reload_rules() -> None:
    """Have udev read its rules again and apply them to what is plugged in.

    Raises:
        RulesError: there is no udev, or it refuses.
    """
    for command in RELOAD:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_RELOAD_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            words = getattr(error, "stderr", None) or str(error)
            raise RulesError(
                f"udev did not take the change: `{' '.join(command)}`: {words.strip()}; "
                "it takes it when it starts, or when the board is plugged in again"
            ) from error


def plugged_boards(root: Path) -> Iterator[PluggedBoard]:
    """The boards on USB that the rules know, by the socket they are in."""
    for device in sorted((root / "sys/bus/usb/devices").glob("*")):
        usb_id = f"{_attribute(device, 'idVendor')}:{_attribute(device, 'idProduct')}"
        if name := board_name(usb_id):
            serial = _attribute(device, "serial")
            ports = [_port(root, serial, tty) for tty in _ttys(device)]
            if not ports and name in _PORTLESS:
                continue
            yield PluggedBoard(name, usb_id, serial, device.name, tuple(ports))


def port_faults(port: Port, group: str) -> Iterator[str]:
    """What is wrong with a port, each with what to do."""
    if not port.group:
        yield f"there is no {port.path}: is udev running?"
        return
    if port.taken is not None:
        yield f"{port.wanted} is {port.taken.name}: two boards with one serial number; unplug one"
    elif not any(port.wanted in (link, link.parent) for link in port.links):
        yield f"no link {port.wanted}: run `groundstation udev install`, or plug the board in again"
    if port.group != group:
        yield f"its group is {port.group} instead of {group}: another rule changes it, or there is no group {group}"
    if port.mode != MODE:
        yield f"its mode is {port.mode:04o} instead of {MODE:04o}: another rule changes it"
    if not port.usable:
        yield "this user may not open it"


def user_name() -> str:
    """Who runs this."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def membership(group: str) -> Membership:
    """How this session stands to a group. Root need not be in any."""
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        return "no group"
    if os.geteuid() == 0 or entry.gr_gid in (os.getegid(), *os.getgroups()):
        return "joined"
    return "listed" if user_name() in entry.gr_mem else "outside"


def membership_fault(state: Membership, group: str, user: str) -> str | None:
    """What keeps the user from the group's ports, with what to do; None if nothing does."""
    if state == "no group":
        return f"this system has no group {group}: run `sudo groupadd --system {group}`, plug the board in again"
    if state == "listed":
        return f"{user} is in the group {group}, but this session is older: log out and in again"
    if state == "outside":
        return f"{user} is not in the group {group}: run `sudo usermod -aG {group} {user}`, log out and in again"
    return None


def own_serial(serial: str) -> str:
    """A serial number as USB tells it, if it is the device's own; else empty."""
    return "" if serial in _NO_SERIAL or _UNFIT_SERIAL.search(serial) else serial  # udev takes the latter for noise


def wanted_link(folder: Path, serial: str, interface: str) -> Path:
    """The link that the rules give a port; without a serial number of its own, the folder in which they give it one."""
    if not own_serial(serial):
        return folder / "by-path"
    # As udev puts it: runs of blanks and whatever is unfit for a name become underscores.
    name = _NOT_IN_A_NAME.sub("_", "_".join(serial.split()))
    return folder / "by-serial" / f"{name}-if{interface}"


def _attribute(device: Path, name: str) -> str:
    try:
        return (device / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # an interface has no vendor, a cheap board no serial number
        return ""


def _ttys(device: Path) -> list[Path]:
    """The ports of a USB device: below its interfaces (ACM), or below its converter's (serial)."""
    return sorted([*device.glob("*:*/tty/tty*"), *device.glob("*:*/tty*/tty/tty*")])


def _port(root: Path, serial: str, tty: Path) -> Port:
    path = root / "dev" / tty.name
    interface = next(_attribute(parent, "bInterfaceNumber") for parent in tty.parents if ":" in parent.name)
    wanted = wanted_link(root / "dev/lander", serial, interface)
    at = wanted.resolve()
    links = [link for link in (root / "dev/lander").glob("*/*") if link.resolve() == path.resolve()]
    taken = at if wanted.is_symlink() and at.exists() and at != path.resolve() else None
    group, mode = _owner(path)
    return Port(path, tuple(sorted(links)), wanted, taken, group, mode, os.access(path, os.R_OK | os.W_OK))


def _owner(path: Path) -> tuple[str, int]:
    """Group and mode of a port; one that is gone has neither."""
    try:
        info = path.stat()
    except OSError:
        return "", 0
    try:
        group = grp.getgrgid(info.st_gid).gr_name
    except KeyError:
        group = str(info.st_gid)
    return group, stat.S_IMODE(info.st_mode)
