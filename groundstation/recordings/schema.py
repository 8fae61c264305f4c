"""What stands in a recording.

    meta            key, value: who recorded what, with which dictionary
    link            the links that were recorded, by number (since schema 3)
    chunk           the bytes of one read, with the link's number and the Earth received time (ns)
    event           events, changes of contact and transport, commands and acknowledgements as JSON, with both times
    frame           an index of the frames found in the chunks, good and rejected, with both times (since schema 2)
    value_quality   the values that are not good, and why (since schema 3)
    frame_copy      of a station with several links: later copies of frames in the index

``id`` is the ingest sequence, counted over ``chunk``, ``event`` and ``frame`` together: it tells what came before what,
and a hole in it is a record that was dropped. Never order by time alone: clocks step and onboard times arrive out of
order.

A frame that came over several links stands in the index once, as its first copy; the index is in the order in which
frames were counted, which is another than that of the chunks where one was held for a frame of another link. The ids of
``frame_copy`` are its own; it has another number of columns than any other table, by which damaged ones are told.

A frame's bytes are not stored twice. It starts at byte ``offset`` of chunk ``chunk``, its ASM first, and goes on for
``size`` bytes through the chunks of the same link that follow; its link is that of the chunk. The index is written
after the decoding, so it may end a little before the chunks do: the bytes are the truth, the index is a way into them.

Values are not stored: they come from the frames. A value is good unless ``value_quality`` says otherwise: only the
exceptions take space. A packet is found there by its APID, its sequence count and its time.

Recordings of before are read without being changed: `older`.
"""

from __future__ import annotations

APPLICATION_ID = 0x4D415236
"""In the file's header (``MAR6``): tells a recording from any other SQLite file."""

SCHEMA_VERSION = 3
"""In the header as ``user_version``. A reader refuses what is newer than itself, and still reads what is older."""

FRAMES_SINCE = 2
"""The first schema with an index of frames."""

LINKS_SINCE = 3
"""The first schema with tables of links and of values that are not good."""

CLOSED_SINCE = 2
"""The first schema that says whether a recording was closed."""

OPEN = ("closed", "no")
"""The fact that a recording is made with. It is in the file itself before the first record, never in its journal."""

CLOSED = ("closed", "yes")
"""The fact that a writer puts in its place when it ends in order. Older writers left it out until then."""

FOLLOWS = ("journal", "follows")
"""The fact that more stands in the journal: so the file alone says it, and with its journal it does not.

Each checkpoint takes it into the file, and the commit after that takes it away in the journal. A recording of which
another program has merged the journal does not say it."""

COPIED = "copied"
"""Key of the fact that `copy` adds to a copy: when it was made, ISO 8601."""

GAP_KIND = "gap"
"""Kind of the event the writer itself records where records were dropped."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE link (id INTEGER PRIMARY KEY, url TEXT NOT NULL) STRICT;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, link INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, scet INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE frame (
    id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, scet INTEGER, vcid INTEGER, vcfc INTEGER, quality TEXT NOT NULL,
    chunk INTEGER NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL
) STRICT;
CREATE TABLE value_quality (
    id INTEGER PRIMARY KEY, ert INTEGER NOT NULL, scet INTEGER, apid INTEGER NOT NULL, sequence INTEGER NOT NULL,
    parameter TEXT NOT NULL, quality TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
"""

COPIES = """
CREATE TABLE frame_copy (
    id INTEGER PRIMARY KEY, vcid INTEGER, vcfc INTEGER, quality TEXT NOT NULL, chunk INTEGER NOT NULL,
    offset INTEGER NOT NULL
) STRICT;
"""
"""Only in recordings of several links."""

LINKS = "links"
"""Key of the fact that names several links: JSON, a list of objects with ``name`` and ``url``, in their order."""

INDICES = """
CREATE INDEX chunk_ert ON chunk (ert);
CREATE INDEX event_ert ON event (ert);
CREATE INDEX event_scet ON event (scet);
CREATE INDEX frame_ert ON frame (ert);
CREATE INDEX frame_scet ON frame (scet);
CREATE INDEX value_quality_ert ON value_quality (ert);
"""

