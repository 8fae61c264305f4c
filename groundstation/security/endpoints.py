"""ZeroMQ endpoints: which of them only this host's user can reach, and how to bind one."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import zmq

from groundstation.errors import CallerError, WorldError

_HOST = r"(?P<host>\*|\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+)"
_TCP = re.compile(rf"tcp://{_HOST}:(?P<port>\d{{1,5}})")
_BOUND = re.compile(rf"tcp://{_HOST}:(\d{{1,5}}|\*)|ipc:///.+")
_PORTS = range(1, 65535)
_HOW = "make one with `groundstation keys new NAME` and give it with --key NAME"


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where a station publishes and where it takes requests."""

    telemetry: str
    command: str


def pair_of(endpoint: str) -> Endpoints:
    """A station's two endpoints by the one that users write: telemetry there, commands at the next port.

    Raises:
        CallerError: not a ``tcp://HOST:PORT`` with a port that has a next one.
    """
    found = _TCP.fullmatch(endpoint)
    if found is None or int(found["port"]) not in _PORTS:
        raise CallerError(f"{endpoint!r}: expected tcp://ADDRESS:PORT, with a port from 1 to {_PORTS.stop - 1}")
    return Endpoints(telemetry=endpoint, command=f"tcp://{found['host']}:{int(found['port']) + 1}")


def check(endpoint: str, *, keyed: bool) -> None:
    """Check that an endpoint may be bound: one that other hosts can reach needs keys.

    Raises:
        CallerError: it may not, it is not an endpoint, or a file lies where its socket should be.
    """
    if not _BOUND.fullmatch(endpoint):
        raise CallerError(f"{endpoint!r}: expected tcp://ADDRESS:PORT, or a private ipc:///PATH")
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        _check_replaceable(Path(address))
    elif not is_private(endpoint) and not keyed:
        raise CallerError(
            f"{endpoint} is not private: without a key only ipc:///PATH and tcp://127.0.0.1:PORT are bound. "
            f"With a key other hosts can connect: {_HOW}"
        )


def is_private(endpoint: str) -> bool:
    """Whether only this host can reach it: loopback, or a socket in the file system."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        return address.startswith("/")
    try:
        return scheme == "tcp" and ipaddress.ip_address(urlsplit(endpoint).hostname or "").is_loopback
    except ValueError:
        return False


def is_removed(endpoint: str) -> bool:
    """Whether it is a socket in the file system that is not there."""
    scheme, _, address = endpoint.partition("://")
    return scheme == "ipc" and not os.path.lexists(address)


def bind(socket: zmq.Socket[Any], endpoint: str) -> str:
    """Bind, and say where: ``*`` as a port is any free one. A socket in the file system is its user's alone.

    Raises:
        WorldError: it cannot be bound.
    """
    socket.set(zmq.IPV6, "[" in endpoint)
    try:
        with _private_files():
            socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise WorldError(f"cannot bind {endpoint}: {zmq.strerror(error.errno or 0)}") from error
    return socket.get_string(zmq.LAST_ENDPOINT)


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _check_replaceable(path: Path) -> None:
    """ZeroMQ removes whatever lies at the path before it binds: let that be an old socket and nothing else."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return
    if not is_socket:
        raise CallerError(f"{path} exists and is not a socket")
