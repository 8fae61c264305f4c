"""What every viewer uses to follow a station: a snapshot, then everything after it, nothing lost, nothing twice.

Joining: subscribe first, then ask for snapshots until one is *younger* than the subscription. That is known by a
message which came over the subscription and which the snapshot already contains; the station sends a heartbeat
before it takes one. From there on the sequences tell what is new, what is double and what this viewer missed.

A station that is silent for two seconds, or that begins again at sequences already seen, is lost; a new join with
a fresh subscription brings it back. There are no heartbeats of libzmq: one that times out while the receive queue of a
slow viewer is full makes libzmq abort the process (zeromq/libzmq#3937).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar, TypeVar

import msgspec
import zmq
import zmq.asyncio

from groundstation.errors import CallerError, OtherProtocol, StationError, StationGone
from groundstation.messages.base import PROTOCOL, Request
from groundstation.messages.wire import (
    AnyMessage,
    DropReport,
    HistoryRequest,
    Refusal,
    Snapshot,
    SnapshotRequest,
    decode,
    encode,
    other_protocol,
    topic_of,
)
from groundstation.security.endpoints import Endpoints
from groundstation.security.handshake_monitor import MESSAGE_MAX, Handshakes
from groundstation.security.keys import Credentials
from groundstation.security.outgoing import OutgoingMonitor
from groundstation.viewer.sequences import SequenceStatus, SequenceTracker
from groundstation.viewer.source import StationBack, StationLost, Update

_LOG = logging.getLogger("groundstation.viewer")

_T = TypeVar("_T")
_BATCH_MAX = 1000
_JOIN_PAUSE_S = 0.02
_REPORT_EVERY_S = 1.0
_PATIENCE_S = 30.0
"""For a snapshot of a station that sends heartbeats."""

_GRACE_S = 0.1
"""After this viewer itself was held up, what has queued up gets this long to show."""


class StationClient:
    """One viewer of one station. To be made and used inside one event loop.

    Attributes:
        unreadable: parts that came over the subscription and were no messages.
        waited_for: the station waits for this viewer, so that nothing it gets is late.
    """

    waited_for: ClassVar[bool] = False

    def __init__(
        self,
        station: Endpoints,
        clock: Callable[[], int],
        *,
        timeout_s: float = 2.0,
        silence_s: float = 2.0,
        retry_s: float = 0.5,
        credentials: Credentials | None = None,
    ) -> None:
        """Prepare; `connect` joins.

        Args:
            station: a `StationInfo` or bare endpoints.
            clock: now, in integer nanoseconds since 1970-01-01 UTC.
            timeout_s: how long an answer may take.
            silence_s: how long a station may be silent before it counts as lost.
            retry_s: the pause between two attempts to find a lost station.
            credentials: for a remote station.
        """
        self.unreadable = 0
        self._station = station
        self._clock = clock
        self._timeout_s = timeout_s
        self._silence_s = silence_s
        self._retry_s = retry_s
        self._credentials = credentials
        self._hint = ""
        self._requests = 0
        self._context = zmq.asyncio.Context()
        self._sub: zmq.asyncio.Socket | None = None
        self._watch: OutgoingMonitor | None = None
        self._cut_off = 0
        self._pending: deque[AnyMessage] = deque()
        self._run: tuple[int, int] | None = None
        self._continuity = SequenceTracker()
        self._heard_ns = clock()
        self._heard_s = 0.0
        self._name = secrets.token_hex(8)
        self._missed_before = 0
        self._told_missed = 0
        self._tell_at = 0.0
        self._report: asyncio.Task[None] | None = None

    @property
    def missed(self) -> dict[str, int]:
        """Messages lost to *this viewer*, by topic: it was too slow, the spacecraft's link was not."""
        return dict(self._continuity.missed)

    @property
    def cut_off(self) -> int:
        """How often this viewer ended the connection, because more came over it than any station sends."""
        return self._cut_off + (0 if self._watch is None else self._watch.outgoing.cut_off)

    @property
    def heard(self) -> int:
        """Messages that the station has published up to where this viewer is."""
        return self._continuity.heard

    async def connect(self) -> Snapshot:
        """Join the station: all it knows now. `messages` continues from there.

        Raises:
            StationGone: it does not answer.
            AccessRefused: it does not let this client in.
            OtherProtocol: it speaks another version.
            CallerError: it refuses.
        """
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                snapshot = await self._join(limit)
        except TimeoutError as error:
            raise self._gone() from error
        if snapshot.protocol != PROTOCOL:
            station = f"station {snapshot.station} (pid {snapshot.pid})"
            raise OtherProtocol(other_protocol(station, snapshot.protocol, "this client"))
        run = (snapshot.pid, snapshot.started)
        self._continuity.adopt(snapshot.sequences, resumed=run == self._run)
        if run != self._run:
            self._run = run
            self._missed_before = self._told_missed = self._continuity.total
        _LOG.info("connected to station %s, pid %d, at %s", snapshot.station, snapshot.pid, self._station.telemetry)
        self._heard()
        return snapshot

    async def messages(self) -> AsyncIterator[Update]:
        """Everything after the snapshot, in order, heartbeats included; ends when the client is closed.

        A lost station is reported once (`StationLost`), its return with a new snapshot (`StationBack`).

        Raises:
            OtherProtocol: it came back as one of another version.
        """
        while self._sub is not None:
            message = await self._next(self._sub)
            self._report_missed()
            place = SequenceStatus.RESTART if message is None else self._continuity.place(message)
            if message is not None and place is SequenceStatus.NEXT:
                yield message
            elif place is SequenceStatus.RESTART and not self._context.closed:
                _LOG.warning("lost the station at %s; retrying", self._station.telemetry)
                yield StationLost(self._heard_ns)
                snapshot = await self._rejoin()
                if snapshot is not None:
                    yield StationBack(snapshot)

    async def request(self, message: AnyMessage, timeout_s: float | None = None) -> AnyMessage:
        """Ask the station; a `Refusal` is an answer too. ``timeout_s`` is for answers that take longer than others.

        Every request has a socket of its own: one that found no station in time is never delivered later.

        Raises:
            StationGone: no answer in time.
            AccessRefused: it does not let this client in.
        """
        socket = self._socket(zmq.DEALER)
        self._requests += 1
        handshakes = Handshakes(socket, self._credentials, self._requests)
        try:
            socket.connect(self._station.command)
            async with asyncio.timeout(timeout_s or self._timeout_s):
                if isinstance(message, Request):
                    message = msgspec.structs.replace(message, protocol=PROTOCOL)
                await socket.send(encode(message))
                try:
                    return decode(await self._unless_closed(handshakes.answer()))
                finally:
                    self._hint = handshakes.hint
        except TimeoutError as error:
            raise self._gone() from error
        except msgspec.DecodeError as error:
            raise StationGone(f"{self._station.command} is not a station") from error
        finally:
            handshakes.close()
            socket.close()

    async def check_access(self) -> None:
        """See whether a station that fell silent has only shown this client out.

        Raises:
            AccessRefused: it has.
        """
        if self._credentials is not None:
            with contextlib.suppress(StationGone):
                await self.request(SnapshotRequest())

    async def close(self) -> None:
        """Leave. Idempotent; pending `messages` end, pending requests fail with `StationGone`."""
        if self._report is not None:
            self._report.cancel()
            await asyncio.gather(self._report, return_exceptions=True)
        self._unsubscribe()
        self._context.destroy(linger=0)

    def _report_missed(self) -> None:
        """Let the station know what this viewer missed, too; every now and then, and in the background."""
        missed, now = self._continuity.total, asyncio.get_running_loop().time()
        if missed == self._told_missed or now < self._tell_at:
            return
        self._told_missed, self._tell_at = missed, now + _REPORT_EVERY_S
        self._report = asyncio.create_task(self._send_report(missed))

    async def _send_report(self, missed: int) -> None:
        with contextlib.suppress(StationError):  # then it is reported with the next one
            await self.request(DropReport(viewer=self._name, missed=missed - self._missed_before))

    async def clock(self) -> int | None:
        """The station's clock, by the shortest answer there is: on a slow line a snapshot is seconds on its way."""
        with contextlib.suppress(StationError):
            return (await self.request(HistoryRequest(parameters=[]))).sent
        return None

    async def _join(self, limit: asyncio.Timeout) -> Snapshot:
        sub = self._subscribe()
        while True:
            answer = await self._ask_snapshot(sub, limit)
            if isinstance(answer, Refusal):
                raise CallerError(f"the station refuses: {answer.text}")
            if not isinstance(answer, Snapshot):
                raise StationGone(f"{self._station.command} is not a station")
            if await self._unless_closed(sub.poll(round(_JOIN_PAUSE_S * 1000))):
                await self._drain(sub)
            if any(m.seq <= answer.sequences.get(topic_of(m), 0) for m in self._pending):
                return answer

    async def _ask_snapshot(self, sub: zmq.asyncio.Socket, limit: asyncio.Timeout) -> AnyMessage:
        """Ask, and wait longer once the station is heard: on a slow line a snapshot takes its time."""
        asking = asyncio.create_task(self.request(SnapshotRequest(), _PATIENCE_S))
        hearing = asyncio.create_task(self._arrives(sub, _PATIENCE_S))
        try:
            await asyncio.wait({asking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done() and hearing.result():
                limit.reschedule(asyncio.get_running_loop().time() + _PATIENCE_S)
            return await asking
        finally:
            for task in (asking, hearing):
                task.cancel()
            await asyncio.gather(asking, hearing, return_exceptions=True)

    async def _rejoin(self) -> Snapshot | None:
        while not self._context.closed:
            try:
                return await self.connect()
            except OtherProtocol:
                raise
            except StationError:
                await asyncio.sleep(self._retry_s)
        return None

    def _subscribe(self) -> zmq.asyncio.Socket:
        """A fresh subscription: in an old one messages of the station's former life may still wait."""
        self._unsubscribe()
        self._pending.clear()
        self._sub = self._socket(zmq.SUB)
        self._watch = OutgoingMonitor(self._sub, MESSAGE_MAX)
        self._sub.connect(self._station.telemetry)
        self._sub.subscribe(b"")
        return self._sub

    def _unsubscribe(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._cut_off += self._watch.outgoing.cut_off
            self._watch = None
        if self._sub is not None:
            self._sub.close()
            self._sub = None

    def _socket(self, kind: int) -> zmq.asyncio.Socket:
        if self._context.closed:
            raise StationGone("this client is closed")
        socket = self._context.socket(kind)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.IPV6, "[" in self._station.telemetry)
        if self._credentials is not None:
            self._credentials.apply(socket)
        return socket

    async def _next(self, sub: zmq.asyncio.Socket) -> AnyMessage | None:
        """The next message; None after too long a silence, or when the client was closed."""
        while not self._pending:
            left_s = self._heard_s + self._silence_s - asyncio.get_running_loop().time()
            if not (left_s > 0 and await self._arrives(sub, left_s)) and not await self._arrives(sub, _GRACE_S):
                return None
            await self._drain(sub)
        return self._pending.popleft()

    async def _arrives(self, sub: zmq.asyncio.Socket, seconds: float) -> bool:
        """Whether something arrives in time, unless this client is closed."""
        if sub.closed:
            return False
        with contextlib.suppress(StationGone):
            return bool(await self._unless_closed(sub.poll(round(seconds * 1000))))
        return False

    async def _drain(self, sub: zmq.asyncio.Socket) -> None:
        for _ in range(_BATCH_MAX):
            try:
                part = await sub.recv(zmq.NOBLOCK)
                if self._watch is not None:
                    self._watch.outgoing.took(len(part))
                self._pending.append(decode(part))
            except zmq.Again:
                break
            except msgspec.DecodeError:
                self.unreadable += 1
        if self._pending:
            self._heard()

    def _heard(self) -> None:
        self._heard_ns = self._clock()
        self._heard_s = asyncio.get_running_loop().time()

    async def _unless_closed(self, waiting: Awaitable[_T]) -> _T:
        """Closing the sockets cancels what waits for them; that is not the cancellation of the waiting task."""
        try:
            return await waiting
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling() or not self._context.closed:
                raise
            raise StationGone("this client is closed") from error

    def _gone(self) -> StationGone:
        ends = self._station
        asked = f"{ends.telemetry} (asked at {ends.command})" if ends.telemetry.startswith("tcp:") else ends.command
        return StationGone(f"no station answers at {asked}{self._hint}")
