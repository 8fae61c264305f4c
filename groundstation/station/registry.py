"""Which stations run on this machine: a runtime directory that a viewer can ask without a port number.

    $XDG_RUNTIME_DIR/groundstation/<name>/
        lock           held (flock) by the station as long as it lives: a crash releases it, no pid can be mistaken;
                       only who holds it removes it, and holds it only while it is the one in the folder
        station.json   `StationInfo`
        tm, cmd        the station's private ipc endpoints

The directory belongs to one user and only that user may enter: that is what protects the ipc endpoints.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
import time
from pathlib import Path

import msgspec

from groundstation.errors import CallerError, StationGone, WorldError
from groundstation.formats.json_encoding import encode_json
from groundstation.host.folders import make_private
from groundstation.security.endpoints import Endpoints
from protocols.nearest import nearest

_SOCKET_PATH_MAX = 107
_INFO = "station.json"
_LOCK = "lock"
_SOCKETS = ("tm", "cmd")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_CLAIM_TRIES = 20
_CLAIM_PAUSE_S = 0.01


class StationInfo(Endpoints, frozen=True, kw_only=True):
    """A running station. ``started`` in ns since 1970-01-01 UTC; ``recording`` is the archive's path.

    ``remote`` is where remote clients connect, and ``public_key`` the key that they must know.
    """

    name: str
    pid: int
    link: str
    started: int
    recording: str | None = None
    remote: str | None = None
    public_key: str | None = None


class Registry:
    """The stations of this user. Holds the locks of those that this process registered."""

    def __init__(self, root: Path | None = None) -> None:
        """Open the runtime directory, making it if need be.

        Args:
            root: the directory; by default ``$XDG_RUNTIME_DIR/groundstation``, else one in the temp directory.

        Raises:
            WorldError: it cannot be made, or others may enter it.
        """
        self.root = _default_root() if root is None else root
        self._locks: dict[str, int] = {}
        make_private(self.root)

    def endpoints(self, name: str) -> Endpoints:
        """Private ipc endpoints for a station of that name.

        Raises:
            CallerError: the name cannot be a directory's, or the paths are too long for a socket.
        """
        _check_name(name)
        folder = self._sockets_of(name)
        if not _fits(folder):
            raise CallerError(f"{folder}: too long for a socket path, set XDG_RUNTIME_DIR")
        if folder.parent != self.root:
            make_private(folder.parent)
        make_private(folder)
        return Endpoints(telemetry=f"ipc://{folder}/tm", command=f"ipc://{folder}/cmd")

    def register(self, info: StationInfo) -> None:
        """Make a station known, or replace what is known of it. To be called before its endpoints are bound.

        Raises:
            CallerError: a station of that name runs already.
            WorldError: nothing can be written there.
        """
        _check_name(info.name)
        folder = self.root / info.name
        if info.name not in self._locks:
            self._locks[info.name] = self._claim(folder, info.name)
        fresh = folder / f"{_INFO}.{os.getpid()}"
        try:
            fresh.write_bytes(encode_json(info))
            fresh.replace(folder / _INFO)
        except OSError as error:
            raise WorldError(f"cannot write to {folder}: {error.strerror}") from error

    def is_registered(self, info: StationInfo) -> bool:
        """Whether all is there by which a station that this process registered is found."""
        lock = self._locks.get(info.name)
        folder = self.root / info.name
        is_known = lock is not None and _is_same(lock, folder / _LOCK) and (folder / _INFO).exists()
        return is_known and all(os.path.lexists(self._sockets_of(info.name) / socket) for socket in _SOCKETS)

    def restore(self, info: StationInfo) -> None:
        """Register a station again after its folder, or a file in it, was removed.

        Raises:
            CallerError: a station of that name runs by now.
            WorldError: nothing can be written there.
        """
        make_private(self.root)
        before = self._locks.get(info.name)
        if before is None or not _is_same(before, self.root / info.name / _LOCK):
            self._locks[info.name] = self._claim(self.root / info.name, info.name)
            if before is not None:
                os.close(before)
        self.endpoints(info.name)
        self.register(info)

    def unregister(self, name: str) -> None:
        """Forget a station this process registered. Idempotent."""
        lock = self._locks.pop(name, None)
        if lock is not None:
            _clean(self.root / name)
            _clean(self._sockets_of(name))
            os.close(lock)

    def running(self) -> list[StationInfo]:
        """All stations that live, the oldest first. What dead ones left behind is removed."""
        found = [info for folder in sorted(self.root.iterdir()) if (info := self._look(folder)) is not None]
        return sorted(found, key=lambda info: info.started)

    def find(self, wanted: str | None = None) -> StationInfo:
        """The station of that name or with that endpoint; without either, the only one there is.

        Raises:
            StationGone: no station runs.
            CallerError: it is not among those that run, or several run and none was named.
        """
        stations = self.running()
        if not stations:
            raise StationGone("no station is running: start one with `groundstation serve LINK`")
        if wanted is None:
            return _only(stations)
        for info in stations:
            if wanted in (info.name, info.telemetry, info.command):
                return info
        raise CallerError(_unknown(wanted, [info.name for info in stations]))

    def _sockets_of(self, name: str) -> Path:
        """Where a station's sockets are: in its folder, or elsewhere if the path would be too long."""
        folder = self.root / name
        if _fits(folder):
            return folder
        return _temp_root() / hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]

    def _claim(self, folder: Path, name: str) -> int:
        """Take the lock; a process that checks whether we live holds it for microseconds, hence the tries."""
        for _ in range(_CLAIM_TRIES):
            make_private(folder)
            with contextlib.suppress(FileNotFoundError):  # its last owner removes the folder just now
                lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                if _try_lock(lock, folder):
                    return lock
                os.close(lock)
            time.sleep(_CLAIM_PAUSE_S)
        raise CallerError(f"a station named {name!r} is running already: choose another name, or stop it")

    def _look(self, folder: Path) -> StationInfo | None:
        try:
            info = msgspec.json.decode((folder / _INFO).read_bytes(), type=StationInfo)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if folder.name in self._locks or _is_locked(folder):
            return info
        return None


