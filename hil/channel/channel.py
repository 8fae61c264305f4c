"""Applies faults to bytes: between target and station, bytes in, bytes out, with a scenario's faults. Sans-I/O.

    target ──feed_down──▶ cutter ──▶ stage ──▶ stage ──▶ … ──▶ line ──take_down──▶ station
           ◀──take_up──── line ◀── … ◀── stage ◀── stage ◀─────feed_up────

Rules:
1. Time is the line's: mission time in lockstep, the host's clock at the flight's speed in real time. It never stands.
2. Bytes are never reordered but by a fault that is told to. A delay holds up all that comes behind it.
3. Every byte is accounted for: sent + added = delivered + lost + unheard + on the way, in each direction. Unheard is
   what came before the station listened: a flight of a part of the pass begins so.
4. A fault that is off leaves the stream as it is, byte for byte, however it is cut.
5. All randomness is drawn from the seed; each fault and direction has numbers of its own, so that one fault does not
   move another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from hil.channel.frame_splitter import FrameSplitter, SentFrame
from hil.faults import FaultLog, Note, Spec, Stage, StreamDirection, Unit, Watch
from hil.faults.timing import Pace
from protocols.declare.dictionary import Dictionary
from protocols.lander import MARS6
from protocols.profile import LinkProfile


@dataclass(frozen=True, slots=True)
class Delivered:
    """Bytes as they came out: where they stood in the sender's stream (None: line noise), and when they came."""

    at: int
    origin: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """Where the bytes of one direction went. ``added`` and ``lost`` are what the faults say they did, ``unheard`` came
    before the station listened.
    """

    sent: int
    added: int
    delivered: int
    lost: int
    pending: int
    unheard: int = 0

    @property
    def conserved(self) -> bool:
        """No byte appeared or went without a fault that says so."""
        return self.sent + self.added == self.delivered + self.lost + self.pending + self.unheard


class _Line:
    """One direction: the stages in order, and what is on its way."""

    def __init__(self, stages: Sequence[Stage], baud: int | None) -> None:
        self._stages = stages
        self._pace = Pace(baud) if baud else None
        self._waiting: deque[Unit] = deque()
        self._free = 0
        self.sent = bytearray()
        self.delivered: list[Delivered] = []

    def push(self, unit: Unit, now: int) -> None:
        """One unit in at the sender's end."""
        self._through(0, [unit], now)

    def exposed(self, fault: int) -> int:
        """Bytes that came while a fault's window was open."""
        return sum(stage.exposed for stage in self._stages if stage.fault == fault)

    def take(self, now: int | None, before: int | None = None) -> list[Unit]:
        """What is at the other end by ``now``; None: all that is on its way, or all of mission times ``before``."""
        came = []
        while self._waiting:
            unit = self._waiting[0]
            if (now is not None and unit.due > now) or (before is not None and unit.scet >= before):
                break
            came.append(self._waiting.popleft())
        return came

    def arrive(self, units: list[Unit]) -> None:
        """Bytes that came out of the line at the other end."""
        self.delivered += [Delivered(unit.due, unit.origin, unit.data) for unit in units]

    def close(self, now: int) -> None:
        """The sender ended: what faults hold back goes on its way."""
        for n, stage in enumerate(self._stages):
            self._through(n + 1, stage.close(), now)

    @property
    def next_due(self) -> int | None:
        """When the next unit arrives."""
        return self._waiting[0].due if self._waiting else None

    @property
    def pending(self) -> int:
        """Bytes on their way."""
        return sum(len(unit.data) for unit in self._waiting)

    def _through(self, first: int, units: list[Unit], now: int) -> None:
        for stage in self._stages[first:]:
            units = [out for unit in units for out in stage.push(unit)]
        for unit in units:
            if unit.data:
                self._send(unit, now)

    def _send(self, unit: Unit, now: int) -> None:
        paced = self._pace.pass_(unit) if self._pace is not None else unit
        self._free = max(paced.due, now, self._free)
        self._waiting.append(paced if paced.due == self._free else paced.later(self._free - paced.due))


