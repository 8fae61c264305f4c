"""Recordings for tests: the descent in lockstep, whole or spoilt, and an old one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.links.base import Chunk, Idle, TransportChange
from groundstation.recordings import older, schema
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests import descent

Spoil = Callable[[int, bytes], bytes]
More = Callable[[int, int, ArchiveWriter], None]


def keep(number: int, data: bytes) -> bytes:
    return data


def nothing(number: int, ert: int, archive: ArchiveWriter) -> None:
    """A station that has nothing of its own to record."""


def record(
    path: Path, spoil: Spoil = keep, bursts: int | None = None, tail: bytes = b"", more: More = nothing
) -> list[ReceiverEvent]:
    """A descent in lockstep; ``spoil`` gets the number of each burst that carries bytes, from 1 on, and the bytes.

    ``more`` may record something of the station itself behind each of them.
    """
    meta = {"station": "bench", "link": "test:", "mission": MARS6.name, "dictionary_hash": MARS6.hash_text}
    with ArchiveWriter(path, meta) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "test:"), archive, str(path))
        outcomes = recorder.decode(recorder.keep(TransportChange(EPOCH, "CONNECTED", "test")))
        number = 0
        for burst in descent.bursts():
            if bursts is not None and number == bursts:
                break
            number += bool(burst.data)
            data = spoil(number, burst.data) if burst.data else b""
            report = Chunk(burst.scet, data) if data else Idle(burst.scet)
            outcomes += recorder.decode(recorder.keep(report))
            if burst.data:
                more(number, burst.scet, archive)
        if tail:
            outcomes += recorder.decode(recorder.keep(Chunk(burst.scet, tail)))
    return outcomes


def damage(path: Path, kind: str, which: int = 0, body: str = "{no JSON") -> int:
    """Spoil the body of the so-many-eth event of a kind; its id."""
    with closing(sqlite3.connect(path)) as db, db:
        row = db.execute("SELECT id FROM event WHERE kind = ? ORDER BY id LIMIT 1 OFFSET ?", (kind, which)).fetchone()
        db.execute("UPDATE event SET body = ? WHERE id = ?", (body, row[0]))
    return int(row[0])


TO_SCHEMA_2 = f"""
ALTER TABLE chunk RENAME TO chunk_3; ALTER TABLE event RENAME TO event_3;
ALTER TABLE frame RENAME TO frame_3; ALTER TABLE meta RENAME TO meta_3;
{older.TABLES[1]}
INSERT INTO chunk SELECT c.id, c.ert, l.url, c.data FROM chunk_3 AS c JOIN link AS l ON l.id = c.link;
INSERT INTO event SELECT * FROM event_3; INSERT INTO frame SELECT * FROM frame_3; INSERT INTO meta SELECT * FROM meta_3;
DROP TABLE chunk_3; DROP TABLE event_3; DROP TABLE frame_3; DROP TABLE meta_3;
DROP TABLE link; DROP TABLE value_quality;
{schema.INDICES.split("CREATE INDEX value_quality")[0]}
PRAGMA user_version = 2;
"""
TO_SCHEMA_1 = f"{TO_SCHEMA_2} DROP TABLE frame; PRAGMA user_version = 1;"


def make_old(path: Path, version: int = 1) -> None:
    """Turn a recording into one of schema 2, or 1: no index of frames."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(TO_SCHEMA_2 if version == 2 else TO_SCHEMA_1)
