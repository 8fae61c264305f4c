"""The connections of one bound ZeroMQ socket, and bounds on what each may take of this process.

Rules:
1. libzmq bounds the size of a part of a message (MAXMSGSIZE). It bounds neither how many connections there are, nor the
   parts of a message, nor the bytes that wait. Those bounds are here. Its bound on messages that wait (RCVHWM) is not
   used: a connection that is reset while its queue is full, with a heartbeat of ZMTP behind, makes libzmq abort the
   process (``Assertion failed: !_io_error``): any client that can connect could end a station.
2. libzmq cannot end a single connection. Its monitor tells the descriptor of each; a second descriptor of the same
   socket is held here, so that the number cannot mean another one by then, and is shut down where a bound is passed.
3. The bounds are checked against the kernel's byte counts. A message does not identify its connection for sure: that
   may have ended, and its descriptor's number belong to another one, before it is read. A message only gives the key to
   name in events, and the bytes that do not wait any more.
4. A connection that has sent hardly anything (a handshake that stalls, an unknown client) yields to others: of those
   the oldest is closed. One that has sent more stays; if there is no room, the new one is closed. So no authorized
   client is kept out by unauthorized ones.
5. A client that reconnects at once after it was disconnected for sending too much is refused for some seconds: setting
   up and tearing down its connections is more work for libzmq than for the client.
6. Every connection that is ended here is reported, with the bound; of one kind the first at once, the others counted.
7. libzmq does not report the connections that it ends itself for a message that is too long. They are recognised by the
   other side still being there. Of a connection that came and ended between two checks that cannot be known: a viewer
   that closes at once looks the same, and the event names both.
8. Descriptors are reused at once, and events are read up to 20 ms after they happened: a reported end may be that of an
   earlier connection with the same number. So an end is judged one check later: a connection whose descriptor is still
   open has not ended. Nothing is shut down because an end was reported.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import zmq
from zmq.utils.monitor import recv_monitor_message

from groundstation.security.connection import Connection
from protocols.units import NS_PER_S

LOOK_EVERY_S = 0.02
_EVENTS_A_LOOK = 200
_HANDSHAKE_MS = 5000
_OFFENCES = 5
_OFFENCES_KEPT = 100
_PENANCE_S = 5
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
_EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | _FAILED

Refuse = Callable[[str, str], None]
"""Told of what passed a bound: its kind, of which many are counted together, and the words."""


class Gatekeeper(Protocol):
    """Decides which clients may connect.

    Attributes:
        greeting: bytes of a complete handshake; fewer cannot have shown a key.
    """

    greeting: int

    def name_of(self, frame: zmq.Frame) -> str:
        """The name of the key that a message's connection proved; empty without one."""

    def failed(self, event: int, reason: int, endpoint: str) -> None:
        """A handshake failed: libzmq's event, its reason, and where."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one socket.

    Attributes:
        message: bytes of a part of a message.
        waiting: bytes that came over a connection and were not taken: of a message that is not whole yet, or that
            waits. For libzmq empty messages and parts take up to 32 times as much.
        waiting_in_all: the same, over all connections; beyond it those go over which most came.
        buffer: bytes that the kernel keeps for each connection. A small one is slow: less comes between two looks.
        connections: how many at a time.
        silent: how many of those may hardly have said anything.
        of_one_key: how many may have proved the same key.
        heartbeats: libzmq ends connections that give no sign of life.
    """

    message: int
    waiting: int = 2 << 20
    waiting_in_all: int = 16 << 20
    buffer: int = 1 << 14
    connections: int = 200
    silent: int = 64
    of_one_key: int = 50
    heartbeats: bool = False


