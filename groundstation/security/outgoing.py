"""The connection of a ZeroMQ socket that connects, and bounds on what the other side may send.

As `groundstation.security.connections`, for one connection at a time, over all its reconnections. Code that reads the
socket's monitor anyway passes its events to an `Outgoing`; for other code `OutgoingMonitor` reads it.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from groundstation.security.connection import Connection

LOOK_EVERY_S = 0.05
UNFINISHED_MAX = 8 << 20
"""Bytes of a message beyond its first part; for libzmq empty parts take up to 32 times as much."""

WAITING_MAX = 64 << 20
"""Bytes of messages that were not taken yet: more than a bridge keeps by itself, which comes at once."""

EVENTS = zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED


class Outgoing:
    """Watches one connection. From any thread.

    Attributes:
        cut_off: how often the connection was ended here, because the other side passed a bound.
        why: what the other side did, if the connection ended because of it; empty otherwise.
    """

    def __init__(self, socket: zmq.Socket[Any], message: int, *, heartbeats: bool = False) -> None:
        """Set the socket's own bound.

        Args:
            socket: before it connects.
            message: bytes of a part of a message.
            heartbeats: libzmq ends the connection if the other side gives no sign of life.
        """
        socket.set(zmq.MAXMSGSIZE, message)
        self.cut_off = 0
        self.why = ""
        self._message = message
        self._lock = threading.Lock()
        self._heartbeats = heartbeats
        self._connection: Connection | None = None

    def event(self, event: int, value: int, endpoint: str) -> None:
        """An event of the connection, as the monitor reports it."""
        with self._lock:
            self._event(event, value, endpoint)

    def _event(self, event: int, value: int, endpoint: str) -> None:
        if event == zmq.EVENT_CONNECTED:
            self._close()
            self.why = ""
            self._connection = Connection.of(value, endpoint, time.monotonic_ns(), bound=False)
        elif event == zmq.EVENT_DISCONNECTED and self._connection is not None:
            if not self.why and self._connection.ended_here(idle=not self._heartbeats):
                self._cut(f"it sent a message of more than {self._message:,} bytes, or none of ZeroMQ")
            self._close()

    def took(self, size: int) -> None:
        """A message of so many bytes was taken."""
        with self._lock:
            if self._connection is not None:
                self._connection.took(size)

    def look(self, *, emptied: bool = False) -> None:
        """See whether too much waits. To be called every now and then.

        Args:
            emptied: all whole messages were just taken, so that what waits is part of one that has no end yet.
        """
        limit = self._message + (UNFINISHED_MAX if emptied else WAITING_MAX)
        with self._lock:
            if self._connection is None or self.why:
                return
            if self._connection.waiting(time.monotonic_ns()) > limit:
                what = "one message" if emptied else "messages that were not taken"
                self._cut(f"it sent more than {limit:,} bytes of {what}")
                self._connection.cut()

    def close(self) -> None:
        """Watch no more. Idempotent."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _cut(self, why: str) -> None:
        self.cut_off += 1
        self.why = why


class OutgoingMonitor:
    """An `Outgoing` that looks by itself, in an event loop. Closed before the socket."""

    def __init__(self, socket: zmq.Socket[Any], message: int) -> None:
        """Args: the socket, before it connects, and how many bytes a part of a message may have."""
        self.outgoing = Outgoing(socket, message)
        self._socket = socket
        address = f"inproc://outgoing-{secrets.token_hex(8)}"
        socket.monitor(address, EVENTS)
        self._monitor: zmq.Socket[bytes] = zmq.Socket(socket.context, zmq.PAIR)
        self._monitor.connect(address)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._monitor.fileno(), self._read)
        self._next = self._loop.call_later(LOOK_EVERY_S, self._look)
        self._read()  # only then does libzmq wake who waits

    def close(self) -> None:
        """Watch no more. Idempotent."""
        self._next.cancel()
        self.outgoing.close()
        if not self._monitor.closed:
            self._loop.remove_reader(self._monitor.fileno())
            if not self._socket.closed:
                self._socket.disable_monitor()
            self._monitor.close()

    def _read(self) -> None:
        while self._monitor.poll(0):
            fields = recv_monitor_message(self._monitor)
            self.outgoing.event(fields["event"], fields["value"], fields["endpoint"].decode(errors="replace"))

    def _look(self) -> None:
        self._read()
        self.outgoing.look()
        self._next = self._loop.call_later(LOOK_EVERY_S, self._look)


@contextmanager
def watched(outgoing: Outgoing) -> Iterator[None]:
    """Look from a thread of its own: who takes the messages may be held up, by a disk for one, while more come."""
    ending = threading.Event()

    def look() -> None:
        while not ending.wait(LOOK_EVERY_S):
            outgoing.look()

    thread = threading.Thread(target=look, name="bounds of a connection", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
