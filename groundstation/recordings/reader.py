"""Reads a recording, finished or still being written. Never changes it.

Rules:
1. The iterators read page by page and keep no transaction open: they hold a running writer up in nothing, and what it
   commits later still comes.
2. Whatever SQLite gives is looked at: types, ranges, the order of ids (`checks`). If something cannot be, or SQLite
   cannot read on, what is left of the recording is read into a clean one (`recovery`), and the reader goes on there,
   behind the last record that it gave. So each record is given once, and `damage` says what is missing.
3. An event whose body cannot be decoded costs that event alone.
"""

from __future__ import annotations

import hashlib
import sqlite3
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from heapq import nlargest
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from groundstation.errors import ArchiveError, PartlyRead
from groundstation.recordings import schema
from groundstation.recordings.checks import (
    DATA,
    ERT,
    FRAME_COLUMNS,
    ID,
    KIND,
    KIND_OR_NONE,
    LINK,
    LINK_URL,
    QUALITY,
    SCET,
    VCID,
    Column,
    event_fault,
    frame_fault,
    is_rising,
)
from groundstation.recordings.creation import journal_of
from groundstation.recordings.damaged.damage import PLACES_SHOWN, Damage, Lost
from groundstation.recordings.event_bodies import body_of
from groundstation.recordings.opening import (
    DATABASE_ERRORS,
    JOURNAL_WORDS,
    LARGEST_ROW,
    JournalState,
    is_damage,
    journal_state,
    journal_words,
    open_recording,
)
from groundstation.recordings.records import EventRecord, FrameRecord, LinkCounts, NamedLink, OnboardSpan
from protocols.units import NS_PER_DAY, NS_PER_HOUR

T = TypeVar("T")
_Rows = list[tuple[Any, ...]]
_PAGE = 1000
_HOLE_NS = NS_PER_HOUR
"""Onboard times farther apart than this do not belong together."""

_SPANS_READ = 10_000
_SPANS_KEPT = 100
_INT64_MAX = 2**63 - 1
_PAGE_BYTES = 16 << 20
"""Rows are fetched up to so many bytes at a time."""

_YEAR_NS = 365 * NS_PER_DAY
_COPY_STEP = 16 << 20
_NOTES_MAX = 100_000


class _Scan(NamedTuple):
    """Rows that are read in the order of their ids: from which table, with what in their columns."""

    statement: str
    table: str
    columns: tuple[Column, ...]
    is_heavy: bool = True
    """The last column is bytes of any size."""


_CHUNKS = _Scan(schema.SELECT_CHUNKS, "chunk", (ID, ERT, LINK, DATA))
_CHUNKS_2 = _CHUNKS._replace(columns=(ID, ERT, LINK_URL, DATA))
_BYTES = _Scan(schema.SELECT_BYTES_OF_CHUNKS, "chunk", (ID, ERT, DATA))
_EVENTS = _Scan(schema.SELECT_EVENTS, "event", (ID, ERT, SCET, KIND, DATA))
_LINK_RECORDS = _Scan(schema.SELECT_LINK_RECORDS, "records", (ID, ERT, LINK, KIND_OR_NONE, DATA))
_RECORDS = _Scan(schema.SELECT_RECORDS, "records", (ID, ERT, KIND_OR_NONE, DATA))
_FRAMES = _Scan(schema.SELECT_FRAMES, "frame", FRAME_COLUMNS, is_heavy=False)


