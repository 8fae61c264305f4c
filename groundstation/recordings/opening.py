"""Opens the file of a recording, with its journal, for reading. Changes neither and leaves nothing beside them.

Rules:
1. Without a journal beside it no process writes it: SQLite takes it as immutable.
2. With a journal (``-wal``) and its index (``-shm``) a station may be writing it: SQLite shares both with it.
3. With a journal alone no station on this host has it open: it was killed and copied, or lies on a read-only medium.
   SQLite keeps the index in memory then. It does that only for who has the file alone, and takes a lock to be sure,
   which it cannot have in a file that is open for reading; so it goes without locks.
4. SQLite takes any journal that has the right name, also one of another recording, and mixes the two. Both say which
   recording they are of: by the schema cookie in the first page (`creation`) and by the facts, which the first commit
   into each journal touches. Of recordings of before, records that are in both have to be equal.
5. The file's contents are not trusted: no view, trigger or virtual table is run, and no row is larger than a writer
   accepts.
6. A recording says in the file itself that more follows in its journal (`schema.FOLLOWS`). Without the journal that is
   missing. One of before does not say it: if it was not closed, another program may have merged the journal. One that
   holds nothing at all but SQLite's header, in the mode of such a journal, lacks all of it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from groundstation.errors import ArchiveError, NotARecording
from groundstation.recordings import older, schema
from groundstation.recordings.creation import MAGIC, is_journal, journal_of

LARGEST_ROW = (64 << 20) + 4096
"""Bytes: what a writer accepts, and what goes with it."""

LARGE_ROW = 64 << 10
"""Rows of so many bytes are not fetched by the thousand."""

JournalState = Literal["none", "read", "missing", "unknown", "foreign"]
"""Of a recording's journal: not needed, read with it, gone, gone or merged, or of another recording."""

JOURNAL_WORDS = {
    "missing": "was not closed and its journal {} is missing: what its station recorded last is not in it",
    "unknown": "was not closed and its journal {} is missing: what its station recorded last is not in it, "
    "unless another program merged the two",
    "foreign": "was not closed, and {} beside it is the journal of another recording: it was not read",
}
"""What is said of the journals that something is missing with."""

COPY_HINT = "to copy a recording that is being written use `groundstation copy`, or stop its station first"

DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite and Python's part of it raise on damaged files."""

_IMMUTABLE, _SHARED, _ALONE = "mode=ro&immutable=1", "mode=ro", "mode=ro&vfs=unix-none"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_TOOBIG)
_HEADER_SIZE = 100
_COUNTED = 1000
"""Recordings of before had in place of a cookie of their own the number of their tables and indices."""

_TABLE_KINDS = {"view": "", "trigger": "", "virtual": " table", "shadow": " table"}
_LASTING = ("station", "link", "started")
"""Facts that never change."""

_PAGE_SIZE, _SAMPLES, _FRAGMENTS_MAX = 4096, 32, 60
_FLIPS = 8
"""A file that differs by so many bits from how an SQLite file begins was one."""

_BIRTH_LOOKS, _BIRTH_PAUSE_S = 5, 0.01
"""How long a station may take between the journal and its index."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording that was opened.

    Attributes:
        db: SQLite on it; None if SQLite cannot open it.
        schema_version: what it says; 0 if it does not.
        journal: what became of its journal.
        fault: why it cannot be read as it is; empty if nothing is known to be wrong.
        is_strict: its tables are such that SQLite can check the types in them.
    """

    db: sqlite3.Connection | None
    schema_version: int
    journal: JournalState
    fault: str
    is_strict: bool = False


def open_recording(path: Path) -> Opened:
    """Open a recording, finished or still being written.

    Raises:
        ArchiveError: there is none, it is not one, a newer version wrote it, or it cannot be opened.
    """
    _check_file(path)
    way = _way(path)
    db = None
    try:
        db = _connect(path, way)
        if db is None and way == _SHARED:  # a read-only medium: nothing writes there
            db = _connect(path, _ALONE)
        if db is None:
            raise ArchiveError(_unreadable(path))
        return _identified(path, db, way)
    except DATABASE_ERRORS as error:
        if db is not None:
            db.close()
        return _damaged(path, error, has_journal=way != _IMMUTABLE)
    except ArchiveError:
        if db is not None:
            db.close()
        raise


def journal_words(state: JournalState, path: Path) -> str:
    """What is said of a journal without which something is missing."""
    return JOURNAL_WORDS[state].format(journal_of(path).name)


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file is damaged, rather than busy or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _DAMAGE or "malformed" in str(error)


