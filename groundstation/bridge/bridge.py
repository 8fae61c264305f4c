"""A serial port of a bench host, served to a remote station.

    reader thread ─▶ RelayBuffer ─▶ ROUTER ══ network ══▶ ZmqLink of the station
                                      │  ◀══ Received, commands
                                      └─▶ link.write

Rules:
1. What was read is kept until the station has acknowledged it: across broken connections and stations that restart.
2. One station at a time. Another one is answered `Busy`, and asks again.
3. A command is written now or not at all: what the port does not take is dropped, counted and reported. COP-1 resends.
4. The reader thread puts into the buffer; the event loop takes out. Both hold the lock, for moments.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

import zmq
import zmq.asyncio

from groundstation.bridge.relay_buffer import Entry, RelayBuffer
from groundstation.errors import LinkError
from groundstation.host.service import stop_signals
from groundstation.host.wakeup import LoopWakeup
from groundstation.links.base import Chunk, Clock, Idle, Link, Report, TransportChange
from groundstation.links.relay_protocol import (
    Busy,
    PortState,
    Received,
    RelayMessage,
    Welcome,
    pack,
    pack_control,
    unpack_parts,
)
from groundstation.links.zmq import configure
from groundstation.messages.throttle import EventThrottle
from groundstation.security.authorization import AuthorizedKeys, Principal
from groundstation.security.connections import Bounds, Connections
from groundstation.security.endpoints import bind, check
from groundstation.security.keys import KeyPair, KeyStore
from groundstation.security.zap import CurveAuthenticator, NoAuthentication
from protocols.errors import DecodeError

DEFAULT_BUFFER = 32 << 20
"""Bytes of memory; at 115200 baud, with reads of 32 bytes, some six minutes."""

_BEAT_S = 0.05
_FULL_PAUSE_S = 0.005
_MIND_EVERY_S = 0.25
_LAST_WORDS_S = 1.0
_BOUNDS = Bounds(message=1 << 16, connections=64, silent=32, heartbeats=True)
_BREATH = 256


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """The configuration of a bridge.

    Attributes:
        endpoint: where the station connects.
        key: the bridge's own; needed for an endpoint that other hosts can reach.
        buffer: bytes of memory for data that no station has acknowledged.
    """

    endpoint: str
    key: KeyPair | None = None
    buffer: int = DEFAULT_BUFFER


@dataclass(slots=True)
class _Station:
    """The station that is served, or was.

    Attributes:
        here: it has not left. Its last `Received` may be read after that.
        following: it reported where to go on.
    """

    identity: bytes
    key: str
    here: bool = True
    following: bool = False


class Bridge:
    """One port, one endpoint. To be made and used inside one event loop.

    Attributes:
        unwritten: bytes of commands that the port did not take.
    """

    def __init__(
        self, config: BridgeConfig, link: Link, store: KeyStore, clock: Clock, say: Callable[[str], None]
    ) -> None:
        """Args: the settings, the port, the keys, now in ns, and the log.

        Raises:
            CallerError: other hosts could reach the endpoint, and there is no key.
        """
        check(config.endpoint, keyed=config.key is not None)
        self.unwritten = 0
        self._config = config
        self._link = link
        self._guests = AuthorizedKeys(store)
        self._log = say
        self._tally = EventThrottle(lambda text: say(f"refused: {text}"), clock)
        self._stream = secrets.token_hex(8)
        self._buffer = RelayBuffer(config.buffer)
        self._lock = threading.Lock()
        self._listened = 0
        self._station: _Station | None = None
        self._told_dropped = 0
        self._told_list: str | None = None
        self._arrived = LoopWakeup()
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Serve until a signal asks to stop.

        Args:
            ready: called with the endpoint once a station can connect.

        Raises:
            WorldError: the endpoint cannot be bound.
        """
        with zmq.asyncio.Context() as context:
            self._gate = self._make_gate(context)
            self._router = context.socket(zmq.ROUTER)
            configure(self._router)
            self._router.set(zmq.ROUTER_MANDATORY, 1)  # a station that left is an error, not a hole
            self._gate.secure(self._router)
            self._connections = Connections(self._router, _BOUNDS, self._tally.note, self._gate)
            try:
                ready(bind(self._router, self._config.endpoint))
                await self._serve()
            finally:
                self._link.stop()
                self._connections.close()
                self._router.close()
                self._gate.close()
        self._sum_up()

    def _make_gate(self, context: zmq.asyncio.Context) -> CurveAuthenticator | NoAuthentication:
        if self._config.key is None:
            return NoAuthentication()
        return CurveAuthenticator(context, self._config.key, self._guests, self._tally)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self._stop.set)
        self._link.start(lambda report: self._sink(report, loop))
        async with asyncio.TaskGroup() as tasks:
            work = (self._gate.serve(), self._pump(), self._receive(), self._mind(), self._connections.watch())
            running = [tasks.create_task(each) for each in work]
            await self._stop.wait()
            self._link.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self._emptied()
            for task in running:
                task.cancel()

    def _sink(self, report: Report, loop: asyncio.AbstractEventLoop) -> None:
        """In the reader thread: keep what was read."""
        with self._lock:
            if isinstance(report, Chunk):
                self._buffer.put(report.ert, report.data)
            elif isinstance(report, TransportChange):
                state = PortState(state=report.state, detail=report.detail, disturbance=report.disturbance)
                self._buffer.put(report.ert, b"", state)
            elif isinstance(report, Idle):
                self._listened = report.ert
        self._arrived.ring(loop)
        if isinstance(report, TransportChange):
            loop.call_soon_threadsafe(self._log, report.detail)

    # ------------------------------------------------------------------------------------------- down

    async def _pump(self) -> None:
        """Send what there is, and signs of life while there is nothing."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_S):
                    await self._arrived.heard()
            station = self._station
            if station is not None and station.here and station.following and not await self._send_kept(station):
                await asyncio.sleep(_FULL_PAUSE_S)
                self._arrived.ring(asyncio.get_running_loop())

    async def _send_kept(self, station: _Station) -> bool:
        """Send until nothing is left, or False: until the station takes no more for now."""
        count = 0
        while station.here:
            with self._lock:
                entry = self._buffer.take()
            if entry is None:
                return await self._send_sign_of_life(station)
            if not await self._send(station.identity, _parts(entry)):
                with self._lock:
                    self._buffer.put_back()
                return False
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
        return True

    async def _send_sign_of_life(self, station: _Station) -> bool:
        """Report silence at the port up to a moment, or just a heartbeat."""
        with self._lock:
            seq, listened = self._buffer.last_sent, self._listened
            self._listened = 0
        await self._send(station.identity, [pack(seq, listened, b"")])
        return True

    async def _send(self, identity: bytes, parts: list[bytes]) -> bool:
        """Send without blocking; False: no room, or no peer."""
        try:
            await self._router.send_multipart([identity, *parts], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            if self._station is not None and self._station.identity == identity and self._station.here:
                self._station.here = False
                self._log("the station left: what comes now is kept for it")
            return False
        return True

    async def _emptied(self) -> None:
        """Wait until everything was acknowledged, while a station is there."""
        while self._station is not None and self._station.here and self._buffer.waiting:
            await asyncio.sleep(_BEAT_S)

    # ------------------------------------------------------------------------------------------- up

    async def _receive(self) -> None:
        while True:
            identity, *frames = await self._router.recv_multipart(copy=False)
            self._connections.heard(frames[-1], sum(map(len, frames)))
            try:
                message = unpack_parts([frame.bytes for frame in frames])
            except DecodeError as error:
                self._tally.note("malformed", f"not a message of a station: {error}")
                continue
            await self._process(identity.bytes, self._gate.key_of(frames[0]), message)

    async def _process(self, identity: bytes, key: str, message: RelayMessage) -> None:
        caller = self._gate.caller(key)
        station = self._station
        if caller.rights == "none":
            self._tally.note(f"none {key}", f"the key {caller.key!r} is no longer authorized")
            await self._send_away(identity, f"the key {caller.key!r} is no longer authorized")
        elif message.data:
            await self._command(identity, caller, message.data)
        elif message.control is None:
            await self._greet(identity, key, caller)
        elif isinstance(message.control, Received) and station is not None and station.identity == identity:
            await self._received(station, message.control)

    async def _greet(self, identity: bytes, key: str, caller: Principal) -> None:
        """A station's hello came."""
        other = self._station
        if other is not None and other.here and other.identity != identity:
            await self._send_sign_of_life(other)  # finds out whether it is still there
            if other.here:
                await self._send_away(identity, f"the bridge at {self._config.endpoint} serves another station")
                return
        self._station = _Station(identity, key)
        with self._lock:
            welcome = Welcome(stream=self._stream, acked=self._buffer.acked, may_write=caller.rights == "command")
        await self._send(identity, pack_control(0, 0, welcome))
        self._log(f"a station came{'' if caller.key is None else f' with the key {caller.key!r}'}")

    async def _received(self, station: _Station, control: Received) -> None:
        """The station's acknowledgement: the first says where to go on, later ones what to drop."""
        if control.stream != self._stream:
            return
        with self._lock:
            if station.following:
                self._buffer.acknowledged(control.seq)
                return
            self._buffer.resume(control.seq)
            port = self._buffer.port
        if port is not None:
            await self._send(station.identity, pack_control(0, 0, port))
        station.following = True
        self._arrived.ring(asyncio.get_running_loop())

    async def _command(self, identity: bytes, caller: Principal, data: bytes) -> None:
        if self._station is None or self._station.identity != identity:
            self._tally.note("not served", f"{len(data)} bytes of commands from a station that is not served")
            return
        if caller.rights != "command":
            self._tally.note(f"command {caller.key}", f"commands of the key {caller.key!r}: it may only listen")
            return
        try:
            await asyncio.to_thread(self._link.write, data)
        except LinkError as error:
            self.unwritten += len(data)
            self._log(f"commands not written: {error}")

    async def _send_away(self, identity: bytes, detail: str) -> None:
        await self._send(identity, pack_control(0, 0, Busy(detail=detail)))

    # ------------------------------------------------------------------------------------------- minding

    async def _mind(self) -> None:
        """Stop serving revoked keys, and report what changed."""
        while True:
            station = self._station
            if station is not None and self._gate.caller(station.key).rights == "none":
                self._station, station.here = None, False
                self._log("the station's key was revoked: no more data is sent to it")
                await self._send_away(station.identity, "the station's key is no longer authorized")
            self._report_key_file()
            self._report_drops()
            self._tally.tick()
            await asyncio.sleep(_MIND_EVERY_S)

    def _report_key_file(self) -> None:
        if self._guests.error not in (None, self._told_list):
            self._log(f"no client is authorized: {self._guests.error}")
        self._told_list = self._guests.error

    def _report_drops(self) -> None:
        """Report the first drop, and whenever their number has doubled since the last report."""
        with self._lock:
            dropped, size = self._buffer.dropped, self._buffer.dropped_bytes
        if dropped and dropped >= 2 * self._told_dropped:
            self._told_dropped = dropped
            self._log(f"the buffer is full and no station takes data: {dropped} reads, {size} bytes dropped so far")

    def _sum_up(self) -> None:
        with self._lock:
            buffer = self._buffer
            text = (
                f"dropped {buffer.dropped} reads ({buffer.dropped_bytes} bytes); "
                f"{buffer.waiting} bytes not acknowledged"
            )
        self._log(f"the bridge ends: {text}; {self.unwritten} bytes of commands not written")


def _parts(entry: Entry) -> list[bytes]:
    if entry.port is not None:
        return pack_control(entry.seq, entry.ert, entry.port)
    return [pack(entry.seq, entry.ert, entry.data)]
