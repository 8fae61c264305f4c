"""The recorder: takes what was received, never holds the receiver up.

Callers put records into a bounded queue; one thread writes them, in one transaction at most every 100 ms, with
``synchronous=FULL``: what is committed survives a killed process and a pulled plug.

Records leave the queue only once they are committed. While the disk is full or gone they wait there and the thread
keeps trying; when the queue is full too, records are dropped and counted, and as soon as writing works again an
event of kind ``gap`` stands exactly where they are missing. What the disk refuses to the end is in such an event too:
a recording that says it was closed says all that it lacks.

A disk may also not answer at all: then the thread hangs in a commit and can report nothing. `ArchiveWriter.error` says
that too, while it hangs.

Everything that was accepted and is not in the file at its end is counted: `ArchiveWriter.shortfall`. SQLite goes on
writing into a file that was removed; then all of it is missing.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

import msgspec

from groundstation.errors import ArchiveError
from groundstation.recordings import schema
from groundstation.recordings.creation import create, journal_of, remove
from groundstation.recordings.damaged.shortfall import Shortfall, place_of
from groundstation.recordings.event_bodies import Gap
from groundstation.recordings.records import FrameEntry
from protocols.tuples import maker

_LOG = logging.getLogger("groundstation.recordings")

_Table = Literal["chunk", "event", "frame", "frame_copy", "meta"]
_INSERT: dict[_Table, str] = {
    "meta": schema.INSERT_META,
    "chunk": schema.INSERT_CHUNK,
    "event": schema.INSERT_EVENT,
    "frame": schema.INSERT_FRAME,
    "frame_copy": schema.INSERT_COPY,
}
_PATIENCE_S = 0.5
_LOOK_EVERY_S = 0.02
"""How often the writer polls for records: a wake-up for each would cost the decoding thread time."""

_CHECKPOINT_WAIT_MS = 200
"""At the end. An open reader then reads from both files and checkpoints when it closes: no need to wait longer."""

_MISPLACED = "it was moved or removed; put it back, or start the station again"
_CHECKPOINT_BYTES = 4 << 20
"""So much goes into the journal before it goes into the file."""

_ROW_BYTES = 100
"""What a row takes beside what it holds, its entries in indices included, about."""

_INT64 = range(-(2**63), 2**63)


class _Record(NamedTuple):
    """``own`` marks what the writer itself adds, and facts: few and small, so they are never given up for a gap."""

    table: _Table
    ert: int
    size: int
    row: tuple[int | str | bytes | None, ...]
    own: bool = False


_make_record = maker(_Record)


@dataclass(slots=True)
class _Count:
    """Records, and how many received bytes in how many reads they are."""

    first_ert: int = 0
    last_ert: int = 0
    records: int = 0
    reads: int = 0
    size: int = 0

    @classmethod
    def of(cls, records: Iterable[_Record]) -> _Count:
        """How many there are, but for the writer's own."""
        counted = [record for record in records if not record.own]
        if not counted:
            return cls()
        reads = [record.size for record in counted if record.table == "chunk"]
        return cls(counted[0].ert, counted[-1].ert, len(counted), len(reads), sum(reads))

    def add(self, other: _Count) -> None:
        """Add those that came after these."""
        if not other.records:
            return
        if not self.records:
            self.first_ert = other.first_ert
        self.last_ert = other.last_ert
        self.records += other.records
        self.reads += other.reads
        self.size += other.size

    def gap(self) -> Gap:
        return Gap(self.records, self.size, self.first_ert, self.last_ert, self.reads)