def has_content(path: Path) -> bool:
    """Whether there is such a file with anything in it."""
    with suppress(OSError):
        return path.stat().st_size > 0
    return False


def _check_file(path: Path) -> None:
    """Refuse what SQLite need not be asked about."""
    journal = journal_of(path)
    try:
        if not path.is_file():
            raise ArchiveError(_absent(path, journal))
        if path.stat().st_size:
            return
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
    beside = f"; {journal} beside it cannot be read without it" if has_content(journal) else ""
    raise NotARecording(f"{path} is not a recording of this station: it is empty{beside}")


def _absent(path: Path, journal: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder, not a recording: groundstation passes {path} lists what is in it"
    if path.exists() or str(path) == "-":
        return f"{path} is a pipe or device, but a recording has to be a file, for SQLite seeks in it: save it first"
    if has_content(journal):
        return f"no recording at {path}: only its journal {journal.name} is there, and is of no use without it"
    return f"no recording at {path}"


def _way(path: Path) -> str:
    """How SQLite is to open it."""
    journal, index = journal_of(path), path.with_name(path.name + "-shm")
    if not os.path.exists(journal):
        return _IMMUTABLE
    for _ in range(_BIRTH_LOOKS):
        if index.exists():
            return _SHARED
        if has_content(journal):
            return _ALONE
        time.sleep(_BIRTH_PAUSE_S)
    return _SHARED if index.exists() else _IMMUTABLE  # an empty journal holds nothing


def _connect(path: Path, way: str) -> sqlite3.Connection | None:
    """SQLite on the file; None if it cannot open it this way."""
    db = None
    try:
        db = sqlite3.connect(f"file:{quote(os.fsencode(path.absolute()))}?{way}", uri=True, check_same_thread=False)
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGE_ROW)
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA query_only = ON")
        if way == _ALONE:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            return None
        raise
    return db


def _unreadable(path: Path) -> str:
    for each in (path, journal_of(path)):
        if each.exists() and not os.access(each, os.R_OK, effective_ids=True):
            return f"{each} cannot be read: Permission denied"
    return f"{path} cannot be read: SQLite cannot open it"


def _identified(path: Path, db: sqlite3.Connection, way: str) -> Opened:
    """See whose the file is, and the journal."""
    has_journal = way != _IMMUTABLE
    application, version = _number(db, "application_id"), _number(db, "user_version")
    is_strict = _has_our_tables(db)
    if application != schema.APPLICATION_ID and not is_strict:
        raise _foreign(path, db, application, has_journal=has_journal)
    if version > schema.SCHEMA_VERSION:
        raise ArchiveError(
            f"{path} was written by a newer version (schema {version}; this one reads up to {schema.SCHEMA_VERSION})"
        )
    if has_journal and not _is_own_journal(path, db):
        db.close()
        alone = _connect(path, _IMMUTABLE)
        assert alone is not None
        fault = _schema_fault(path, alone, version)
        if not fault:
            older.show_as_current(alone, version)
        return Opened(alone, version, "foreign", fault)
    fault = _schema_fault(path, db, version)
    if not fault:
        older.show_as_current(db, version)
    if application != schema.APPLICATION_ID:
        fault = fault or f"its application id is {application:#x}"
    if has_journal:
        return Opened(db, version, "read", fault, is_strict)
    state = "none" if fault else journal_state(dict(db.execute(schema.SELECT_META)), version)
    return Opened(db, version, state, fault, is_strict)


def _have_equal_records(path: Path) -> bool:
    from groundstation.recordings.damaged.pages import are_of_one_recording  # noqa: PLC0415 - numpy, for old ones alone

    return are_of_one_recording(path) or are_of_one_recording(path)  # once more: a station may write it just now


def journal_state(facts: Mapping[str, str], version: int) -> JournalState:
    """What the facts say of the journal of a recording that has none beside it."""
    if schema.CLOSED in facts.items() or schema.COPIED in facts or version < schema.CLOSED_SINCE:
        return "none"
    if schema.FOLLOWS in facts.items():
        return "missing"
    return "none" if schema.OPEN in facts.items() else "unknown"


def _has_our_tables(db: sqlite3.Connection) -> bool:
    """Whether the tables are word for word those of a recording."""
    tables = db.execute("SELECT sql FROM main.sqlite_schema WHERE type = 'table'").fetchall()
    found = {" ".join(str(sql).split()) for (sql,) in tables}
    return any({" ".join(each.split()) for each in text.split(";") if each.strip()} <= found for text in older.TABLES)


