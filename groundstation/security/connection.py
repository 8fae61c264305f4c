"""How much came over one connection and has not been taken yet: parts of a message that does not end, or a queue.

libzmq bounds the size of a part and the number of whole messages in a queue; nothing bounds the parts of a message,
which it keeps until the last one is there, nor the bytes of a queue. The kernel counts what came over a TCP connection,
so whatever was not taken out since is in this process's memory or still in the kernel's.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from protocols.units import NS_PER_S

_INFO_SIZE = 256
_BYTES_RECEIVED = struct.Struct("=128xQ")
"""``tcpi_bytes_received`` in Linux' ``struct tcp_info``; of this kernel or a later one the same."""

_RESET = struct.pack("ii", 1, 0)
_FRAMING = 64
"""Bytes that ZMTP and CURVE add to a message, at most."""

_SIGNS_OF_LIFE = 1000
"""Bytes a second that come without being taken: libzmq's own heartbeats, and acknowledgements of CURVE."""


class Connection:
    """A connection that libzmq has, seen from beside it, by a second descriptor of the same socket.

    Attributes:
        number: libzmq's own descriptor.
        peer: the other end, as people know it.
        address: its host; empty for this one.
        key: the name of the key that it proved; empty as long as it is not known, or if there is none.
        total: bytes that came when it was last weighed.
    """

    def __init__(self, number: int, own: socket.socket, now: int) -> None:
        """Begin to count.

        Args:
            number: libzmq's own descriptor.
            own: the second descriptor; closed with this.
            now: in ns, by a clock that is never set.
        """
        self.number = number
        self.address, self.peer = _peer(own)
        self.key = ""
        self.total = 0
        self._own = own
        self._at = now
        self._waiting = 0.0

    @classmethod
    def of(cls, number: int, endpoint: str, now: int, *, bound: bool) -> Connection | None:
        """The connection of a descriptor that libzmq told of; None if that is closed or something else by now.

        Args:
            number: the descriptor, of an event.
            endpoint: where the socket is bound, or connected to.
            now: in ns.
            bound: it is bound there.
        """
        try:
            second = os.dup(number)
        except OSError:
            return None
        try:
            own = socket.socket(fileno=second)
        except OSError:
            os.close(second)
            return None
        if not _belongs(own, endpoint, bound=bound):
            own.close()
            return None
        return cls(number, own, now)

    def took(self, size: int) -> None:
        """A message of so many bytes was taken out of the queue."""
        self._waiting = max(0.0, self._waiting - size - _FRAMING)

    def waiting(self, now: int) -> float:
        """Bytes that came and were not taken."""
        received = self._received()
        quiet = (now - self._at) / NS_PER_S * _SIGNS_OF_LIFE
        self._waiting = max(0.0, self._waiting + received - self.total - quiet)
        self.total, self._at = received, now
        return self._waiting

    def cut(self) -> None:
        """End the connection, with a reset: libzmq finds it ended, and so does the other side. It may come again."""
        try:
            self._own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._own.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # it has ended by itself
                raise

    @property
    def is_open(self) -> bool:
        """Whether libzmq's descriptor still is this connection."""
        try:
            return os.path.samestat(os.fstat(self.number), os.fstat(self._own.fileno()))
        except OSError:
            return False

    def ended_here(self, *, idle: bool) -> bool:
        """Of a connection that has ended: whether it was this end that ended it.

        Args:
            idle: what to say if the other end is there and sent nothing more.
        """
        try:
            return self._own.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return idle
        except OSError:
            return False

    def close(self) -> None:
        """Look no more."""
        self._own.close()

    def has_sent(self, count: int) -> bool:
        """Whether so many bytes came; on a socket of the file system, of which the kernel counts nothing, they did."""
        return self._own.family == socket.AF_UNIX or self._received() >= count

    def _received(self) -> int:
        """Bytes that came so far, as the kernel counts them; 0 where it does not."""
        try:
            info = self._own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE)
        except OSError:
            return 0
        return int(_BYTES_RECEIVED.unpack_from(info)[0]) if len(info) >= _BYTES_RECEIVED.size else 0


def _peer(own: socket.socket) -> tuple[str, str]:
    """The other end's address, and how people know it."""
    try:
        name = own.getpeername()
    except OSError:
        return "", "somewhere"
    return (name[0], f"{name[0]}:{name[1]}") if isinstance(name, tuple) else ("", "this host")


def _belongs(own: socket.socket, endpoint: str, *, bound: bool) -> bool:
    """Whether it is a connection of that endpoint: the number may have been given to another one since."""
    try:
        end = own.getsockname() if bound else own.getpeername()
    except OSError:
        return False
    if own.family == socket.AF_UNIX:
        return f"ipc://{end}" == endpoint
    return own.family in (socket.AF_INET, socket.AF_INET6) and str(end[1]) == endpoint.rpartition(":")[2]
