"""Archive first, decode second: the one place where a report of a link becomes a record and then messages.

The live station and a lockstep run both stand on it, so that a test flies exactly what a bench runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from groundstation.downlink.receiver import FrameNote, Receiver, ReceiverEvent
from groundstation.formats.json_encoding import encode_json
from groundstation.links.base import Chunk, Report, TransportChange
from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.wire import Acknowledgement, ContactChange, EventMessage, LinkStatus, Telemetry
from groundstation.recordings.damaged.shortfall import Shortfall
from groundstation.recordings.event_bodies import Gap
from groundstation.recordings.records import FrameEntry
from protocols.tuples import maker


class Archive(Protocol):
    """What `ArchivingReceiver` needs of an archive; `recordings.writer.ArchiveWriter` is the real one."""

    @property
    def error(self) -> str | None:
        """Why nothing is kept now; None if all is well."""

    def chunk(self, ert: int, link: str, data: bytes) -> int:
        """Keep raw bytes as they were read; the id that frames refer to."""

    def frames(self, entries: Sequence[FrameEntry]) -> None:
        """Keep where frames lie in the chunks."""

    def copies(self, entries: Sequence[FrameEntry]) -> None:
        """Keep where later copies of frames lie, that another link had brought."""

    def event(self, ert: int, scet: int | None, kind: str, body: bytes) -> None:
        """Keep something that happened, as JSON."""


class NoArchive:
    """Keeps nothing: what a replay shows is recorded already."""

    error: str | None = None
    missing: Gap | None = None
    shortfall: Shortfall | None = None

    def chunk(self, ert: int, link: str, data: bytes) -> int:
        """Forget it."""
        return 0

    def frames(self, entries: Sequence[FrameEntry]) -> None:
        """Forget them."""

    def copies(self, entries: Sequence[FrameEntry]) -> None:
        """Forget them."""

    def event(self, ert: int, scet: int | None, kind: str, body: bytes) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to close."""


class ArchivedReport(NamedTuple):
    """A report that was archived. ``id`` is that of its chunk; 0 for all else."""

    report: Report
    id: int


_make_archived = maker(ArchivedReport)


class _Place(NamedTuple):
    """Where a chunk's first byte stands in the stream that the receiver saw, and when the chunk was received."""

    offset: int
    chunk: int
    ert: int


class _Found(NamedTuple):
    """Where a frame lies: it starts so far into that chunk, and its last byte came then."""

    ert: int
    chunk: int
    start: int


class _Stream:
    """One link's bytes: where each of its last chunks stands in them."""

    def __init__(self, frame: int) -> None:
        """Args: length of a frame. One that completes now began no more than two of them back; a chunk has a byte."""
        self._seen = 0
        self._places: deque[_Place] = deque(maxlen=2 * frame + 1)

    def add(self, number: int, chunk: Chunk) -> None:
        """The next chunk, and its id."""
        self._places.append(_Place(self._seen, number, chunk.ert))
        self._seen += len(chunk.data)

    def find(self, frame: FrameNote) -> _Found:
        """Where a frame lies that the last chunk completed or ruled out.

        A frame is received with its last byte, also if it was accepted only when later bytes had come.
        """
        last_byte = frame.offset + frame.size - 1
        ert = next(place.ert for place in reversed(self._places) if place.offset <= last_byte)
        start = next(place for place in reversed(self._places) if place.offset <= frame.offset)
        return _Found(ert, start.chunk, frame.offset - start.offset)