class ArchiveReader:
    """One recording, open for reading. To be used by one thread at a time.

    Attributes:
        path: the recording.
        schema_version: of the writer.
        journal: what became of its journal.
    """

    def __init__(self, path: Path) -> None:
        """Open a recording.

        Raises:
            ArchiveError: there is none, it is not a recording, a newer version wrote it, or nothing of it is left.
        """
        self.path = path
        opened = open_recording(path)
        self.journal: JournalState = opened.journal
        self.schema_version = opened.schema_version
        self._db = opened.db
        self._damage: Damage | None = None
        self._notes: dict[int, str] = {}
        self._has_large_rows = False
        self._named: list[NamedLink] | None = None
        self._link_places: dict[int, int] = {}
        self._is_strict = opened.is_strict
        self._is_sound = False
        """All types and ranges, and the order of ids, were found to be right."""
        if opened.fault:
            self._recover(opened.fault)

    @property
    def damage(self) -> Damage | None:
        """What was found to be damaged so far; None if nothing."""
        if not self._notes:
            return self._damage
        damage = self._damage or Damage(reason="records that do not decode")
        places = [*damage.places, *self._notes.values()][:PLACES_SHOWN]
        return msgspec.structs.replace(damage, refused=damage.refused + len(self._notes), places=places)

    @property
    def lost(self) -> list[Lost]:
        """Where records are missing, in their order."""
        return [] if self._damage is None else self._damage.lost

    @property
    def lack(self) -> str:
        """What is missing in words, as far as it was found; empty if nothing is."""
        words = [journal_words(self.journal, self.path)] if self.journal in JOURNAL_WORDS else []
        damage = self.damage
        if damage is not None and damage.is_partial:
            words.append(f"is {damage}")
        return "; it ".join(words)

    def require_whole(self) -> None:
        """To be called when all that was wanted was read, and given.

        Raises:
            PartlyRead: something was found to be missing.
        """
        if self.lack:
            raise PartlyRead(f"{self.path} {self.lack}")

    def check(self, largest: int | None = None) -> None:
        """Look for damage that reading alone would pass over without a word: rows that SQLite no longer reaches.

        It takes about as long as SQLite takes to read the file: one of more than ``largest`` bytes is left alone.

        Raises:
            ArchiveError: nothing of it is left.
        """
        if largest is not None and self._size() > largest:
            return
        if self._damage is None and (fault := self._structure_fault()):
            self._recover(fault)
        self._is_sound = True
        self._note_bodies()

    def distrust(self, reason: str) -> None:
        """Take only what can be from here on: something was given that cannot.

        Raises:
            ArchiveError: nothing of it is left.
        """
        if self._damage is None:
            self._recover(reason)

    def body(self, event: EventRecord, kind: type[T]) -> T | None:
        """The body of an event; None if it cannot be decoded, which is noted as damage."""
        try:
            return body_of(event, kind, self.path)
        except ArchiveError as error:
            if event.id in self._notes or len(self._notes) < _NOTES_MAX:
                self._notes[event.id] = f"record {event.id}, kind {event.kind!r}: {error.__cause__}"
            return None

    def note_of(self, event: EventRecord) -> str | None:
        """Why the body of an event could not be decoded; None if it could, or has not been tried."""
        return self._notes.get(event.id)

    def meta(self) -> dict[str, str]:
        """The facts about the pass."""
        return dict(self._query(schema.SELECT_META, (), _text_fault))

    @property
    def closed(self) -> bool:
        """The writer ended in order; it is not at work any more, and was not killed."""
        return schema.CLOSED in self.meta().items()

    def chunks(self) -> Iterator[tuple[int, str, bytes]]:
        """Everything received, in the order it came: (ert, URL of the link, data)."""
        links: dict[int, str] = {}
        for _, ert, link, data in self._pages(_CHUNKS if self._has_links else _CHUNKS_2):
            if isinstance(link, int) and link not in links:  # of a recording being written there may be more by now
                links = {link: "", **self.links()}
            yield ert, links[link] if isinstance(link, int) else link, data

    def links(self) -> dict[int, str]:
        """The links by number: their URLs. Empty before schema 3, where each chunk has its own."""
        return dict(self._query(schema.SELECT_LINKS, (), _links_fault)) if self._has_links else {}

    @property
    def _has_links(self) -> bool:
        return self._damage is not None or self.schema_version >= schema.LINKS_SINCE

    def named_links(self) -> list[NamedLink]:
        """The links of a station that had several, in its order; empty if it had one."""
        if self._named is None:
            try:
                self._named = msgspec.json.decode(self.meta().get(schema.LINKS, "[]"), type=list[NamedLink])
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise ArchiveError(f"{self.path} is damaged: its fact {schema.LINKS!r}: {error}") from error
        return self._named

    def link_records_from(self, first: int) -> Iterator[tuple[int, int, int, str | None, bytes]]:
        """As `records_from`, of a recording of several links: (id, ert, place of the link, kind, data); 0 of events."""
        for number, ert, link, kind, data in self._pages(_LINK_RECORDS, after=first - 1):
            yield number, ert, self._place_of(link) if kind is None else 0, kind, data

    def chunks_by_link(self) -> Iterator[tuple[int, int, bytes]]:
        """Everything received, in the order it came: (ert, place of the link, data); 0 where there is only one."""
        places = {link.url: place for place, link in enumerate(self.named_links())}
        for ert, url, data in self.chunks():
            yield ert, places.get(url, 0), data

    def link_of_chunk(self, chunk: int) -> int:
        """The place of the link that the chunk with that id came over; 0 where there is only one."""
        if not self.named_links():
            return 0
        rows = self._query(schema.SELECT_LINK_OF_CHUNK, (chunk,))
        return self._place_of(rows[0][0]) if rows else 0

    def link_counts(self) -> list[LinkCounts]:
        """What each of several links brought; empty if there was one."""
        counts = [self._by_link(schema.BYTES_BY_LINK), self._by_link(schema.FIRST_BY_LINK)]
        has_copies = bool(self.named_links()) and self._query(schema.HAS_COPIES, ())[0][0]
        counts.append(self._by_link(schema.COPIES_BY_LINK) if has_copies else {})
        counts += [self._by_link(schema.REJECTED_BY_LINK), self._by_link(schema.FOREIGN_BY_LINK)]
        return [
            LinkCounts(link, *(count.get(place, 0) for count in counts))
            for place, link in enumerate(self.named_links())
        ]

    def _by_link(self, statement: str) -> dict[int, int]:
        return {self._place_of(number): count for number, count in self._query(statement, ())}

    def _place_of(self, number: int) -> int:
        """The place of a link among those of its station, by its number in the recording."""
        if number not in self._link_places:
            places = {link.url: place for place, link in enumerate(self.named_links())}
            self._link_places = {each: places.get(url, 0) for each, url in self.links().items()}
        return self._link_places.get(number, 0)

    def chunks_from(self, first: int) -> Iterator[tuple[int, int, bytes]]:
        """Chunks from the id ``first`` on: (id, ert, data)."""
        for number, ert, _, data in self._pages(_CHUNKS, after=first - 1):
            yield number, ert, data

    def events(self, kind: str | None = None) -> Iterator[EventRecord]:
        """The recorded events in the order they came, of one kind or of all."""
        for row in self._pages(_EVENTS, kind):
            yield EventRecord(*row)

    def events_from(self, first: int, kind: str) -> Iterator[EventRecord]:
        """Events of one kind from the id ``first`` on."""
        for row in self._pages(_EVENTS, kind, after=first - 1):
            yield EventRecord(*row)

    def records_from(self, first: int) -> Iterator[tuple[int, int, str | None, bytes]]:
        """Chunks and events from the id ``first`` on in one order: (id, ert, kind, data); the kind of a chunk is None.

        In one look at both, so that neither runs ahead of the other while the recording is written.
        """
        yield from self._pages(_RECORDS, after=first - 1)

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
        for row in self._pages(_FRAMES):
            yield FrameRecord(*row)

    def frame_numbers(self, size: int) -> Iterator[list[tuple[int, ...]]]:
        """The index as bare rows of numbers, ``size`` at a time: for those who make columns of them.

        The quality is its place in `records.QUALITIES`; -1 stands for no number, and -2⁶³ (numpy's "not a
        time") for no time. That they are numbers is looked at here; which they are, where columns are made of them
        (`distrust`).
        """
        self._need_frames()
        last = 0
        while rows := self._query(schema.SELECT_FRAME_NUMBERS, (last, size), self._frame_numbers_fault):
            yield rows
            last = rows[-1][0]

    def chunk_rows(self, size: int) -> Iterator[list[tuple[int, int, bytes]]]:
        """The chunks as bare rows (id, ert, data), ``size`` at a time."""
        return self._lists(_BYTES, size)

    def frame_by_scet(self, scet: int) -> FrameRecord | None:
        """The first frame of that onboard time or a later one; the last one if there is none."""
        return self._frame(schema.FRAME_BY_SCET, scet) or self._frame(schema.LAST_FRAME_BY_SCET)

    def frames_since(self, ert: int) -> Iterator[FrameRecord]:
        """The index from the first frame on that was received at that time or later."""
        self._need_frames()
        first = self._query(schema.FIRST_FRAME_BY_ERT, (ert,))
        for row in self._pages(_FRAMES, after=first[0][0] - 1) if first else ():
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
        data, end = b"", frame.offset + frame.size
        link = self.link_of_chunk(frame.chunk)
        for number, _, place, kind, piece in self._records_with_link(frame.chunk):
            if kind is None and place != link:
                continue
            if kind == schema.GAP_KIND or (not data and number != frame.chunk):
                break
            if kind is None:
                data += piece
            if len(data) >= end:
                break
        return data[frame.offset : end]

    def _records_with_link(self, first: int) -> Iterator[tuple[int, int, int, str | None, bytes]]:
        if self.named_links():
            yield from self.link_records_from(first)
            return
        for number, ert, kind, data in self.records_from(first):
            yield number, ert, 0, kind, data

    def frame_counts(self) -> dict[tuple[int | None, str], int]:
        """How many frames of each channel and quality."""
        self._need_frames()
        rows = self._query(schema.SELECT_FRAME_COUNTS, (), _frame_counts_fault)
        return {(vcid, quality): count for vcid, quality, count in rows}

    def bytes_between(self, first: int, last: int) -> int:
        """How many bytes the chunks from the id ``first`` on hold, before that with the id ``last``.

        Of several links, those of the link of the first.
        """
        if self.named_links():
            links = self._query(schema.SELECT_LINK_OF_CHUNK, (first,))
            between = (first, last, links[0][0] if links else 0)
            return int(self._query(schema.SELECT_LINK_BYTES_BETWEEN, between)[0][0])
        return self.bytes_of_all_between(first, last)

    def bytes_of_all_between(self, first: int, last: int) -> int:
        """How many bytes of all links the chunks from the id ``first`` on hold, before that with the id ``last``."""
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
        rows = self._query(schema.LAST_EVENT, (kind, before), _events_fault)
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

    def all_heard_since(self, first: int, last: int) -> tuple[int, int] | None:
        """Since when every channel that was heard between two times was heard; None if none was, or none is indexed.

        Returns:
            Since when with its last frame, and since when with its last three, which may lie as far before ``first``.
        """
        times = (2 * first - last, last, first)
        found = self._query(schema.LAST_HEARD, times)[0] if self.has_frames else (None, None)
        return None if found[0] is None else (found[0], found[1])

    def event_counts(self) -> dict[str, int]:
        """How many events of each kind."""
        return dict(self._query(schema.SELECT_EVENT_COUNTS, (), _event_counts_fault))

    def span(self) -> tuple[int, int] | None:
        """Earth received times of the first and the last record; None if there is none.

        One that is years away from those beside it is a damaged one.
        """
        spans = [span for span in (self._span("chunk"), self._span("event")) if span is not None]
        return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None

    def span_of_bytes(self) -> tuple[int, int] | None:
        """Earth received times of the first and the last read; None if there is none."""
        return self._span("chunk")

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

    def backup(self, copy: sqlite3.Connection, advance: Callable[[int], None]) -> None:
        """Copy the file, as it is now, with what is in its journal.

        Args:
            copy: an empty database.
            advance: told how many more bytes were copied.

        Raises:
            ArchiveError: SQLite cannot read the file.
            sqlite3.Error: the copy cannot be written.
        """
        if self._damage is not None or self._db is None:
            raise ArchiveError(f"{self.path} is {self._damage}; it can only be copied as a file, with its journal")
        self._db.execute("BEGIN")  # what is committed while it is copied does not start it again
        try:
            self._db.execute(schema.HAS_META).fetchall()
            step = _COPY_STEP // self._execute("PRAGMA page_size", ())[0][0]
            self._db.backup(copy, pages=step, progress=lambda *_: advance(_COPY_STEP))
        finally:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._db is not None:
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

    def _span(self, table: str) -> tuple[int, int] | None:
        ends = ([ert for (ert,) in self._query(statement, ())] for statement in schema.SELECT_ENDS[table])
        times = [ert for end in ends for ert in _together(end)]
        return (min(times), max(times)) if times else None

    def _frame(self, statement: str, *where: int) -> FrameRecord | None:
        self._need_frames()
        rows = self._query(statement, where, _frames_fault)
        return FrameRecord(*rows[0]) if rows else None

    def _need_frames(self) -> None:
        if not self.has_frames:
            raise ArchiveError(f"{self.path} has no index of frames: it was written by an older version (schema 1)")

    def _pages(self, scan: _Scan, *where: str | None, after: int = 0) -> Iterator[tuple[Any, ...]]:
        for page in self._lists(scan, _PAGE, *where, after=after):
            yield from page

    def _lists(self, scan: _Scan, size: int, *where: str | None, after: int = 0) -> Iterator[list[Any]]:
        last = after

        def fault(rows: _Rows) -> str:
            return self._scan_fault(scan, rows, last)

        while page := self._query(scan.statement, (last, *where, size), fault, is_heavy=scan.is_heavy):
            yield page
            last = page[-1][0]

    def _scan_fault(self, scan: _Scan, rows: _Rows, last: int) -> str:
        """What is wrong with a page of rows behind the id ``last``."""
        if not rows or self._is_sound:
            return ""
        columns = list(zip(*rows, strict=True))
        if not is_rising(columns[0], last) or columns[0][-1] > self._last_id(scan.table):
            return f"ids of {scan.table} are out of order"
        faults = (each.fault(column) for each, column in zip(scan.columns, columns, strict=True))
        return next(filter(None, faults), "")

    def _frame_numbers_fault(self, rows: _Rows) -> str:
        if not rows or self._is_sound:
            return ""
        try:
            numbers = array("q", chain.from_iterable(rows))
        except (TypeError, OverflowError):
            return "a frame holds values that are not numbers"
        ids = numbers[:: len(rows[0])]
        return "" if is_rising(ids, 0) and ids[-1] <= self._last_id("frame") else "ids of frame are out of order"

    def _last_id(self, table: str) -> int:
        last = self._execute(schema.LAST_IDS[table], ())[0][0]
        return last if isinstance(last, int) else 0

    def _query(
        self,
        statement: str,
        arguments: tuple[int | str | None, ...],
        fault: Callable[[_Rows], str] | None = None,
        *,
        is_heavy: bool = False,
    ) -> _Rows:
        """Rows that were looked at; from the clean recording, if those of this one cannot be."""
        if self._damage is None:
            try:
                rows = self._execute(statement, arguments, is_heavy=is_heavy)
                wrong = (fault or _numbers_fault)(rows)
            except DATABASE_ERRORS as error:
                if not is_damage(error):
                    raise ArchiveError(f"{self.path} cannot be read: {error}") from error
                wrong = str(error)
            if not wrong:
                return rows
            self._recover(wrong)
        try:
            return self._execute(statement, arguments, is_heavy=is_heavy)
        except DATABASE_ERRORS as error:
            raise ArchiveError(f"{self.path} cannot be read: {error}") from error

    def _execute(self, statement: str, arguments: tuple[int | str | None, ...], *, is_heavy: bool = False) -> _Rows:
        """Rows as SQLite gives them; of heavy ones, so many as fit into memory, one at least."""
        assert self._db is not None
        if not self._has_large_rows:
            try:
                return self._db.execute(statement, arguments).fetchall()
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_TOOBIG:
                    raise
            self._has_large_rows = True
            self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ROW)
        cursor = self._db.execute(statement, arguments)
        if not is_heavy:
            return cursor.fetchall()
        rows, left = [], _PAGE_BYTES
        for row in cursor:
            rows.append(row)
            left -= len(row[-1]) if isinstance(row[-1], bytes | str) else 0
            if left < 0:
                break
        cursor.close()
        return rows

    def _size(self) -> int:
        pages, size = (self._query(f"PRAGMA {what}", ())[0][0] for what in ("page_count", "page_size"))
        return int(pages * size)

    def _structure_fault(self) -> str:
        """What SQLite finds wrong with its pages, or we with its journal."""
        try:
            found = [row[0] for row in self._execute("PRAGMA quick_check(1)", ())]
            tables = ["chunk", "event", *(["frame"] if self.has_frames else [])]
            tables += ["value_quality"] if self._has_links else []
            firsts = [self._execute(schema.FIRST_IDS.format(table), ())[0][0] for table in tables]
            wrong = self._wrong_table([*tables, "meta"])
            largest = self._execute(schema.LARGEST_CHUNK, ())[0][0]
            hollow = self.has_frames and self._execute(schema.FRAMES_WITHOUT_BYTES, ())[0][0]
        except DATABASE_ERRORS as error:
            if not is_damage(error):
                raise ArchiveError(f"{self.path} cannot be read: {error}") from error
            return str(error)
        if found != ["ok"]:
            return str(found[0]).splitlines()[-1]
        if any(first is not None and (not isinstance(first, int) or first < 1) for first in firsts):
            return "ids below 1"
        faults = {
            f"impossible values in the table {wrong}": bool(wrong),
            "a chunk is larger than any read": largest > LARGEST_ROW,
            "frames are indexed whose bytes are missing": bool(hollow),
        }
        for fault, is_found in faults.items():
            if is_found:
                return fault
        return "its journal is damaged" if self.journal == "read" and self._has_damaged_journal() else ""

    def _wrong_table(self, tables: list[str]) -> str:
        """The name of a table with values of a wrong type or, of frames, out of range; empty if there is none."""
        if not self._is_strict:
            for table in tables:
                if self._execute(schema.WRONG_TYPES[table], ())[0][0]:
                    return table
        for table in tables:
            if table != "meta" and self._execute(schema.NO_TIMES.format(table), ())[0][0]:
                return table
        return "frame" if "frame" in tables and self._execute(schema.WRONG_FRAMES, ())[0][0] else ""

    def _note_bodies(self) -> None:
        """Note the events whose bodies are not JSON."""
        with suppress(*DATABASE_ERRORS):  # the readers of the bodies report it
            for number, kind in self._execute(schema.WRONG_BODIES, (_NOTES_MAX,)):
                self._notes[number] = f"record {number}, kind {kind!r}: not JSON"

    def _has_damaged_journal(self) -> bool:
        from groundstation.recordings.damaged.journal import is_damaged  # noqa: PLC0415 - numpy, for open ones alone

        with suppress(OSError):
            return is_damaged(journal_of(self.path))
        return False

    def _recover(self, reason: str) -> None:
        """Go on with a clean copy of what is left."""
        from groundstation.recordings.damaged.recovery import recover  # noqa: PLC0415 - numpy, for damaged ones alone

        recovered = recover(self.path, reason, self._db, with_journal=self.journal == "read")
        if self._db is not None:
            self._db.close()
        self._db, self._damage, self._has_large_rows = recovered.db, recovered.damage, True
        self._is_sound = True
        self.schema_version = self.schema_version or recovered.schema_version
        if self.journal == "none" and schema.OPEN in (facts := self.meta()).items():
            self.journal = journal_state(facts, self.schema_version)


