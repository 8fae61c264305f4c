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


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def is_pty(fd: int) -> bool:
    """The open device is the slave end of a pseudo-terminal."""
    return os.major(os.fstat(fd).st_rdev) in _PTY_MAJORS


def holders(path: str) -> list[Holder]:
    """The processes that have the port open, as far as this user may see."""
    real = os.path.realpath(path)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or belongs to somebody else
            if any(_points_at(process / "fd" / fd, real) for fd in os.listdir(process / "fd")):
                found.append(Holder(int(process.name), (process / "comm").read_text().strip()))
    return sorted(found, key=lambda holder: holder.pid)


def refusal(path: str, error: OSError) -> LinkError:
    """Why the port could not be opened, as the error to raise."""
    if error.errno in _ABSENT:
        return PortAbsent(f"{path} is not there: plug the board in; `groundstation ports` lists what is")
    if error.errno in _FORBIDDEN:
        return PortForbidden(forbidden_text(path))
    if error.errno in _BUSY:
        return PortBusy(busy_text(path, holders(path)))
    return LinkError(f"{path} cannot be used as a serial port: {error}")


def busy_text(path: str, who: Iterable[Holder]) -> str:
    """Who has the port, and what to do."""
    names = ", ".join(map(str, who))
    if not names:
        return f"{path} is in use by a process of another user: `sudo fuser -v {path}` names it"
    return f"{path} is in use by {names}: end it, or choose another port"


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


def _points_at(fd: Path, real: str) -> bool:
    with contextlib.suppress(OSError):  # closed meanwhile
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
