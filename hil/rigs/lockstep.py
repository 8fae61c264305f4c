"""Flies a scenario in lockstep: target, channel and station take turns, tick by tick, and no clock runs.

    act ─▶ target ──burst──▶ channel ──chunks──▶ recorder ──CLCW, reports──▶ uplink
             ▲                  │  ▲                                            │
             └──────────────────┘  └────────────────── CLTUs ───────────────────┘

The line's time is 100 ms a tick from the mission's epoch on, whatever the target does: a target that hangs falls behind
it. Everything that faults do to the bytes is done here, so a slow host multiplies nothing. Of a part of a pass all that
comes before is flown likewise, with its faults; the station listens from the part's beginning to its end.

Where the scenario has relays, each carries the lander's frames of the one stream over a channel of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import msgspec

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.errors import ArchiveError, CommandRefused
from groundstation.links.base import Chunk, Idle, Report, TransportChange
from groundstation.messages.commanding import FINAL_STATES, CommandUpdate
from groundstation.messages.wire import EventMessage, Telemetry
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.schema import LINKS
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from groundstation.uplink.cop1_messages import Transmission
from groundstation.uplink.service import Uplink, UplinkOutcome
from hil.channel.channel import Channel
from hil.channel.relayed import RelayedFrames
from hil.errors import MachineFailed
from hil.faults import Unit
from hil.lander.flight_profile import longest_pass
from hil.lander.physics.dynamics import TICK_NS
from hil.rigs.environment_faults import EnvironmentFaults
from hil.rigs.pending_commands import PendingCommands
from hil.rigs.scheduled_fault import ScheduledFault
from hil.rigs.stepped_target import SteppableTarget
from hil.scenario.relays import RelayLink
from hil.scenario.scenario import Scenario
from hil.scenario.triggers import Triggers
from hil.verdict.flight_record import FlightRecord
from protocols.ccsds.tm_frame import MCFC_MODULUS
from protocols.lander import EPOCH, LANDER, MARS6, MISSION, SURFACE
from protocols.profile import UART
from protocols.units import NS_PER_MS

OVERTIME_TICKS = 7_500
"""So long after the longest pass every flight ends."""
BATCH = 100
"""Ticks that a target may fly at once while nothing is to be done to it."""
_LISTEN_TICKS = 10
"""The station listens on after the last byte, so that a loss at the very end is declared."""
_ARMED_S = 60.0
_WHO = "rig"

Progress = Callable[[int], None]
"""Told the mission time from time to time, in ns."""


class LockstepRig:
    """One flight. `fly` once."""

    def __init__(self, scenario: Scenario, target: SteppableTarget, recording: Path, progress: Progress) -> None:
        self._scenario = scenario
        self._part = scenario.head.part
        self._listens = False
        self._pass = scenario.head.plan
        begin = self._pass.begin
        self._target = target
        self._url = f"lockstep:{target.name}"
        self._progress = progress
        by_event = any(fault.at is not None and fault.at.kind == "event" for fault in scenario.faults)
        self._triggers = triggers = Triggers(scenario, MARS6)
        channel = Channel(
            scenario.faults,
            scenario.head.seed,
            UART,
            events_of=MARS6 if by_event else None,
            start=begin,
            watches=triggers.faults,
        )
        self.record = FlightRecord(
            scenario, target.name, "lockstep", 0.0, recording, channel, triggers, begin, epoch=begin
        )
        self._channel = channel
        self._links = self.record.links
        self._relays = [_Relay(scenario, link, LANDER_CHANNELS, begin) for link in scenario.relays]
        self.record.relays += [relay.channel for relay in self._relays]
        self._faults = EnvironmentFaults(self, self.record)
        self._uplink = Uplink(MARS6)
        self._commanded = False
        self._clcw: tuple[int, bytes] | None = None
        self._now = begin
        self._last: Unit | None = None
        self._stands = False
        self._unplugged: ScheduledFault | None = None
        self._held = False
        self._lost_pass = False
        self._heard = begin
        self._pending = PendingCommands(scenario, triggers)
        self._numbers: dict[int, int] = {}

    def fly(self) -> FlightRecord:
        """Fly to the end of the pass.

        Raises:
            MachineFailed: the target does not do what it is told. What was flown so far is in `record`.
            ArchiveError: the recording cannot be written, or lacks something in the end.
        """
        record = self.record
        meta = {"station": "lockstep", "link": self._url} | mission_facts(MISSION)
        if self._links:
            meta[LINKS] = msgspec.json.encode(self._links).decode()
        with ArchiveWriter(record.recording, meta) as archive:
            receiver = receiver_of(MISSION, self._url, self._links)
            self._recorder = ArchivingReceiver(receiver, archive, str(record.recording))
            try:
                self._target.begin(self._scenario.head.flight)
                record.ready, record.script = self._target.ready, self._target.script
                self._fly_all()
            except MachineFailed:
                record.fell_short = True
                raise
            finally:  # a flight that breaks off says what flew, too
                record.provenance |= self._target.provenance()
                record.booted += self._target.booted
        if archive.shortfall is not None:
            raise ArchiveError(str(archive.shortfall))
        return record

    def _fly_all(self) -> None:
        now = self._pass.begin
        for now in self._ticks():
            self._progress(now)
        self._channel.close(now)
        for relay in self._relays:
            relay.channel.close(now)
        if self._part.cut:
            self.record.heard_until = now
            return
        for _ in range(_LISTEN_TICKS):
            now += TICK_NS
            self._deliver(now)
            while (due := self._channel.next_down) is not None and due > now and self._unplugged is None:
                now = -(-due // TICK_NS) * TICK_NS
                self._deliver(now)
        self._recorder.finish()

    def _ticks(self) -> Iterator[int]:
        """Fly tick by tick; the line's time of each."""
        now, end = self._pass.begin, longest_pass(self._scenario.head.span).over + OVERTIME_TICKS * TICK_NS
        while now < end and not self._over(now):
            self._now = now
            self._faults.act(now, now, now, self._last)
            self._order(now)
            uplink = [unit.data for unit in self._channel.take_up(now)] if self._unplugged is None else []
            self._channel.passed(now)
            bursts: Iterable[bytes] = [b""]
            if not self._stands:
                bursts = self._target.advance(self._room(now), uplink)
                self.record.steps = self._target.steps
            for burst in bursts:
                self._burst(burst, now)
                yield now
                now += TICK_NS

    def _over(self, now: int) -> bool:
        """Nothing more will come: part or pass is over, or the pass was lost with the target and its time is over."""
        if now >= self._part.end and self._part.cut:
            return True
        if self._lost_pass or self._stands:
            return now >= self._pass.over and not self._faults.open
        return self._target.over and self._uplink.deadline is None and not self._channel.next_up

    def _room(self, now: int) -> int:
        """How many ticks the target may fly before something is to be done."""
        if self._faults.by_frames or self._pending.wait or self._busy or self._channel.next_up is not None:
            return 1
        due = [*self._faults.next_times, *([self._part.end] if self._part.cut else [])]
        if self._uplink.deadline is not None:
            due.append(self._uplink.deadline)
        if self._pending.next_time is not None:
            due.append(self._pending.next_time)
        nearest = min(((time - now) // TICK_NS for time in due), default=BATCH)
        return max(1, min(BATCH, nearest))

    @property
    def _busy(self) -> bool:
        """A command is under way: what comes down may be answered."""
        updates = [self.record.commands.get(place) for place in self._numbers.values()]
        return any(update is None or update.state not in FINAL_STATES for update in updates)

    def _burst(self, data: bytes, now: int) -> None:
        units = self._channel.feed_down(data, now) if data else []
        if units:
            self._last = units[-1]
        for relay in self._relays:
            relay.feed(data, now)
        self._deliver(now)
        if self._commanded:
            self._execute(self._uplink.tick(now), now)

    def _deliver(self, now: int) -> None:
        """Let the station have what is at its port by now."""
        if now < self._part.start:
            if not self._held:
                self._channel.skip_down(now)
            for relay in self._relays:
                relay.skip(now)
            return
        if not self._listens:
            self._listen(now)
        if self._unplugged is not None:
            self._channel.lose("down", self._unplugged.number, self._unplugged.spec.kind, now)
            self._deliver_in_order([], now)
            self._recorder.stalled(now)  # nothing reads the port, and deadlines pass all the same
            return
        units = [] if self._held else self._channel.take_down(now)
        heard = self._heard
        self._deliver_in_order([Chunk(max(at, heard), data) for at, data in _reads(units)], now)
        if not units or units[-1].due < now:
            self._process(Idle(now))

    def _deliver_in_order(self, reports: list[Chunk | Idle], now: int) -> None:
        """Process what came over the bus's link, and over those of the relays."""
        for place, relay in enumerate(self._relays, 1):
            reports += [Chunk(at, data, place) for at, data in relay.take(now)]
            reports.append(Idle(relay.heard(now), place))
        for report in sorted(reports, key=_order) if self._relays else reports:
            self._process(report)

    def _listen(self, now: int) -> None:
        """The station opens its port, if it is there."""
        self._listens = True
        gone = self._unplugged and self._unplugged.spec.kind
        if gone:
            self._process(TransportChange(now, "ATTEMPTING", _GONE[gone], peer=gone == "peer_killed"))
        else:
            self._process(TransportChange(now, "CONNECTED", self._url))
        for place, relay in enumerate(self._relays, 1):
            self._process(TransportChange(now, "CONNECTED", relay.name, link=place))

    def _process(self, report: Report) -> None:
        self._heard = report.ert
        outcomes = self._recorder.decode(self._recorder.keep(report))
        now = report.ert
        if isinstance(report, TransportChange) and not report.link:
            self._execute(self._uplink.link(report.state == "CONNECTED", report.detail, now), now)
        for ocf in self._recorder.receiver.ocfs:
            self._receive_clcw(ocf, now)
        for outcome in outcomes:
            if isinstance(outcome, Telemetry):
                self._triggers.take(outcome)
                self._execute(self._uplink.report(outcome, now), now)

    def _receive_clcw(self, ocf: bytes, now: int) -> None:
        """Give the uplink a CLCW; until a command is given, those alone that differ: nothing waits for the others."""
        told, self._clcw = self._clcw, (now, ocf)
        if self._commanded or told is None or told[1] != ocf:
            self._execute(self._uplink.ocf(ocf, now), now)

    def _execute(self, outcomes: list[UplinkOutcome], now: int) -> None:
        """Carry out what the uplink says."""
        for outcome in outcomes:
            if isinstance(outcome, Transmission):
                if self._uplink.begin(outcome):
                    self._channel.feed_up(outcome.cltu, now)
                    self._execute(self._uplink.written(outcome, now), now)
            elif isinstance(outcome, CommandUpdate):
                self._recorder.record(outcome)
                if outcome.command in self._numbers:
                    self.record.commands[self._numbers[outcome.command]] = outcome
            elif isinstance(outcome, EventMessage):
                self._recorder.record(outcome)

    def _order(self, now: int) -> None:
        """Give the station the commands that are due."""
        for place, order in self._pending.due(now):
            if not self._commanded and self._clcw is not None:
                heard, ocf = self._clcw
                self._execute(self._uplink.ocf(ocf, heard), heard)
            self._commanded = True
            if MARS6.command(order.name).definition.critical:
                self._execute(self._uplink.arm(_ARMED_S, _WHO, now), now)
            try:
                number, outcomes = self._uplink.submit(order.name, order.args, _WHO, now, bypass=order.bypass)
            except CommandRefused as error:
                self.record.refused[place] = str(error)
                continue
            self._numbers[number] = place
            self._execute(outcomes, now)
            self._execute(self._uplink.arm(0, _WHO, now), now)

    # -- levers, for the faults -------------------------------------------------------------------------------------

    def unplug(self, fault: ScheduledFault) -> None:
        """Take away the station's port."""
        kind = fault.spec.kind
        self._unplugged = fault
        self._channel.lose("down", fault.number, kind, None)
        self._channel.lose("up", fault.number, kind, None)
        if self._listens:
            self._process(TransportChange(self._now, "ATTEMPTING", _GONE[kind], peer=kind == "peer_killed"))

    def plug(self, fault: ScheduledFault) -> None:
        """Give it back."""
        self._channel.lose("down", fault.number, fault.spec.kind, self._now - 1)
        self._unplugged = None
        if self._listens:
            self._process(TransportChange(self._now, "CONNECTED", "there again"))

    def hold(self) -> None:
        """Pass nothing on."""
        self._held = True

    def release(self) -> None:
        """Pass on what was held."""
        self._held = False

    def hang(self, *, for_good: bool) -> None:
        """Stop the target's clocks."""
        self._stands = True
        self._target.hang(True)

    def resume(self) -> None:
        """Let them run again."""
        self._stands = False
        self._target.hang(False)

    def reset(self) -> None:
        """Pull the target's reset pin."""
        self._end_of_pass()
        self._target.reset()

    def power_off(self) -> None:
        """Take the target's power."""
        self._end_of_pass()
        self._stands = True
        self._target.power(False)

    def power_on(self) -> None:
        """Give it back."""
        self._stands = False
        self._target.power(True)

    def flip(self, address: int, mask: int) -> None:
        """Flip bits of a byte of the target's memory."""
        self._target.flip(address, mask)

    def _end_of_pass(self) -> None:
        """Its memory is gone: from here on the oracle of this pass has nothing to say."""
        if self.record.comparable is None:
            self.record.comparable = len(self._channel.sent("down"))
        self._lost_pass = True


class _Relay:
    """A relay's link: what it makes of the target's stream, and the channel to the station."""

    def __init__(self, scenario: Scenario, link: RelayLink, vcids: Collection[int], begin: int) -> None:
        self.name = link.name
        self.channel = Channel(scenario.faults, scenario.head.seed, UART, start=begin, relay=link.name)
        self._frames = RelayedFrames(UART, vcids, zlib.crc32(link.name.encode()) % MCFC_MODULUS)
        self._delay = round(link.delay_ms * NS_PER_MS)

    def feed(self, data: bytes, now: int) -> None:
        """What the target sent."""
        sent = b"".join(self._frames.relay(data)) if data else b""
        if sent:
            self.channel.feed_down(sent, now)
        self.channel.passed(now)

    def take(self, now: int) -> Iterator[tuple[int, bytes]]:
        """The reads of the station's port by now."""
        for at, data in _reads(self.channel.take_down(now - self._delay)):
            yield at + self._delay, data

    def skip(self, now: int) -> None:
        """Discard what comes before the station listens."""
        self.channel.skip_down(now - self._delay)

    def heard(self, now: int) -> int:
        """Up to when the port has been read: the last time by now at which a frame of a tick would have come."""
        return now - (now - self._delay - EPOCH) % TICK_NS


LANDER_CHANNELS = (LANDER, SURFACE)
"""What a relay hears of the target's stream: the bus's own channel is the bus's."""

_GONE = {
    "unplug": "the device is gone",
    "hangup": "the line was hung up",
    "peer_killed": "the peer is gone",
}


def _order(report: Chunk | Idle) -> tuple[int, bool]:
    """By time; silence is heard after what came at the same time."""
    return report.ert, isinstance(report, Idle)


def _reads(units: list[Unit]) -> Iterator[tuple[int, bytes]]:
    """What came at the same time is one read."""
    at, data = 0, b""
    for unit in units:
        if data and unit.due != at:
            yield at, data
            data = b""
        at, data = unit.due, data + unit.data
    if data:
        yield at, data
