"""Reads what is left of a damaged recording into a clean one, a temporary file of SQLite's own, and says what is not.

Rules:
1. Every row is taken from its page, whatever is damaged around it (`pages`), and only if its values can be (`checks`).
2. Ids rise within a page. Where they do not, the longest run that does is believed; a record between two of it, or at
   the end of the page, gets the first id there that no other has. A read is never refused for its link: one that is
   damaged becomes 0, the unknown link. Before schema 3 each read had the URL of its link: it gets a number here.
3. Pages of indices are not missed: they hold nothing that is not elsewhere.
4. What is missing, `accounting` finds.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from groundstation.errors import ArchiveError
from groundstation.formats.printable import encodable
from groundstation.recordings import schema
from groundstation.recordings.checks import (
    chunk_fault,
    event_fault,
    frame_fault,
    is_link,
    is_text,
    link_fault,
    value_quality_fault,
)
from groundstation.recordings.damaged.accounting import Findings, account, free_id
from groundstation.recordings.damaged.damage import Damage
from groundstation.recordings.damaged.pages import Leaf, PageFile, Row
from groundstation.recordings.records import Value

_BATCH_ROWS = 10_000
_BATCH_BYTES = 8 << 20
_DISPLACED_MAX = 1000
_TABLE_OF = {2: "link", 4: "chunk", 5: "event", 8: "value_quality", 9: "frame"}
"""Which table a row is of, by its number of values."""

_INSERT = {
    name: f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    for name, columns in schema.COLUMNS.items()
}


class Recovered(NamedTuple):
    """A clean recording, and what the damaged one lacks. ``schema_version`` is what it seems to have been."""

    db: sqlite3.Connection
    damage: Damage
    schema_version: int


def recover(path: Path, reason: str, damaged: sqlite3.Connection | None, *, with_journal: bool) -> Recovered:
    """Read what is left of a recording.

    Args:
        path: the recording.
        reason: what showed that it is damaged.
        damaged: SQLite on it, if SQLite opens it at all: for what its indices still tell.
        with_journal: whether the journal beside it is its own.

    Raises:
        ArchiveError: nothing of a recording is left, or there is no room for it.
    """
    clean = sqlite3.connect("", check_same_thread=False)
    try:
        clean.executescript(f"PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; {schema.TABLES}")
        with PageFile(path, with_journal=with_journal) as file:
            found = Findings()
            _read_pages(file, clean, found)
            clean.executescript(schema.INDICES)
            damage = account(file, clean, damaged, found, reason)
        clean.execute("PRAGMA query_only = ON")
        if not any(_has_rows(clean, table) for table in _INSERT):
            raise ArchiveError(f"{path} is damaged, and nothing of it can be read: {reason}")
        return Recovered(clean, damage, _schema_version(clean))
    except ArchiveError:
        clean.close()
        raise
    except (sqlite3.Error, OSError) as error:
        clean.close()
        raise ArchiveError(
            f"{path} is damaged ({reason}), and what is left of it cannot be read into a temporary file: {error}; "
            "SQLITE_TMPDIR names another folder for it"
        ) from error


def _schema_version(clean: sqlite3.Connection) -> int:
    return schema.SCHEMA_VERSION if _has_rows(clean, "frame") else schema.FRAMES_SINCE - 1


def _has_rows(clean: sqlite3.Connection, table: str) -> bool:
    return bool(clean.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0])  # noqa: S608


class _Displaced(NamedTuple):
    """A row that stands between two ids, or at an end of its page, and has none that lies there."""

    table: str
    before: int | None
    after: int | None
    row: Row


class _Batches:
    """Rows on their way into the clean recording."""

    def __init__(self, clean: sqlite3.Connection, found: Findings) -> None:
        self._clean = clean
        self._found = found
        self._rows: dict[str, list[Sequence[Value]]] = {name: [] for name in _INSERT}
        self._bytes = 0
        self._links: dict[str, int] = {}
        self.displaced: deque[_Displaced] = deque(maxlen=_DISPLACED_MAX)
        """Rows whose ids cannot be where they stand; more are not put back."""

    def add(self, table: str, values: Sequence[Value]) -> None:
        self._rows[table].append(values)
        self._bytes += len(values[-1]) if isinstance(values[-1], str | bytes) else 0
        if len(self._rows[table]) >= _BATCH_ROWS or self._bytes >= _BATCH_BYTES:
            self.flush()

    def link_number(self, url: str) -> int:
        """The number of a link that is known by its URL alone."""
        if url not in self._links:
            self._links[url] = len(self._links) + 1
            self.add("link", (self._links[url], url))
        return self._links[url]

    def flush(self) -> None:
        for table, rows in self._rows.items():
            if rows:
                done = self._clean.executemany(_INSERT[table], rows).rowcount
                for _ in range(len(rows) - done):
                    self._found.refuse(f"a second {table} with the id of another")
                rows.clear()
        self._clean.commit()
        self._bytes = 0


def _read_pages(file: PageFile, clean: sqlite3.Connection, found: Findings) -> None:
    batches, free = _Batches(clean, found), file.free_pages()
    unknown: set[int] = set()
    index_pages: set[int] = set()
    for number in range(1, file.count + 1):
        if number in free:
            continue
        page = file.page(number)
        if not file.is_tree(number, page):
            unknown.add(number)
            continue
        index_pages.update(file.children_of_index(number, page))
        leaf = file.leaf(number, page)
        if leaf is None:
            continue
        if leaf.unreadable and not leaf.rows and not leaf.entries:
            unknown.add(number)
            continue
        found.unreadable += leaf.unreadable
        index_pages.update(_index_roots(number, leaf))
        _collect(leaf, batches, found)
    batches.flush()
    _replace(clean, list(batches.displaced), found)
    lock_page = 2**30 // file.page_size + 1  # SQLite's own, never used
    found.pages = len(unknown - file.overflow - index_pages - {lock_page})


def _index_roots(number: int, leaf: Leaf) -> Iterator[int]:
    """Where the indices begin, if the page is that of the schema."""
    if number == 1:
        for row in leaf.rows:
            if len(row.values) == 5 and row.values[0] == "index" and isinstance(row.values[3], int):
                yield row.values[3]


def _collect(leaf: Leaf, batches: _Batches, found: Findings) -> None:
    for key, value, *more in leaf.entries:
        if isinstance(key, str) and isinstance(value, str) and not more:
            batches.add("meta", (encodable(key), encodable(value)))
    ids = [row.id for row in leaf.rows]
    rising = _rising(ids)
    for place, row in enumerate(leaf.rows):
        table = _TABLE_OF.get(len(row.values))
        if table is None or isinstance(row.values[0], str):
            continue  # of the schema, or of a table that is none of ours
        values = list(row.values)
        if table == "chunk" and not is_link(values[2]):
            values[2] = _link(row.id, values[2], batches, found)
        if table == "event" and isinstance(values[4], bytes):
            values[4] = values[4].decode(errors="surrogateescape")
        at = bisect_left(rising, place)
        if at == len(rising) or rising[at] != place:
            before, after = ids[rising[at - 1]] if at else None, ids[rising[at]] if at < len(rising) else None
            batches.displaced.append(_Displaced(table, before, after, row._replace(values=tuple(values))))
            continue
        values[0] = row.id
        fault = _fault_of(table, values)
        if fault:
            found.refuse(f"{table} {row.id}: {fault}")
        else:
            batches.add(table, values)


def _link(chunk: int, value: Value, batches: _Batches, found: Findings) -> int:
    if isinstance(value, str) and is_text(value):
        return batches.link_number(value)
    found.repair(f"chunk {chunk}: its link is damaged")
    return batches.link_number(encodable(value)) if isinstance(value, str) else 0


def _replace(clean: sqlite3.Connection, displaced: list[_Displaced], found: Findings) -> None:
    """Give records whose ids are damaged ids that are free in their place."""
    for table, before, after, row in displaced:
        number = free_id(clean, before, after) or free_id(clean, row.id - 1, row.id + 1)
        fault = _fault_of(table, [number, *row.values[1:]])
        if fault:
            found.refuse(f"{table} {row.id}: {fault if number else 'its id is out of order'}")
        else:
            clean.execute(_INSERT[table], (number, *row.values[1:]))
            found.repair(f"{table} {row.id}: its id is out of order, taken for {number}")
    clean.commit()


_FAULTS: dict[str, Callable[..., str]] = {
    "link": link_fault,
    "chunk": chunk_fault,
    "event": event_fault,
    "frame": frame_fault,
    "value_quality": value_quality_fault,
}


def _fault_of(table: str, values: Sequence[Value]) -> str:
    return _FAULTS[table](*values)


def _rising(numbers: Sequence[int]) -> list[int]:
    """The places of the longest run of numbers that rises."""
    if all(a < b for a, b in pairwise(numbers)):
        return list(range(len(numbers)))
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        at = bisect_left(tails, number)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [number]
        ends[at : at + 1] = [place]
    run = []
    place = ends[-1] if ends else -1
    while place >= 0:
        run.append(place)
        place = before[place]
    return run[::-1]