CREATE = f"""
BEGIN;
{TABLES}
{INDICES}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

COLUMNS = {
    "meta": ("key", "value"),
    "link": ("id", "url"),
    "chunk": ("id", "ert", "link", "data"),
    "event": ("id", "ert", "scet", "kind", "body"),
    "frame": ("id", "ert", "scet", "vcid", "vcfc", "quality", "chunk", "offset", "size"),
    "value_quality": ("id", "ert", "scet", "apid", "sequence", "parameter", "quality", "reason"),
}
"""What each table has, in this order."""

INSERT_LINK = "INSERT INTO link (id, url) VALUES (?, ?)"
INSERT_CHUNK = "INSERT INTO chunk (id, ert, link, data) VALUES (?, ?, ?, ?)"
INSERT_EVENT = "INSERT INTO event (id, ert, scet, kind, body) VALUES (?, ?, ?, ?, CAST(? AS TEXT))"
INSERT_FRAME = """
INSERT INTO frame (id, ert, scet, vcid, vcfc, quality, chunk, offset, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_COPY = "INSERT INTO frame_copy (id, vcid, vcfc, quality, chunk, offset) VALUES (?, ?, ?, ?, ?, ?)"
INSERT_META = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"
DELETE_META = "DELETE FROM meta WHERE key = ?"

HAS_META = "SELECT count(*) FROM meta"
SELECT_META = "SELECT key, value FROM meta ORDER BY key"
SELECT_LINKS = "SELECT id, url FROM link ORDER BY id"
SELECT_CHUNKS = "SELECT id, ert, link, data FROM chunk WHERE id > ? ORDER BY id LIMIT ?"
SELECT_EVENTS = """
SELECT id, ert, scet, kind, CAST(body AS BLOB) FROM event
WHERE id > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY id LIMIT ?3
"""
SELECT_RECORDS = """
SELECT id, ert, NULL, data FROM chunk WHERE id > ?1
UNION ALL
SELECT id, ert, kind, CAST(body AS BLOB) FROM event WHERE id > ?1
ORDER BY 1 LIMIT ?2
"""
SELECT_LINK_RECORDS = """
SELECT id, ert, link, NULL, data FROM chunk WHERE id > ?1
UNION ALL
SELECT id, ert, 0, kind, CAST(body AS BLOB) FROM event WHERE id > ?1
ORDER BY 1 LIMIT ?2
"""
LAST_IDS = {
    "chunk": "SELECT max(id) FROM chunk",
    "event": "SELECT max(id) FROM event",
    "frame": "SELECT max(id) FROM frame",
    "records": "SELECT max(id) FROM (SELECT max(id) AS id FROM chunk UNION ALL SELECT max(id) FROM event)",
}
_INT, _TIME = "typeof({0}) <> 'integer'", "(typeof({0}) <> 'integer' AND {0} IS NOT NULL)"
_TEXT, _BLOB = "typeof({0}) <> 'text'", "typeof({0}) <> 'blob'"
_NUMBER_OR_TEXT = "typeof({0}) NOT IN ('integer', 'text')"
_TYPES = {
    "meta": {"key": _TEXT, "value": _TEXT},
    "link": {"url": _TEXT},
    "chunk": {"ert": _INT, "link": _NUMBER_OR_TEXT, "data": _BLOB},
    "event": {"ert": _INT, "scet": _TIME, "kind": _TEXT, "body": _TEXT},
    "frame": {
        **dict.fromkeys(("ert", "chunk", "offset", "size"), _INT),
        **dict.fromkeys(("scet", "vcid", "vcfc"), _TIME),
        "quality": _TEXT,
    },
    "value_quality": {
        **dict.fromkeys(("ert", "apid", "sequence"), _INT),
        "scet": _TIME,
        **dict.fromkeys(("parameter", "quality", "reason"), _TEXT),
    },
}
_WRONG = {table: " OR ".join(each.format(name) for name, each in types.items()) for table, types in _TYPES.items()}
WRONG_TYPES = {
    table: f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {wrong})"  # noqa: S608
    for table, wrong in _WRONG.items()
}
"""Whether a table holds values of types that it must not; of recordings whose tables are not strict."""

