"""Archive first, decode second: the one place where a report of a link becomes a record and then messages.

The live station and a lockstep run both stand on it, so that a test flies exactly what a bench runs.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from groundstation.links.base import Chunk, LinkChange, Report
from groundstation.messages import ContactChange, EventMessage, LinkStatus
from groundstation.receiver import Outcome, Receiver

_encode = msgspec.json.Encoder().encode


class Archive(Protocol):
    """What a recorder needs of an archive; `archive.writer.ArchiveWriter` is the real one."""

    error: str | None

    def chunk(self, ert: int, link: str, data: bytes) -> None:
        """Keep raw bytes as they were read."""

    def event(self, ert: int, scet: int | None, kind: str, body: bytes) -> None:
        """Keep something that happened, as JSON."""


class Recorder:
    """A receiver with its recording."""

    def __init__(self, receiver: Receiver, archive: Archive, path: str) -> None:
        self.receiver = receiver
        self._archive = archive
        self._path = path

    def keep(self, report: Report) -> None:
        """Archive a report's raw bytes. From any thread, before anything else looks at them."""
        if isinstance(report, Chunk):
            self._archive.chunk(report.ert, self.receiver.url, report.data)
        elif isinstance(report, LinkChange):
            body = _encode({"state": report.state, "detail": report.detail, "peer": report.peer})
            self._archive.event(report.ert, None, "transport", body)

    def decode(self, report: Report) -> list[Outcome]:
        """Decode a report that was kept, and keep what follows from it."""
        return self._note(self.receiver.take(report))

    def stalled(self, now: int) -> list[Outcome]:
        """Time passes although the link reports nothing."""
        return self._note(self.receiver.stalled(now))

    def overrun(self, reports: int) -> None:
        """Reports that were kept but came too fast to be decoded."""
        self.receiver.overrun(reports)

    def status(self, ert: int) -> LinkStatus:
        """The link and the recording as they stand."""
        return self.receiver.status(ert, self._path, self._archive.error is None)

    def note(self, event: EventMessage) -> None:
        """Keep an event of the station itself."""
        self._archive.event(event.ert, event.scet, "event", _encode(event))

    def _note(self, outcomes: list[Outcome]) -> list[Outcome]:
        for outcome in outcomes:
            if isinstance(outcome, EventMessage):
                self.note(outcome)
            elif isinstance(outcome, ContactChange):
                self._archive.event(outcome.ert, None, "contact", _encode(outcome))
        return outcomes