class ArchivingReceiver:
    """A receiver with its recording; without a path, nothing is kept."""

    def __init__(self, receiver: Receiver, archive: Archive, path: str | None) -> None:
        self.receiver = receiver
        self._archive = archive
        self._path = path
        self._streams: dict[int, _Stream] = {}
        self._held: dict[tuple[int, int], _Found] = {}

    def keep(self, report: Report) -> ArchivedReport:
        """Archive a report's raw bytes. From any thread, before anything else looks at them."""
        if isinstance(report, Chunk):
            url = self.receiver.url_of(report.link)
            return _make_archived((report, self._archive.chunk(report.ert, url, report.data)))
        if isinstance(report, TransportChange):
            body = {
                "state": report.state,
                "detail": report.detail,
                "peer": report.peer,
                "disturbance": report.disturbance,
            }
            if report.link or report.ahead:
                body |= {"link": report.link, "ahead": report.ahead}
            self._archive.event(report.ert, None, "transport", encode_json(body))
        return ArchivedReport(report, 0)

    def decode(
        self, kept: ArchivedReport, publish: Callable[[ReceiverEvent], None] | None = None
    ) -> list[ReceiverEvent]:
        """Decode a report that was kept, and keep what follows from it.

        ``publish`` gets each event as soon as it is known, to keep telemetry latency low.
        """
        report, number = kept
        outcomes = []
        for outcome in self.receiver.events(report):
            if not isinstance(outcome, Telemetry):
                self._record_outcome(outcome)
            if publish is not None:
                publish(outcome)
            outcomes.append(outcome)
        if isinstance(report, Chunk):
            stream = self._streams.get(report.link)
            if stream is None:
                stream = self._streams[report.link] = _Stream(self.receiver.profile.cadu_length)
            stream.add(number, report)
        if self.receiver.frames or self.receiver.copies or self.receiver.held:
            self._index()
        return outcomes

    def stalled(self, now: int, link: int = 0) -> list[ReceiverEvent]:
        """Time passes although a link reports nothing."""
        return self._recorded(self.receiver.stalled(now, link))

    def finish(self) -> list[ReceiverEvent]:
        """Nothing more comes: what was held for another link is given."""
        return self._recorded(self.receiver.finish())

    def _recorded(self, outcomes: list[ReceiverEvent]) -> list[ReceiverEvent]:
        self._index()
        for outcome in outcomes:
            self._record_outcome(outcome)
        return outcomes

    def overrun(self, reports: int) -> None:
        """Reports that were kept but came too fast to be decoded."""
        self.receiver.overrun(reports)

    def status(self, ert: int, backlog_ms: int = 0) -> LinkStatus:
        """The link and the recording as they stand; ``backlog_ms`` is how long what was kept waits to be decoded."""
        status = self.receiver.status(ert, self._path, self._archive.error is None)
        return msgspec.structs.replace(status, backlog_ms=backlog_ms) if backlog_ms else status

    def record(self, message: EventMessage | CommandUpdate | Acknowledgement) -> None:
        """Keep an event of the station itself, a command's state, or the acknowledgement of a loss."""
        if isinstance(message, Acknowledgement):
            self._archive.event(message.ert, None, "acknowledgement", encode_json(message))
        elif isinstance(message, CommandUpdate):
            self._archive.event(message.ert, None, "command", encode_json(message))
        else:
            self._archive.event(message.ert, message.scet, "event", encode_json(message))

    def _index(self) -> None:
        """Tell the archive where the frames that the last report brought lie, in the order in which they are counted.

        A frame that was held was found earlier, and has its place since then.
        """
        receiver = self.receiver
        for note in receiver.held:
            self._held[note.link, note.offset] = self._streams[note.link].find(note)
        entries = [self._entry(note) for note in receiver.frames]
        if entries:
            self._archive.frames(entries)
        copies = [self._entry(note) for note in receiver.copies]
        if copies:
            self._archive.copies(copies)

    def _entry(self, note: FrameNote) -> FrameEntry:
        found = self._held.pop((note.link, note.offset), None) if self._held else None
        found = found or self._streams[note.link].find(note)
        return FrameEntry(found.ert, note.scet, note.vcid, note.vcfc, note.quality, found.chunk, found.start, note.size)

    def _record_outcome(self, outcome: ReceiverEvent) -> None:
        if isinstance(outcome, EventMessage):
            self.record(outcome)
        elif isinstance(outcome, ContactChange):
            self._archive.event(outcome.ert, None, "contact", encode_json(outcome))
