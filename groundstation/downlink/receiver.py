"""The sans-I/O heart: chunks in, events out. It knows no clock, port, file or socket.

Every report of a link goes through `Receiver.events` in order, or through `Receiver.process`, its list. What comes back
are the messages for archive and viewers: for each frame first its telemetry, then the changes of contact, to keep
telemetry latency low. Noise, foreign frames and broken packets are counted and reported, never raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from groundstation.downlink.contact import ContactMonitor, Finding
from groundstation.downlink.horizons import Horizons
from groundstation.downlink.limits import LimitMonitor
from groundstation.formats.json_encoding import word_of
from groundstation.links.base import Chunk, RelayGap, Report, TransportChange
from groundstation.messages.base import Value
from groundstation.messages.lost_text import frames_lost
from groundstation.messages.shown_values import quality_of, shown_values
from groundstation.messages.wire import (
    RESTART_EVENT,
    ContactChange,
    Counters,
    EventMessage,
    LinkStatus,
    Telemetry,
    Transport,
)
from protocols.counts import FrameStep
from protocols.declare.dictionary import Dictionary, Packet
from protocols.decode.frame_content import frame_counter, frame_time
from protocols.decode.judging.quality import QualityMonitor
from protocols.decode.packets import DropUndone, EncapsulationFound, PacketDropped, PacketExtractor, PacketFound
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DeclarationError, DecodeError
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame, Reject
from protocols.sync.frames import TransferFrame, decode_frame
from protocols.tuples import maker
from protocols.words import FrameQuality, GoodQuality, Severity

_EVENT_REPORTS = 5
"""The PUS service of event reports."""

ReceiverEvent = Telemetry | ContactChange | EventMessage
MAX_PACKET = 4096
"""Longest packet put together, in bytes: a damaged length field must not swallow the next seconds."""

_TOLD_ONCE = 64
"""How many different oddities (foreign SCIDs, unknown APIDs …) are reported by name; the rest is only counted."""


class FrameNote(NamedTuple):
    """A frame that the last report completed or ruled out; ``offset`` is where its ASM starts in the stream of bytes.

    Of a rejected frame nothing more is known, and of a foreign one nothing is wanted: their other fields are None.
    ``step`` is what the frame is beside those before it. ``link`` is the place of the link that brought it.
    """

    offset: int
    size: int
    quality: FrameQuality
    vcid: int | None = None
    vcfc: int | None = None
    scet: int | None = None
    step: FrameStep | None = None
    link: int = 0


_make_note = maker(FrameNote)
_NOT_ODD = "", 0, ""


@dataclass(slots=True)
class _Counts:
    """Cumulative counts beside the deframer's own."""

    frames_good: int = 0
    frames_rejected: int = 0
    frames_foreign: int = 0
    frames_idle: int = 0
    packets: int = 0
    packets_bad: int = 0
    packets_unknown: int = 0
    dropped: int = 0
    told: set[tuple[str, int]] = field(default_factory=set)


