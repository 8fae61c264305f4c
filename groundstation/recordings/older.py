"""Recordings of older schemas: how they are read as today's, and how a copy is upgraded.

Rules:
1. Reading changes nothing: an older recording may lie on a read-only medium, and its hash may be on record. What has
   another name in it is shown under today's by a view in SQLite's temporary schema, which hides the table behind it.
2. A column that means another thing in it is looked at where it is read: before schema 3 a chunk has its link's URL in
   place of a number.
3. A station never appends to a recording. Only a copy is upgraded (`groundstation copy --upgrade`), in one transaction.

    1   no index of frames; closed or not, it does not say
    2   frame.at for frame.offset; chunk.link is the URL; no tables link and value_quality
"""

from __future__ import annotations

import sqlite3

from groundstation.errors import CallerError
from groundstation.recordings import schema

_TABLES_2 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, link TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, scet INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE frame (
    id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, scet INTEGER, vcid INTEGER, vcfc INTEGER, quality TEXT NOT NULL,
    chunk INTEGER NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL
) STRICT;
"""

TABLES = (schema.TABLES, _TABLES_2)
"""The tables of recordings, word for word, of each schema whose tables are strict."""

_COLUMNS_2 = {name: schema.COLUMNS[name] for name in ("meta", "chunk", "event")} | {
    "frame": ("id", "ert", "scet", "vcid", "vcfc", "quality", "chunk", "at", "size")
}
_COLUMNS_1 = {name: columns for name, columns in _COLUMNS_2.items() if name != "frame"}

_VIEW_2 = """
CREATE TEMP VIEW frame AS
SELECT id, ert, scet, vcid, vcfc, quality, chunk, at AS offset, size FROM main.frame
"""

_UPGRADE_2 = f"""
BEGIN IMMEDIATE;
ALTER TABLE chunk RENAME TO chunk_2;
ALTER TABLE event RENAME TO event_2;
ALTER TABLE frame RENAME TO frame_2;
ALTER TABLE meta RENAME TO meta_2;
DROP INDEX chunk_ert; DROP INDEX event_ert; DROP INDEX event_scet; DROP INDEX frame_ert; DROP INDEX frame_scet;
{schema.TABLES}
INSERT INTO meta SELECT key, value FROM meta_2;
INSERT INTO link (url) SELECT link FROM chunk_2 GROUP BY link ORDER BY min(id);
INSERT INTO chunk SELECT c.id, c.ert, l.id, c.data FROM chunk_2 AS c JOIN link AS l ON l.url = c.link;
INSERT INTO event SELECT id, ert, scet, kind, body FROM event_2;
INSERT INTO frame SELECT id, ert, scet, vcid, vcfc, quality, chunk, at, size FROM frame_2;
DROP TABLE chunk_2; DROP TABLE event_2; DROP TABLE frame_2; DROP TABLE meta_2;
{schema.INDICES}
PRAGMA user_version = {schema.SCHEMA_VERSION};
COMMIT;
VACUUM;
"""  # noqa: S608


def columns_of(version: int) -> dict[str, tuple[str, ...]]:
    """What each table of a recording of that schema has."""
    if version >= schema.LINKS_SINCE:
        return schema.COLUMNS
    return _COLUMNS_2 if version >= schema.FRAMES_SINCE else _COLUMNS_1


def show_as_current(db: sqlite3.Connection, version: int) -> None:
    """Let an older recording be read by today's statements."""
    if version == schema.FRAMES_SINCE:
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA query_only = OFF")  # it holds for the temporary schema, too
        db.execute(_VIEW_2)
        db.execute("PRAGMA query_only = ON")


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Make a recording one of today's schema, whole or not at all.

    Raises:
        CallerError: it has no index of frames.
        sqlite3.Error: it cannot be written.
    """
    if version < schema.FRAMES_SINCE:
        raise CallerError("a recording of schema 1 has no index of frames and cannot be upgraded: copy it as it is")
    if version < schema.SCHEMA_VERSION:
        try:
            db.executescript(_UPGRADE_2)
        finally:
            if db.in_transaction:
                db.rollback()
