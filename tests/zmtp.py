"""ZMTP 3.0 without keys, by hand: what no libzmq would send."""

from __future__ import annotations

import socket

PATIENCE_S = 20.0
MORE, LONG = 1, 2


def connected(port: int, kind: bytes) -> socket.socket:
    """A connection to a port of this host whose other end has heard that this is a socket of that kind."""
    own = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    introduce(own, kind)
    return own


def introduce(own: socket.socket, kind: bytes) -> None:
    """Both say who they are. What is sent before the other has done so ends the connection."""
    ready = b"\5READY\x0bSocket-Type" + len(kind).to_bytes(4) + kind
    own.sendall(b"\xff" + bytes(8) + b"\x7f\3\0NULL" + bytes(48) + bytes([4, len(ready)]) + ready)
    size = exactly(own, 66)[-1]
    assert exactly(own, size)[:6] == b"\5READY"


def exactly(own: socket.socket, size: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < size:
        piece = own.recv(size - len(data))
        if not piece:
            raise ConnectionResetError("the other side ended the connection")
        data += piece
    return data


def part(data: bytes, *, more: bool = False, size: int | None = None) -> bytes:
    """A part of a message; ``size`` is what it says that it has."""
    size = len(data) if size is None else size
    head = bytes([LONG * (size > 255) + MORE * more]) + size.to_bytes(8 if size > 255 else 1)
    return head + data


def heartbeat() -> bytes:
    """A PING of ZMTP 3.1, which is to be answered."""
    ping = b"\4PING\0\0"
    return bytes([4, len(ping)]) + ping
