"""The sockets of a station: XPUB for its messages, ROUTER for requests, both with the same authenticator.

Sockets private to this host need no keys; those that other hosts can reach do. What each connection may take is bounded
at both (`groundstation.security.connections`).
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any, NamedTuple

import zmq
import zmq.asyncio

from groundstation.errors import WorldError
from groundstation.security.authorization import Principal
from groundstation.security.connections import LOOK_EVERY_S, Bounds, Connections, Refuse
from groundstation.security.endpoints import Endpoints, bind, check, is_removed
from groundstation.security.listeners import DetachedListeners, Listeners
from groundstation.security.zap import CurveAuthenticator, NoAuthentication

_REPLY_LINGER_MS = 500
_REPLIES = 4
"""Answers that may wait for one who does not read them: a snapshot is large."""

_REQUESTS = Bounds(message=1 << 20)
_ENVELOPE = range(1, 9)
"""Parts before a request: of a DEALER one, of a REQ two, of proxies between more."""

_REBIND_TRIES = 100
_REBIND_PAUSE_S = 0.02


class Request(NamedTuple):
    """A request as it came."""

    envelope: list[bytes]
    body: bytes
    caller: Principal


class ServerSockets:
    """Two bound sockets. To be used inside one event loop, but for `publish`.

    Attributes:
        ends: where they are bound.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        ends: Endpoints,
        authenticator: CurveAuthenticator | NoAuthentication | None = None,
        refuse: Refuse = lambda kind, text: None,
        *,
        detached: bool = False,
    ) -> None:
        """Bind both endpoints.

        Args:
            context: plain or asyncio; stays the caller's.
            ends: ``ipc://PATH`` or ``tcp://ADDRESS:PORT`` (``*`` for any free port).
            authenticator: with keys, for endpoints that other hosts can reach.
            refuse: called for connections that were ended because they passed a bound.
            detached: a thread of its own publishes: for endpoints that other hosts can reach.

        Raises:
            CallerError: an endpoint that other hosts could reach, without keys.
            WorldError: an endpoint cannot be bound.
        """
        self._context = context
        self._authenticator = authenticator or NoAuthentication()
        self._refuse = refuse
        self._bind_listeners = DetachedListeners if detached else Listeners
        self._stalls_before = 0
        for endpoint in (ends.telemetry, ends.command):
            check(endpoint, keyed=isinstance(authenticator, CurveAuthenticator))
        self._listeners = self._bind_listeners(context, ends.telemetry, self._authenticator, refuse)
        self._router = context.socket(zmq.ROUTER, socket_class=zmq.asyncio.Socket)
        self._router.set(zmq.LINGER, _REPLY_LINGER_MS)
        self._router.set(zmq.SNDHWM, _REPLIES)
        self._router.set(zmq.ROUTER_MANDATORY, 1)  # an answer that is not taken is an error, not a hole
        self._authenticator.secure(self._router)
        self._callers = Connections(self._router, _REQUESTS, refuse, self._authenticator)
        try:
            self.ends = Endpoints(telemetry=self._listeners.endpoint, command=bind(self._router, ends.command))
        except WorldError:
            self.close()
            raise

    @property
    def stalls(self) -> int:
        """How often it began to drop messages for a listener that does not keep up."""
        return self._stalls_before + self._listeners.stalls

    def bind_again(self) -> None:
        """Bind again what was bound in the file system and is not there any more.

        Raises:
            WorldError: it cannot be bound.
        """
        if is_removed(self.ends.telemetry):
            self._listeners.bind_again()
        if is_removed(self.ends.command):
            bind(self._router, self.ends.command)

    def publish(self, part: bytes) -> None:
        """Send to all subscribers. From any thread; never blocks: only a subscriber that does not keep up misses it."""
        self._listeners.publish(part)

    async def mind(self) -> None:
        """Watch the connections and their bounds, until cancelled."""
        while True:
            self._listeners.look()
            self._callers.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def receive(self) -> Request:
        """The next request."""
        while True:
            *envelope, body = await self._router.recv_multipart(copy=False)
            self._callers.heard(body, sum(map(len, envelope)) + len(body))
            caller = self._authenticator.caller(self._authenticator.key_of(body))
            if len(envelope) in _ENVELOPE:
                return Request([frame.bytes for frame in envelope], body.bytes, caller)
            self._refuse("parts", f"{_who(caller)} sent a request of more than {_ENVELOPE.stop} parts: not answered")

    async def reply(self, request: Request, body: bytes) -> None:
        """Answer a request, unless its caller has left, or does not read the answers before."""
        try:
            await self._router.send_multipart([*request.envelope, body], zmq.NOBLOCK)
        except zmq.Again:
            who = _who(request.caller)
            self._refuse(f"answers {who}", f"{who} does not read its answers: one was dropped, {_REPLIES} wait")
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise

    async def disconnect_all(self) -> None:
        """Disconnect all subscribers; authorized ones reconnect by themselves, and count what they missed.

        Requests do not need it: the caller is looked up for each.

        Raises:
            WorldError: it cannot be bound again; to be tried again.
        """
        self._stalls_before = self.stalls
        self._listeners.close()
        for tries_left in reversed(range(_REBIND_TRIES)):
            try:
                self._listeners = self._bind_listeners(
                    self._context, self.ends.telemetry, self._authenticator, self._refuse
                )
                return
            except WorldError:
                if not tries_left:
                    raise
            await asyncio.sleep(_REBIND_PAUSE_S)

    def close(self) -> None:
        """Close both sockets; a reply on its way is still delivered. Idempotent."""
        self._listeners.close()
        if not self._router.closed:
            self._callers.close()
            self._router.close()


def _who(caller: Principal) -> str:
    return "a client" if caller.key is None else f"the key {caller.key!r}"
