"""The messages of one relay or bridge as reports of a link. Sans-I/O; times in ns.

Rules:
1. A message that carries a far stamp keeps it: from then on the far port's clock is this link's time. What happens
   here is stamped with it too, by the offset of the last message.
2. From a relay, reports stay in time order. From a bridge, what it buffered while no station was connected comes with
   the stamps of that time, even if they lie before this side's own reports. If a relay's clock is set back, this side's
   goes on from where that stood: time that stands still would hide a silence.
3. A relay that says nothing is taken for silence at its port. A bridge says itself that it hears nothing; if it does
   not even do that, it is lost: sooner than the silence of a lander would be (300 ms), so that the cause is right.
4. What was received is acknowledged half a second later, when the archive, which commits every 100 ms, has it. A
   station that is killed gets again what it had not acknowledged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from groundstation.links.base import Chunk, Idle, RelayGap, Report, TransportChange
from groundstation.links.relay_protocol import Busy, PortState, Received, RelayMessage, Welcome, unpack_parts
from groundstation.messages.wire import Transport
from protocols.errors import DecodeError
from protocols.units import NS_PER_MS

ACK_AFTER = 500 * NS_PER_MS
QUIET_TURNS = 12
"""So many turns of 20 ms without a sign of life, and a bridge is lost."""

SET_BACK = 1000 * NS_PER_MS
"""What a relay's stamps may lie behind this side's; more, and its clock was set."""

HELLO_AGAIN = 1000 * NS_PER_MS
CHUNK_MAX = 1 << 16
"""Bytes that are decoded at once: viewers are answered in between."""

_ACK_STEP = 50 * NS_PER_MS


class RelayStream:
    """Follows one relay, over all its connections.

    Attributes:
        missed: messages that never arrived.
        malformed: messages that were none of a relay's.
        obstacle: why nothing can be written now; None if it can.
    """

    def __init__(self, endpoint: str) -> None:
        self.missed = 0
        self.malformed = 0
        self.obstacle: str | None = f"no relay is connected at {endpoint}"
        self._endpoint = endpoint
        self._offset: int | None = None
        self._last_ert = 0
        self._last_seq: int | None = None
        self._bridged = False
        self._stream = ""
        self._may_write = True
        self._port = PortState(state="CONNECTED", detail="")
        self._quiet = 0
        self._lost = False
        self._hello_at: int | None = None
        self._answer: Received | None = None
        self._acked = 0
        self._arrived: deque[tuple[int, int]] = deque()

    def connected(self, now: int) -> list[Report]:
        """A connection came about."""
        self._leave(None)
        return [self.change("CONNECTED", f"{self._endpoint} answers", now)]

    def disconnected(self, detail: str, now: int) -> list[Report]:
        """The connection ended."""
        self._leave(f"no relay is connected at {self._endpoint}")
        return [self.change("DISCONNECTED", detail, now, peer=True)]

    def take(self, parts: Sequence[bytes], now: int) -> list[Report]:
        """A message came."""
        try:
            message = unpack_parts(parts)
        except DecodeError:
            self.malformed += 1
            return []
        self._quiet = 0
        control = message.control
        if isinstance(control, Welcome):
            self._welcome(control)
            return []
        if isinstance(control, Busy):
            self._leave(control.detail)
            self._hello_at = now + HELLO_AGAIN
            return [self.change("ATTEMPTING", control.detail, now, peer=True)]
        if isinstance(control, Received) or (control is not None and not self._bridged):
            self.malformed += 1
            return []
        return [*self._found_again(now), *self._count(message, now)]

    def turn(self, now: int, *, idle: bool) -> list[Report]:
        """A turn is over, 20 ms at most; ``idle`` if nothing came in it."""
        self._quiet = self._quiet + 1 if idle else 0
        if not self._bridged:
            return [Idle(self._stamp(now))] if idle and self.obstacle is None else []
        if self._quiet < QUIET_TURNS or self._lost:
            return []
        self._lost = True
        detail = f"the bridge at {self._endpoint} gives no sign of life: it stalls, or the network does"
        return [self.change("DISCONNECTED", detail, now, peer=True)]

    def hello_due(self, now: int) -> bool:
        """Whether to say hello again; once."""
        due = self._hello_at is not None and now >= self._hello_at
        self._hello_at = None if due else self._hello_at
        return due

    def answer(self, now: int) -> Received | None:
        """What to tell the bridge now, if anything."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            return answer
        if not self._bridged or self._last_seq is None:
            return None
        if not self._arrived or now - self._arrived[-1][0] >= _ACK_STEP:
            self._arrived.append((now, self._last_seq))
        seq = self._acked
        while self._arrived and now - self._arrived[0][0] >= ACK_AFTER:
            seq = self._arrived.popleft()[1]
        if seq == self._acked:
            return None
        self._acked = seq
        return Received(stream=self._stream, seq=seq)

    def farewell(self) -> Received | None:
        """What to tell the bridge at the very end: everything that came was handed on."""
        if not self._bridged or self._last_seq is None:
            return None
        return Received(stream=self._stream, seq=self._last_seq)

    def now(self, now: int) -> int:
        """The time by the far port's clock, as far as it is known."""
        return now + (self._offset or 0)

    def change(self, state: Transport, detail: str, now: int, *, peer: bool = False) -> TransportChange:
        """A change of the transport, in this link's time."""
        return TransportChange(self._stamp(now), state, detail, peer)

    def _leave(self, obstacle: str | None) -> None:
        """Whatever is there now has not said that it is a bridge, or is none for us."""
        self.obstacle = obstacle
        self._bridged = self._lost = False
        self._hello_at = self._answer = None
        self._arrived.clear()

    def _welcome(self, control: Welcome) -> None:
        if control.stream != self._stream:
            self._stream, self._last_seq, self._acked = control.stream, control.acked, control.acked
        self._leave(None)
        self._bridged, self._may_write = True, control.may_write
        self._answer = Received(stream=control.stream, seq=self._last_seq or 0)
        self._judge_port()

    def _found_again(self, now: int) -> list[Report]:
        """A bridge that was lost is heard again."""
        if not self._lost:
            return []
        self._lost = False
        detail = self._port.detail or f"{self._endpoint} answers"
        return [replace(self.change(self._port.state, detail, now), disturbance=self._port.disturbance)]

    def _count(self, message: RelayMessage, now: int) -> list[Report]:
        """What a message of data, control of the port, or a sign of life means."""
        ert = self._far_stamp(message.ert, now) if message.ert else self._stamp(now)
        reports: list[Report] = []
        last = self._last_seq
        if message.seq:
            self._last_seq = message.seq
        if last is not None and message.seq > last + 1:
            missed = message.seq - last - 1
            self.missed += missed
            reports.append(RelayGap(ert, missed))
        if isinstance(message.control, PortState):
            control, detail = message.control, f"at the bridge: {message.control.detail}"
            if control.disturbance != "moment":
                self._port = PortState(state=control.state, detail=detail, disturbance=control.disturbance)
                self._judge_port()
            reports.append(TransportChange(ert, control.state, detail, disturbance=control.disturbance))
        elif message.data:
            reports += [Chunk(ert, message.data[n : n + CHUNK_MAX]) for n in range(0, len(message.data), CHUNK_MAX)]
        elif message.ert or not self._bridged:
            reports.append(Idle(ert))
        return reports

    def _judge_port(self) -> None:
        """Whether commands can be sent."""
        if self._port.state != "CONNECTED":
            self.obstacle = self._port.detail
        elif not self._may_write:
            self.obstacle = f"the bridge at {self._endpoint} lets this key listen only"
        else:
            self.obstacle = None

    def _far_stamp(self, ert: int, now: int) -> int:
        """A stamp of the far port. One of a relay never goes back; the first one sets this link's time."""
        first = self._offset is None
        if not (first or self._bridged) and ert < self._last_ert - SET_BACK:
            return self._stamp(now)
        self._offset = ert - now
        self._last_ert = ert if first or self._bridged else max(ert, self._last_ert)
        return self._last_ert

    def _stamp(self, now: int) -> int:
        """The time now, as the far port would have it."""
        self._last_ert = max(self._last_ert, self.now(now))
        return self._last_ert
