"""Reads a recording, finished or still being written. Never changes it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from heapq import nlargest
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from groundstation.archive import schema
from groundstation.archive.records import EventRecord, FrameRecord, OnboardSpan
from groundstation.errors import ArchiveError

_PAGE = 1000
_HOLE_NS = 3_600_000_000_000
"""Onboard times farther apart than this do not belong together."""

_SPANS_READ = 10_000
_SPANS_KEPT = 100
_INT64_MAX = 2**63 - 1


class ArchiveReader:
    """One recording, open for reading. To be used by one thread at a time.

    The iterators read page by page and keep no transaction open: they hold a running writer up in nothing, and
    what it commits meanwhile still comes.
    """

    def __init__(self, path: Path) -> None:
        """Open a recording.

        Raises:
            ArchiveError: there is none, it is not a recording, or a newer version wrote it.
        """
        self.path = path
        self._db = _open(path)
        self.schema_version = int(self._query("PRAGMA user_version", ())[0][0])

    def meta(self) -> dict[str, str]:
        """The facts about the pass."""
        return dict(self._query(schema.SELECT_META, ()))

    @property
    def closed(self) -> bool:
        """The writer ended in order; it is not at work any more, and was not killed."""
        return schema.CLOSED in self.meta().items()

    def chunks(self) -> Iterator[tuple[int, str, bytes]]:
        """Everything received, in the order it came: (ert, link, data)."""
        for _, ert, link, data in self._pages(schema.SELECT_CHUNKS):
            yield ert, link, data

    def chunks_from(self, first: int) -> Iterator[tuple[int, int, bytes]]:
        """Chunks from the id ``first`` on: (id, ert, data)."""
        for number, ert, _, data in self._pages(schema.SELECT_CHUNKS, after=first - 1):
            yield number, ert, data

    def events(self, kind: str | None = None) -> Iterator[EventRecord]:
        """The recorded events in the order they came, of one kind or of all."""
        for row in self._pages(schema.SELECT_EVENTS, kind):
            yield EventRecord(*row)

    def events_from(self, first: int, kind: str) -> Iterator[EventRecord]:
        """Events of one kind from the id ``first`` on."""
        for row in self._pages(schema.SELECT_EVENTS, kind, after=first - 1):
            yield EventRecord(*row)

    def records_from(self, first: int) -> Iterator[tuple[int, int, str | None, bytes]]:
        """Chunks and events from the id ``first`` on in one order: (id, ert, kind, data); the kind of a chunk is None.

        In one look at both, so that neither runs ahead of the other while the recording is written. What stands before
        a damaged place is given before that is told.
        """
        last = first - 1
        while page := self._readable(schema.SELECT_RECORDS, (last, _PAGE)):
            yield from page
            last = page[-1][0]

    @property
    def has_frames(self) -> bool:
        """Whether there is an index of frames: since schema 2."""
        return self.schema_version >= schema.FRAMES_SINCE

    def frames(self) -> Iterator[FrameRecord]:
        """The index of frames, good and rejected, in the order they were found.

        Raises:
            ArchiveError: the recording is older than the index.
        """
        self._need_frames()
        for row in self._pages(schema.SELECT_FRAMES):
            yield FrameRecord(*row)

    def frame_numbers(self, size: int) -> Iterator[list[tuple[int, ...]]]:
        """The index as bare rows of numbers, ``size`` at a time: for those who make columns of them.

        The quality is its place in `records.QUALITIES`; -1 is no number, and -2⁶³ (numpy's "not a time") no time.
        """
        self._need_frames()
        return self._lists(schema.SELECT_FRAME_NUMBERS, size)

    def chunk_rows(self, size: int) -> Iterator[list[tuple[int, int, bytes]]]:
        """The chunks as bare rows (id, ert, data), ``size`` at a time."""
        return self._lists(schema.SELECT_BYTES_OF_CHUNKS, size)

    def frame_by_scet(self, scet: int) -> FrameRecord | None:
        """The first frame of that onboard time or a later one; the last one if there is none."""
        return self._frame(schema.FRAME_BY_SCET, scet) or self._frame(schema.LAST_FRAME_BY_SCET)

    def frames_since(self, ert: int) -> Iterator[FrameRecord]:
        """The index from the first frame on that was received at that time or later."""
        self._need_frames()
        first = self._query(schema.FIRST_FRAME_BY_ERT, (ert,))
        for row in self._pages(schema.SELECT_FRAMES, after=first[0][0] - 1) if first else ():
            yield FrameRecord(*row)

    def last_frame(self) -> FrameRecord | None:
        """The last frame of all."""
        return self._frame(schema.LAST_FRAME, 0)

    def frame_after(self, frame: int) -> FrameRecord | None:
        """The frame that follows the one with that id."""
        return self._frame(schema.FRAME_AFTER, frame)

    def frame_before(self, frame: int) -> FrameRecord | None:
        """The frame before the one with that id."""
        return self._frame(schema.FRAME_BEFORE, frame)

    def frame_bytes(self, frame: FrameRecord) -> bytes:
        """A frame's bytes as they came, ASM first; fewer where chunks are missing, never those of other chunks."""
        data, end = b"", frame.at + frame.size
        for number, _, kind, piece in self.records_from(frame.chunk):
            if kind == schema.GAP_KIND or (not data and number != frame.chunk):
                break
            if kind is None:
                data += piece
            if len(data) >= end:
                break
        return data[frame.at : end]

    def frame_counts(self) -> dict[tuple[int | None, str], int]:
        """How many frames of each channel and quality."""
        self._need_frames()
        return {(vcid, quality): count for vcid, quality, count in self._query(schema.SELECT_FRAME_COUNTS, ())}

    def bytes_between(self, first: int, last: int) -> int:
        """How many bytes the chunks from the id ``first`` on hold, before that with the id ``last``."""
        return int(self._query(schema.SELECT_BYTES_BETWEEN, (first, last))[0][0])

    def time_of_chunk(self, chunk: int) -> int:
        """When the chunk with that id was received, or the last one before it; 0 if there is none."""
        rows = self._query(schema.SELECT_CHUNK_TIME, (chunk,))
        return int(rows[0][0]) if rows else 0

    def has_chunk_before(self, chunk: int) -> bool:
        """Whether anything was received before the chunk with that id."""
        return bool(self._query(schema.SELECT_CHUNK_TIME, (chunk - 1,)))

    def last_event(self, kind: str, before: int) -> EventRecord | None:
        """The last event of a kind before that id."""
        rows = self._query(schema.LAST_EVENT, (kind, before))
        return EventRecord(*rows[0]) if rows else None

    def has_event(self, kind: str) -> bool:
        """Whether there is an event of that kind; reads no further than to the first."""
        return bool(self._query(schema.HAS_EVENT, (kind,))[0][0])

    def happened_after(self, ert: int) -> int | None:
        """When the next event, change of contact, gap, or command that begins or ends was recorded after that time."""
        rows = self._query(schema.HAPPENED_AFTER, (ert,))
        return rows[0][0] if rows else None

    def happened_before(self, ert: int) -> int | None:
        """When the last such thing before that time was recorded."""
        rows = self._query(schema.HAPPENED_BEFORE, (ert,))
        return rows[0][0] if rows else None

    def all_heard_since(self, first: int, last: int) -> int | None:
        """Since when every channel that was heard between two times was heard; None if none was, or none is indexed."""
        found: int | None = self._query(schema.LAST_HEARD, (first, last))[0][0] if self.has_frames else None
        return found

    def event_counts(self) -> dict[str, int]:
        """How many events of each kind."""
        return dict(self._query(schema.SELECT_EVENT_COUNTS, ()))

    def span(self) -> tuple[int, int] | None:
        """Earth received times of the first and the last record; None if there is none."""
        times = [time for time in self._query(schema.SELECT_SPAN, ())[0] if time is not None]
        return (min(times), max(times)) if times else None

    def onboard_spans(self) -> list[OnboardSpan]:
        """The onboard times of the frames, in order; empty if none has one.

        A clock that is not set, or one frame with a nonsense time, makes a span of its own: the earliest and the latest
        time of all would say nothing. Found along the index, in steps of an hour. Of a clock that is noise, the spans
        with most frames are given.
        """
        spans: list[OnboardSpan] = []
        first = self._scet(schema.NEXT_SCET, -_INT64_MAX - 1) if self.has_frames else None
        while first is not None and len(spans) < _SPANS_READ:
            last = first
            while (further := self._scet(schema.LAST_SCET_UP_TO, last, min(last + _HOLE_NS, _INT64_MAX))) is not None:
                last = further
            ((frames,),) = self._query(schema.COUNT_OF_SCETS, (first, last))
            spans.append(OnboardSpan(first, last, frames))
            first = self._scet(schema.NEXT_SCET, last)
        return sorted(nlargest(_SPANS_KEPT, spans, key=lambda span: span.frames))

    def chunk_by_ert(self, ert: int) -> int | None:
        """The id of the first chunk received then or later."""
        rows = self._query(schema.CHUNK_BY_ERT, (ert,))
        return rows[0][0] if rows else None

    def sha256(self) -> str:
        """Hash over all received bytes in order: two passes with the same one carried the same bytes."""
        digest = hashlib.sha256()
        for _, _, data in self.chunks():
            digest.update(data)
        return digest.hexdigest()

    @property
    def bytes_total(self) -> int:
        """How many bytes were received."""
        return int(self._query(schema.SELECT_BYTES, ())[0][0])

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _scet(self, statement: str, *where: int) -> int | None:
        found: int | None = self._query(statement, where)[0][0]
        return found

    def _frame(self, statement: str, *where: int) -> FrameRecord | None:
        self._need_frames()
        rows = self._query(statement, where)
        return FrameRecord(*rows[0]) if rows else None

    def _need_frames(self) -> None:
        if not self.has_frames:
            raise ArchiveError(f"{self.path} has no index of frames: it was written by an older version (schema 1)")

    def _pages(self, statement: str, *where: str | None, after: int = 0) -> Iterator[tuple[Any, ...]]:
        for page in self._lists(statement, _PAGE, *where, after=after):
            yield from page

    def _lists(self, statement: str, size: int, *where: str | None, after: int = 0) -> Iterator[list[Any]]:
        last = after
        while page := self._query(statement, (last, *where, size)):
            yield page
            last = page[-1][0]

    def _readable(self, statement: str, arguments: tuple[int, ...]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        try:
            for row in self._db.execute(statement, arguments):
                rows.append(row)
        except sqlite3.Error as error:
            if not rows:
                raise ArchiveError(f"{self.path} cannot be read: {error}") from error
        return rows

    def _query(self, statement: str, arguments: tuple[int | str | None, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(statement, arguments).fetchall()
        except sqlite3.Error as error:
            raise ArchiveError(f"{self.path} cannot be read: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    try:
        if not path.is_file():
            raise ArchiveError(_no_file(path))
        db = sqlite3.connect(_uri(path), uri=True, check_same_thread=False)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
    except sqlite3.Error as error:
        raise ArchiveError(_reason(path, error)) from error
    try:
        _verify(db, path)
    except (ArchiveError, sqlite3.Error) as error:
        db.close()
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(_reason(path, error)) from error
    return db


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder, not a recording: groundstation passes {path} lists what is in it"
    if path.exists() or str(path) == "-":
        return f"{path} is a pipe or device, but a recording has to be a file, for SQLite seeks in it: save it first"
    return f"no recording at {path}"


def _uri(path: Path) -> str:
    """A recording without its ``-wal`` is finished and nobody writes it again: leave nothing beside it."""
    finished = not path.with_name(path.name + "-wal").exists()
    return f"file:{quote(os.fsencode(path.absolute()))}?mode=ro{'&immutable=1' if finished else ''}"


def _verify(db: sqlite3.Connection, path: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != schema.APPLICATION_ID:
        raise ArchiveError(f"{path} is not a recording of this station")
    if version > schema.SCHEMA_VERSION:
        raise ArchiveError(
            f"{path} was written by a newer version (schema {version}; this one reads up to {schema.SCHEMA_VERSION})"
        )


def _reason(path: Path, error: sqlite3.Error) -> str:
    if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
        return f"{path} is not a recording of this station"
    return f"{path} cannot be read: {error}"
