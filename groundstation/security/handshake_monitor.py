"""The client's side of access control: why a connection does not come about, as far as this side can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import zmq
import zmq.asyncio
from zmq.utils.monitor import parse_monitor_message

from groundstation.errors import AccessRefused, StationGone
from groundstation.security.keys import Credentials
from groundstation.security.outgoing import EVENTS, LOOK_EVERY_S, Outgoing

MESSAGE_MAX = 16 << 20
"""Bytes of a message that a station publishes."""

ANSWER_MAX = 64 << 20
"""Bytes of an answer: a snapshot of a large dictionary, with what was received so far."""

_EVENTS = (
    EVENTS
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
)


class Handshakes:
    """Watches the handshakes of one socket. To be made before it connects and closed before it is."""

    def __init__(self, socket: zmq.asyncio.Socket, credentials: Credentials | None, number: int) -> None:
        """Args: the socket, what it shows to the other side, and a number that no other in this context has."""
        self._socket = socket
        self._credentials = credentials
        self._failed = self._succeeded = False
        self._outgoing = Outgoing(socket, ANSWER_MAX)
        address = f"inproc://handshakes-{number}"
        socket.monitor(address, _EVENTS)
        self._monitor = socket.context.socket(zmq.PAIR)
        self._monitor.connect(address)
        self._poller = zmq.asyncio.Poller()
        self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    @property
    def hint(self) -> str:
        """What to add to the message that there is no answer."""
        if not self._failed:
            return ""
        if self._credentials is None:
            return ": the server needs a key (--key NAME --server-key KEY)"
        return ": what is there does not have the key given with --server-key"

    async def answer(self) -> bytes:
        """Wait for a message.

        Raises:
            AccessRefused: the server does not authorize this key; libzmq does not try again.
            StationGone: it sends more than any station does.
        """
        while not self._socket.closed:
            ready = dict(await self._poller.poll(round(LOOK_EVERY_S * 1000)))
            if self._monitor in ready:
                self._process(parse_monitor_message(await self._monitor.recv_multipart()))
            if self._socket in ready:
                return await self._socket.recv()
            self._outgoing.look(emptied=True)
            if self._outgoing.why:
                raise StationGone(f"the server was cut off: {self._outgoing.why}")
        raise StationGone("this client is closed")

    def close(self) -> None:
        """Stop watching."""
        self._outgoing.close()
        if not self._socket.closed:
            self._socket.disable_monitor()
        self._monitor.close()

    def _process(self, fields: Mapping[str, Any]) -> None:
        event = fields["event"]
        if event == zmq.EVENT_CONNECTED:
            self._succeeded = False
        if event == zmq.EVENT_DISCONNECTED and not self._succeeded:
            self._outgoing.close()  # a handshake failed, which says nothing of messages
            return
        if event & EVENTS:
            self._outgoing.event(event, fields["value"], fields["endpoint"].decode(errors="replace"))
            return
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH and self._credentials is not None:
            own = self._credentials.own
            raise AccessRefused(
                f"the key {own.name!r} is not authorized there: on that host, "
                f"`groundstation keys allow {own.name} {own.public}` authorizes it"
            )
        self._succeeded = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
        self._failed = not self._succeeded
