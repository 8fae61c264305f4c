"""Access control of remote sockets: CURVE encryption, and ZAP (ZeroMQ RFC 27) to authorize each client's key.

    libzmq ──ZAP request: the client's key──▶ CurveAuthenticator ──▶ AuthorizedKeys: accepted, or not
    Connections ──handshakes that failed before a key was shown──▶ CurveAuthenticator ──▶ reported as well

One authenticator a context: libzmq has one address for ZAP requests. Without an answer no client is admitted.
"""

from __future__ import annotations

import logging
from typing import Any

import zmq
import zmq.asyncio

from groundstation.messages.throttle import EventThrottle
from groundstation.security.authorization import LOCAL, AuthorizedKeys, Principal
from groundstation.security.keys import KeyPair

_LOG = logging.getLogger("groundstation.security")

DOMAIN = "groundstation"
_ZAP = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_KEEPALIVE_S = 30
_WRONG_SERVER_KEY = 0x1100_0001
"""ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: it speaks CURVE, but not to the key that is here."""


class CurveAuthenticator:
    """Admits clients with authorized keys, and reports the others. To be used inside one event loop."""

    greeting = 500
    """Bytes: who has sent less has not shown a key."""

    def __init__(
        self, context: zmq.asyncio.Context, key: KeyPair, keys: AuthorizedKeys, throttle: EventThrottle
    ) -> None:
        """Args: the context of the secured sockets, this side's key, the authorized keys, and the log of refusals."""
        self.key = key
        self._context = context
        self._keys = keys
        self._throttle = throttle
        self._zap = context.socket(zmq.ROUTER)
        self._zap.set(zmq.LINGER, 0)
        self._zap.bind(_ZAP)

    def secure(self, socket: zmq.Socket[Any]) -> None:
        """Require an authorized key on a socket; before it is bound."""
        socket.set(zmq.CURVE_SERVER, 1)
        socket.set(zmq.CURVE_SECRETKEY, bytes.fromhex(self.key.secret))
        socket.set_string(zmq.ZAP_DOMAIN, DOMAIN)
        socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)  # no answer from here means no entry
        socket.set(zmq.TCP_KEEPALIVE, 1)  # a client that vanished does not stay for ever
        socket.set(zmq.TCP_KEEPALIVE_IDLE, _KEEPALIVE_S)

    def key_of(self, frame: zmq.Frame) -> str:
        """The key that a message's connection proved."""
        return str(frame.get("User-Id"))

    def name_of(self, frame: zmq.Frame) -> str:
        """The name of that key."""
        return self.caller(self.key_of(frame)).key or ""

    def caller(self, key: str) -> Principal:
        """Whose key that is, and what it may do now."""
        return self._keys.caller(key)

    async def serve(self) -> None:
        """Answer libzmq until cancelled."""
        while True:
            *envelope, version, number, _domain, address, _identity, mechanism, key = await self._zap.recv_multipart()
            public = self._authorized_key(mechanism, key, address.decode()) if version == _VERSION else None
            verdict = [b"400", b"not authorized", b""] if public is None else [b"200", b"", public.encode()]
            await self._zap.send_multipart([*envelope, _VERSION, number, *verdict, b""])

    def failed(self, event: int, reason: int, endpoint: str) -> None:
        """A handshake failed before a ZAP request came."""
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return  # reported when the key was checked
        if reason == _WRONG_SERVER_KEY:
            self._throttle.note("server key", f"a client at {endpoint} that holds another key for ours")
        else:
            self._throttle.note("no key", f"a client at {endpoint} without a key")

    def close(self) -> None:
        """Admit no more clients."""
        self._zap.close()

    def _authorized_key(self, mechanism: bytes, key: bytes, address: str) -> str | None:
        """The key that may connect, None if it may not."""
        if mechanism != b"CURVE":
            self._throttle.note("mechanism", f"a client without a key from {address}")
            return None
        public = key.hex()
        client = self._keys.find(public)
        if client is None:
            hint = f"to authorize it: groundstation keys allow NAME {public}"
            self._throttle.note(public, f"an unknown key from {address}; {hint}")
            return None
        if client.revoked is not None:
            self._throttle.note(public, f"the revoked key {client.name!r} from {address}")
            return None
        _LOG.info("authorized %s from %s", client.name, address)
        return public


class NoAuthentication:
    """For sockets that only this host's user can reach: every client is admitted."""

    greeting = 100
    """Bytes: who has sent less has not said what it wants."""

    def secure(self, socket: zmq.Socket[Any]) -> None:
        """Nothing is asked."""

    async def serve(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to close."""

    def name_of(self, frame: zmq.Frame) -> str:
        """None is shown."""
        return ""

    def failed(self, event: int, reason: int, endpoint: str) -> None:
        """Nothing to note: no client has to prove anything."""

    def key_of(self, frame: zmq.Frame) -> str:
        """None is shown."""
        return ""

    def caller(self, key: str) -> Principal:
        """Every client is this host's user."""
        return LOCAL
