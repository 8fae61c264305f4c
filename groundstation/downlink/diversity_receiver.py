"""A receiver for several links that carry the same spacecraft: their frames are merged before they are counted.

Rules:
1. With each report time passes first: on its link, then for the merger and the merged stream. What the merger holds is
   handed on when its time is over, before anything that came after that is looked at: a replay decides as it was.
2. From the merger on there is one stream. Its contact is dated by the station's clock. It has no MCFC: that is each
   link's own count.
3. No deadline passes that a held frame may still keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from groundstation.downlink.diversity import Diversity, FrameFound
from groundstation.downlink.horizons import Horizons
from groundstation.downlink.receiver import FrameNote, Receiver, ReceiverEvent, planned_losses, station_event
from groundstation.links.base import Chunk, NamedLink, RelayGap, Report, TransportChange
from groundstation.messages.wire import Counters, LinkStatus
from protocols.counts.merger import Arrival
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Mission
from protocols.decode.frame_content import frame_time
from protocols.profile import LinkProfile
from protocols.sync.deframer import Frame, Reject
from protocols.words import GoodQuality, Severity


class _MergedFrame(NamedTuple):
    """A frame without the count that is its link's own."""

    scid: int
    vcid: int
    vcfc: int
    first_header_pointer: int
    data: bytes
    ocf: bytes | None
    mcfc: None = None


