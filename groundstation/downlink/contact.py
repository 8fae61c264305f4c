"""AOS and LOS, per virtual channel and for the link, with cause and evidence.

Rules:
1. NO_SIGNAL → ACQUIRING at the first good frame → LOCKED (AOS) at the third in time → LOS when no good frame came
   for max(3 frame periods, 300 ms). A channel that never locked goes back to NO_SIGNAL instead. A reject begins the
   three again, unless the channel's own count says that none of its frames was lost by it.
2. LOCKED ↔ DEGRADED: a gap or a reject degrades, `CLEAN_FRAMES` good frames in a row restore. Frames that come twice or
   late, and a source that starts again, lose nothing (`counts.FrameCounter` says what a frame is).
3. A frame period is the channel's declared one, or the measured one if that is longer (a slowed-down lander). It is
   measured in contact; and between frames of which each came too late to acquire the signal, with nothing missing, but
   no more than `_SLOWEST` declared periods apart: else a lander that is as slow from the start would never be acquired.
4. Time is what the caller says. A loss is dated at its deadline, however late the caller looks; the verdict says
   when he looked (``declared_ert``).
5. The link is LOCKED while any channel is. It is lost when the last of them is: a silent lander with a living bus
   is not a loss of the link. A verdict comes once for each contact that ends: not again when a channel that was lost is
   heard for a moment, then falls silent before it is acquired.
6. The cause is what the evidence says at the deadline, from the station outwards: was the station listening, is
   the port there and left alone, did another channel go on, did bytes come, did they synchronise. Another program
   that used the port since the last good frame is a cause: it may have taken any byte. Only frames of another channel
   among which none is missing and none was rejected say that it took none. A channel went on only if it is in contact
   still, or was heard when a frame of the lost one was due: the bus is declared lost 3 s after its last frame, and a
   lander that was heard in the first of them fell silent with it. If the bus is heard later, a verdict of SILENCE, or
   of another program, is revised to LANDER_ONLY. If a channel that goes on is a relay's, which has set (`horizons`),
   the cause is RELAY_SET instead.
7. A frame that came before says nothing new of its channel: it neither makes nor keeps a contact.
8. A channel that is not expected yet, or any more, by the mission's timeline is not lost: it goes back to NO_SIGNAL.
9. What an outage lost is told as surely as it is known. A source that started again since ends no outage: how many
   frames it did not send is not known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from groundstation.downlink.frame_rate import FrameRate
from groundstation.downlink.horizons import Horizons
from groundstation.formats.counted import counted
from groundstation.links.base import Disturbance
from groundstation.messages.wire import Cause, ChannelStatus, ContactChange, LosVerdict, SignalState, Transport
from protocols.counts import NOTHING, UNKNOWN, FrameStep, FrameTotals, Lost
from protocols.declare.dictionary import ChannelDef
from protocols.units import NS_PER_MS

ACQUIRE_FRAMES = 3
CLEAN_FRAMES = 10
TIMEOUT_PERIODS = 3
TIMEOUT_FLOOR_MS = 300
STALL_MS = 500
"""A longer stretch without any report from the reader means that the station was not listening."""

TRAILING_MAX = 128
"""Fewer bytes than these after the last good frame are a piece of a frame; as many or more should have synced."""

_TIMEOUT_FLOOR_NS = TIMEOUT_FLOOR_MS * NS_PER_MS
_PERIODS_KEPT = 16
_SLOWEST = 12
"""Declared periods: a lander flies at a tenth of its speed at least, and the host adds some."""
_IN_CONTACT = ("LOCKED", "DEGRADED")


class Finding(NamedTuple):
    """Why a channel fell silent, as far as the evidence goes.

    ``trailing_bytes`` came after the last good frame and are in none; ``last_byte`` is when the last byte of all came.
    """

    cause: Cause
    evidence: str
    trailing_bytes: int = 0
    last_byte: int | None = None


@dataclass(slots=True)
class _Channel:
    """What is known of one virtual channel. ``period`` is the expected frame period, ``timeout`` ends a contact: ns.

    ``was_acquiring``: the last contact ended before it was acquired; ``slow_period``: what its newest frame and the one
    before tell of such a channel's period. ``placed`` is when the frame came that stands at ``place``, the newest.
    ``outage`` is what was lost since the verdict, behind the place ``lost_at``; ``restarted``: the source started again
    since. ``run`` counts good frames since a reject or a gap, ``unbroken`` those since a gap.
    """

    definition: ChannelDef
    state: SignalState = "NO_SIGNAL"
    totals: FrameTotals = field(default_factory=FrameTotals)
    contact_frames: int = 0
    contact_since: int = 0
    run: int = 0
    unbroken: int = 0
    place: int = 0
    placed: int | None = None
    last_vcfc: int | None = None
    last_scet: int | None = None
    last_ert: int | None = None
    periods: deque[int] = field(default_factory=lambda: deque(maxlen=_PERIODS_KEPT))
    period: int = 0
    was_acquiring: bool = False
    slow_period: int | None = None
    timeout: int = 0
    verdict: LosVerdict | None = None
    outage: Lost = NOTHING
    lost_at: int = 0
    restarted: bool = False

    rate: FrameRate = field(init=False)

    def __post_init__(self) -> None:
        self.rate = FrameRate(self.definition.period_ms)
        self._expect(0)

    def count_period(self, ns: int) -> None:
        """One more frame period; the median of the last ones is the measured one."""
        self.periods.append(ns)
        order = sorted(self.periods)
        half, odd = divmod(len(order), 2)
        self._expect(order[half] if odd else (order[half - 1] + order[half]) // 2)

    def forget_periods(self) -> None:
        """A new contact."""
        self.periods.clear()
        self.rate.restart()
        self._expect(0)

    def _expect(self, measured: int) -> None:
        declared = self.definition.period_ms * NS_PER_MS
        self.period = period = max(measured, declared)
        self.timeout = max(TIMEOUT_PERIODS * period, _TIMEOUT_FLOOR_NS)

    @property
    def is_expected(self) -> bool:
        """Whether its silence, since its last frame, is a loss by the mission's timeline."""
        scet, plan = self.last_scet, self.definition
        if scet is None:
            return True
        return scet >= (plan.expected_from or 0) and (plan.expected_until is None or scet < plan.expected_until)

    @property
    def rate_hz(self) -> float:
        """Frames a second of late; 0 without contact."""
        return self.rate.hz if self.state in _IN_CONTACT else 0.0

    @property
    def deadline(self) -> int | None:
        if self.last_ert is None or self.state in ("NO_SIGNAL", "LOS"):
            return None
        return self.last_ert + self.timeout


