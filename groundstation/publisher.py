"""The station's two sockets: PUB for what it says, ROUTER for what it is asked.

PUB never waits: a slow viewer loses messages, never the station time. The sequence per topic and the heartbeat that
carries all of them let a viewer count what it lost. Before a snapshot is taken a heartbeat goes out: a viewer that
gets it knows that its subscription was there before the snapshot.
"""

from __future__ import annotations

import asyncio
import ipaddress
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import zmq
import zmq.asyncio

from groundstation.errors import CallerError, StationError, WorldError
from groundstation.messages import AnyMessage, Heartbeat, Refusal, SnapshotRequest, decode, encode, topic_of

Handler = Callable[[AnyMessage], AnyMessage]

_HIGH_WATER = 1000
_REPLY_LINGER_MS = 500
_REQUEST_MAX = 1 << 20


class Publisher:
    """Publishes messages and answers requests. To be made and used inside one event loop."""

    def __init__(
        self,
        context: zmq.Context[Any],
        telemetry_endpoint: str,
        command_endpoint: str,
        clock: Callable[[], int],
    ) -> None:
        """Bind both endpoints.

        Args:
            context: plain or asyncio; stays the caller's.
            telemetry_endpoint: ``ipc://PATH`` or ``tcp://127.0.0.1:PORT`` (``*`` for any free port).
            command_endpoint: likewise.
            clock: now, for the heartbeats.

        Raises:
            CallerError: an endpoint that others could reach.
            WorldError: an endpoint cannot be bound.
        """
        for endpoint in (telemetry_endpoint, command_endpoint):
            _check_private(endpoint)
        self._clock = clock
        self._sequences: dict[str, int] = {}
        self._pub = context.socket(zmq.PUB, socket_class=zmq.Socket)
        self._router = context.socket(zmq.ROUTER, socket_class=zmq.asyncio.Socket)
        self._pub.set(zmq.SNDHWM, _HIGH_WATER)
        self._pub.set(zmq.LINGER, 0)
        self._router.set(zmq.LINGER, _REPLY_LINGER_MS)
        self._router.set(zmq.MAXMSGSIZE, _REQUEST_MAX)
        try:
            self.telemetry_endpoint = _bind(self._pub, telemetry_endpoint)
            self.command_endpoint = _bind(self._router, command_endpoint)
        except WorldError:
            self.close()
            raise

    @property
    def sequences(self) -> dict[str, int]:
        """The last ``seq`` of every topic: a copy."""
        return dict(self._sequences)

    def publish(self, message: AnyMessage) -> None:
        """Send a message to whoever listens, with the next ``seq`` of its topic. Never waits."""
        topic = topic_of(message)
        seq = self._sequences.get(topic, 0) + 1
        self._sequences[topic] = seq
        self._pub.send(encode(msgspec.structs.replace(message, seq=seq)), zmq.NOBLOCK)

    def heartbeat(self) -> None:
        """Publish the last ``seq`` of every topic. To be called twice a second."""
        self.publish(Heartbeat(ert=self._clock(), sequences=self.sequences))

    async def serve(self, handler: Handler) -> None:
        """Answer requests until cancelled. What cannot be read, or what ``handler`` refuses, gets a `Refusal`."""
        while True:
            *envelope, body = await self._router.recv_multipart()
            await self._router.send_multipart([*envelope, encode(self._answer(body, handler))])
            await asyncio.sleep(0)

    def close(self) -> None:
        """Close both sockets; a reply on its way is still delivered. Idempotent."""
        self._pub.close()
        self._router.close()

    def _answer(self, body: bytes, handler: Handler) -> AnyMessage:
        try:
            request = decode(body)
            if isinstance(request, SnapshotRequest):
                self.heartbeat()
            return handler(request)
        except StationError as error:
            return Refusal(text=str(error))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Refusal(text=f"not understood: {error}")


def _bind(socket: zmq.Socket[Any], endpoint: str) -> str:
    socket.set(zmq.IPV6, "[" in endpoint)
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise WorldError(f"cannot bind {endpoint}: {error.strerror}") from error
    return socket.get_string(zmq.LAST_ENDPOINT)


def _check_private(endpoint: str) -> None:
    """Whatever is reachable from elsewhere needs keys first."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc" and address.startswith("/"):
        _check_replaceable(Path(address))
    elif scheme != "tcp" or not _is_loopback(endpoint):
        raise CallerError(f"{endpoint} is not private: bind to ipc:///PATH or tcp://127.0.0.1:PORT")


def _check_replaceable(path: Path) -> None:
    """ZeroMQ removes whatever lies at the path before it binds: let that be an old socket and nothing else."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return
    if not is_socket:
        raise CallerError(f"{path} exists and is not a socket")


def _is_loopback(endpoint: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(endpoint).hostname or "").is_loopback
    except ValueError:
        return False
