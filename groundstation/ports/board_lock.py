"""One program at a time uses a board: a lock for each, held from the first byte to the last, by processes of all users.

Rules:
1. The lock is a flock on a file in /run/lock, or in /tmp: folders where each user may make files but not remove
   another's. The file is named by the device (`Device.key`), not by its port's name. A killed holder's lock is free.
2. The file is opened for reading alone and nothing is ever written into it: a stranger's file, or a link to
   another one, can at worst keep the lock taken. Links of both kinds are refused.
3. Who has it is known from the kernel (/proc/locks), since when from the file's time, which the holder sets.
4. Who waits asks again; the longer it has waited the more often, so that the one who came first mostly gets it.
5. With several boards any free one will do.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from groundstation.errors import BoardBusy, LockRefused
from groundstation.ports.access import command_line, lock_owners
from groundstation.ports.devices import Device
from protocols.units import NS_PER_S

FOLDERS = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - see the rules
WAIT_S = 1800.0
"""How long to wait for a board that another program uses: some real descents take their five minutes before."""

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_FIRST_PAUSE_S = 0.1
_LEAST_PAUSE_S = 0.005
_PATIENT_S = 10.0
_SAY_AFTER_S = 0.5


def _say_nothing(text: str) -> None:
    """For callers that show nothing."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who has a board.

    Attributes:
        pid: of its process; 0 if that cannot be seen.
        program: its command line.
        since: ns since 1970.
    """

    pid: int
    program: str
    since: int

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(self.since / NS_PER_S))
        who = f"{self.program or 'a program'} (pid {self.pid})" if self.pid else "a process that cannot be seen"
        return f"{who}, since {clock}"


class BoardLock:
    """A board that is this process's until `release`."""

    def __init__(self, device: Device, fd: int) -> None:
        """Args: the board, and the open file that is locked."""
        self.device = device
        self._fd = fd

    def release(self) -> None:
        """Let others have it. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lock_board(
    devices: Sequence[Device],
    wait_s: float = WAIT_S,
    say: Callable[[str], None] = _say_nothing,
    folders: Sequence[Path] = FOLDERS,
) -> BoardLock:
    """Take one of several boards, whichever is free first.

    Args:
        devices: one at least.
        wait_s: how long to wait for it.
        say: told once who has them, if one has to wait.
        folders: the first that can be used has the locks.

    Raises:
        BoardBusy: none was free in time; says who has them.
        LockRefused: a lock's file cannot be used.
    """
    folder = _folder(folders)
    began, told = time.monotonic(), False
    while True:
        for device in devices:
            if (lock := _try_lock(device, folder)) is not None:
                return lock
        waited = time.monotonic() - began
        if waited >= wait_s:
            raise BoardBusy(f"{_in_use(devices, folders)}; waited {wait_s:g} s")
        if not told and waited >= _SAY_AFTER_S:
            told = True
            say(f"{_in_use(devices, folders)}: waiting for up to {wait_s:g} s")
        pause = max(_LEAST_PAUSE_S, _FIRST_PAUSE_S / (1 + waited / _PATIENT_S))
        time.sleep(min(pause, max(0.0, wait_s - waited)))


def lock_holder(device: Device, folders: Sequence[Path] = FOLDERS) -> LockHolder | None:
    """Who has a board; None if it is free."""
    try:
        fd = _open(_path(device, _folder(folders)))
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        owners = sorted(lock_owners(status))
        if owners:
            return LockHolder(owners[0], command_line(owners[0]), status.st_mtime_ns)
        return None if _flock(fd) else LockHolder(0, "", status.st_mtime_ns)
    finally:
        os.close(fd)


def _in_use(devices: Sequence[Device], folders: Sequence[Path]) -> str:
    told = [f"{device} is in use by {lock_holder(device, folders) or 'a program'}" for device in devices]
    return "; ".join(told)


def _try_lock(device: Device, folder: Path) -> BoardLock | None:
    path = _path(device, folder)
    try:
        fd = _open(path)
    except OSError as error:
        raise LockRefused(f"the lock of {device}, {path}, cannot be used: {error.strerror}; remove it") from error
    if _flock(fd):
        with contextlib.suppress(PermissionError):  # another user's, not writable: its time is that of its creation
            os.utime(fd)
        return BoardLock(device, fd)
    os.close(fd)
    return None


def _flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, fd: int) -> bool:
    """The file is still there under its name: one that was removed locks nothing."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def _open(path: Path) -> int:
    """The lock's file, made if need be; never through a link, never for writing.

    Raises:
        OSError: it cannot be opened, or is not a plain file with this one name.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # another process was faster
            fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            os.fchmod(fd, 0o666)  # whatever the umask: others have to set its time
            return fd
        fd = os.open(path, flags)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(fd)
        raise OSError(errno.EMLINK, "it is a link, or no plain file")
    return fd


def _path(device: Device, folder: Path) -> Path:
    """The file of a board's lock; also a key of strange characters has one of its own."""
    digest = hashlib.sha256(device.key.encode()).hexdigest()[:8]
    return folder / f"mars6-board-{_UNFIT.sub('_', device.key)[:80]}-{digest}.lock"


def _folder(folders: Sequence[Path]) -> Path:
    for folder in folders:
        with contextlib.suppress(OSError):
            mode = folder.stat().st_mode
            if stat.S_ISDIR(mode) and mode & stat.S_ISVTX and mode & stat.S_IWOTH:
                return folder
    raise LockRefused(f"no folder for the locks of boards: none of {', '.join(map(str, folders))} is open to all users")
