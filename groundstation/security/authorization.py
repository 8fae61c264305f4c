"""Authorization at a station or bridge: clients and their rights.

Rules:
1. Over a private socket (ipc in a folder of mode 0700, or loopback) every client is this host's own user: it needs no
   key, may do everything, and its stated name proves nothing.
2. Over any other socket a client is identified by the key that its connection proved, never by its stated name.
3. Rights are looked up for every request, not only at the connection: a revoked key can do nothing from then on,
   whatever connections it has.
4. If the list of keys cannot be read, it is empty.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from groundstation.errors import AccessRefused, KeyUnusable
from groundstation.messages.commanding import CommandingRequest
from groundstation.messages.wire import AnyMessage, DropReport, HistoryRequest, SnapshotRequest, StopRequest
from groundstation.security.keys import AuthorizedKey, KeyStore

_KEY_MARK = "key:"
_FOR_LISTENERS = (SnapshotRequest, HistoryRequest, DropReport)
STATED_NAME_MAX = 200
"""Maximum length of the name that a client states."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The client that makes a request.

    Attributes:
        key: the name of the key; None over a private socket.
        rights: what it may do; "none" if the key is no longer authorized.
    """

    key: str | None
    rights: Literal["telemetry", "command", "none"]

    def check(self, request: AnyMessage) -> None:
        """Check that this client may make that request.

        Raises:
            AccessRefused: it may not.
        """
        if self.rights == "none":
            raise AccessRefused(f"the key {self.key!r} is no longer authorized")
        if self.rights == "telemetry" and not isinstance(request, _FOR_LISTENERS):
            raise AccessRefused(
                f"the key {self.key!r} is for telemetry only: at the station, "
                f"`groundstation keys allow {self.key} --command` lets it command"
            )
        stated = _stated_name(request)
        if not stated.isprintable() or len(stated) > STATED_NAME_MAX:
            raise AccessRefused(
                f"{stated[:STATED_NAME_MAX]!r}: expected one line of up to {STATED_NAME_MAX} printable characters"
            )
        if self.key is None and stated.lstrip().startswith(_KEY_MARK):
            raise AccessRefused(f"{stated!r}: only a key proves that")

    def label(self, stated: str) -> str:
        """The client's name for the log: its key's name, then the name that it states."""
        return stated if self.key is None else f"{_KEY_MARK}{self.key} {stated}"


def _stated_name(request: AnyMessage) -> str:
    """The name that a client states."""
    if isinstance(request, CommandingRequest):
        return request.who
    return request.reason if isinstance(request, StopRequest) else ""


LOCAL = Principal(None, "command")
"""A client that comes over a private socket."""


class AuthorizedKeys:
    """The authorized keys: read again whenever their file changed.

    Attributes:
        error: why the list cannot be read; None if it can.
    """

    def __init__(self, store: KeyStore) -> None:
        self.error: str | None = None
        self._store = store
        self._seen: tuple[int, ...] | None = None
        self._clients: dict[str, AuthorizedKey] = {}

    def find(self, public: str) -> AuthorizedKey | None:
        """The client of a key, revoked ones too."""
        self._look()
        return self._clients.get(public)

    def caller(self, public: str) -> Principal:
        """The client with this key, and its rights now."""
        client = self.find(public)
        if client is None:
            return Principal(public[:8], "none")
        return Principal(client.name, "none" if client.revoked is not None else client.rights)

    def authorized(self) -> frozenset[str]:
        """All keys that are authorized now."""
        self._look()
        return frozenset(public for public, client in self._clients.items() if client.revoked is None)

    def _look(self) -> None:
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._clients = {client.public: client for client in self._store.clients()}
            self.error = None
        except KeyUnusable as error:
            self._clients = {}
            self.error = str(error)

    def _signature(self) -> tuple[int, ...]:
        """What changes with every edit of the list: it is replaced as a whole. The modes matter as much."""
        try:
            file, folder = os.stat(self._store.allowed_path), os.stat(self._store.folder)
        except OSError:
            return ()
        return (file.st_ino, file.st_mtime_ns, file.st_size, file.st_mode, file.st_uid, folder.st_mode)
