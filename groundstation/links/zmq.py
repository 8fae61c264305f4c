"""Bytes over ZeroMQ from a relay or a lander that binds: ``zmq:tcp://127.0.0.1:5570``, ``zmq:ipc:///run/lander``, or
from a remote bridge, with keys: ``zmq:tcp://HOST:5580?key=NAME&server_key=KEY``.

Rules:
1. DEALER at this end, one station a relay: a second would take every other message, and both would see gaps.
2. What the messages mean is up to `RelayStream`; this file sends and receives them.
3. The reader thread alone touches the socket. A writer hands its bytes over and waits for the result.
4. Monitor events come before the data that follow them and after the data that precede them: the order of
   CONNECTED, bytes, DISCONNECTED is kept.
5. The monitor is closed before the context, or the context never ends.
6. What a relay sends is bounded (`groundstation.security.outgoing`): a message of 200 MB held the station up for 50 s.
   A relay that sends more is disconnected and reported; the bytes before are kept.
7. After a key was refused, or was missing, libzmq does not try again. This link does: it may be authorized later. A
   link without a key sees either a protocol error or only a disconnect: it reports the same for both.
"""

from __future__ import annotations

import concurrent.futures
import queue
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from groundstation.errors import CallerError, LinkError
from groundstation.links.base import Clock, Report
from groundstation.links.reader import LISTEN_MS, Backoff, ReaderThread
from groundstation.links.relay_protocol import MESSAGE_MAX, pack, pack_control
from groundstation.links.relay_session import RelayStream
from groundstation.security.keys import Credentials, KeyStore, checked_key
from groundstation.security.outgoing import EVENTS, Outgoing, watched
from protocols.declare.mission import Mission
from protocols.units import NS_PER_S