class Connections:
    """Watches the connections of one socket. Made in an event loop before that is bound, and closed before that is."""

    def __init__(self, socket: zmq.Socket[Any], bounds: Bounds, refuse: Refuse, gatekeeper: Gatekeeper) -> None:
        """Set the socket's own bounds, and watch.

        Args:
            socket: what is watched.
            bounds: its bounds.
            refuse: called for connections that were ended here.
            gatekeeper: identifies the clients.
        """
        socket.set(zmq.MAXMSGSIZE, bounds.message)
        socket.set(zmq.RCVHWM, 0)
        socket.set(zmq.RCVBUF, bounds.buffer)
        socket.set(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        self._socket = socket
        self._bounds = bounds
        self._refuse = refuse
        self._gatekeeper = gatekeeper
        self._open: dict[int, Connection] = {}
        self._accepted: dict[int, str] = {}
        self._ends: dict[int, bool] = {}
        self._heard: set[int] = set()
        self._offences: deque[tuple[int, str]] = deque(maxlen=_OFFENCES_KEPT)
        self._handshake_failed = False
        address = f"inproc://connections-{secrets.token_hex(8)}"
        socket.monitor(address, _EVENTS)
        self._monitor: zmq.Socket[bytes] = zmq.Socket(socket.context, zmq.PAIR)
        self._monitor.connect(address)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._monitor.fileno(), self.look)  # at once: some connections last for a millisecond
        self.look()  # only then does libzmq wake who waits

    def look(self) -> None:
        """Check for new and ended connections, and for passed bounds. To be called every `LOOK_EVERY_S`, too."""
        ended = list(self._ends)
        for _ in range(_EVENTS_A_LOOK):
            if self._monitor.closed or not self._monitor.poll(0):
                break
            event = recv_monitor_message(self._monitor)
            self._process(event["event"], event["value"], event["endpoint"].decode(errors="replace"))
        for number, endpoint in self._accepted.items():
            self._came(number, endpoint)
        self._accepted.clear()
        self._heard.clear()
        for number in ended:
            if number in self._ends:
                self._end(number)
        self._weigh(time.monotonic_ns())

    async def watch(self) -> None:
        """`look` until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def heard(self, frame: zmq.Frame, size: int = 0) -> None:
        """A message came.

        Args:
            frame: one of its parts.
            size: bytes of all of them, if they do not wait any more.
        """
        try:
            number = int(frame.get(zmq.SRCFD))
        except (zmq.ZMQError, TypeError, ValueError):  # its connection has ended
            return
        self._heard.add(number)
        connection = self._open.get(number)
        if connection is None:
            return
        connection.took(size)
        if not connection.key:
            connection.key = key = self._gatekeeper.name_of(frame)
            if key and sum(each.key == key for each in self._open.values()) > self._bounds.of_one_key:
                self._cut(connection, f"there are {self._bounds.of_one_key} of the same key already")

    def cut_most(self, why: str) -> None:
        """End the connection that has sent most."""
        if self._open:
            self._offended(max(self._open.values(), key=lambda connection: connection.total), why)

    def cut_all(self) -> None:
        """End all connections, without a report."""
        for connection in self._open.values():
            connection.cut()

    def close(self) -> None:
        """Stop watching. Idempotent."""
        if not self._monitor.closed:
            self._loop.remove_reader(self._monitor.fileno())
            if not self._socket.closed:
                self._socket.disable_monitor()
            self._monitor.close()
        for number in list(self._open):
            self._forget(number)

    def _weigh(self, now: int) -> None:
        """See how much came that was not taken."""
        bounds = self._bounds
        found = [(each.waiting(now), each) for each in self._open.values() if each.number not in self._ends]
        left = sum(waiting for waiting, _ in found)
        for waiting, connection in sorted(found, key=itemgetter(0), reverse=True):
            if waiting > bounds.waiting:
                self._offended(connection, f"more than {bounds.waiting:,} bytes of an incomplete message, or too many")
            elif left > bounds.waiting_in_all:
                self._offended(connection, f"all together sent more than {bounds.waiting_in_all:,} bytes")
            else:
                return
            left -= waiting

    def _process(self, event: int, value: int, endpoint: str) -> None:
        if event == zmq.EVENT_ACCEPTED:
            self._accepted[value] = endpoint
        elif event == zmq.EVENT_DISCONNECTED:
            failed, self._handshake_failed = self._handshake_failed, False
            if self._accepted.pop(value, None) is None:
                self._ends[value] = failed
            elif not failed and value not in self._heard:
                sent = f"a message of more than {self._bounds.message:,} bytes or none of ZeroMQ"
                self._refuse(sent, f"a connection ended at once: its other side closed it, or sent {sent}")
        else:
            self._handshake_failed = True  # the next end that libzmq tells of is that of the same connection
            self._gatekeeper.failed(event, value, endpoint)

    def _came(self, number: int, endpoint: str) -> None:
        if number in self._ends:
            self._end(number)
        self._forget(number)
        new = Connection.of(number, endpoint, time.monotonic_ns(), bound=True)
        if new is None:
            return
        self._open[number] = new
        bounds = self._bounds
        if new.address and self._offences_of(new.address) >= _OFFENCES:
            self._cut(new, f"{_OFFENCES} from there were ended in {_PENANCE_S} s: none is let in for so long")
            return
        if len(self._open) <= bounds.silent:
            return
        silent = [each for each in self._open.values() if not each.has_sent(self._gatekeeper.greeting)]
        full = len(self._open) > bounds.connections
        if len(silent) > (1 if full else bounds.silent):
            self._cut(silent[0], f"it said nothing; {bounds.silent} may, and none if others have no room")
        elif full:
            self._cut(new, f"there are {bounds.connections} already")

    def _end(self, number: int) -> None:
        """A connection of that number ended, a look ago; why, if nothing else explains it."""
        failed = self._ends.pop(number)
        connection = self._open.get(number)
        if connection is None or connection.is_open:
            return  # that is a later one, which has the same number
        if not failed and connection.ended_here(idle=not self._bounds.heartbeats):
            self._report(connection, f"a message of more than {self._bounds.message:,} bytes, or none of ZeroMQ")
        self._forget(number)

    def _offended(self, connection: Connection, why: str) -> None:
        """End a connection over which too much came."""
        self._offences.append((time.monotonic_ns(), connection.address))
        self._cut(connection, why)

    def _offences_of(self, address: str) -> int:
        since = time.monotonic_ns() - _PENANCE_S * NS_PER_S
        return sum(at > since and where == address for at, where in self._offences)

    def _cut(self, connection: Connection, why: str) -> None:
        connection.cut()
        self._report(connection, why)
        self._forget(connection.number)

    def _report(self, connection: Connection, why: str) -> None:
        key = f"the key {connection.key!r} at " if connection.key else ""
        self._refuse(f"{why} {connection.key}", f"a connection of {key}{connection.peer} was ended: {why}")

    def _forget(self, number: int) -> None:
        connection = self._open.pop(number, None)
        if connection is not None:
            connection.close()