class DiversityReceiver(Receiver):
    """Decodes the bytes of two links or more; reports say by its place which one they are of."""

    def __init__(
        self,
        dictionary: Dictionary,
        profile: LinkProfile,
        url: str,
        horizons: Horizons,
        links: Sequence[NamedLink],
        commands: int = 0,
    ) -> None:
        """Prepare.

        Args:
            dictionary: the mission's.
            profile: how its frames lie on the wire, the same on all links.
            url: all links in words, for the status.
            horizons: of the mission's relays.
            links: in the order of their places.
            commands: the place of the link over which telecommands go out.
        """
        self._diversity = Diversity(links, dictionary, profile, planned_losses(dictionary), horizons, commands)
        super().__init__(dictionary, profile, url, horizons, self._diversity.judge)
        self._copies = 0

    @property
    def connected(self) -> bool:
        """The transport of one of the links is there."""
        return self._diversity.connected()

    def is_connected(self, link: int) -> bool:
        """The transport of the link at that place is there."""
        return self._diversity.connected(link)

    def url_of(self, link: int) -> str:
        """The URL of the link at that place."""
        return self._diversity.named(link).url

    def events(self, report: Report) -> Iterator[ReceiverEvent]:
        """Take one report of a link, in the order in which they are archived; to be iterated to its end."""
        self.frames, self.copies, self.held, self.ocfs = [], [], [], []
        diversity, link = self._diversity, getattr(report, "link", None)
        if isinstance(report, Chunk):
            yield from diversity.received(report.link, len(report.data), report.ert)
        elif isinstance(report, TransportChange):
            yield from self._transport_change(report)
        else:
            yield from diversity.idle(link, report.ert)
        at = diversity.time(link, report.ert)
        yield from self._pass_time()
        if isinstance(report, TransportChange):
            yield from self._released(diversity.merger.connect(report.link, report.state == "CONNECTED", at))
        elif isinstance(report, Chunk):
            for found in diversity.deframer(report.link).feed(report.data):
                if isinstance(found, Reject):
                    yield from self._reject_of(found, report.link)
                else:
                    yield from self._frame_of(found, report)
        elif isinstance(report, RelayGap):
            self.overrun(report.missed)
            text = f"{diversity.named(report.link).name}: {report.missed} messages of the relay are missing"
            yield station_event("WARNING_LO", "RELAY_GAP", text, report.ert)

    def stalled(self, now: int, link: int = 0) -> list[ReceiverEvent]:
        """The port of the link is not being read, and ``now`` has come: deadlines pass all the same."""
        self.frames, self.copies, self.held, self.ocfs = [], [], [], []
        diversity = self._diversity
        events: list[ReceiverEvent] = list(diversity.idle(link, now, listening=not diversity.connected(link)))
        diversity.time(link, now)
        return [*events, *self._pass_time()]

    def finish(self) -> list[ReceiverEvent]:
        """Nothing more comes: what follows from what was held."""
        self.frames, self.copies, self.held, self.ocfs = [], [], [], []
        return list(self._released(self._diversity.merger.finish()))

    def counters(self) -> Counters:
        """All counts so far; bytes and rejected frames are those of all links."""
        counts = [deframer.count() for deframer in self._diversity.deframers]
        return msgspec.structs.replace(
            super().counters(),
            bytes_in=sum(count.total for count in counts),
            good=sum(count.good for count in counts),
            corrected=sum(count.corrected for count in counts),
            rejected=sum(count.rejected for count in counts),
            skipped=sum(count.skipped for count in counts),
            pending=sum(count.pending for count in counts),
            frames_copies=self._copies,
        )

    def status(self, ert: int, recording: str | None, recording_ok: bool) -> LinkStatus:
        """The links as they stand at ``ert``."""
        transport, detail = self._diversity.transport
        status = super().status(ert, recording, recording_ok)
        return msgspec.structs.replace(status, transport=transport, detail=detail, links=self._diversity.shares())

    def _transport_change(self, change: TransportChange) -> Iterator[ReceiverEvent]:
        diversity = self._diversity
        name, before = diversity.named(change.link).name, diversity.transport
        yield from diversity.changed(change)
        if change.disturbance:
            yield station_event("WARNING_HI", "PORT_DISTURBED", f"{name}: {change.detail}", change.ert)
        elif before != diversity.transport:
            severity: Severity = "ACTIVITY_HI" if change.state == "CONNECTED" else "WARNING_LO"
            yield station_event(severity, change.state, f"{name}: {change.detail}", change.ert)

    def _pass_time(self) -> Iterator[ReceiverEvent]:
        """What was held long enough is handed on, then deadlines pass."""
        now, merger = self._diversity.now, self._diversity.merger
        yield from self._released(merger.advance(now))
        held = merger.held_since
        yield from self.contact.advance(now if held is None else min(now, held))

    def _reject_of(self, found: Reject, link: int) -> Iterator[ReceiverEvent]:
        """A link's rejected frame: the merged stream has lost it only if no other link brings it."""
        self._counts.frames_rejected += 1
        self.frames.append(FrameNote(found.offset, len(found.data), found.reason, link=link))
        yield from self._diversity.rejected(link, found.reason != "SYNC")

    def _frame_of(self, found: Frame, chunk: Chunk) -> Iterator[ReceiverEvent]:
        """A link's good frame: the first copy goes on, at once or when those before it have come."""
        diversity, length, ert, link = self._diversity, self.profile.cadu_length, chunk.ert, chunk.link
        quality: GoodQuality = "CORRECTED" if found.corrected else "GOOD"
        frame, oddity = self._own_frame(found.data)
        if frame is None:
            self._counts.frames_good += 1
            self.frames.append(FrameNote(found.offset, length, quality, link=link))
            diversity.foreign(link)
            yield from self._foreign(*oddity, ert)
            return
        scet = frame_time(frame, self.dictionary)
        mine = FrameFound(frame, link, found.offset, quality, scet, ert, diversity.time(link, ert))
        yield from diversity.frame(mine, length, declared=frame.vcid in self._extractors)
        merged = diversity.merger.push(link, frame, mine.at, mine)
        note = FrameNote(found.offset, length, quality, frame.vcid, frame.vcfc, scet, link=link)
        if merged.verdict in ("FIRST", "HELD"):
            self._counts.frames_good += 1
            self.held += [note] if merged.verdict == "HELD" else []
        else:
            self._copies += 1
            self.copies.append(note)
        if merged.verdict == "CONFLICT":
            text = f"{diversity.named(link).name} brought frame {frame.vcfc} of VC{frame.vcid} with other content"
            yield station_event("WARNING_HI", "FRAME_CONFLICT", text, ert)
        yield from self._released(merged.released)

    def _released(self, arrivals: Iterable[Arrival[FrameFound]]) -> Iterator[ReceiverEvent]:
        """Frames that are handed on."""
        for arrival in arrivals:
            found, f = arrival.note, arrival.frame
            frame = _MergedFrame(f.scid, f.vcid, f.vcfc, f.first_header_pointer, f.data, f.ocf)
            yield from self._counted(frame, found.offset, found.quality, found.scet, found.ert, found.at, found.link)


def receiver_of(mission: Mission, url: str, links: Sequence[NamedLink] = (), commands: int = 0) -> Receiver:
    """The receiver of a mission's spacecraft over one link, or over several.

    Args:
        mission: it.
        url: of the link, or all of them in words, for the status.
        links: if there are several: all of them.
        commands: the place of the link over which telecommands go out.

    Raises:
        DeclarationError: the mission's profile is of a stream of bits.
    """
    horizons = Horizons(mission.dictionary, mission.relays)
    if len(links) > 1:
        return DiversityReceiver(mission.dictionary, mission.link_profile, url, horizons, links, commands)
    return Receiver(mission.dictionary, mission.link_profile, url, horizons)