def _is_locked(folder: Path) -> bool:
    """Whether the station lives; if not, its files are removed while no other process can claim the name."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not _try_lock(lock, folder):
            return True
        _clean(folder)
    finally:
        os.close(lock)
    return False


def _try_lock(lock: int, folder: Path) -> bool:
    """Lock an open file; False: another has it, or has removed it since."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock), (folder / _LOCK).stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _is_same(lock: int, path: Path) -> bool:
    """Whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except OSError:
        return False


def _clean(folder: Path) -> None:
    """Remove what a station left in a folder, and the folder if nothing else is in it. The caller holds its lock."""
    for leaving in (_INFO, *_SOCKETS, _LOCK):
        (folder / leaving).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _only(stations: list[StationInfo]) -> StationInfo:
    if len(stations) > 1:
        names = ", ".join(info.name for info in stations)
        raise CallerError(f"{len(stations)} stations are running, say which: {names}")
    return stations[0]


def _unknown(wanted: str, names: list[str]) -> str:
    return f"no station {wanted!r}{nearest(wanted, names)}"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise CallerError(f"{name!r} cannot name a station: up to 32 letters, digits, '.', '_' and '-'")


def _fits(folder: Path) -> bool:
    return max(len(os.fsencode(folder / socket)) for socket in _SOCKETS) <= _SOCKET_PATH_MAX


def _default_root() -> Path:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return runtime / "groundstation" if runtime.is_absolute() and runtime.is_dir() else _temp_root()


def _temp_root() -> Path:
    return Path(tempfile.gettempdir()) / f"groundstation-{os.getuid()}"