class ArchiveWriter:
    """Records one pass into one new file. All methods may be called from any thread."""

    def __init__(
        self,
        path: Path,
        meta: Mapping[str, str],
        *,
        commit_every_s: float = 0.08,
        retry_every_s: float = 1.0,
        answer_within_s: float = 2.0,
        max_records: int = 16_384,
        max_bytes: int = 64 << 20,
    ) -> None:
        """Create the file, and its folder if need be, and start the writer thread.

        Args:
            path: the new file; an existing one is never touched.
            meta: what is known about the pass at its start.
            commit_every_s: the least time from one commit to the next; with the time that a commit takes, the most
                that a crash can cost.
            retry_every_s: how often to try again while the disk refuses.
            answer_within_s: a commit that takes longer is reported as an error, for as long as it takes.
            max_records: bound of the queue.
            max_bytes: bound of the queue, in bytes of payload.

        Raises:
            ArchiveError: the file exists, or cannot be made.
        """
        self.path = path
        self.dropped = 0
        self._commit_every_s = commit_every_s
        self._retry_every_s = retry_every_s
        self._answer_within_s = answer_within_s
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._queue: deque[_Record] = deque()
        self._bytes = 0
        self._sequence = 0
        self._links: list[str] = []
        self._links_written = 0
        self._accepted = 0
        self._committed = 0
        self._failures = 0
        self._refusal: str | None = None
        self._shortage: str | None = None
        self._asked: float | None = None
        self._gap: _Count | None = None
        self._missing = _Count()
        self._kept = _Count()
        self._shortfall: Shortfall | None = None
        self._urgent = False
        self._closing = False
        self._cause = "the disk is too slow"
        self._watch_at = 0.0
        self._in_journal = 0
        self._gave_up = False
        self._due = 0.0
        self._lock = threading.RLock()
        self._state = threading.Condition(self._lock)
        self._file = create(path, meta)
        self._db = _connect(path, self._file)
        self._identity = _identity(path)
        self._thread = threading.Thread(target=self._run, name="archive-writer", daemon=True)
        self._thread.start()
        _LOG.info("recording to %s", path)

    @property
    def error(self) -> str | None:
        """Why nothing is recorded now; None while all is well. The same text for as long as it is the same trouble."""
        with self._lock:
            if self._refusal is not None:
                return self._refusal
            return self._shortage if self._gap is not None else self._silence()

    @property
    def missing(self) -> Gap | None:
        """What was dropped so far and is noted in the recording; None if nothing."""
        with self._lock:
            return self._missing.gap() if self._missing.records else None

    @property
    def shortfall(self) -> Shortfall | None:
        """What the recording lacks now that it is closed; None if nothing."""
        with self._lock:
            return self._shortfall

    def chunk(self, ert: int, link: str, data: bytes) -> int:
        """Record the bytes of one read, exactly as they came; the id that `frames` refer to."""
        _check(ert, link)
        with self._lock:
            return self._enqueue("chunk", ert, len(data), (ert, self._link_number(link), data))

    def frames(self, entries: Sequence[FrameEntry]) -> None:
        """Index frames that were found in recorded chunks."""
        with self._lock:
            for entry in entries:
                self._enqueue("frame", entry.ert, 0, entry)

    def copies(self, entries: Sequence[FrameEntry]) -> None:
        """Index later copies of frames, of a recording whose facts name several links.

        They have ids of their own: a copy is not a moment of the pass, and its loss is no hole in it.
        """
        with self._lock:
            for entry in entries:
                if self._has_room(0) or self._wait_for_room(0):
                    row = (None, entry.vcid, entry.vcfc, entry.quality, entry.chunk, entry.offset)
                    self._append(_Record("frame_copy", entry.ert, 0, row))
                else:
                    self._drop("frame_copy", entry.ert, 0)

    def event(self, ert: int, scet: int | None, kind: str, body: bytes) -> None:
        """Record an event. ``body`` is JSON in UTF-8."""
        _check(ert, kind)
        _check(scet or 0, "")
        with self._lock:
            self._enqueue("event", ert, len(body), (ert, scet, kind, body))

    def meta(self, key: str, value: str) -> None:
        """Record or replace a fact about the pass. Never dropped: there are few of them.

        Raises:
            ArchiveError: the recording is closed.
        """
        _check(0, key)
        _check(0, value)
        with self._state:
            if self._closing:
                raise ArchiveError(f"{self.path}: the recording is closed")
            self._append(_Record("meta", 0, len(value), (key, value), own=True))

    def flush(self) -> None:
        """Wait until everything recorded so far is committed.

        Raises:
            ArchiveError: it cannot be written now.
        """
        with self._state:
            target, before = self._accepted, self._failures
            self._flush_soon()
            self._state.wait_for(lambda: self._committed >= target or self._gave_up or self._failures > before)
            if self._committed < target:
                raise ArchiveError(self.error)

    def close(self) -> None:
        """Write what is left and close the file. Idempotent; what could not be written counts as dropped."""
        with self._state:
            again, self._closing = self._closing, True
            self._state.notify_all()
        self._thread.join()
        if not again:
            _LOG.info("closed %s, %d records dropped", self.path, self.dropped)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _enqueue(self, table: _Table, ert: int, size: int, row: tuple[int | str | bytes | None, ...]) -> int:
        has_room = self._has_room(size) or self._wait_for_room(size)
        self._sequence = sequence = self._sequence + 1
        if has_room:
            self._append(_make_record((table, ert, size, (sequence, *row), False)))
        else:
            self._drop(table, ert, size)
        return sequence

    def _link_number(self, url: str) -> int:
        """The number of a link, from 1 on; a new one goes into the file with the next commit."""
        if url not in self._links:
            self._links.append(url)
        return self._links.index(url) + 1

    def _has_room(self, size: int) -> bool:
        return len(self._queue) < self._max_records and self._bytes + size <= self._max_bytes and not self._closing

    def _wait_for_room(self, size: int) -> bool:
        """A burst may outrun the disk for a moment; after a first refusal the caller is not held up again."""
        if self._refusal is not None or self._gap is not None or self._closing:
            return False
        self._flush_soon()
        self._state.wait_for(lambda: self._has_room(size) or self._refusal is not None, _PATIENCE_S)
        return self._has_room(size)

    def _append(self, record: _Record) -> None:
        self._queue.append(record)
        self._bytes += record.size
        self._accepted += 1
        if len(self._queue) * 2 == self._max_records and self._refusal is None:
            self._flush_soon()

    def _drop(self, table: _Table, ert: int, size: int) -> None:
        if self._gap is None:
            self._shortage = None if self._closing else self._silence() or self._trouble("the disk is too slow")
            self._gap = _Count()
        is_read = table == "chunk"
        self._gap.add(_Count(ert, ert, 1, is_read, size if is_read else 0))
        self.dropped += 1

    def _silence(self) -> str | None:
        """That the disk does not answer, in words that do not change with every look; None if it does."""
        if self._asked is None or time.monotonic() - self._asked <= self._answer_within_s:
            return None
        return self._trouble(f"the disk has not answered for more than {self._answer_within_s:g} s")

    def _trouble(self, what: str) -> str:
        return f"{self.path}: cannot be written: {what}"

    def _flush_soon(self) -> None:
        self._urgent = True
        self._state.notify_all()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            failure = self._write(batch)
            with self._state:
                self._asked = None
                if failure is None:
                    self._settle(batch)
                else:
                    self._fail(failure)
                self._state.notify_all()
        self._finish()

    def _next_batch(self) -> list[_Record] | None:
        with self._state:
            while not (self._closing or (self._queue and (self._urgent or time.monotonic() >= self._due))):
                self._watch_file()
                left = self._due - time.monotonic()
                self._state.wait(min(left, _LOOK_EVERY_S) if left > 0 else _LOOK_EVERY_S)
            if self._gave_up or not self._queue:
                return None
            self._urgent = False
            self._asked = time.monotonic()
            self._due = self._asked + self._commit_every_s
            return list(self._queue)

    def _watch_file(self) -> None:
        """See that the file is in its place, also while there is nothing to write."""
        now = time.monotonic()
        if self._queue or now < self._watch_at:
            return
        self._watch_at = now + self._retry_every_s
        is_there = _identity(self.path) == self._identity
        if not is_there and self._refusal is None:
            self._refusal = self._trouble(_MISPLACED)
        elif is_there and self._refusal == self._trouble(_MISPLACED):
            self._refusal = None

    def _write(self, batch: list[_Record]) -> str | None:
        """Commit a batch; why it could not be, or None. SQLite goes on writing into a file that was unlinked."""
        if _identity(self.path) != self._identity:
            return _MISPLACED
        self._in_journal += sum(record.size + _ROW_BYTES for record in batch)
        links = list(enumerate(self._links, 1))[self._links_written :]
        try:
            with self._db:
                self._db.executemany(schema.INSERT_LINK, links)
                for statement, rows in _rows(batch):
                    self._db.executemany(statement, rows)
        except sqlite3.Error as error:
            return str(error)
        self._links_written += len(links)
        if self._in_journal >= _CHECKPOINT_BYTES:
            self._checkpoint()
        return None

    def _checkpoint(self) -> None:
        """Take what is in the journal into the file; what cannot be is tried again with the next commit."""
        with suppress(sqlite3.Error):
            with self._db:
                self._db.execute(schema.INSERT_META, schema.FOLLOWS)
            _, frames, done = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._in_journal = 0 if frames == done else self._in_journal
        with suppress(sqlite3.Error), self._db:
            self._db.execute(schema.DELETE_META, schema.FOLLOWS[:1])

    def _finish(self) -> None:
        """Say what is missing, and only with that: closed.

        Leave one file, not two, also when a reader has it open: only the last to close would checkpoint.
        """
        with self._state:
            last_words = self._last_words()
        fault = self._end_in_order(last_words)
        self._db.close()
        place = place_of(self.path, self._file)
        os.close(self._file)
        with self._state:
            if not place.is_linked:
                self._kept.add(self._missing)
                self._missing = self._kept
            missing = self._missing.gap() if self._missing.records else None
            if missing is not None or fault is not None or not place.is_found:
                why = place.words or fault or self._cause
                noted = place.is_linked and fault is None
                self._shortfall = Shortfall(self.path, missing, why, noted=noted, is_left=place.is_linked)

    def _end_in_order(self, last_words: list[_Record]) -> str | None:
        """Write the last words; why the recording could not be closed, or None."""
        try:
            with self._db:
                for record in last_words:
                    self._db.execute(_INSERT[record.table], record.row)
                self._db.execute(schema.DELETE_META, schema.FOLLOWS[:1])
                self._db.execute(schema.INSERT_META, schema.CLOSED)
        except sqlite3.Error as error:
            return str(error)
        with suppress(sqlite3.Error):  # what is committed stays in the journal, and is found there
            self._db.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return None

    def _last_words(self) -> list[_Record]:
        """Facts and gaps that still wait, and the gap of what was given up, with what was dropped behind it."""
        gap = _Count.of(self._queue)
        if self._gap is not None:
            gap.add(self._gap)
        own = [record for record in self._queue if record.own]
        if not gap.records:
            return own
        self._missing.add(gap)
        return [*own, self._gap_record(gap)]

    def _settle(self, batch: list[_Record]) -> None:
        for record in batch:
            self._queue.popleft()
            self._bytes -= record.size
        self._kept.add(_Count.of(batch))
        self._committed += len(batch)
        self._refusal = None
        if self._gap is not None:
            self._missing.add(self._gap)
            self._append(self._gap_record(self._gap))
            self._gap = None

    def _gap_record(self, gap: _Count) -> _Record:
        body = msgspec.json.encode(gap.gap())
        self._sequence += 1
        row = (self._sequence, gap.last_ert, None, schema.GAP_KIND, body)
        return _Record("event", gap.last_ert, len(body), row, own=True)

    def _fail(self, failure: str) -> None:
        self._cause = failure
        self._refusal = self._trouble(failure)
        self._failures += 1
        _LOG.warning("%s: %s", self.path, failure)
        self._due = time.monotonic() + self._retry_every_s
        if self._closing:
            self._gave_up = True
            self.dropped += sum(not record.own for record in self._queue)


