"""The client's side of a gate: why a connection does not come about, as far as this side can tell."""

from __future__ import annotations

import zmq
import zmq.asyncio
from zmq.utils.monitor import parse_monitor_message

from groundstation.errors import AccessRefused
from groundstation.keys import Credentials

_EVENTS = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
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
        self._failed = False
        address = f"inproc://handshakes-{number}"
        socket.monitor(address, _EVENTS)
        self._monitor = socket.context.socket(zmq.PAIR)
        self._monitor.connect(address)
        self._poller = zmq.asyncio.Poller()
        self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    @property
    def hint(self) -> str:
        """What to add to the news that nobody answers."""
        if not self._failed:
            return ""
        if self._credentials is None:
            return ": what is there wants a key (--key NAME --server-key KEY)"
        return ": what is there does not have the key given with --server-key"

    async def answer(self) -> bytes:
        """Wait for a message.

        Raises:
            AccessRefused: the other side does not let this key in; libzmq does not try again.
        """
        while True:
            ready = dict(await self._poller.poll())
            if self._monitor in ready:
                self._take(parse_monitor_message(await self._monitor.recv_multipart())["event"])
            if self._socket in ready:
                return await self._socket.recv()

    def close(self) -> None:
        """Stop watching."""
        if not self._socket.closed:
            self._socket.disable_monitor()
        self._monitor.close()

    def _take(self, event: int) -> None:
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH and self._credentials is not None:
            own = self._credentials.own
            raise AccessRefused(
                f"the key {own.name!r} is not let in there: on that host, "
                f"`groundstation keys allow {own.name} {own.public}` lets it in"
            )
        self._failed = event != zmq.EVENT_HANDSHAKE_SUCCEEDED