def _together(times: list[int]) -> list[int]:
    """The times that are not far from the middle one."""
    middle = sorted(times)[len(times) // 2 : len(times) // 2 + 1]
    return [time for time in times if len(times) < 3 or abs(time - middle[0]) <= _YEAR_NS]


def _numbers_fault(rows: _Rows) -> str:
    """Of rows of numbers, some of which may be none."""
    fine = all(value is None or type(value) is int for row in rows for value in row)
    return "" if fine else "numbers that are none"


def _text_fault(rows: _Rows) -> str:
    return "" if all(type(value) is str for row in rows for value in row) else "facts that are not text"


def _links_fault(rows: _Rows) -> str:
    fine = all(type(number) is int and type(url) is str for number, url in rows)
    return "" if fine else "a link without a number or URL"


def _frame_counts_fault(rows: _Rows) -> str:
    channels = [vcid for vcid, _, _ in rows]
    faults = VCID.fault(channels), QUALITY.fault([quality for _, quality, _ in rows])
    return next(filter(None, faults), "")


def _event_counts_fault(rows: _Rows) -> str:
    return "" if all(type(kind) is str for kind, _ in rows) else "events whose kind is not text"


def _events_fault(rows: _Rows) -> str:
    return next(filter(None, (event_fault(*row) for row in rows)), "")


def _frames_fault(rows: _Rows) -> str:
    return next(filter(None, (frame_fault(*row) for row in rows)), "")
