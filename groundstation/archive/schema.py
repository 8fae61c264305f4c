"""What stands in a recording.

    meta    key, value: who recorded what, with which dictionary
    chunk   the bytes of one read, with the link and the Earth received time (ns)
    event   events, contact changes and transport changes as JSON, with both times

``id`` is the ingest sequence, counted over ``chunk`` and ``event`` together: it tells what came before what, and a
hole in it is a record that was dropped. Never order by time: clocks step and onboard times arrive out of order.
"""

from __future__ import annotations

APPLICATION_ID = 0x4D415236
"""In the file's header (``MAR6``): tells a recording from any other SQLite file."""

SCHEMA_VERSION = 1
"""In the header as ``user_version``. A reader refuses what is newer than itself."""

GAP_KIND = "gap"
"""Kind of the event the writer itself records where records were dropped."""

CREATE = f"""
BEGIN;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, link TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, scet INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX chunk_ert ON chunk (ert);
CREATE INDEX event_ert ON event (ert);
CREATE INDEX event_scet ON event (scet);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

INSERT_CHUNK = "INSERT INTO chunk (id, ert, link, data) VALUES (?, ?, ?, ?)"
INSERT_EVENT = "INSERT INTO event (id, ert, scet, kind, body) VALUES (?, ?, ?, ?, CAST(? AS TEXT))"
INSERT_META = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"

SELECT_META = "SELECT key, value FROM meta ORDER BY key"
SELECT_CHUNKS = "SELECT id, ert, link, data FROM chunk WHERE id > ? ORDER BY id LIMIT ?"
SELECT_EVENTS = """
SELECT id, ert, scet, kind, CAST(body AS BLOB) FROM event
WHERE id > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY id LIMIT ?3
"""
SELECT_BYTES = "SELECT coalesce(sum(length(data)), 0) FROM chunk"
