"""Makes the file of a new recording, whole in one write.

Rules:
1. The file itself holds the schema and the first facts, among them that it is open (`schema.OPEN`) and that more
   follows in its journal (`schema.FOLLOWS`), before the first record: a file that was copied without its journal can
   always be told. SQLite alone would have all that in the journal (``-wal``) up to the first checkpoint.
2. The journal is there before the file says that it has one, so that no reader ever finds an open recording without
   its journal while the two are made.
3. The schema cookie in the first page differs from recording to recording. Nearly every commit writes that page, so
   the journal of another recording beside this one can be told.
4. Nothing is overwritten: neither a file nor a journal left beside it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from groundstation.errors import ArchiveError
from groundstation.recordings import schema

MAGIC = b"SQLite format 3\0"
"""How the file begins."""

_JOURNAL_MAGIC = 0x377F0682
"""How its journal begins; the last bit says in which byte order its checksums take their words (1: big-endian)."""

_READ_WRITE_VERSION = slice(18, 20)
"""Bytes of SQLite's header: 1 each for a rollback journal, 2 each for a write-ahead log."""


def is_journal(data: bytes) -> bool:
    """Whether a file that begins so is a write-ahead log."""
    return len(data) >= 4 and int.from_bytes(data[:4], "big") & ~1 == _JOURNAL_MAGIC


def journal_of(path: Path) -> Path:
    """Where SQLite keeps what is committed and not yet in the file."""
    return path.with_name(path.name + "-wal")


def create(path: Path, meta: Mapping[str, str]) -> int:
    """Make a recording without records, and its empty journal.

    Returns:
        A file descriptor of the recording, to be closed by the caller, but not before SQLite has closed the file:
        closing any descriptor of a file gives up the locks that this process has on it.

    Raises:
        ArchiveError: one of the files exists, or cannot be made.
    """
    journal = journal_of(path)
    with ExitStack() as made:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _check_free(path, journal)
            file = _make(path, made)
            made.callback(os.close, file)
            os.close(_make(journal, made))
            _write(file, _image(path, meta))
        except OSError as error:
            raise ArchiveError(f"cannot record to {path}: {error.strerror}") from error
        _sync(path.parent)
        made.pop_all()
    return file


def remove(path: Path) -> None:
    """Take back what `create` made; SQLite's index of the journal too."""
    for each in (path, journal_of(path), path.with_name(path.name + "-shm")):
        with suppress(OSError):
            each.unlink()


def _check_free(path: Path, journal: Path) -> None:
    if os.path.lexists(path):
        raise ArchiveError(f"{path} exists already: a recording never overwrites a file")
    if os.path.lexists(journal):
        raise ArchiveError(f"cannot record to {path}: there is a journal of another recording, {journal}: move it away")


def _make(path: Path, made: ExitStack) -> int:
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
    made.callback(path.unlink, missing_ok=True)
    return file


def _write(file: int, image: bytes) -> None:
    left = memoryview(image)
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)


def _sync(folder: Path) -> None:
    """Let the names survive a pulled plug, too; not every file system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _image(path: Path, meta: Mapping[str, str]) -> bytes:
    """The file's bytes, as SQLite itself makes them."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema.CREATE)
        if schema.LINKS in meta:
            db.executescript(schema.COPIES)
        with db:
            db.executemany(schema.INSERT_META, [*meta.items(), schema.OPEN, schema.FOLLOWS])
        cookie = zlib.crc32(json.dumps([str(path), *sorted(meta.items())]).encode()) & 0x7FFFFFFF
        db.execute(f"PRAGMA schema_version = {cookie}")
        image = bytearray(db.serialize())
    image[_READ_WRITE_VERSION] = b"\2\2"
    return bytes(image)
