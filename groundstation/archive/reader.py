"""Reads a recording, finished or still being written. Never changes it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from groundstation.archive import schema
from groundstation.errors import ArchiveError

_PAGE = 1000


class EventRecord(NamedTuple):
    """One recorded event. ``id`` is its place in the ingest sequence, ``body`` JSON."""

    id: int
    ert: int
    scet: int | None
    kind: str
    body: bytes


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

    def meta(self) -> dict[str, str]:
        """The facts about the pass."""
        return dict(self._query(schema.SELECT_META, ()))

    def chunks(self) -> Iterator[tuple[int, str, bytes]]:
        """Everything received, in the order it came: (ert, link, data)."""
        for _, ert, link, data in self._pages(schema.SELECT_CHUNKS):
            yield ert, link, data

    def events(self, kind: str | None = None) -> Iterator[EventRecord]:
        """The recorded events in the order they came, of one kind or of all."""
        for row in self._pages(schema.SELECT_EVENTS, kind):
            yield EventRecord(*row)

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

    def _pages(self, statement: str, *where: str | None) -> Iterator[tuple[Any, ...]]:
        last = 0
        while page := self._query(statement, (last, *where, _PAGE)):
            yield from page
            last = page[-1][0]

    def _query(self, statement: str, arguments: tuple[int | str | None, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(statement, arguments).fetchall()
        except sqlite3.Error as error:
            raise ArchiveError(f"{self.path} cannot be read: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    try:
        if not path.is_file():
            raise ArchiveError(f"no recording at {path}")
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
    db = sqlite3.connect(_uri(path), uri=True, check_same_thread=False)
    try:
        _verify(db, path)
    except (ArchiveError, sqlite3.Error) as error:
        db.close()
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(_reason(path, error)) from error
    return db


def _uri(path: Path) -> str:
    """A recording without its ``-wal`` is finished and nobody writes it again: leave nothing beside it."""
    finished = not path.with_name(path.name + "-wal").exists()
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if finished else ''}"


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
