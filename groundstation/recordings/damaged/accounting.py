"""What is missing in a damaged recording: the holes in its ingest sequence, and what else tells of them.

Rules:
1. The ingest sequence has no holes but those that a gap notes. A hole that none notes is lost, and the records on both
   sides say between which times.
2. An id that leaves more room than the damaged pages can have held is not believed.
3. What of it were reads the file's own indices tell, as far as SQLite still reads them (`chunk_ert` holds the ids and
   times of all reads), and how many bytes they held the index of frames.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from groundstation.recordings import schema
from groundstation.recordings.damaged.damage import PLACES_SHOWN, Damage, Lost
from groundstation.recordings.damaged.pages import PageFile
from groundstation.recordings.records import Value

_LEAST_ROW = 8
"""Bytes that a record takes at the least."""

_SPARE = 64
_BEYOND_MAX = 1_000_000
_LOST_KEPT = 1000
_TABLES = ("chunk", "event", "frame")
_WRONG_MAX = 100
"""So many ids that are too far from the others are looked at: each takes a look at all records."""

_PLACES_TRIED = 10_000
_HAS_ID = [f"SELECT 1 FROM {table} WHERE id = ?" for table in _TABLES]  # noqa: S608
_BETWEEN = [f"SELECT 1 FROM {table} WHERE id > ? AND id < ? LIMIT 1" for table in ("chunk", "frame")]  # noqa: S608
_IDS = "SELECT id, ert FROM chunk UNION ALL SELECT id, ert FROM event UNION ALL SELECT id, ert FROM frame"


@dataclass(slots=True)
class Findings:
    """What the pages held."""

    pages: int = 0
    unreadable: int = 0
    refused: int = 0
    repaired: int = 0
    places: list[str] = field(default_factory=list)

    def refuse(self, place: str) -> None:
        """Count a record that is not taken, and why."""
        self.refused += 1
        self._add_place(place)

    def repair(self, place: str) -> None:
        """Count a record that is taken in another way than it stands there."""
        self.repaired += 1
        self._add_place(place)

    def _add_place(self, place: str) -> None:
        if len(self.places) < PLACES_SHOWN:
            self.places.append(place)


@dataclass(slots=True)
class _Hole:
    """Ids that no record has, and when the records beside them were received."""

    first: int
    last: int
    before: int | None
    after: int | None
    noted: int = 0
    """How many of them a gap notes: these were never recorded."""

    @property
    def lost(self) -> int:
        """How many of them were recorded."""
        return self.last - self.first + 1 - self.noted


@dataclass(slots=True)
class _Span:
    """Holes that one damaged page has left: what stands between them is of another table."""

    holes: list[_Hole]

    @property
    def first(self) -> int:
        return self.holes[0].first

    @property
    def last(self) -> int:
        return self.holes[-1].last


def account(
    file: PageFile, clean: sqlite3.Connection, damaged: sqlite3.Connection | None, found: Findings, reason: str
) -> Damage:
    """What a damaged recording lacks.

    Args:
        file: its pages.
        clean: what was read from them. A record that cannot be is removed from it.
        damaged: SQLite on it, if it opens it.
        found: what the pages held.
        reason: what showed that it is damaged.
    """
    _drop_emptied(clean)
    room = found.pages * file.page_size + file.missing_bytes
    most = room // _LEAST_ROW + found.unreadable + found.refused + _SPARE
    holes = _believable_holes(clean, most, found)
    if not holes and not found.pages:
        _refuse_shortened(clean, found)
    lost = _lost(clean, damaged, holes)
    reads = [each.reads for each in lost]
    sizes = [each.bytes for each in lost]
    return Damage(
        reason=reason,
        pages=found.pages,
        page_size=file.page_size,
        missing_bytes=file.missing_bytes,
        journal_frames=file.journal.damaged,
        refused=found.refused,
        places=found.places + ([] if _has_facts(clean) else ["meta: the facts about the pass are missing"]),
        lost=lost[:_LOST_KEPT],
        records=sum(each.records for each in lost),
        reads=None if None in reads else sum(each or 0 for each in reads),
        bytes=None if None in sizes else sum(each or 0 for each in sizes),
    )


def _drop_emptied(clean: sqlite3.Connection) -> None:
    """Remove the reads whose bytes are gone: no read is recorded without any."""
    clean.execute("DELETE FROM chunk WHERE length(data) = 0")
    clean.commit()


def _refuse_shortened(clean: sqlite3.Connection, found: Findings) -> None:
    """Count the reads that have lost some of their bytes; what is left of them is read."""
    for (number,) in clean.execute(schema.SHORT_READS):
        found.refuse(f"chunk {number}: it is shorter than its frames")


def _has_facts(clean: sqlite3.Connection) -> bool:
    return bool(clean.execute("SELECT EXISTS (SELECT 1 FROM meta)").fetchone()[0])


def _believable_holes(clean: sqlite3.Connection, most: int, found: Findings) -> list[_Hole]:
    """The holes in the sequence; a record behind one that is too large for what is damaged has a wrong id."""
    for _ in range(_WRONG_MAX):
        wrong = next((hole for hole in _holes(clean) if hole.lost > most), None)
        if wrong is None:
            break
        for table in _TABLES:
            _bring_back(clean, table, wrong.last + 1, found)
        clean.commit()
    return list(_holes(clean))


def _bring_back(clean: sqlite3.Connection, table: str, number: int, found: Findings) -> None:
    """Give a record whose id is too far from the others one that is not, if there is such a record."""
    before = clean.execute(f"SELECT coalesce(max(id), 0) FROM {table} WHERE id < ?", (number,)).fetchone()[0]  # noqa: S608
    if not clean.execute(f"SELECT 1 FROM {table} WHERE id = ?", (number,)).fetchone():  # noqa: S608
        return
    free = free_id(clean, before, number)
    if free is None:
        clean.execute(f"DELETE FROM {table} WHERE id = ?", (number,))  # noqa: S608
        found.refuse(f"{table} {number}: its id is too far from the others")
    else:
        clean.execute(f"UPDATE {table} SET id = ? WHERE id = ?", (free, number))  # noqa: S608
        found.repair(f"{table} {number}: its id is too far from the others, taken for {free}")


def free_id(clean: sqlite3.Connection, before: int | None, after: int | None) -> int | None:
    """The first id behind one or before another that no record has; None if there is none."""
    if before is not None:
        places = range(before + 1, before + _PLACES_TRIED if after is None else after)
    else:
        places = range((after or 0) - 1, 0, -1)
    for number in places[:_PLACES_TRIED]:
        if not any(clean.execute(statement, (number,)).fetchone() for statement in _HAS_ID):
            return number
    return None


def _holes(clean: sqlite3.Connection) -> Iterator[_Hole]:
    """Where ids are missing, and how many of them a gap notes, which stands behind them."""
    gaps = dict(_gaps(clean))
    open_holes: list[_Hole] = []
    last, received = 0, None
    for number, ert in clean.execute(f"{_IDS} ORDER BY 1"):
        if number > last + 1:
            open_holes.append(_Hole(last + 1, number - 1, received, ert))
        last, received = number, ert
        if number in gaps:
            left = gaps[number]
            for hole in reversed(open_holes):
                hole.noted = min(left, hole.last - hole.first + 1)
                left -= hole.noted
            yield from open_holes
            open_holes = []
    yield from open_holes


def _gaps(clean: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """The ids of gaps, and how many records each notes as never recorded."""
    for number, body in clean.execute("SELECT id, body FROM event WHERE kind = ?", (schema.GAP_KIND,)):
        with suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
            yield number, int(json.loads(body)["records"])


def _lost(clean: sqlite3.Connection, damaged: sqlite3.Connection | None, holes: list[_Hole]) -> list[Lost]:
    (top,) = clean.execute(f"SELECT max(id) FROM ({_IDS})").fetchone()  # noqa: S608
    holes = [hole for hole in holes if hole.lost]
    indexed = _Indexed.of(damaged, clean, [(hole.first, hole.last) for hole in holes], top or 0)
    lost = [_of_span(span, indexed) for span in _spans(clean, holes)]
    if indexed.beyond:
        ids = sorted(indexed.beyond)
        reads = [number for number in ids if number in indexed.reads]
        erts = [indexed.beyond[number] for number in ids]
        size = sum(indexed.sizes.get(number, 0) for number in reads)
        received = (min(erts), max(erts))
        lost.append(
            Lost(first=ids[0], last=ids[-1], records=len(ids), reads=len(reads), bytes=size or None, received=received)
        )
    return lost


def _spans(clean: sqlite3.Connection, holes: list[_Hole]) -> list[_Span]:
    """Put holes together between which one of the tables has nothing left."""
    spans: list[_Span] = []
    for hole in holes:
        if spans and any(
            not clean.execute(statement, (spans[-1].last, hole.first)).fetchone() for statement in _BETWEEN
        ):
            spans[-1].holes.append(hole)
        else:
            spans.append(_Span([hole]))
    return spans


def _of_span(span: _Span, indexed: _Indexed) -> Lost:
    reads = indexed.reads_in(span.first, span.last)
    erts = [indexed.reads[number] for number in reads if number in indexed.reads]
    size = sum(indexed.sizes_in(span.first, span.last))
    times = erts or [ert for ert in (span.holes[0].before, span.holes[-1].after) if ert is not None]
    return Lost(
        first=span.first,
        last=span.last,
        records=sum(hole.lost for hole in span.holes),
        reads=len(reads) if indexed.complete else None,
        bytes=size if size or (indexed.complete and not reads) else None,
        received=(min(times), max(times)) if times else None,
    )


@dataclass(slots=True)
class _Indexed:
    """What the indices of the damaged recording tell of lost records.

    Attributes:
        reads: ids and times of lost reads.
        sizes: how many bytes of known frames begin in each lost read.
        beyond: ids and times of records behind the last that was read.
        complete: all of the index of reads could be read.
    """

    reads: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    beyond: dict[int, int] = field(default_factory=dict)
    complete: bool = False
    ids: list[int] = field(default_factory=list)
    sized: list[int] = field(default_factory=list)

    @classmethod
    def of(
        cls, damaged: sqlite3.Connection | None, clean: sqlite3.Connection, spans: list[tuple[int, int]], top: int
    ) -> _Indexed:
        found = cls()
        starts = [first for first, _ in spans]

        def is_lost(number: Value) -> bool:
            if type(number) is not int:
                return False
            at = bisect_right(starts, number) - 1
            return number > top or (at >= 0 and number <= spans[at][1])

        for table in _TABLES if damaged is not None else ():
            complete = found._read(damaged, table, top, is_lost)
            found.complete = complete if table == "chunk" else found.complete
        for number, size in clean.execute("SELECT chunk, size FROM frame"):
            if is_lost(number):
                found.sizes[number] = found.sizes.get(number, 0) + size
        found.ids, found.sized = sorted(found.reads.keys() | found.sizes.keys()), sorted(found.sizes)
        return found

    def reads_in(self, first: int, last: int) -> list[int]:
        """Ids of lost reads: those of the index of reads, and those in which known frames begin."""
        return self.ids[bisect_left(self.ids, first) : bisect_right(self.ids, last)]

    def sizes_in(self, first: int, last: int) -> list[int]:
        """Bytes of frames in lost reads."""
        return [self.sizes[n] for n in self.sized[bisect_left(self.sized, first) : bisect_right(self.sized, last)]]

    def _read(self, damaged: sqlite3.Connection | None, table: str, top: int, is_lost: Callable[[Value], bool]) -> bool:
        """Go through one index as far as it can be read; whether that was to its end."""
        assert damaged is not None
        try:
            for number, ert in damaged.execute(f"SELECT id, ert FROM main.{table} INDEXED BY {table}_ert"):  # noqa: S608
                if not is_lost(number) or type(ert) is not int:
                    continue
                if table == "chunk":
                    self.reads[number] = ert
                if top < number <= top + _BEYOND_MAX:
                    self.beyond[number] = ert
        except (sqlite3.Error, UnicodeDecodeError):
            return False
        return True
