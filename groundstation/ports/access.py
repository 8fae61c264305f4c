"""Who has a port and who may: what the kernel says of a device, in words that say what to do."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import LinkError, PortAbsent, PortBusy, PortForbidden

_ABSENT = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR, errno.EIO}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_BUSY = {errno.EBUSY, errno.EAGAIN}
_PTY_MAJORS = range(136, 144)


_TAKERS = {
    "ModemManager": (
        "it takes every new port for a modem: `groundstation udev install` keeps it off boards, `sudo systemctl stop "
        "ModemManager` ends it; then plug the board in again"
    ),
    "brltty": (
        "it takes many adapters for a braille display: `sudo systemctl mask --now brltty.service brltty-udev.service` "
        "or `sudo apt-get remove brltty`, then plug the board in again"
    ),
}
"""Services that open ports which are not theirs, and what to do about each."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"

    @property
    def advice(self) -> str:
        """What to do, if it is a service that takes ports of its own accord; else empty."""
        return _TAKERS.get(self.name, "")


def is_pty(node: os.stat_result) -> bool:
    """The device is the slave end of a pseudo-terminal."""
    return os.major(node.st_rdev) in _PTY_MAJORS


def holders(path: str) -> list[Holder]:
    """The processes that have the port open, as far as this user may see.

    Of another user's processes only the locks can be seen: a program that has locked the port is named all the same.
    """
    real = os.path.realpath(path)
    found = {pid for pid in _processes() if _has_open(pid, real)}
    with contextlib.suppress(OSError):  # the port is gone
        found |= lock_owners(os.stat(real))
    return [Holder(pid, name) for pid in sorted(found) if (name := program_name(pid))]


def lock_owners(file: os.stat_result) -> set[int]:
    """The processes of whatever user that have a lock (flock) on a file. Not those of other PID namespaces."""
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    owners = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_bytes().decode().splitlines():
            match line.split():
                case [_, "FLOCK", _, _, pid, where, *_] if where == place and int(pid) > 0:
                    owners.add(int(pid))
    return owners


def running_takers() -> list[Holder]:
    """The services that open ports of their own accord, if they run."""
    named = [Holder(pid, program_name(pid)) for pid in _processes()]
    return [holder for holder in named if holder.advice]


def program_name(pid: int) -> str:
    """What a process is called; of a Python program its module or file. Empty if it has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        name = (folder / "comm").read_text(errors="replace").strip()
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    if not name.startswith("python"):
        return name
    match [word for word in words[1:] if not word.startswith("-") or word in ("-m", "-c")]:
        case ["-m", module, *_]:
            return module.removesuffix(".cli")
        case [script, *_] if script != "-c":
            return os.path.basename(script)
    return name


def command_line(pid: int, longest: int = 80) -> str:
    """The command line of a process, without its interpreter, cut if it is long. Empty if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    rest = words[1:]
    if os.path.basename(words[0]).startswith("python") and rest:
        words = rest[1:] if rest[0] == "-m" else rest
    words[0] = os.path.basename(words[0]).removesuffix(".cli")
    text = " ".join(" ".join(words).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def refusal(path: str, error: OSError) -> LinkError:
    """Why the port could not be opened, as the error to raise."""
    if error.errno in _ABSENT:
        return PortAbsent(f"{path} is not there: plug the board in; `groundstation ports` lists what is")
    if error.errno in _FORBIDDEN:
        return PortForbidden(forbidden_text(path))
    if error.errno in _BUSY:
        return PortBusy(busy_text(path, holders(path)))
    return LinkError(f"{path} cannot be used as a serial port: {error}")


def busy_text(path: str, who: Iterable[Holder], takers: Iterable[Holder] | None = None) -> str:
    """Who has the port, and what to do.

    Args:
        path: of the port.
        who: the processes that are known to have it.
        takers: services that may have it if none is known; None: those that run.
    """
    known = list(who)
    if not known:
        suspects = list(running_takers() if takers is None else takers)
        likely = "".join(f"; {taker} runs: {taker.advice}" for taker in suspects)
        return f"{path} is in use by a process of another user: `sudo fuser -v {path}` names it{likely}"
    names = ", ".join(map(str, known))
    advice = [holder.advice for holder in known if holder.advice]
    return f"{path} is in use by {names}: {'; '.join(advice) or 'end it, or choose another port'}"


def forbidden_text(path: str) -> str:
    """Which group owns the port, and how to join it."""
    try:
        info = os.stat(path)
    except OSError:
        return f"{path} is not permitted, nor is the folder it is in"
    group, user = _group_name(info.st_gid), _user_name(os.getuid())
    return forbidden_advice(path, info.st_mode, group, user, _members(info.st_gid))


def forbidden_advice(path: str, mode: int, group: str, user: str, members: Iterable[str]) -> str:
    """The advice for a port of this mode and group; ``members`` are the users the group lists."""
    start = f"{path} is not permitted to {user}"
    if group == "root" or (mode & 0o060) != 0o060:
        return f"{start}: it is {stat.filemode(mode)}, group {group}; run `groundstation udev install` and replug"
    if user in members:
        return f"{start} yet: the group {group} lists {user}, but this session is older; log out and in again"
    join = f"sudo usermod -aG {group} {user}"
    return f"{start}: it belongs to the group {group}; run `{join}`, log out and in again"


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _has_open(pid: int, real: str) -> bool:
    folder = Path(f"/proc/{pid}/fd")
    with contextlib.suppress(OSError):  # it ended, or belongs to another user
        return any(_points_at(folder / fd, real) for fd in os.listdir(folder))
    return False


def _points_at(fd: Path, real: str) -> bool:
    with contextlib.suppress(OSError):  # closed in between
        return os.readlink(fd) == real
    return False


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _members(gid: int) -> list[str]:
    try:
        return grp.getgrgid(gid).gr_mem
    except KeyError:
        return []