WRONG_FRAMES = """
SELECT EXISTS (
    SELECT 1 FROM frame
    WHERE vcid NOT BETWEEN 0 AND 63 OR vcfc NOT BETWEEN 0 AND 4294967295 OR chunk < 1
        OR offset NOT BETWEEN 0 AND 2147483647 OR size NOT BETWEEN 0 AND 2147483647
        OR quality NOT IN ('GOOD', 'CORRECTED', 'CRC', 'RS', 'SYNC')
)
"""
SHORT_READS = """
WITH
    place AS (
        SELECT id, link, length(data) AS held, sum(length(data)) OVER (PARTITION BY link ORDER BY id) AS end FROM chunk
    ),
    good AS (
        SELECT frame.chunk, link, frame.offset >= held AS outside, end - held + frame.offset AS begin, size
        FROM frame JOIN place ON place.id = frame.chunk WHERE quality = 'GOOD'
    ),
    pair AS (
        SELECT chunk, outside, begin + size AS end, lead(begin) OVER (PARTITION BY link ORDER BY begin, chunk) AS next
        FROM good
    )
SELECT DISTINCT chunk FROM pair WHERE outside OR next < end - 1
"""
"""Reads that hold less than their good frames: those overlap else by no more than a byte, in a stream of bits."""
FRAMES_WITHOUT_BYTES = f"""
SELECT (
    EXISTS (SELECT 1 FROM frame LEFT JOIN chunk ON chunk.id = frame.chunk WHERE chunk.id IS NULL)
    OR EXISTS ({SHORT_READS})
) AND NOT EXISTS (SELECT 1 FROM event WHERE kind = 'gap')
"""  # noqa: S608
"""Whether frames are indexed whose bytes are not there; a station that could not keep them says so in a gap."""

NO_TIMES = "SELECT EXISTS (SELECT 1 FROM {} WHERE ert = -9223372036854775808)"
LARGEST_CHUNK = "SELECT coalesce(max(length(data)), 0) FROM chunk"
WRONG_BODIES = "SELECT id, kind FROM event WHERE NOT json_valid(body) LIMIT ?"
FIRST_IDS = "SELECT min(id) FROM {}"
SELECT_BYTES = "SELECT coalesce(sum(length(data)), 0) FROM chunk"