class Receiver:
    """Decodes one link's bytes by one dictionary and one link profile.

    Attributes:
        frames: all frames, good and rejected, that the last report brought; of several links: in the order in which
            they are counted, and without copies.
        copies: the good frames of the last report of which another link had brought the first copy.
        held: the good frames of the last report that wait for those of another link; they stand in ``frames`` later.
        ocfs: the operational control fields of its good frames, in order; equal ones in a row stand once.
        judges_quality: whether the quality of values is judged, which takes half of the time. To be set before the
            first report.

    Raises:
        DeclarationError: the profile is of a stream of bits; links deliver bytes.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        profile: LinkProfile,
        url: str,
        horizons: Horizons | None = None,
        judge: Callable[[int, int], Finding] | None = None,
    ) -> None:
        """Prepare.

        Args:
            dictionary: the mission's.
            profile: how its frames lie on the wire.
            url: of the link, for the status.
            horizons: of the mission's relays, for the cause of a loss.
            judge: as `ContactMonitor` takes it.
        """
        if profile.alignment != "byte":
            raise DeclarationError("profile.alignment", "a station receives bytes; bits are decoded from a file")
        self.dictionary = dictionary
        self.profile = profile
        self.url = url
        self.deframer = Deframer(profile)
        self.horizons = horizons or Horizons(dictionary, ())
        self.contact = ContactMonitor(dictionary.channels, planned_losses(dictionary), judge, self.horizons)
        self._counter = frame_counter(profile, dictionary)
        self._limits = LimitMonitor()
        self._quality = QualityMonitor(dictionary)
        self.judges_quality = True
        self._extractors = {
            c.vcid: PacketExtractor(MAX_PACKET) for c in dictionary.channels if c.vcid != profile.idle_vcid
        }
        self._sources = {c.vcid: c.source for c in dictionary.channels}
        self._counts = _Counts()
        self._transport: Transport = "ATTEMPTING"
        self._detail = "not opened yet"
        self._foreign_hash: dict[str, int] = {}
        self.frames: list[FrameNote] = []
        self.copies: list[FrameNote] = []
        self.held: list[FrameNote] = []
        self.ocfs: list[bytes] = []

    @property
    def connected(self) -> bool:
        """The transport is there."""
        return self._transport == "CONNECTED"

    def is_connected(self, link: int) -> bool:
        """The transport of the link at that place is there."""
        return self.connected

    def url_of(self, link: int) -> str:
        """The URL of the link at that place."""
        return self.url

    def judge_on_from(self, earlier: Receiver) -> None:
        """Judge values by what another receiver of the mission, which is not used any more, has learnt of them."""
        self._quality = earlier._quality

    def process(self, report: Report) -> list[ReceiverEvent]:
        """Take one report of the link, in time order."""
        return list(self.events(report))

    def feed(self, data: bytes, ert: int) -> list[ReceiverEvent]:
        """Take bytes that were read at ``ert``, in ns UTC since 1970: what they bring."""
        return self.process(Chunk(ert, data)) if data else []

    def events(self, report: Report) -> Iterator[ReceiverEvent]:
        """Take one report of the link, in time order; to be iterated to its end before the next."""
        self.frames, self.ocfs = [], []
        if isinstance(report, Chunk):
            yield from self.contact.received(len(report.data), report.ert)
            for found in self.deframer.feed(report.data):
                yield from self._frame(found, report.ert) if isinstance(found, Frame) else self._reject(found)
        elif isinstance(report, TransportChange):
            yield from self._link_change(report)
        else:
            yield from self.contact.advance(report.ert)
        if isinstance(report, RelayGap):
            self._counts.dropped += report.missed
            text = f"{report.missed} messages of the relay are missing"
            yield station_event("WARNING_LO", "RELAY_GAP", text, report.ert)

    def stalled(self, now: int, link: int = 0) -> list[ReceiverEvent]:
        """The port of the link is not being read, and ``now`` has come: deadlines pass all the same."""
        self.frames, self.ocfs = [], []
        return list(self.contact.advance(now, listening=not self.connected))

    def finish(self) -> list[ReceiverEvent]:
        """Nothing more comes: what follows from what was held."""
        self.frames, self.ocfs = [], []
        return []

    def overrun(self, reports: int) -> None:
        """``reports`` of the link were dropped before they came here: their bytes are archived, not decoded."""
        self._counts.dropped += reports

    def counters(self) -> Counters:
        """All counts so far; the byte counts always add up."""
        c, b, totals = self._counts, self.deframer.count(), self.contact.totals
        return Counters(
            bytes_in=b.total,
            good=b.good,
            corrected=b.corrected,
            rejected=b.rejected,
            skipped=b.skipped,
            pending=b.pending,
            frames_good=c.frames_good,
            frames_rejected=c.frames_rejected,
            frames_foreign=c.frames_foreign,
            frames_idle=c.frames_idle,
            frames_lost=totals.lost.count,
            frames_lost_certainty=totals.lost.certainty,
            frames_duplicate=totals.duplicates,
            frames_late=totals.late,
            frames_stepped_back=totals.steps_back,
            restarts=self._counter.restarts,
            frames_at_restart=totals.at_restart.count,
            packets=c.packets,
            packets_bad=c.packets_bad,
            packets_unknown=c.packets_unknown,
            dropped=c.dropped,
        )

    def status(self, ert: int, recording: str | None, recording_ok: bool) -> LinkStatus:
        """The link as it stands at ``ert``."""
        return LinkStatus(
            ert=ert,
            url=self.url,
            transport=self._transport,
            detail=self._detail,
            state=self.contact.state,
            channels=self.contact.status(),
            counters=self.counters(),
            recording=recording,
            recording_ok=recording_ok,
        )

    def _link_change(self, change: TransportChange) -> Iterator[ReceiverEvent]:
        yield from self.contact.transport(change.state, change.detail, change.peer, change.ert, change.disturbance)
        if change.disturbance != "moment":
            news = change.state != self._transport or (change.detail != self._detail and not change.disturbance)
            self._transport, self._detail = change.state, change.detail
            if news:
                severity: Severity = "ACTIVITY_HI" if change.state == "CONNECTED" else "WARNING_LO"
                yield station_event(severity, change.state, change.detail, change.ert)
        if change.disturbance:
            yield station_event("WARNING_HI", "PORT_DISTURBED", change.detail, change.ert)

    def _reject(self, found: Reject) -> list[ContactChange]:
        self._counts.frames_rejected += 1
        self.frames.append(FrameNote(found.offset, len(found.data), found.reason))
        return self.contact.rejected(found.reason != "SYNC")

    def _frame(self, found: Frame, ert: int) -> Iterable[ReceiverEvent]:
        self._counts.frames_good += 1
        quality: GoodQuality = "CORRECTED" if found.corrected else "GOOD"
        frame, oddity = self._own_frame(found.data)
        if frame is None:
            self.frames.append(FrameNote(found.offset, self.profile.cadu_length, quality))
            return self._foreign(*oddity, ert)
        return self._counted(frame, found.offset, quality, frame_time(frame, self.dictionary), ert, ert)

    def _counted(
        self,
        frame: TransferFrame,
        offset: int,
        quality: GoodQuality,
        scet: int | None,
        ert: int,
        at: int,
        link: int = 0,
    ) -> Iterator[ReceiverEvent]:
        """A frame in its place: what it carries, then what it says of contact, in which it is dated ``at``."""
        vcid, vcfc, length = frame.vcid, frame.vcfc, self.profile.cadu_length
        step = self._counter.count(frame, scet, at)
        if step.kind != "NEXT":
            yield from self._told(step, frame, ert)
        extractor = self._extractors.get(vcid)
        if extractor is not None:
            late = step.kind == "LATE"
            for item in extractor.push(frame, step):
                if isinstance(item, PacketFound):
                    yield from self._packet(item, vcid, ert, late=late)
                else:
                    yield from self._no_packet(item, ert)
        self.frames.append(_make_note((offset, length, quality, vcid, vcfc, scet, step, link)))
        ocf, ocfs = frame.ocf, self.ocfs
        if ocf is not None and step.in_order and not (ocfs and ocfs[-1] == ocf):
            ocfs.append(ocf)
        if extractor is not None:
            yield from self.contact.frame(vcid, vcfc, step, scet, at, length)
        else:
            yield from self._undeclared(vcid, step, ert)

    def _own_frame(self, data: bytes) -> tuple[TransferFrame | None, tuple[str, int, str]]:
        """A frame of this spacecraft; or None, and what is odd about it: a name, a number, and in words."""
        try:
            frame = decode_frame(data, self.profile)
        except DecodeError as error:
            return None, ("FRAME", 0, f"a good CRC, but {error}")
        scid = self.dictionary.scid
        if frame.scid != scid:
            return None, (
                "FOREIGN_SCID", frame.scid, f"frames of SCID {frame.scid:#05x}; this mission is {scid:#05x}"
            )  # fmt: skip
        return frame, _NOT_ODD

    def _undeclared(self, vcid: int, step: FrameStep, ert: int) -> list[ReceiverEvent]:
        """A frame of a channel that is not declared, or of the one that carries nothing."""
        self.contact.counted(vcid, step)
        if vcid == self.profile.idle_vcid:
            self._counts.frames_idle += 1
            return []
        return self._foreign("UNKNOWN_VCID", vcid, f"virtual channel {vcid} is not declared", ert)

    def _told(self, step: FrameStep, frame: TransferFrame, ert: int) -> Iterator[ReceiverEvent]:
        """What is to be said of how a frame follows those before it; the twice and the odd, once for each channel."""
        channel = f"VC{frame.vcid}"
        if step.kind == "RESTART":
            text = f"{self._restarted(step, frame.vcid)} restarted: {', '.join(step.evidence)}"
            yield station_event("ACTIVITY_HI", RESTART_EVENT, text, ert)
        elif frame.vcid not in self._extractors:
            return
        elif step.kind == "GAP":
            lost, where = (step.lost, "") if step.at_restart.none else (step.at_restart, ", where it started again")
            text = f"{frames_lost(lost.count, lost.certainty)} on {channel} before VCFC {frame.vcfc}{where}"
            yield station_event("WARNING_LO", "FRAME_GAP", text, ert)
        elif step.kind == "LATE":
            text = f"frame {frame.vcfc} of {channel} came late{': it was not lost' if step.regained else ''}"
            yield station_event("DIAGNOSTIC", "LATE_FRAME", text, ert)
        elif step.kind == "DUPLICATE":
            text = f"frames of {channel} come again: they are counted, not decoded twice"
            yield from self._once("DUPLICATE", frame.vcid, text, ert)
        elif step.kind in ("STILL", "BACK"):
            text = f"the frame count of {channel} stands still or steps back: it does not tell what is lost"
            yield from self._once("FRAME_COUNT", frame.vcid, text, ert)

    def _restarted(self, step: FrameStep, vcid: int) -> str:
        """What started again: what sends on this channel alone, or the spacecraft, which its first channel names."""
        channels = self.dictionary.channels
        alone = [c.name for c in channels if step.alone and c.vcid == vcid]
        return (alone or [c.name for c in channels])[0]

    def _no_packet(self, item: EncapsulationFound | PacketDropped | DropUndone, ert: int) -> list[ReceiverEvent]:
        """What else than a space packet a frame of a declared channel carries."""
        if isinstance(item, EncapsulationFound):
            self._counts.packets_unknown += 1
            text = f"encapsulation packets of protocol {item.protocol} are not declared"
            return self._once("ENCAPSULATION", item.protocol, text, ert)
        self._counts.packets_bad += 1 if isinstance(item, PacketDropped) else -1
        return []

    def _foreign(self, name: str, number: int, text: str, ert: int) -> list[ReceiverEvent]:
        self._counts.frames_foreign += 1
        return self._once(name, number, text, ert)

    def _once(self, name: str, number: int, text: str, ert: int) -> list[ReceiverEvent]:
        """Tell of an oddity the first time; it is counted every time."""
        told = self._counts.told
        if (name, number) in told or len(told) >= _TOLD_ONCE:
            return []
        told.add((name, number))
        return [station_event("WARNING_LO", name, text, ert)]

    def _packet(self, found: PacketFound, vcid: int, ert: int, *, late: bool) -> list[ReceiverEvent]:
        if found.apid not in self.dictionary.by_apid:
            self._counts.packets_unknown += 1
            return self._once("UNKNOWN_APID", found.apid, f"packets of APID {found.apid:#05x} are not declared", ert)
        try:
            sample = decode_telemetry(self.dictionary, found.data)
        except DecodeError as error:
            self._counts.packets_bad += 1
            return self._once(
                "BAD_PACKET", found.apid, f"{self.dictionary.name_of(found.apid, found.data)}: {error}", ert
            )
        self._counts.packets += 1
        values: dict[str, Value] = sample.values  # type: ignore[assignment]  # no field of a dictionary is of bytes
        if sample.header.service == _EVENT_REPORTS and "number" in values:
            return self._onboard_event(values, vcid, sample.header.time_ns, ert)
        return self._telemetry(sample.packet, values, vcid, sample.header.time_ns, ert, late=late)

    def _telemetry(
        self, packet: Packet, values: dict[str, Value], vcid: int, scet: int | None, ert: int, *, late: bool
    ) -> list[ReceiverEvent]:
        invalid = packet.void(values)
        time = ert if scet is None else scet
        verdicts = self._quality.judge(packet, values, time, invalid) if self.judges_quality else None
        states, changes = self._limits.check(packet, values, invalid, time, late=late, verdicts=verdicts)
        shown = shown_values(packet, values, invalid)
        definition = packet.definition
        out: list[ReceiverEvent] = [
            Telemetry(
                packet=definition.name,
                apid=definition.apid,
                vcid=vcid,
                scet=time,
                ert=ert,
                values=shown.values,
                limits=states,
                invalid=invalid,
                exact=shown.exact,
                late=late,
                untimed=scet is None,
                bad=quality_of(verdicts),
            )
        ]
        for change in changes:
            severity: Severity = "ACTIVITY_LO"
            if change.state != "GREEN":
                severity = "WARNING_HI" if change.state.startswith("RED") else "WARNING_LO"
            text = f"{definition.name}.{change.parameter} {change.previous} → {change.state} at {_number(change.value)}"
            text += f": {change.evidence}" if change.evidence else ""
            out.append(station_event(severity, "LIMIT", text, ert))
        if "dictionary_hash" in values:
            out += self._check_hash(definition.name, values, ert)
        if definition.name in self.horizons.packets and not late:
            self.horizons.take(definition.name, vcid, shown.values, time, ert)
        return out

    def _check_hash(self, packet: str, values: dict[str, Value], ert: int) -> list[ReceiverEvent]:
        """Report a spacecraft that was built with another dictionary, once for each hash."""
        theirs = values.get("dictionary_hash")
        ours = self.dictionary.hash
        if not isinstance(theirs, int) or theirs == self._foreign_hash.get(packet, ours):
            return []
        self._foreign_hash[packet] = theirs
        if theirs == ours:
            return []
        text = f"{packet} was built with dictionary {theirs:08x}, the ground has {ours:08x}: values may be wrong"
        return [station_event("WARNING_HI", "DICTIONARY", text, ert)]

    def _onboard_event(self, values: dict[str, Value], vcid: int, scet: int | None, ert: int) -> list[ReceiverEvent]:
        number = values["number"]
        source = self._sources[vcid]
        event = self.dictionary.event_by_number.get(number) if isinstance(number, int) else None
        if event is None:
            rest = ", ".join(f"{name}={value}" for name, value in values.items() if name not in ("number", "tick"))
            text = f"event {number} is not declared ({rest})"
            return [
                EventMessage(severity="WARNING_LO", source=source, name="UNKNOWN_EVENT", text=text, ert=ert, scet=scet)
            ]
        text = event.told(values)
        return [EventMessage(severity=event.severity, source=source, name=event.name, text=text, ert=ert, scet=scet)]


def planned_losses(dictionary: Dictionary) -> dict[int, int]:
    """By VCID: when the plan says that a channel falls silent: the mission's LOSS_OF_SIGNAL is its first channel's."""
    milestone = dictionary.milestone("LOSS_OF_SIGNAL")
    if milestone is None or not dictionary.channels:
        return {}
    return {dictionary.channels[0].vcid: milestone.scet}


def _number(value: float) -> str:
    return word_of(value) or f"{value:g}"


def station_event(severity: Severity, name: str, text: str, ert: int) -> EventMessage:
    """An event of the station itself."""
    return EventMessage(severity=severity, source="STATION", name=name, text=text, ert=ert)
