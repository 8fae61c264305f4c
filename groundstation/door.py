"""One door of a station: PUB for what it says, ROUTER for what it is asked, both before the same gate.

A door on this host's own sockets is open; a door that others can reach has a gate with keys.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any, NamedTuple

import zmq
import zmq.asyncio

from groundstation.access import Caller
from groundstation.endpoints import bind, check
from groundstation.errors import WorldError
from groundstation.gate import Gate, OpenGate
from groundstation.registry import Endpoints

_HIGH_WATER = 1000
_REPLY_LINGER_MS = 500
_REQUEST_MAX = 1 << 20
_REBIND_TRIES = 100
_REBIND_PAUSE_S = 0.02


class Request(NamedTuple):
    """A request as it came."""

    envelope: list[bytes]
    body: bytes
    caller: Caller


class Door:
    """Two bound sockets.

    Attributes:
        ends: where they are bound.
        stalls: how often it began to drop messages for a listener that does not keep up.
    """

    def __init__(self, context: zmq.Context[Any], ends: Endpoints, gate: Gate | OpenGate | None = None) -> None:
        """Bind both endpoints.

        Args:
            context: plain or asyncio; stays the caller's.
            ends: ``ipc://PATH`` or ``tcp://ADDRESS:PORT`` (``*`` for any free port).
            gate: with keys, for endpoints that others can reach.

        Raises:
            CallerError: an endpoint that others could reach, without keys.
            WorldError: an endpoint cannot be bound.
        """
        self.stalls = 0
        self._context = context
        self._lock = threading.Lock()
        self._gate = gate or OpenGate()
        for endpoint in (ends.telemetry, ends.command):
            check(endpoint, keyed=isinstance(gate, Gate))
        self._router = context.socket(zmq.ROUTER, socket_class=zmq.asyncio.Socket)
        self._router.set(zmq.LINGER, _REPLY_LINGER_MS)
        self._router.set(zmq.MAXMSGSIZE, _REQUEST_MAX)
        self._gate.guard(self._router)
        self._pub: zmq.Socket[Any] | None = None
        try:
            self._pub, telemetry = self._publish_at(ends.telemetry)
            self.ends = Endpoints(telemetry=telemetry, command=bind(self._router, ends.command))
        except WorldError:
            self.close()
            raise

    def publish(self, part: bytes) -> None:
        """Send to whoever listens. From any thread; never waits: who does not keep up misses it, and nobody else."""
        with self._lock:
            if self._pub is None:
                return
            try:
                self._pub.send(part, zmq.NOBLOCK)
            except zmq.Again:  # nobody got it yet; without XPUB_NODROP all do who have room
                self.stalls += 1
                self._pub.set(zmq.XPUB_NODROP, 0)
                self._pub.send(part, zmq.NOBLOCK)
                self._pub.set(zmq.XPUB_NODROP, 1)

    async def receive(self) -> Request:
        """The next request."""
        *envelope, body = await self._router.recv_multipart(copy=False)
        return Request([frame.bytes for frame in envelope], body.bytes, self._gate.caller(self._gate.key_of(body)))

    async def reply(self, envelope: list[bytes], body: bytes) -> None:
        """Answer a request."""
        await self._router.send_multipart([*envelope, body])

    async def show_out(self) -> None:
        """Disconnect all who listen; those who are let in come back by themselves, and count what they missed.

        libzmq cannot disconnect a single one. Requests need no such thing: the caller is looked up for each.

        Raises:
            WorldError: it cannot be bound again; to be tried again.
        """
        self._close_pub()
        for tries_left in reversed(range(_REBIND_TRIES)):
            try:
                pub, _ = self._publish_at(self.ends.telemetry)
                with self._lock:
                    self._pub = pub
                return
            except WorldError:
                if not tries_left:
                    raise
            await asyncio.sleep(_REBIND_PAUSE_S)

    def close(self) -> None:
        """Close both sockets; a reply on its way is still delivered. Idempotent."""
        self._close_pub()
        if not self._router.closed:
            self._gate.release(self._router)
            self._router.close()

    def _publish_at(self, endpoint: str) -> tuple[zmq.Socket[Any], str]:
        pub = self._context.socket(zmq.PUB, socket_class=zmq.Socket)
        pub.set(zmq.SNDHWM, _HIGH_WATER)
        pub.set(zmq.LINGER, 0)
        pub.set(zmq.XPUB_NODROP, 1)
        self._gate.guard(pub)
        try:
            return pub, bind(pub, endpoint)
        except WorldError:
            self._gate.release(pub)
            pub.close()
            raise

    def _close_pub(self) -> None:
        with self._lock:
            if self._pub is not None:
                self._gate.release(self._pub)
                self._pub.close()
                self._pub = None