def _rows(batch: list[_Record]) -> list[tuple[str, list[tuple[int | str | bytes | None, ...]]]]:
    """The statements that write a batch, each with its rows."""
    rows: dict[_Table, list[tuple[int | str | bytes | None, ...]]] = {table: [] for table in _INSERT}
    for record in batch:
        rows[record.table].append(record.row)
    return [(statement, rows[table]) for table, statement in _INSERT.items() if rows[table]]


def _identity(path: Path) -> tuple[int, ...]:
    """Which files a recording consists of while it is written; empty if one of them is not there."""
    try:
        status = [os.stat(path), os.stat(journal_of(path))]
    except OSError:
        return ()
    return tuple(number for each in status for number in (each.st_dev, each.st_ino))


def _check(time_ns: int, text: str) -> None:
    """Refuse at the caller what SQLite could never store: it would hold up everything behind it."""
    if time_ns not in _INT64:
        raise ValueError(f"{time_ns} ns does not fit into 64 bits")
    if not text.isascii():
        text.encode()


def _connect(path: Path, file: int) -> sqlite3.Connection:
    """SQLite on a recording that was just made."""
    db = sqlite3.connect(path, check_same_thread=False)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        with db:
            db.execute(schema.DELETE_META, schema.FOLLOWS[:1])
    except sqlite3.Error as error:
        db.close()
        os.close(file)
        remove(path)
        raise ArchiveError(f"cannot record to {path}: {error}") from error
    return db
