"""Keys: this host's own, and those of the clients that its stations authorize. Curve25519, as CURVE of ZeroMQ has them.

    <data folder>/keys/             mode 0700
        NAME.key                    a key pair of this host's own; its secret half never leaves the host
        allowed.json                the public keys that stations and bridges of this user authorize, and their rights

Both kinds of file have mode 0600, and one that others can read or change is refused, as ssh does. Keys are written as
64 hexadecimal digits: they stay whole in shells, URLs and mails.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import zmq
from zmq.utils import z85

from groundstation.errors import CallerError, KeyUnusable
from groundstation.host.folders import data_folder, make_private
from protocols.nearest import nearest

Rights = Literal["telemetry", "command"]
"""``telemetry`` may listen; ``command`` may order besides."""

T = TypeVar("T")
_ALLOWED = "allowed.json"
_SUFFIX = ".key"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key of this host. Both halves in hexadecimal digits."""

    name: str
    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizedKey:
    """A client's key. Times in ns since 1970-01-01 UTC; ``revoked`` is None while it is authorized."""

    name: str
    public: str
    rights: Rights
    since: int
    revoked: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one side of a connection needs: its own key, and the public one that the other side must prove."""

    own: KeyPair
    server: str

    def apply(self, socket: zmq.Socket[Any]) -> None:
        """Make a socket connect with them; before it connects."""
        socket.set(zmq.CURVE_SERVERKEY, bytes.fromhex(self.server))
        socket.set(zmq.CURVE_PUBLICKEY, bytes.fromhex(self.own.public))
        socket.set(zmq.CURVE_SECRETKEY, bytes.fromhex(self.own.secret))


class KeyStore:
    """The keys of one user on this host."""

    def __init__(self, folder: Path | None = None) -> None:
        """Args: the folder, by default the user's; it is made when something is written to it."""
        self.folder = data_folder() / "keys" if folder is None else folder

    @property
    def allowed_path(self) -> Path:
        """The file of the authorized keys."""
        return self.folder / _ALLOWED

    def new(self, name: str) -> KeyPair:
        """Make a key pair and keep it.

        Raises:
            CallerError: the name cannot be, or is taken.
            WorldError: it cannot be written.
        """
        _check_name(name)
        make_private(self.folder)
        public, secret = (z85.decode(half).hex() for half in zmq.curve_keypair())
        pair = KeyPair(name, public, secret)
        path = self._path(name)
        if path.exists():
            raise CallerError(
                f"{path} exists: choose another name, or remove it if the key is no longer authorized anywhere"
            )
        _write(path, pair)
        return pair

    def load(self, name: str) -> KeyPair:
        """A key pair by its name here, or by the path of its file.

        Raises:
            CallerError: there is none such.
            KeyUnusable: its file is damaged, or others can read it.
        """
        path = Path(name) if os.sep in name else self._path(name)
        self._check_folder()
        try:
            pair = _read(path, KeyPair)
        except FileNotFoundError as error:
            near = "" if os.sep in name else nearest(name, self.names())
            raise CallerError(f"no key {name!r}{near} (`groundstation keys new NAME` makes one)") from error
        try:
            whole = public_of(pair.secret) == pair.public
        except (ValueError, zmq.ZMQError):
            whole = False
        if not whole:
            raise KeyUnusable(f"{path} is damaged: its two halves do not belong together")
        return pair

    def names(self) -> list[str]:
        """The names of all key pairs here."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def clients(self) -> list[AuthorizedKey]:
        """All clients that were ever authorized, by name.

        Raises:
            KeyUnusable: the file is damaged, or others can read or change it.
        """
        self._check_folder()
        try:
            return _read(self.allowed_path, list[AuthorizedKey])
        except FileNotFoundError:
            return []

    def allow(self, name: str, public: str, rights: Rights, now: int) -> AuthorizedKey:
        """Let a key in, or change its rights.

        Raises:
            CallerError: no key, or another client has this name or this key.
            KeyUnusable: see `clients`.
        """
        _check_name(name)
        public = checked_key(public)
        client = AuthorizedKey(name, public, rights, now)
        with self._editing() as clients:
            for other in clients:
                if other.name == name and other.public != public and other.revoked is None:
                    raise CallerError(f"{name!r} has another key: revoke that first, or choose another name")
                if other.public == public and other.name != name:
                    raise CallerError(f"this is the key of {other.name!r}")
            clients[:] = sorted([c for c in clients if c.name != name] + [client], key=lambda c: c.name)
        return client

    def revoke(self, name: str, now: int) -> AuthorizedKey:
        """Let a key in no more.

        Raises:
            CallerError: no client of that name is authorized.
            KeyUnusable: see `clients`.
        """
        with self._editing() as clients:
            live = [client.name for client in clients if client.revoked is None]
            if name not in live:
                raise CallerError(f"no authorized client {name!r}{nearest(name, live)}")
            at = next(i for i, client in enumerate(clients) if client.name == name)
            clients[at] = replace(clients[at], revoked=now)
            return clients[at]

    def _check_folder(self) -> None:
        """Who may write to the folder could put another's list in the place of this one."""
        if self.folder.exists() and self.folder.stat().st_mode & 0o077:
            raise KeyUnusable(f"{self.folder} is open to other users: chmod 700 {self.folder}")

    def _path(self, name: str) -> Path:
        _check_name(name)
        return self.folder / f"{name}{_SUFFIX}"

    @contextmanager
    def _editing(self) -> Iterator[list[AuthorizedKey]]:
        """The list of clients to edit, under a lock; the result is written as a whole."""
        make_private(self.folder)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            clients = self.clients()
            yield clients
            fresh = self.folder / f"{_ALLOWED}.{os.getpid()}"
            fresh.unlink(missing_ok=True)
            _write(fresh, clients)
            fresh.replace(self.allowed_path)
        finally:
            os.close(folder)


def checked_key(text: str) -> str:
    """A key as it was typed.

    Raises:
        CallerError: it is none.
    """
    key = text.strip().lower()
    if not _KEY.fullmatch(key):
        raise CallerError(
            f"invalid public key {text!r}: expected 64 hexadecimal digits, as `groundstation keys list` shows them"
        )
    return key


def public_of(secret: str) -> str:
    """The public half that belongs to a secret one."""
    return z85.decode(zmq.curve_public(z85.encode(bytes.fromhex(secret)))).hex()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise CallerError(f"{name!r} cannot name a key: up to 32 letters, digits, '.', '_' and '-'")


def _read(path: Path, kind: type[T]) -> T:
    """Read a file that only its owner may read."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid():
                raise KeyUnusable(f"{path} is another user's: keys are read from files of one's own")
            if status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                raise KeyUnusable(f"{path} is open to other users (mode {mode:04o}): chmod 600 {path}")
            return msgspec.json.decode(file.read(), type=kind)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeyUnusable(f"{path} is damaged: {error}") from error


def _write(path: Path, content: object) -> None:
    """Write a new file that only its owner may read."""
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if not isinstance(error, FileExistsError):
            path.unlink(missing_ok=True)
        raise KeyUnusable(f"{path} cannot be written: {error.strerror}") from error
