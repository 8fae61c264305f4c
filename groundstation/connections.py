"""The connections of one bound ZeroMQ socket, and bounds on what each may take of this process.

Rules:
1. libzmq bounds the size of a message (MAXMSGSIZE) and how many wait (HWM), for each connection. It bounds neither how
   many connections there are, nor the parts of a message, nor the bytes that wait. Those bounds are here.
2. libzmq cannot end a single connection. Its monitor tells the descriptor of each; a second descriptor of the same
   socket is held here, so that the number cannot mean another one by then, and shut down where a bound is passed.
3. A connection that has said nothing (a handshake that stalls, a stranger) yields to others: of those the oldest goes.
   One that has spoken stays; where there is no room for more, the new one goes. So nobody who is let in is kept out by
   those who are not.
4. Every connection that is ended here is told, with the bound; of one kind the first at once, the others counted.
5. What libzmq itself ends for a message that is too long it does not tell. It is found by the look of its end: the
   other side is still there.
6. Descriptors are used again at once, and events are read up to 20 ms after they happened: an end that is told may be
   that of an earlier connection with the same number. So an end is judged a look later: one whose descriptor is still
   open has not ended. Nothing is shut down because an end was told.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import zmq
from zmq.utils.monitor import recv_monitor_message

from groundstation.connection import Connection

LOOK_EVERY_S = 0.02
_EVENTS_A_LOOK = 200
_HANDSHAKE_MS = 5000
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
_EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | _FAILED

Refuse = Callable[[str, str], None]
"""Told of what passed a bound: its kind, of which many are counted together, and the words."""


class Gatekeeper(Protocol):
    """Who knows whose a connection is."""

    def name_of(self, frame: zmq.Frame) -> str:
        """The name of the key that a message's connection proved; empty without one."""

    def failed(self, event: int, reason: int, endpoint: str) -> None:
        """A handshake failed: libzmq's event, its reason, and where."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one socket.

    Attributes:
        message: bytes of a part of a message.
        queue: whole messages that wait, for each connection.
        waiting: bytes that came over a connection and are no whole message yet, or wait. More than ``queue`` messages
            and ``buffer`` together; empty parts take up to 32 times as much memory.
        waiting_in_all: the same, over all connections; then those go over which most came.
        buffer: bytes that the kernel keeps for each connection; -1: as many as it likes.
        connections: how many at a time.
        silent: how many of those may have said nothing yet.
        of_one_key: how many may have proved the same key.
        heartbeats: libzmq ends connections that give no sign of life.
    """

    message: int
    queue: int
    waiting: int = 2 << 20
    waiting_in_all: int = 1 << 30
    buffer: int = 1 << 18
    connections: int = 200
    silent: int = 64
    of_one_key: int = 50
    heartbeats: bool = False


