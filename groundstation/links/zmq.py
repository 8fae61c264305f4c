"""Bytes over ZeroMQ from a relay or a lander that binds: ``zmq:tcp://127.0.0.1:5570``, ``zmq:ipc:///run/lander``.

Rules:
1. DEALER to DEALER, one station a relay: a second would take every other message, and both would see gaps.
2. A message that carries a far stamp keeps it: from then on the far port's clock is this link's time. Silence
   and changes are stamped with it too, by the offset of the last message, so that reports stay in time order.
3. The reader thread alone touches the socket. Who writes hands over and waits for the verdict.
4. Monitor events come before the data that follow them and after the data that precede them: the order of
   CONNECTED, bytes, DISCONNECTED is kept.
5. The monitor is closed before the context, or the context never ends.
"""

from __future__ import annotations

import concurrent.futures
import queue
import re
from collections.abc import Callable, Mapping

import zmq
from zmq.utils.monitor import recv_monitor_message

from groundstation.errors import CallerError, LinkError
from groundstation.links.base import Chunk, Clock, LinkChange, Listening, RelayGap, Report, TransportState
from groundstation.links.reader import LISTEN_MS, Backoff, ReaderThread
from groundstation.links.zmq_wire import pack, unpack
from protocols.errors import DecodeError

WRITE_TIMEOUT_S = 0.5
WATERMARK = 1000
HEARTBEAT_MS = 500
HEARTBEAT_TIMEOUT_MS = 1500
_WAITING_WRITES = 64
_READS_A_TURN = 256
_ENDPOINT = re.compile(r"tcp://(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}|ipc://\S+")
_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
_Write = tuple[bytes, "concurrent.futures.Future[None]"]


class ZmqLink:
    """A relay's bytes, and its coming and going.

    Attributes:
        missed: messages that never arrived.
        malformed: messages that were none of a relay's.
    """

    OPTIONS: tuple[str, ...] = ()

    def __init__(self, endpoint: str, clock: Clock) -> None:
        """Args: what to connect to, and the clock that stamps.

        Raises:
            CallerError: no tcp:// or ipc:// endpoint.
        """
        if not _ENDPOINT.fullmatch(endpoint):
            raise CallerError(f"{endpoint!r}: zmq:tcp://HOST:PORT or zmq:ipc://PATH is wanted")
        self.url = f"zmq:{endpoint}"
        self.missed = 0
        self.malformed = 0
        self._endpoint = endpoint
        self._clock = clock
        self._offset: int | None = None
        self._last_ert = 0
        self._last_seq: int | None = None
        self._sent = 0
        self._connected = False
        self._sink: Callable[[Report], None] = _nobody
        self._writes: queue.Queue[_Write] = queue.Queue(_WAITING_WRITES)
        self._reader = ReaderThread(self._run, f"zmq {endpoint}")

    @classmethod
    def from_url(cls, address: str, options: Mapping[str, str], clock: Clock) -> ZmqLink:
        """The link of a URL; it has no options."""
        return cls(address, clock)

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
        if not self._connected:
            raise LinkError(f"no relay is connected at {self._endpoint}: nothing was sent")
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
            try:
                configure(socket)
                self._serve(socket, monitor)
            finally:
                self._connected = False
                self._refuse_writes("the link was stopped")
                socket.disable_monitor()
                monitor.close()
                socket.close()

    def _serve(self, socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes]) -> None:
        if not self._connect(socket):
            return
        poller = zmq.Poller()
        for source in (socket, monitor, self._reader.wake_fd):
            poller.register(source, zmq.POLLIN)
        while not self._reader.stopping:
            ready = poller.poll(LISTEN_MS)
            self._take_events(socket, monitor)
            self._take_messages(socket)
            if not ready and self._connected:
                self._sink(Listening(self._stamp()))
            self._reader.clear()
            self._send_writes(socket)

    def _connect(self, socket: zmq.Socket[bytes]) -> bool:
        try:
            socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            self._change("ATTEMPTING", f"{self._endpoint} cannot be connected to: {error.strerror}")
            return False
        self._change("ATTEMPTING", f"nobody answers at {self._endpoint} yet: start the lander or relay there")
        return True

    def _take_events(self, socket: zmq.Socket[bytes], monitor: zmq.Socket[bytes]) -> None:
        while monitor.poll(0):
            event = recv_monitor_message(monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._connected = True
                self._change("CONNECTED", f"{self._endpoint} answers")
                self._send(socket, b"")
            elif self._connected:
                self._leave(socket)
                self._change("DISCONNECTED", f"{self._endpoint} went away: trying again", peer=True)

    def _leave(self, socket: zmq.Socket[bytes]) -> None:
        """Take what came before the end, and begin anew: what was not sent must not reach the next lander."""
        while self._take_messages(socket):
            pass
        self._connected = False
        socket.disconnect(self._endpoint)
        socket.connect(self._endpoint)

    def _take_messages(self, socket: zmq.Socket[bytes]) -> bool:
        """Take messages for one turn; False: there are no more."""
        for _ in range(_READS_A_TURN):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return False
            self._take(parts)
        return True

    def _take(self, parts: list[bytes]) -> None:
        now = self._clock()
        try:
            message = unpack(b"".join(parts))
        except DecodeError:
            self.malformed += 1
            return
        ert = self._far_stamp(message.ert, now) if message.ert else self._stamp()
        last, self._last_seq = self._last_seq, message.seq
        if last is not None and message.seq > last + 1:
            missed = message.seq - last - 1
            self.missed += missed
            self._sink(RelayGap(ert, missed))
        self._sink(Chunk(ert, message.data) if message.data else Listening(ert))

    def _far_stamp(self, ert: int, now: int) -> int:
        """A stamp of the far port, which never goes back; the first one sets this link's time."""
        first, self._offset = self._offset is None, ert - now
        self._last_ert = ert if first else max(ert, self._last_ert)
        return self._last_ert

    def _stamp(self) -> int:
        """The time now, as the far port would have it."""
        self._last_ert = max(self._last_ert, self._clock() + (self._offset or 0))
        return self._last_ert

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
        try:
            socket.send(pack(self._sent + 1, self._clock(), data), zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._sent += 1
        return True

    def _refuse_writes(self, why: str) -> None:
        while not self._writes.empty():
            _, verdict = self._writes.get_nowait()
            if verdict.set_running_or_notify_cancel():
                verdict.set_exception(LinkError(f"{self._endpoint}: {why}, nothing was sent"))

    def _change(self, state: TransportState, detail: str, peer: bool = False) -> None:
        self._sink(LinkChange(self._stamp(), state, detail, peer))


def configure(socket: zmq.Socket[bytes]) -> None:
    """Options that both ends of a relay share; before bind or connect."""
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, WATERMARK)
    socket.setsockopt(zmq.RCVHWM, WATERMARK)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL, int(Backoff.FIRST * 1000))
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, int(Backoff.LAST * 1000))


def _nobody(_: Report) -> None:
    """The sink before `ZmqLink.start`."""