WRITE_TIMEOUT_S = 0.5
WATERMARK = 1000
HEARTBEAT_MS = 500
HEARTBEAT_TIMEOUT_MS = 1500
_WAITING_WRITES = 64
_READS_A_TURN = 256
_ENDPOINT = re.compile(r"tcp://(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}|ipc://\S+")
_EVENTS = (
    EVENTS
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
_RETRY_AFTER_REFUSAL = NS_PER_S
_FAREWELL_MS = 200
_Write = tuple[bytes, "concurrent.futures.Future[None]"]


class ZmqLink:
    """A relay's bytes, and its coming and going."""

    OPTIONS = ("key", "server_key")

    def __init__(self, endpoint: str, clock: Clock, credentials: Credentials | None = None) -> None:
        """Args: what to connect to, the clock that stamps, and the keys if they are needed there.

        Raises:
            CallerError: not a tcp:// or ipc:// endpoint.
        """
        if not _ENDPOINT.fullmatch(endpoint):
            raise CallerError(f"{endpoint!r}: expected zmq:tcp://HOST:PORT or zmq:ipc://PATH")
        self.url = f"zmq:{endpoint}"
        self._endpoint = endpoint
        self._clock = clock
        self._credentials = credentials
        self._stream = RelayStream(endpoint)
        self._sent = 0
        self._connected = False
        self._told = ""
        self._retry_at: int | None = None
        self._sink: Callable[[Report], None] = _discard
        self._writes: queue.Queue[_Write] = queue.Queue(_WAITING_WRITES)
        self._reader = ReaderThread(self._run, f"zmq {endpoint}")

    @property
    def missed(self) -> int:
        """Messages that never arrived."""
        return self._stream.missed

    @property
    def malformed(self) -> int:
        """Messages that no relay sends."""
        return self._stream.malformed

    @classmethod
    def from_url(
        cls, address: str, options: Mapping[str, str], clock: Clock, mission: Mission | None = None
    ) -> ZmqLink:
        """The link of a URL.

        Raises:
            CallerError: one key without the other, or one that cannot be.
            KeyUnusable: the key's file cannot be used.
        """
        key, server_key = options.get("key"), options.get("server_key")
        if key is None and server_key is None:
            return cls(address, clock)
        if key is None or server_key is None:
            raise CallerError(f"zmq:{address}: key=NAME and server_key=KEY go together")
        return cls(address, clock, Credentials(KeyStore().load(key), checked_key(server_key)))

    def now(self) -> int:
        """The far port's time."""
        return self._stream.now(self._clock())

    def start(self, sink: Callable[[Report], None]) -> None:
        """Connect in the background and report to ``sink``, from the reader thread."""
        self._sink = sink
        self._reader.start()

    def stop(self) -> None:
        """Close and join the reader thread. Idempotent."""
        self._reader.stop()

    def write(self, data: bytes) -> None:
        """Send bytes up; ZeroMQ has them when this returns.

        Raises:
            LinkError: no relay is connected, or it took no more for half a second.
        """
        obstacle = self._stream.obstacle
        if obstacle is not None:
            raise LinkError(f"{obstacle}: nothing was sent")
        verdict: concurrent.futures.Future[None] = concurrent.futures.Future()
        try:
            self._writes.put_nowait((data, verdict))
            self._reader.wake()
            verdict.result(WRITE_TIMEOUT_S)
        except (queue.Full, TimeoutError) as error:
            verdict.cancel()
            raise LinkError(f"the link to {self._endpoint} takes no more: nothing was sent") from error

    def _run(self) -> None:
        with zmq.Context() as context:
            socket = context.socket(zmq.DEALER)
            monitor = socket.get_monitor_socket(_EVENTS)
            outgoing = Outgoing(socket, MESSAGE_MAX, heartbeats=True)
            try:
                configure(socket)
                socket.setsockopt(zmq.IPV6, "[" in self._endpoint)
                if self._credentials is not None:
                    self._credentials.apply(socket)
                with watched(outgoing):
                    self._serve(socket, monitor, outgoing)
                self._say_farewell(socket)
            finally:
                self._connected = False
                self._refuse_writes("the link was stopped")
                socket.disable_monitor()
                monitor.close()
                outgoing.close()
                socket.close()

    def _serve(self, socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes], outgoing: Outgoing) -> None:
        if not self._connect(socket):
            return
        poller = zmq.Poller()
        for source in (socket, monitor, self._reader.wake_fd):
            poller.register(source, zmq.POLLIN)
        while not self._reader.stopping:
            ready = poller.poll(LISTEN_MS)
            self._take_events(socket, monitor, outgoing)
            outgoing.look(emptied=not self._take_messages(socket, outgoing))
            self._take_turn(socket, idle=not ready)
            self._reader.clear()
            self._send_writes(socket)

    def _connect(self, socket: zmq.Socket[bytes]) -> bool:
        try:
            socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            self._attempt(f"{self._endpoint} cannot be connected to: {error.strerror}")
            return False
        self._attempt(f"no answer from {self._endpoint} yet: start the lander or relay there")
        return True

    def _take_events(self, socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes], outgoing: Outgoing) -> None:
        while monitor.poll(0):
            told = recv_monitor_message(monitor)
            event = told["event"]
            if event & EVENTS:
                outgoing.event(event, told["value"], told["endpoint"].decode(errors="replace"))
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._connected, self._told = True, ""
                self._report(self._stream.connected(self._clock()))
                self._send(socket, b"")
            elif event == zmq.EVENT_DISCONNECTED and self._connected:
                self._leave(socket, outgoing)
                ended = f"was cut off, {outgoing.why}" if outgoing.why else "went away"
                detail = f"{self._endpoint} {ended}: trying again"
                self._report(self._stream.disconnected(detail, self._clock()))
            elif not event & EVENTS:
                self._handshake_failed(event)

    def _handshake_failed(self, event: int) -> None:
        """Report why, as far as this side can tell: a link without a key may see a disconnect alone."""
        if self._credentials is None:
            url = f"zmq:{self._endpoint}?key=NAME&server_key=KEY"
            self._attempt(f"{self._endpoint} needs a key, or is not a lander or relay: {url}")
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            own = self._credentials.own
            hint = f"there, `groundstation keys allow {own.name} {own.public} --command` lets it in"
            self._attempt(f"{self._endpoint} does not let the key {own.name!r} in: {hint}")
        else:
            self._attempt(f"what answers at {self._endpoint} does not have the key given as server_key")
        if event != zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:  # then libzmq does not try again by itself
            self._retry_at = self._clock() + _RETRY_AFTER_REFUSAL

    def _leave(self, socket: zmq.Socket[bytes], outgoing: Outgoing) -> None:
        """Take what came before the end, and drop what was not sent: it must not reach the next lander."""
        while self._take_messages(socket, outgoing):
            pass
        self._connected = False
        self._reconnect(socket)

    def _reconnect(self, socket: zmq.Socket[bytes]) -> None:
        socket.disconnect(self._endpoint)
        socket.connect(self._endpoint)

    def _take_messages(self, socket: zmq.Socket[bytes], outgoing: Outgoing) -> bool:
        """Take messages for one turn; False: there are no more."""
        for _ in range(_READS_A_TURN):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return False
            outgoing.took(sum(map(len, parts)))
            self._report(self._stream.take(parts, self._clock()))
        return True

    def _take_turn(self, socket: zmq.Socket[bytes], *, idle: bool) -> None:
        now = self._clock()
        self._report(self._stream.turn(now, idle=idle))
        if self._connected and self._stream.hello_due(now):
            self._send(socket, b"")
        answer = self._stream.answer(now)
        if answer is not None:
            self._send_parts(socket, pack_control(0, now, answer))
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._reconnect(socket)

    def _say_farewell(self, socket: zmq.Socket[bytes]) -> None:
        """Acknowledge everything that came: the next station need not get it again."""
        farewell = self._stream.farewell() if self._connected else None
        if farewell is not None:
            socket.setsockopt(zmq.LINGER, _FAREWELL_MS)
            self._send_parts(socket, pack_control(0, self._clock(), farewell))

    def _send_writes(self, socket: zmq.Socket[bytes]) -> None:
        if not self._connected:
            # Written for the relay that just left: ZeroMQ would keep it for the next one.
            self._refuse_writes("the relay went away")
        while not self._writes.empty():
            data, verdict = self._writes.get_nowait()
            if not verdict.set_running_or_notify_cancel():
                continue
            if self._send(socket, data):
                verdict.set_result(None)
            else:
                verdict.set_exception(LinkError(f"{self._endpoint} takes no more: nothing was sent"))

    def _send(self, socket: zmq.Socket[bytes], data: bytes) -> bool:
        sent = self._send_parts(socket, [pack(self._sent + 1, self._clock(), data)])
        self._sent += sent
        return sent

    def _send_parts(self, socket: zmq.Socket[bytes], parts: list[bytes]) -> bool:
        try:
            socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _refuse_writes(self, why: str) -> None:
        while not self._writes.empty():
            _, verdict = self._writes.get_nowait()
            if verdict.set_running_or_notify_cancel():
                verdict.set_exception(LinkError(f"{self._endpoint}: {why}, nothing was sent"))

    def _attempt(self, detail: str) -> None:
        """Report why there is no connection yet; once."""
        if detail != self._told:
            self._told = detail
            self._report([self._stream.change("ATTEMPTING", detail, self._clock())])

    def _report(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self._sink(report)


def configure(socket: zmq.Socket[Any]) -> None:
    """Options that both ends of a relay share; before bind or connect."""
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, WATERMARK)
    socket.setsockopt(zmq.RCVHWM, 0)  # with a full queue heartbeats make libzmq abort (zeromq/libzmq#3937)
    socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_MAX)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL, int(Backoff.FIRST * 1000))
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, int(Backoff.LAST * 1000))


def _discard(_: Report) -> None:
    """The sink before `ZmqLink.start`."""