class Connections:
    """Watches the connections of one socket. Made in an event loop before that is bound, and closed before that is."""

    def __init__(self, socket: zmq.Socket[Any], bounds: Bounds, refuse: Refuse, gate: Gatekeeper | None = None) -> None:
        """Set the socket's own bounds, and watch.

        Args:
            socket: what is watched.
            bounds: its bounds.
            refuse: told of connections that were ended here.
            gate: knows who comes; None: nobody asks.
        """
        socket.set(zmq.MAXMSGSIZE, bounds.message)
        socket.set(zmq.RCVHWM, bounds.queue)
        socket.set(zmq.RCVBUF, bounds.buffer)
        socket.set(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        self._socket = socket
        self._bounds = bounds
        self._refuse = refuse
        self._gate = gate
        self._silent: dict[int, Connection] = {}
        self._spoken: dict[int, Connection] = {}
        self._accepted: dict[int, str] = {}
        self._ends: dict[int, bool] = {}
        self._handshake_failed = False
        address = f"inproc://connections-{secrets.token_hex(8)}"
        socket.monitor(address, _EVENTS)
        self._monitor: zmq.Socket[bytes] = zmq.Socket(socket.context, zmq.PAIR)
        self._monitor.connect(address)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._monitor.fileno(), self.look)  # at once: some connections last for a millisecond

    @property
    def topics(self) -> int:
        """Subscriptions of all connections."""
        return sum(connection.topics for connection in self._spoken.values())

    def look(self) -> None:
        """See who came and went, and who passed a bound. To be called every `LOOK_EVERY_S`, too."""
        ended = list(self._ends)
        for _ in range(_EVENTS_A_LOOK):
            if self._monitor.closed or not self._monitor.poll(0):
                break
            event = recv_monitor_message(self._monitor)
            self._take(event["event"], event["value"], event["endpoint"].decode(errors="replace"))
        for number, endpoint in self._accepted.items():
            self._came(number, endpoint)
        self._accepted.clear()
        for number in ended:
            if number in self._ends:
                self._end(number)
        self._weigh(time.monotonic_ns())

    async def watch(self) -> None:
        """`look` until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def heard(self, frame: zmq.Frame, size: int) -> Connection | None:
        """A message came.

        Args:
            frame: one of its parts.
            size: bytes of all of them.

        Returns:
            Its connection; None if that has ended.
        """
        try:
            number = int(frame.get(zmq.SRCFD))
        except (zmq.ZMQError, TypeError, ValueError):
            return None
        if number not in self._spoken:
            self._introduce(number, frame)
        connection = self._spoken.get(number)
        if connection is not None:
            connection.took(size)
        return connection

    def cut(self, connection: Connection, why: str) -> None:
        """End a connection."""
        connection.cut()
        self._tell(connection, why)
        self._forget(connection.number)

    def cut_all(self) -> None:
        """End all connections; there is nothing to tell."""
        for connection in self._all():
            connection.cut()

    def close(self) -> None:
        """Watch no more. Idempotent."""
        if not self._monitor.closed:
            self._loop.remove_reader(self._monitor.fileno())
            self._socket.disable_monitor()
            self._monitor.close()
        for number in [*self._silent, *self._spoken]:
            self._forget(number)

    def _all(self) -> list[Connection]:
        return [*self._silent.values(), *self._spoken.values()]

    def _weigh(self, now: int) -> None:
        """See how much came that is no whole message, or was not taken."""
        found = [(each.waiting(now), each) for each in self._all() if each.number not in self._ends]
        for waiting, connection in found:
            if waiting > self._bounds.waiting:
                self.cut(connection, f"more than {self._bounds.waiting:,} bytes that are no whole message yet")
        found = [(waiting, connection) for waiting, connection in found if waiting <= self._bounds.waiting]
        left = sum(waiting for waiting, _ in found)
        for waiting, connection in sorted(found, key=itemgetter(0), reverse=True):
            if left <= self._bounds.waiting_in_all:
                return
            left -= waiting
            self.cut(connection, f"more than {self._bounds.waiting_in_all:,} bytes of all without a whole message")

    def _take(self, event: int, value: int, endpoint: str) -> None:
        if event == zmq.EVENT_ACCEPTED:
            self._accepted[value] = endpoint
        elif event == zmq.EVENT_DISCONNECTED:
            failed, self._handshake_failed = self._handshake_failed, False
            if self._accepted.pop(value, None) is None:
                self._ends[value] = failed
            elif not failed:
                why = f"a message of more than {self._bounds.message:,} bytes, none of ZeroMQ, or nothing at all"
                self._refuse(why, f"a connection ended before it was looked at: {why}")
        else:
            self._handshake_failed = True  # the next end that libzmq tells of is that of the same connection
            if self._gate is not None:
                self._gate.failed(event, value, endpoint)

    def _came(self, number: int, endpoint: str) -> None:
        if number in self._ends:
            self._end(number)
        self._forget(number)
        new = Connection.of(number, endpoint, time.monotonic_ns(), bound=True)
        if new is None:
            return
        self._silent[number] = new
        full = len(self._silent) + len(self._spoken) > self._bounds.connections
        if full and len(self._silent) == 1:
            self.cut(new, f"there are {self._bounds.connections} already")
        elif full or len(self._silent) > self._bounds.silent:
            waiting = self._silent.values()
            oldest = next((each for each in waiting if not each.received), next(iter(waiting)))
            self.cut(oldest, f"it said nothing, and more than {self._bounds.silent} do not")

    def _end(self, number: int) -> None:
        """A connection of that number ended, a look ago; why, if nothing else explains it."""
        failed = self._ends.pop(number)
        connection = self._spoken.get(number) or self._silent.get(number)
        if connection is None or connection.is_open:
            return  # that is a later one, which has the same number
        if not failed and connection.ended_here(idle=not self._bounds.heartbeats):
            self._tell(connection, f"a message of more than {self._bounds.message:,} bytes, or none of ZeroMQ")
        self._forget(number)

    def _introduce(self, number: int, frame: zmq.Frame) -> None:
        """The first message of a connection."""
        if number not in self._silent:
            self.look()  # its coming may not have been seen yet
        connection = self._silent.pop(number, None)
        if connection is None:
            return
        self._spoken[number] = connection
        connection.key = "" if self._gate is None else self._gate.name_of(frame)
        same = sum(each.key == connection.key for each in self._spoken.values())
        if connection.key and same > self._bounds.of_one_key:
            self.cut(connection, f"there are {self._bounds.of_one_key} of the same key already")

    def _tell(self, connection: Connection, why: str) -> None:
        key = f"the key {connection.key!r} at " if connection.key else ""
        self._refuse(f"{why} {connection.key}", f"a connection of {key}{connection.peer} was ended: {why}")

    def _forget(self, number: int) -> None:
        connection = self._spoken.pop(number, None) or self._silent.pop(number, None)
        if connection is not None:
            connection.close()