def _foreign(path: Path, db: sqlite3.Connection, application: int, *, has_journal: bool) -> ArchiveError:
    """Why a file is not taken for a recording."""
    is_bare = not application and not db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    if is_bare and not has_journal and _is_in_journal_mode(path):
        journal = journal_of(path).name
        return ArchiveError(
            f"{path} was not closed and its journal {journal} is missing: nothing of it is here; {COPY_HINT}"
        )
    return NotARecording(f"{path} is not a recording of this station")


def _is_in_journal_mode(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(20)[18:20] == b"\2\2"
    return False


def _is_own_journal(path: Path, db: sqlite3.Connection) -> bool:
    """Whether file and journal say that they are of one recording."""
    with suppress(*DATABASE_ERRORS):
        alone = _connect(path, _IMMUTABLE)
        if alone is None:
            return True
        with closing(alone):
            if _number(alone, "application_id") != schema.APPLICATION_ID:
                return True  # one of before: until the first checkpoint all of it was in the journal
            cookie = _number(alone, "schema_version")
            if cookie != _number(db, "schema_version"):
                return False
            facts, others = (dict(each.execute(schema.SELECT_META)) for each in (alone, db))
            if any(facts.get(key, others.get(key)) != others.get(key) for key in _LASTING):
                return False
            return cookie > _COUNTED or _have_equal_records(path)
    return True


def _schema_fault(path: Path, db: sqlite3.Connection, version: int) -> str:
    """What is missing in the schema.

    Raises:
        ArchiveError: something stands in it that no writer of a recording puts there.
    """
    kinds = {name: kind for _, name, kind, *_ in db.execute("PRAGMA main.table_list")}
    kinds |= dict(db.execute("SELECT name, type FROM sqlite_schema WHERE type = 'trigger'"))
    for name, kind in kinds.items():
        if kind != "table":
            raise NotARecording(f"{path} is not a recording of this station: {name!r} is a {kind}{_TABLE_KINDS[kind]}")
    if version < 1:
        return f"its schema is {version}"
    for table, columns in older.columns_of(version).items():
        if table not in kinds:
            return f"it has no table {table!r}"
        found = {name: hidden for _, name, *_, hidden in db.execute(f"PRAGMA main.table_xinfo({table})")}
        if any(found.values()):
            raise NotARecording(f"{path} is not a recording of this station: {table!r} has a column that is computed")
        if not set(columns) <= set(found):
            return f"{table!r} has other columns"
    return ""


def _damaged(path: Path, error: Exception, *, has_journal: bool) -> Opened:
    """What SQLite cannot open, but may be the rest of a recording.

    Raises:
        ArchiveError: it may not.
    """
    if not is_damage(error):
        raise ArchiveError(f"{path} cannot be read: {error}") from error
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except OSError as again:
        raise ArchiveError(f"{path} cannot be read: {again.strerror}") from again
    if is_journal(header):
        owner = path.name.removesuffix("-wal")
        raise ArchiveError(f"{path} is the journal of a recording, not one itself: give {owner}, with this beside it")
    if _differs(header[: len(MAGIC)], MAGIC) > _FLIPS and not _has_pages(path):
        raise NotARecording(f"{path} is not a recording of this station") from error
    application, version = (int.from_bytes(header[at : at + 4], "big") for at in (68, 60))
    if application not in (0, schema.APPLICATION_ID) and header.startswith(MAGIC):
        raise NotARecording(f"{path} is not a recording of this station") from error
    known = version if application == schema.APPLICATION_ID and 1 <= version <= schema.SCHEMA_VERSION else 0
    return Opened(None, known, "read" if has_journal else "none", str(error))


def _has_pages(path: Path) -> bool:
    """Whether most of the file looks like pages of tables, though it does not begin so."""
    with suppress(OSError), path.open("rb") as file:
        count = path.stat().st_size // _PAGE_SIZE
        places = range(1, count, max(1, count // _SAMPLES))
        heads = []
        for place in places:
            file.seek(place * _PAGE_SIZE)
            heads.append(file.read(8))
        return sum(map(_is_page_head, heads)) * 2 > len(heads)
    return False


def _is_page_head(head: bytes) -> bool:
    """Whether a page begins like one of a tree: kind, no free block, cells that fit, where they begin."""
    if len(head) < 8:
        return False
    cells, start = int.from_bytes(head[3:5], "big"), int.from_bytes(head[5:7], "big")
    return head[0] in (2, 5, 10, 13) and cells * 2 + 8 <= start <= _PAGE_SIZE and head[7] <= _FRAGMENTS_MAX


def _differs(data: bytes, other: bytes) -> int:
    """In how many bits; many if they are not of one length."""
    if len(data) != len(other):
        return 8 * len(other)
    return (int.from_bytes(data, "big") ^ int.from_bytes(other, "big")).bit_count()


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])
