"""Publishes a station's messages and answers requests, over its private and its remote sockets.

XPUB never waits: a slow viewer loses messages, never the station time. The sequence per topic and the heartbeat that
carries all of them let a viewer count what it lost. Before a snapshot is taken a heartbeat goes out: a viewer that
gets it knows that its subscription was there before the snapshot.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import zmq

from groundstation.errors import CallerError, StationError
from groundstation.messages.base import PROTOCOL, Request
from groundstation.messages.wire import (
    AnyMessage,
    Heartbeat,
    Refusal,
    SnapshotRequest,
    decode,
    encode,
    encode_answer,
    other_protocol,
    topic_of,
)
from groundstation.security.authorization import Principal
from groundstation.security.connections import Refuse
from groundstation.security.endpoints import Endpoints
from groundstation.security.server_sockets import ServerSockets

LAST_MESSAGES_S = 0.05
"""The sockets close without linger: time for the last messages to leave."""

Handler = Callable[[AnyMessage, Principal], AnyMessage]
Unreadable = Callable[[str, Principal], None]


class Publisher:
    """Publishes messages and answers requests. To be made and, but for `publish`, used inside one event loop.

    Attributes:
        missed: what the heartbeats say that viewers missed.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        telemetry_endpoint: str,
        command_endpoint: str,
        clock: Callable[[], int],
        steady: Callable[[], int] | None = None,
        refuse: Refuse = lambda kind, text: None,
    ) -> None:
        """Bind the private sockets.

        Args:
            context: plain or asyncio; stays the caller's.
            telemetry_endpoint: ``ipc://PATH`` or ``tcp://127.0.0.1:PORT`` (``*`` for any free port).
            command_endpoint: likewise.
            clock: now, for the heartbeats.
            steady: the time that stamps what is sent; by default the same. A replay's ``clock`` stands and jumps.
            refuse: called for connections that were ended because they passed a bound.

        Raises:
            CallerError: an endpoint that others could reach.
            WorldError: an endpoint cannot be bound.
        """
        self.missed = 0
        self._clock = clock
        self._steady = steady or clock
        self._lock = threading.RLock()
        self._sequences: dict[str, int] = {}
        private = ServerSockets(
            context, Endpoints(telemetry=telemetry_endpoint, command=command_endpoint), refuse=refuse
        )
        self.telemetry_endpoint = private.ends.telemetry
        self.command_endpoint = private.ends.command
        self._sockets = [private]

    def open(self, sockets: ServerSockets) -> None:
        """Serve one more pair of sockets; before `serve`."""
        self._sockets.append(sockets)

    def bind_again(self) -> None:
        """Bind the private sockets again where they were removed from the file system.

        Raises:
            WorldError: they cannot be bound.
        """
        self._sockets[0].bind_again()

    @property
    def sequences(self) -> dict[str, int]:
        """The last ``seq`` of every topic: a copy."""
        return dict(self._sequences)

    @property
    def published(self) -> int:
        """Messages so far: the sum over all topics."""
        with self._lock:
            return sum(self._sequences.values())

    @property
    def stalls(self) -> int:
        """How often the sockets began to drop messages for a viewer that does not keep up."""
        return sum(sockets.stalls for sockets in self._sockets)

    def publish(self, message: AnyMessage) -> None:
        """Send a message to all subscribers, with the next ``seq`` of its topic. From any thread; never waits."""
        topic = topic_of(message)
        with self._lock:
            self._sequences[topic] = seq = self._sequences.get(topic, 0) + 1
            part = encode(msgspec.structs.replace(message, seq=seq, sent=self._steady()), topic)
            for sockets in self._sockets:
                sockets.publish(part)

    def heartbeat(self) -> None:
        """Publish the last ``seq`` of every topic. To be called twice a second.

        Nothing is published between the look at the sequences and the heartbeat: to a viewer it would go back in time.
        """
        with self._lock:
            self.publish(Heartbeat(ert=self._clock(), sequences=self.sequences, missed=self.missed))

    async def serve(self, handler: Handler, unreadable: Unreadable | None = None) -> None:
        """Answer requests until cancelled. What cannot be read, or what ``handler`` refuses, gets a `Refusal`.

        ``unreadable`` is called for requests that cannot be decoded, with their client.
        """
        async with asyncio.TaskGroup() as tasks:
            for sockets in self._sockets:
                tasks.create_task(self._serve(sockets, handler, unreadable))
                tasks.create_task(sockets.mind())

    def close(self) -> None:
        """Close all sockets; a reply on its way is still delivered. Idempotent."""
        for sockets in self._sockets:
            sockets.close()

    async def _serve(self, sockets: ServerSockets, handler: Handler, unreadable: Unreadable | None) -> None:
        while True:
            request = await sockets.receive()
            answer, protocol = self._answer(request.body, request.caller, handler, unreadable)
            await sockets.reply(request, encode_answer(msgspec.structs.replace(answer, sent=self._steady()), protocol))
            await asyncio.sleep(0)

    def _answer(
        self, body: bytes, caller: Principal, handler: Handler, unreadable: Unreadable | None
    ) -> tuple[AnyMessage, int]:
        """The answer to a request, and the protocol of its client."""
        try:
            request = decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            if unreadable is not None:
                unreadable(str(error), caller)
            return Refusal(text=f"not understood: {error}"), PROTOCOL
        protocol = (request.protocol or 1) if isinstance(request, Request) else PROTOCOL
        try:
            if protocol not in (1, PROTOCOL):
                raise CallerError(other_protocol("this client", protocol, "the station"))
            if isinstance(request, SnapshotRequest) and caller.rights != "none":
                self.heartbeat()
            return handler(request, caller), protocol
        except StationError as error:
            return Refusal(text=str(error)), protocol