_FRAME = "SELECT id, ert, scet, vcid, vcfc, quality, chunk, offset, size FROM frame"
SELECT_FRAMES = f"{_FRAME} WHERE id > ? ORDER BY id LIMIT ?"
FRAME_BY_SCET = f"{_FRAME} WHERE scet >= ? ORDER BY scet, id LIMIT 1"
LAST_FRAME_BY_SCET = f"{_FRAME} WHERE scet IS NOT NULL ORDER BY scet DESC, id LIMIT 1"
FRAME_AFTER = f"{_FRAME} WHERE id > ? ORDER BY id LIMIT 1"
FRAME_BEFORE = f"{_FRAME} WHERE id < ? ORDER BY id DESC LIMIT 1"
LAST_FRAME = f"{_FRAME} WHERE id > ? ORDER BY id DESC LIMIT 1"
SELECT_FRAME_COUNTS = "SELECT vcid, quality, count(*) FROM frame GROUP BY vcid, quality ORDER BY vcid, quality"
_BY_LINK = """
SELECT chunk.link, count(*) FROM {} AS frame JOIN chunk ON chunk.id = frame.chunk
WHERE quality {} GROUP BY chunk.link
"""
_GOOD = "IN ('GOOD', 'CORRECTED')"
FIRST_BY_LINK = _BY_LINK.format("frame", f"{_GOOD} AND vcid IS NOT NULL")
FOREIGN_BY_LINK = _BY_LINK.format("frame", f"{_GOOD} AND vcid IS NULL")
REJECTED_BY_LINK = _BY_LINK.format("frame", f"NOT {_GOOD}")
COPIES_BY_LINK = _BY_LINK.format("frame_copy", _GOOD)
BYTES_BY_LINK = "SELECT link, sum(length(data)) FROM chunk GROUP BY link"
NEXT_SCET = "SELECT min(scet) FROM frame WHERE scet > ?"
LAST_SCET_UP_TO = "SELECT max(scet) FROM frame WHERE scet > ?1 AND scet <= ?2"
COUNT_OF_SCETS = "SELECT count(*) FROM frame WHERE scet BETWEEN ? AND ?"
CHUNK_BY_ERT = "SELECT id FROM chunk WHERE ert >= ? ORDER BY ert, id LIMIT 1"
FIRST_FRAME_BY_ERT = "SELECT id FROM frame WHERE ert >= ? ORDER BY ert, id LIMIT 1"
SELECT_BYTES_BETWEEN = "SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE id >= ? AND id < ?"
SELECT_LINK_OF_CHUNK = "SELECT link FROM chunk WHERE id <= ? ORDER BY id DESC LIMIT 1"
SELECT_LINK_BYTES_BETWEEN = "SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE id >= ? AND id < ? AND link = ?"
HAS_COPIES = "SELECT count(*) FROM sqlite_master WHERE name = 'frame_copy'"
SELECT_CHUNK_TIME = "SELECT ert FROM chunk WHERE id <= ? ORDER BY id DESC LIMIT 1"
LAST_EVENT = """
SELECT id, ert, scet, kind, CAST(body AS BLOB) FROM event WHERE kind = ? AND id < ? ORDER BY id DESC LIMIT 1
"""
HAS_EVENT = "SELECT EXISTS (SELECT 1 FROM event WHERE kind = ?)"
# A command comes into the log when it is queued and when it ends; a damaged body is reported when it is read.
_SHOWN = """
SELECT ert FROM event WHERE
CASE WHEN kind IN ('event', 'contact', 'acknowledgement', 'gap') THEN 1
WHEN kind <> 'command' OR NOT json_valid(body) THEN 0 ELSE
    json_extract(body, '$.state') IN ('QUEUED', 'COMPLETED', 'FAILED', 'TIMEOUT')
    AND json_extract(body, '$.state') IS NOT json_extract(body, '$.previous')
END
"""
HAPPENED_AFTER = f"{_SHOWN} AND ert > ? ORDER BY ert LIMIT 1"
HAPPENED_BEFORE = f"{_SHOWN} AND ert < ? ORDER BY ert DESC LIMIT 1"
LAST_HEARD = """
SELECT min(CASE place WHEN 1 THEN ert END), min(ert) FROM (
    SELECT ert, row_number() OVER (PARTITION BY vcid ORDER BY ert DESC) AS place,
           max(ert) OVER (PARTITION BY vcid) AS last
    FROM frame WHERE ert BETWEEN ? AND ? AND vcid IS NOT NULL
) WHERE place IN (1, 3) AND last >= ?
"""
SELECT_ENDS = {
    table: [f"SELECT ert FROM {table} ORDER BY id {order} LIMIT 3" for order in ("ASC", "DESC")]  # noqa: S608
    for table in ("chunk", "event")
}
SELECT_EVENT_COUNTS = "SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind"

SELECT_FRAME_NUMBERS = """
SELECT id, ert, coalesce(scet, -9223372036854775808),
       coalesce(vcid, -1), coalesce(vcfc, -1),
       CASE quality
           WHEN 'GOOD' THEN 0 WHEN 'CORRECTED' THEN 1 WHEN 'CRC' THEN 2 WHEN 'RS' THEN 3 WHEN 'SYNC' THEN 4 ELSE 5
       END,
       chunk, offset, size
FROM frame WHERE id > ? ORDER BY id LIMIT ?
"""
SELECT_BYTES_OF_CHUNKS = "SELECT id, ert, data FROM chunk WHERE id > ? ORDER BY id LIMIT ?"
