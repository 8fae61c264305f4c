"""The socket at which a station publishes, and bounds on what listeners subscribe to.

libzmq keeps every subscription in a tree with a node of some hundred bytes for each of its bytes, unasked, in whatever
thread sends next, and as long as more of them come; for each connection that ends it walks the whole tree. One
subscription of 20 MB took 2.3 GB and 2.9 s, during which nothing was received. So:

1. It is an XPUB, which reports subscriptions. A long one ends its connection in libzmq. A client that sends much in a
   short time, or has sent most when all subscriptions together are too much, is disconnected here, and its
   subscriptions go with it.
2. Remote sockets have their own publishing thread (`DetachedListeners`): whatever a client sends, it does not hold up
   the others. The event loop never touches that socket; it judges the connections by the kernel's own counts.
3. On this host's private sockets the thread that decodes publishes itself (`Listeners`): another one would take longer
   to wake than a message takes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import zmq

from groundstation.errors import WorldError
from groundstation.security.connections import LOOK_EVERY_S, Bounds, Connections, Refuse
from groundstation.security.endpoints import bind
from groundstation.security.zap import CurveAuthenticator, NoAuthentication

TOPICS_MAX = 1 << 16
"""Bytes of all subscriptions: some 8 MB of libzmq's memory, if none has a byte in common with another."""

SUBSCRIBED_MAX = 1 << 13
"""Bytes that one listener may send at once, and 1000 more a second: some hundred subscriptions of usual length."""

_BOUNDS = Bounds(message=1024, waiting=SUBSCRIBED_MAX, waiting_in_all=1 << 18, buffer=1)
"""1024 bytes take a subscription, and the longest message of a handshake with CURVE. The least buffer that the kernel
knows, 2304 bytes, lets through 8 MB/s where a large one lets through 380."""

_HIGH_WATER = 1000
_OUTBOX_MAX = 1000
_SUBSCRIPTIONS_KEPT = 1000
_DRAIN_S = 0.005
_JOIN_S = 20.0


class Listeners:
    """One bound XPUB.

    Attributes:
        endpoint: where it is bound.
        stalls: how often it began to drop messages for a listener that does not keep up.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoint: str,
        authenticator: CurveAuthenticator | NoAuthentication,
        refuse: Refuse,
    ) -> None:
        """Bind.

        Raises:
            WorldError: it cannot be bound.
        """
        self.stalls = 0
        self._topics = 0
        self._closed = False  # to ask the socket takes a call into libzmq for each message
        self._subscriptions: deque[zmq.Frame] = deque(maxlen=_SUBSCRIPTIONS_KEPT)
        self._lock = threading.Lock()
        self._socket = context.socket(zmq.XPUB, socket_class=zmq.Socket)
        self._socket.set(zmq.SNDHWM, _HIGH_WATER)
        self._socket.set(zmq.LINGER, 0)
        self._socket.set(zmq.XPUB_NODROP, 1)
        self._socket.set(zmq.XPUB_VERBOSER, 1)
        authenticator.secure(self._socket)
        self.connections = Connections(self._socket, _BOUNDS, refuse, authenticator)
        try:
            self.endpoint = bind(self._socket, endpoint)
        except WorldError:
            self.close()
            raise

    def bind_again(self) -> None:
        """Bind the same endpoint again: its socket in the file system was removed. Connected clients stay connected.

        Raises:
            WorldError: it cannot be bound.
        """
        with self._lock:
            bind(self._socket, self.endpoint)

    def publish(self, part: bytes) -> None:
        """Send to all subscribers. From any thread; never blocks: only a subscriber that does not keep up misses it."""
        with self._lock:
            if self._closed:
                return
            try:
                self._socket.send(part, zmq.NOBLOCK)
            except zmq.Again:  # not sent to any yet; without XPUB_NODROP all that have room get it
                self.stalls += 1
                self._socket.set(zmq.XPUB_NODROP, 0)
                self._socket.send(part, zmq.NOBLOCK)
                self._socket.set(zmq.XPUB_NODROP, 1)

    def drain(self) -> None:
        """Read the subscriptions. From any thread."""
        until = time.monotonic() + _DRAIN_S
        while time.monotonic() < until:
            with self._lock:
                try:
                    frame = self._socket.recv(zmq.NOBLOCK, copy=False)
                except zmq.ZMQError:  # that was all, or it is closed
                    return
            self._topics += len(frame) if frame.bytes[:1] == b"\1" else -len(frame)
            self._subscriptions.append(frame)

    def judge(self) -> None:
        """See who came, and whether what they said is within bounds. In the event loop."""
        self.connections.look()
        while self._subscriptions:
            self.connections.heard(self._subscriptions.popleft())
        if self._topics > TOPICS_MAX:
            self.connections.cut_most(f"subscriptions have more than {TOPICS_MAX:,} bytes in all, most from there")

    def look(self) -> None:
        """All there is to see to, every `LOOK_EVERY_S`. In the event loop."""
        self.drain()
        self.judge()

    def close(self) -> None:
        """End all. Idempotent."""
        self.close_socket()
        self.connections.close()

    def close_socket(self) -> None:
        """End what the thread that publishes has. Idempotent."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._socket.disable_monitor()
                self._socket.close()


class DetachedListeners:
    """`Listeners` with a thread of their own.

    Attributes:
        endpoint: where they are bound.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoint: str,
        authenticator: CurveAuthenticator | NoAuthentication,
        refuse: Refuse,
    ) -> None:
        """Bind.

        Raises:
            WorldError: it cannot be bound.
        """
        self._listeners = Listeners(context, endpoint, authenticator, refuse)
        self._refuse = refuse
        self.endpoint = self._listeners.endpoint
        self._outbox: deque[bytes] = deque()
        self._dropped = 0
        self._filled = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"publish at {endpoint}", daemon=True)
        self._thread.start()

    @property
    def stalls(self) -> int:
        """How often it began to drop messages for a listener that does not keep up."""
        return self._listeners.stalls

    def bind_again(self) -> None:
        """Nothing to do: a remote endpoint is not a file."""

    def publish(self, part: bytes) -> None:
        """Hand over what is to be sent. From any thread, one at a time; never blocks."""
        if self._ending:
            return
        if len(self._outbox) < _OUTBOX_MAX:
            self._outbox.append(part)
        else:
            self._dropped += 1
        self._filled.set()

    def look(self) -> None:
        """See who came, and whether what they said is within bounds. In the event loop."""
        self._listeners.judge()
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._refuse("dropped", f"{dropped} messages were not published at {self.endpoint}: it is held up")

    def close(self) -> None:
        """End all. Idempotent."""
        self._ending = True
        self._filled.set()
        until = time.monotonic() + _JOIN_S
        while self._thread.is_alive() and time.monotonic() < until:
            self._listeners.connections.look()
            self._listeners.connections.cut_all()  # what holds the thread up ends with them
            self._thread.join(LOOK_EVERY_S)
        self._listeners.connections.close()

    def _run(self) -> None:
        while not self._ending:
            self._filled.wait(LOOK_EVERY_S)
            self._filled.clear()
            while self._outbox and not self._ending:
                self._listeners.publish(self._outbox.popleft())
            self._listeners.drain()
        self._listeners.close_socket()