@dataclass(slots=True)
class _Evidence:
    """What came over the link, and when (ERT in ns).

    ``bytes_since`` counts, per channel, the bytes after its last good frame that are in no good frame at all;
    ``repeats_since`` the frames that only came again. ``harmed`` are the channels since whose last good frame another
    channel has lost frames; ``suspected`` those whose loss is laid to another program. ``disturbed`` is the last thing
    that another program did to the port, with its time; ``shared`` is what others do and go on doing, until
    ``shared_until``: None while it lasts.
    """

    listened: int | None = None
    stalled_until: int | None = None
    last_byte: int | None = None
    transport: Transport = "ATTEMPTING"
    transport_peer: bool = False
    transport_detail: str = ""
    transport_at: int = 0
    disturbed: tuple[str, int] = ("", 0)
    shared: str = ""
    shared_until: int | None = None
    bytes_since: dict[int, int] = field(default_factory=dict)
    rejects_since: dict[int, int] = field(default_factory=dict)
    repeats_since: dict[int, int] = field(default_factory=dict)
    harmed: set[int] = field(default_factory=set)
    suspected: set[int] = field(default_factory=set)

    def is_harmed(self, vcid: int) -> bool:
        """Whether something of the link was lost or damaged since the channel's last good frame."""
        return vcid in self.harmed or self.rejects_since.get(vcid, 0) > 0

    def disturbed_since(self, ert: int) -> str:
        """What other programs did to the port after a time; empty: nothing."""
        told = [self.disturbed[0]] if self.disturbed[1] > ert else []
        if self.shared and (self.shared_until is None or self.shared_until > ert):
            told.append(self.shared)
        return "; ".join(told)