class Channel:
    """Both directions of one link.

    Attributes:
        log: what the faults did.
        cuts: all frames that the target sent, and what it sent beside them.
    """

    def __init__(
        self,
        faults: Sequence[Spec],
        seed: int,
        profile: LinkProfile,
        *,
        events_of: Dictionary | None = None,
        baud: int | None = None,
        start: int = 0,
        watches: Mapping[int, Watch] | None = None,
        dictionary: Dictionary = MARS6,
        relay: str | None = None,
    ) -> None:
        """Build it.

        Args:
            faults: of a scenario, all of them: places in the log are places in there.
            seed: of the run.
            profile: how the target's frames lie on the wire.
            events_of: whose onboard events open windows; None if none does.
            baud: rate of the line by which bytes are paced; None: they take no time.
            start: mission time of bytes before the first frame, in ns.
            watches: of the faults that wait for a parameter, by their places.
            dictionary: where a packet's header says its time.
            relay: whose link it is; None: the bus's. The faults of other links do nothing here.
        """
        self._relay = relay
        self._watches = {} if watches is None else watches
        self.log = FaultLog()
        self.cuts: list[SentFrame] = []
        self._cutter = FrameSplitter(profile, events_of, dictionary)
        self._down = _Line(self._stages(faults, seed, "down"), baud)
        self._up = _Line(self._stages(faults, seed, "up"), baud)
        self._scet = start
        self._frames = 0
        self._written = 0
        self._unheard = 0

    def feed_down(self, data: bytes, now: int, *, whole: bool = True) -> list[Unit]:
        """The target sent bytes at ``now``; the frames among them, as they were sent.

        Args:
            data: any number of bytes.
            now: the line's time, in ns.
            whole: no more comes at once: a piece of a frame at the end is one that a reset cut off.
        """
        self._down.sent += data
        cuts = self._cutter.feed(data)
        if whole:
            cuts += self._cutter.end()
        self.cuts += cuts
        units = [self._unit(cut, now) for cut in cuts]
        for unit in units:
            self._down.push(unit, now)
        return units

    def feed_up(self, data: bytes, now: int) -> None:
        """The station sent bytes at ``now``."""
        unit = Unit(data, now, max(self._scet, 0), self._written, len(self._up.sent))
        self._up.sent += data
        self._written += 1
        self._up.push(unit, now)

    def take_down(self, now: int) -> list[Unit]:
        """What the station's port has by ``now``, in order."""
        return self._taken(self._down, now)

    def skip_down(self, now: int) -> None:
        """Discard what reaches the station's port by ``now``, before the station listens."""
        self._unheard += sum(len(unit.data) for unit in self._down.take(now))

    def flush_down(self, before: int) -> list[Unit]:
        """All that is on its way to the station and carries a mission time before that one, however early it is."""
        came = self._down.take(None, before)
        self._down.arrive(came)
        return came

    def take_up(self, now: int) -> list[Unit]:
        """What the target's port has by ``now``, in order."""
        return self._taken(self._up, now)

    def lose(self, direction: StreamDirection, fault: int, kind: str, now: int | None) -> None:
        """Lose what arrives by ``now``: the link or its other end is gone. None: all that is on its way."""
        note = Note(self.log, fault, kind, direction)
        for unit in self._line(direction).take(now):
            note(unit, "lost", "the other end is gone")

    @staticmethod
    def _taken(line: _Line, now: int) -> list[Unit]:
        came = line.take(now)
        line.arrive(came)
        return came

    def passed(self, scet: int) -> None:
        """Mission time goes on although no frame carries it: for windows on the way up."""
        self._scet = max(self._scet, scet)

    def close(self, now: int) -> None:
        """Nothing more is sent: what faults hold back goes on its way, and so does a piece of a frame."""
        for cut in self._cutter.end():
            self.cuts.append(cut)
            self._down.push(self._unit(cut, now), now)
        self._down.close(now)
        self._up.close(now)

    @property
    def next_down(self) -> int | None:
        """When the next bytes arrive at the station."""
        return self._down.next_due

    @property
    def next_up(self) -> int | None:
        """When the next bytes arrive at the target."""
        return self._up.next_due

    def sent(self, direction: StreamDirection) -> bytes:
        """All that was sent in one direction."""
        return bytes(self._line(direction).sent)

    def delivered(self, direction: StreamDirection) -> list[Delivered]:
        """All that came out in one direction."""
        return self._line(direction).delivered

    def exposed(self, fault: int) -> int:
        """Bytes that came, in whatever direction, while a fault's window was open."""
        return self._down.exposed(fault) + self._up.exposed(fault)

    def account(self, direction: StreamDirection) -> Account:
        """Where the bytes of one direction went."""
        line, totals = self._line(direction), self.log.totals
        delivered = sum(len(piece.data) for piece in line.delivered)
        unheard = self._unheard if direction == "down" else 0
        added, lost = totals[direction, "added"], totals[direction, "lost"]
        return Account(len(line.sent), added, delivered, lost, line.pending, unheard)

    def _line(self, direction: StreamDirection) -> _Line:
        return self._down if direction == "down" else self._up

    def _stages(self, faults: Sequence[Spec], seed: int, direction: StreamDirection) -> list[Stage]:
        stages = []
        for n, spec in enumerate(faults):
            if spec.family == "stream" and spec.direction in (direction, "both") and spec.relay == self._relay:
                chosen = seed if spec.seed is None else spec.seed
                random = Random(f"{chosen}/{n if spec.seed is None else spec.kind}/{direction}")  # noqa: S311 - repeatable, not secret
                stages.append(
                    Stage(spec, spec.effect(random), Note(self.log, n, spec.kind, direction), self._watches.get(n))
                )
        return stages

    def _unit(self, cut: SentFrame, now: int) -> Unit:
        if cut.scet is not None:
            self._scet = cut.scet
        unit = Unit(cut.data, now, self._scet, self._frames, cut.offset, cut.events)
        self._frames += 1
        return unit