@dataclass(frozen=True, slots=True)
class _Outage:
    """An outage that is over: how long it was, and what was lost."""

    ms: int
    lost: Lost

    def told_in(self, change: ContactChange) -> ContactChange:
        """The change that ends it, with it."""
        count = None if self.lost.certainty == "UNKNOWN" else self.lost.count
        return msgspec.structs.replace(
            change, outage_ms=self.ms, outage_lost=count, outage_lost_certainty=self.lost.certainty
        )


@dataclass(slots=True)
class _LinkOutage:
    """The link was lost. ``lost``: frames on all its channels since; ``counted``: each step told how many.

    ``places`` is where each channel stood then; ``restarted``: the source started again since.
    """

    since: int
    places: Mapping[int, int]
    lost: Lost = NOTHING
    counted: bool = True
    restarted: bool = False

    def add(self, vcid: int, step: FrameStep) -> None:
        """A frame came."""
        self.restarted = self.restarted or step.kind == "RESTART"
        everywhere = step.lost_all
        self.counted = self.counted and everywhere is not None
        lost = step.lost + step.at_restart if everywhere is None else everywhere
        older = step.kind == "LATE" and step.place <= self.places.get(vcid, 0)
        self.lost = (self.lost + lost).less(0 if older else step.regained_all)

    @property
    def total(self) -> Lost:
        """What is known of it: where no frame count of all channels tells, some may not have been heard again yet."""
        return self.lost if self.counted else self.lost + UNKNOWN


class ContactMonitor:
    """Feed it what happens on the link, in order; every method returns the changes that follow."""

    def __init__(
        self,
        channels: Iterable[ChannelDef],
        planned: Mapping[int, int],
        judge: Callable[[int, int], Finding] | None = None,
        horizons: Horizons | None = None,
    ) -> None:
        """Prepare.

        Args:
            channels: those declared.
            planned: LOS by VCID, as SCET in ns.
            judge: says why a channel (VCID) fell silent after a time (ERT in ns), where the frames of several links
                come together; by default the evidence says it.
            horizons: of the mission's relays; None: nothing is known of any.
        """
        self._horizons = horizons
        self._judge = judge
        self._channels = {c.vcid: _Channel(c) for c in channels}
        self._planned = dict(planned)
        self._evidence = _Evidence(bytes_since=dict.fromkeys(self._channels, 0))
        self._deadlines: dict[int, int] = {}
        self._due: int | None = None
        self._link: SignalState = "NO_SIGNAL"
        self._link_ended: LosVerdict | None = None
        self._link_outage: _LinkOutage | None = None

    @property
    def state(self) -> SignalState:
        """The link's signal state."""
        return self._link

    @property
    def deadline(self) -> int | None:
        """The next time at which silence will mean something, or None."""
        return self._due

    @property
    def totals(self) -> FrameTotals:
        """What the frames of all declared channels were."""
        total = FrameTotals()
        for channel in self._channels.values():
            total.join(channel.totals)
        return total

    def status(self) -> list[ChannelStatus]:
        """All channels as they stand."""
        return [
            ChannelStatus(
                vcid=c.definition.vcid,
                name=c.definition.name,
                state=c.state,
                frames=c.totals.frames,
                lost=c.totals.lost.count,
                lost_certainty=c.totals.lost.certainty,
                duplicates=c.totals.duplicates,
                late=c.totals.late,
                steps_back=c.totals.steps_back,
                rate_hz=c.rate_hz,
                last_vcfc=c.last_vcfc,
                last_scet=c.last_scet,
                last_ert=c.last_ert,
                expected_from=c.definition.expected_from,
                expected_until=c.definition.expected_until,
            )
            for c in self._channels.values()
        ]

    def transport(
        self, state: Transport, detail: str, peer: bool, ert: int, disturbance: Disturbance = ""
    ) -> list[ContactChange]:
        """The transport changed, or another program disturbs it."""
        changes = self.advance(ert)
        evidence = self._evidence
        if disturbance == "moment":
            evidence.disturbed = (detail, ert)
            return changes
        if disturbance == "lasting":
            evidence.shared, evidence.shared_until = detail, None
        elif evidence.shared and evidence.shared_until is None:
            evidence.shared_until = ert
        evidence.transport, evidence.transport_detail, evidence.transport_peer = state, detail, peer
        evidence.transport_at = ert
        return changes

    def received(self, count: int, ert: int) -> list[ContactChange]:
        """``count`` bytes were read at ``ert``, whatever they are."""
        changes = self.advance(ert)
        self._evidence.last_byte = ert
        since = self._evidence.bytes_since
        for vcid in since:
            since[vcid] += count
        return changes

    def rejected(self, crc: bool) -> list[ContactChange]:
        """A frame was rejected; ``crc`` if it had its ASM."""
        changes: list[ContactChange] = []
        for vcid, channel in self._channels.items():
            if crc:
                self._evidence.rejects_since[vcid] = self._evidence.rejects_since.get(vcid, 0) + 1
            if channel.state == "LOCKED":
                changes += self._move(channel, "DEGRADED", channel.last_ert or 0)
            channel.run = 0
        return changes

    def frame(
        self, vcid: int, vcfc: int, step: FrameStep, scet: int | None, ert: int, length: int
    ) -> list[ContactChange]:
        """A good frame of a declared channel, ``length`` bytes on the wire; ``step`` is what it is."""
        channel, evidence = self._channels[vcid], self._evidence
        since = evidence.bytes_since
        for other, size in since.items():
            since[other] = size - length if size > length else 0
        channel.totals.add(step)
        if self._link_outage is not None:
            self.counted(vcid, step)
        if step.kind == "DUPLICATE":
            evidence.repeats_since[vcid] = evidence.repeats_since.get(vcid, 0) + 1
            return []
        since[vcid] = evidence.rejects_since[vcid] = evidence.repeats_since[vcid] = 0
        lost = step.lost if step.lost_all is None else step.lost_all
        if lost is not NOTHING and lost != NOTHING:
            evidence.harmed |= self._channels.keys()
        evidence.harmed.discard(vcid)
        evidence.suspected.discard(vcid)
        self._count(channel, vcfc, step, scet, ert)
        changes = self._after_good_frame(channel, step, ert)
        changes += self._revise(channel, ert)
        self._reschedule(channel)
        return changes

    def counted(self, vcid: int, step: FrameStep) -> None:
        """A good frame of any channel, declared or not, as far as it says what the link lost."""
        if self._link_outage is not None:
            self._link_outage.add(vcid, step)

    def finding(self, vcid: int) -> Finding:
        """Why the channel is silent now, if it is."""
        channel, evidence = self._channels[vcid], self._evidence
        cause, text = self._cause(channel)
        return Finding(cause, text, evidence.bytes_since.get(vcid, 0), evidence.last_byte)

    def last_heard(self, vcid: int) -> int | None:
        """When the channel's last good frame came; None if none did."""
        return self._channels[vcid].last_ert

    def advance(self, now: int, listening: bool = True) -> list[ContactChange]:
        """Nothing more came before ``now``. ``listening`` is False when the port was not being read."""
        evidence = self._evidence
        since = evidence.listened
        held_up = since is not None and now - since > STALL_MS * NS_PER_MS and evidence.transport == "CONNECTED"
        if not listening or held_up:  # where no port is, there is nothing to listen to
            evidence.stalled_until = now
        evidence.listened = now
        changes: list[ContactChange] = []
        while (due := self._due) is not None and due <= now:
            for channel in self._channels.values():
                if self._deadlines.get(channel.definition.vcid) == due:
                    changes += self._expire(channel, due, now)
                    self._reschedule(channel)
        return changes

    def _reschedule(self, channel: _Channel) -> None:
        """Note a deadline, which only the channel's own frames and loss move: it is looked at with every read."""
        deadline = channel.deadline
        if deadline is None:
            self._deadlines.pop(channel.definition.vcid, None)
        else:
            self._deadlines[channel.definition.vcid] = deadline
        self._due = min(self._deadlines.values(), default=None)

    def _count(self, channel: _Channel, vcfc: int, step: FrameStep, scet: int | None, ert: int) -> None:
        if step.kind in ("FIRST", "RESTART"):
            channel.restarted, channel.verdict = channel.verdict is not None, None
        if channel.verdict is not None:
            regained = step.regained if step.place > channel.lost_at else 0
            channel.outage = (channel.outage + step.lost + step.at_restart).less(regained)
        channel.rate.frame(ert)
        channel.slow_period = self._slow_period(channel, step, ert)
        in_contact = channel.last_ert is not None and channel.state not in ("NO_SIGNAL", "LOS")
        channel.last_ert = ert
        if step.kind == "LATE":  # a duplicate does not come here
            return
        if in_contact and channel.placed is not None:
            channel.count_period((ert - channel.placed) // max(1, step.place - channel.place))
        channel.run += 1
        channel.unbroken = 1 if step.kind in ("FIRST", "RESTART", "GAP") else channel.unbroken + 1
        channel.place, channel.placed, channel.last_vcfc = step.place, ert, vcfc
        channel.last_scet = scet if scet is not None else channel.last_scet

    @staticmethod
    def _slow_period(channel: _Channel, step: FrameStep, ert: int) -> int | None:
        """The period of a channel whose frames follow each other too slowly for its declared one; rule 3."""
        if channel.state not in ("NO_SIGNAL", "LOS") or not channel.was_acquiring:
            return None
        if channel.placed is None or step.kind != "NEXT" or step.place != channel.place + 1:
            return None
        period = ert - channel.placed
        return period if period <= _SLOWEST * channel.definition.period_ms * NS_PER_MS else None

    def _after_good_frame(self, channel: _Channel, step: FrameStep, ert: int) -> list[ContactChange]:
        """The state after a good frame."""
        if channel.state in ("NO_SIGNAL", "LOS"):
            channel.run = channel.unbroken = channel.contact_frames = 1
            channel.contact_since = ert
            channel.forget_periods()
            if channel.slow_period is not None:
                channel.count_period(channel.slow_period)
            return self._move(channel, "ACQUIRING", ert)
        channel.contact_frames += 1
        if channel.state == "ACQUIRING" and max(channel.run, channel.unbroken) >= ACQUIRE_FRAMES:
            return self._acquired(channel, ert)
        if channel.state in _IN_CONTACT and step.kind == "GAP":
            channel.run = 0
            return self._move(channel, "DEGRADED", ert) if channel.state == "LOCKED" else []
        if channel.state == "DEGRADED" and channel.run >= CLEAN_FRAMES:
            return self._move(channel, "LOCKED", ert)
        return []

    def _acquired(self, channel: _Channel, ert: int) -> list[ContactChange]:
        verdict, channel.verdict = channel.verdict, None
        restarted, channel.restarted = channel.restarted, False
        if verdict is None:
            return self._move(channel, "LOCKED", ert, restarted=restarted)
        return self._move(channel, "LOCKED", ert, outage=_Outage((ert - verdict.last_ert) // NS_PER_MS, channel.outage))

    def _expire(self, channel: _Channel, deadline: int, now: int) -> list[ContactChange]:
        """The channel's deadline passed without a frame."""
        channel.was_acquiring = channel.state == "ACQUIRING"
        if channel.state == "ACQUIRING":
            back: SignalState = "LOS" if channel.verdict is not None else "NO_SIGNAL"
            return self._move(channel, back, deadline)
        if not channel.is_expected:
            return self._move(channel, "NO_SIGNAL", deadline)
        verdict = self._verdict(channel, now)
        channel.verdict, channel.restarted = verdict, False
        channel.outage, channel.lost_at = NOTHING, channel.place
        return self._move(channel, "LOS", deadline, verdict=verdict)

    def _verdict(self, channel: _Channel, now: int) -> LosVerdict:
        vcid, last = channel.definition.vcid, channel.last_ert or 0
        found = self.finding(vcid) if self._judge is None else self._judge(vcid, last)
        last_byte = max(found.last_byte or last, last)
        due = last + channel.period
        interval = None
        if channel.last_scet is not None:
            interval = (channel.last_scet, channel.last_scet + channel.definition.period_ms * NS_PER_MS)
        planned = self._planned.get(vcid)
        return LosVerdict(
            vcid=vcid,
            channel=channel.definition.name,
            cause=found.cause,
            evidence=found.evidence,
            last_vcfc=channel.last_vcfc,
            last_scet=channel.last_scet,
            last_ert=last,
            interval_scet=interval,
            interval_ert=(min(last_byte, due) if found.cause == "SILENCE" else last, due),
            declared_ert=now,
            timeout_ms=channel.timeout // NS_PER_MS,
            trailing_bytes=found.trailing_bytes,
            frames=channel.contact_frames,
            planned_scet=planned,
            planned_error_ms=_planned_error(planned, interval),
        )

    def _cause(self, channel: _Channel) -> tuple[Cause, str]:
        """The first broken link of the chain station → port → lander or bus → bytes → sync → CRC."""
        evidence = self._evidence
        last = channel.last_ert or 0
        vcid = channel.definition.vcid
        if evidence.stalled_until is not None and evidence.stalled_until > last:
            return "STATION", "the station itself was not listening for a while"
        if evidence.transport != "CONNECTED":
            kind: Literal["RELAY", "PORT"] = "RELAY" if evidence.transport_peer else "PORT"
            return kind, evidence.transport_detail or "the transport is not connected"
        later = [c for c in self._channels.values() if c is not channel and (c.last_ert or 0) > last]
        others = [c for c in later if c.deadline is not None or (c.last_ert or 0) > last + channel.period]
        disturbed = evidence.disturbed_since(last)
        if disturbed and (not others or evidence.is_harmed(vcid)):
            evidence.suspected.add(vcid)
            return "PORT", disturbed
        if others:
            return self._one_silent(last + channel.period, others)
        repeats = evidence.repeats_since.get(vcid, 0)
        if repeats:
            return "SILENCE", f"only frames that had come before, {repeats} of them"
        return self._cause_after(max([channel, *later], key=lambda c: c.last_ert or 0), channel)

    def _one_silent(self, due: int, others: Collection[_Channel]) -> tuple[Cause, str]:
        """The cause where other channels go on: its source fell silent, or a relay has set."""
        horizons = self._horizons
        evidence = horizons.has_set(due, {c.definition.vcid for c in others}) if horizons is not None else ""
        if evidence:
            return "RELAY_SET", evidence
        return "LANDER_ONLY", f"the link is up: {', '.join(c.definition.name for c in others)} still heard"

    def _cause_after(self, newest: _Channel, lost: _Channel) -> tuple[Cause, str]:
        """The cause by what came after the last good frame of all, which is of the channel ``newest``."""
        vcid, evidence = newest.definition.vcid, self._evidence
        cause, text = _cause_in_bytes(evidence.bytes_since.get(vcid, 0), evidence.rejects_since.get(vcid, 0))
        return cause, text if newest is lost else f"{newest.definition.name} was lost too, and then: {text}"

    def _may_revise(self, verdict: LosVerdict) -> bool:
        """Whether a channel that goes on says more than what the verdict rests on."""
        vcid, evidence = verdict.vcid, self._evidence
        suspected = vcid in evidence.suspected and not evidence.is_harmed(vcid)
        return verdict.cause == "SILENCE" or suspected

    def _revise(self, witness: _Channel, ert: int) -> list[ContactChange]:
        """The channel ``witness`` went on through a loss that looked like silence of the whole link."""
        changes: list[ContactChange] = []
        for channel in self._channels.values():
            if channel.state != "LOS" or channel is witness:
                continue
            verdict = channel.verdict
            if verdict is None or not self._may_revise(verdict):
                continue
            if witness.contact_since > verdict.last_ert:
                continue
            cause, text = self._one_silent(verdict.last_ert + channel.period, [witness])
            channel.verdict = msgspec.structs.replace(verdict, cause=cause, evidence=text)
            changes.append(self._change(channel, "LOS", "LOS", ert, verdict=channel.verdict, revised=True))
        return changes

    def _move(
        self,
        channel: _Channel,
        state: SignalState,
        ert: int,
        *,
        verdict: LosVerdict | None = None,
        outage: _Outage | None = None,
        restarted: bool = False,
    ) -> list[ContactChange]:
        previous, channel.state = channel.state, state
        change = self._change(channel, state, previous, ert, verdict=verdict, outage=outage, restarted=restarted)
        return [change, *self._link_changes(channel, ert)]

    def _change(
        self,
        channel: _Channel,
        state: SignalState,
        previous: SignalState,
        ert: int,
        *,
        verdict: LosVerdict | None = None,
        revised: bool = False,
        outage: _Outage | None = None,
        restarted: bool = False,
    ) -> ContactChange:
        change = ContactChange(
            vcid=channel.definition.vcid,
            channel=channel.definition.name,
            state=state,
            previous=previous,
            ert=ert,
            verdict=verdict,
            revised=revised,
            restarted=restarted,
        )
        return change if outage is None else outage.told_in(change)

    def _link_changes(self, moved: _Channel, ert: int) -> list[ContactChange]:
        """The link's own state follows its channels (rule 5)."""
        state = self._link_state()
        if state == self._link:
            return []
        previous, self._link = self._link, state
        ended, verdict = None, None
        if state in _IN_CONTACT:
            ended, self._link_outage = self._link_outage, None
        elif previous in _IN_CONTACT:
            self._link_ended = moved.verdict  # told once no other channel is being acquired
        if state == "LOS" and self._link_ended is not None:
            lost = [c for c in self._channels.values() if c.verdict is not None]
            newest = max(lost, key=lambda c: c.last_ert or 0)
            verdict = _link_verdict(self._verdict(newest, self._link_ended.declared_ert), self._link_ended)
            self._link_ended = None
            places = {vcid: channel.place for vcid, channel in self._channels.items()}
            self._link_outage = _LinkOutage(verdict.last_ert, places)
        change = ContactChange(
            vcid=None,
            channel="link",
            state=state,
            previous=previous,
            ert=ert,
            verdict=verdict,
            restarted=ended is not None and ended.restarted,
        )
        if ended is None or ended.restarted:
            return [change]
        return [_Outage((ert - ended.since) // NS_PER_MS, ended.total).told_in(change)]

    def _link_state(self) -> SignalState:
        states = {c.state for c in self._channels.values()}
        if "LOCKED" in states:
            return "LOCKED"
        for state in ("DEGRADED", "ACQUIRING"):
            if state in states:
                return state
        return "LOS" if "LOS" in states else "NO_SIGNAL"


def _cause_in_bytes(count: int, rejects: int) -> tuple[Cause, str]:
    """The cause, when the port is present and no other lander is heard: what came since the last good frame."""
    if rejects:
        return "CRC", f"{counted(rejects, 'frame')} since then, none with a good CRC"
    if count >= TRAILING_MAX:
        return "SYNC", f"{counted(count, 'byte')} since then, no frame among them"
    if count:
        return "SILENCE", f"{counted(count, 'byte')} of a frame, then nothing"
    return "SILENCE", "the port is open, not one byte since"


def _planned_error(planned: int | None, interval: tuple[int, int] | None) -> int | None:
    """Signed distance of the interval from the plan in ms; 0 when the plan lies in it, ends included."""
    if planned is None or interval is None:
        return None
    if interval[1] < planned:
        return (interval[1] - planned) // NS_PER_MS
    if interval[0] > planned:
        return (interval[0] - planned) // NS_PER_MS
    return 0


def _link_verdict(heard: LosVerdict, ended: LosVerdict) -> LosVerdict:
    """The link was lost after the last frame of all, so its verdict is on the lost channel that was heard last.

    It is declared with that of the channel that was lost last, ``ended``. A plan is a channel's, not the link's.
    """
    return msgspec.structs.replace(
        heard, vcid=None, channel="link", timeout_ms=ended.timeout_ms, planned_scet=None, planned_error_ms=None
    )
