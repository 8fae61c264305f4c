"""Times in a recording that cannot be: a replay comes to its end all the same, and gives all bytes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from groundstation.links.base import Chunk
from groundstation.links.replay_source import ReplaySource
from groundstation.recordings.reader import ArchiveReader
from protocols.lander import EPOCH
from tests.groundstation.made_recordings import record

HOUR = 3_600_000_000_000
WILD = [2**63 - 1, -5, EPOCH + 1000 * 24 * HOUR]


@pytest.mark.parametrize("wild", WILD)
@pytest.mark.parametrize("which", ["(SELECT min(id) FROM chunk)", "(SELECT max(id) FROM chunk)", "100", "id"])
@pytest.mark.parametrize("table", ["chunk", "event"])
def test_no_replay_waits_for_a_damaged_time(tmp_path: Path, table: str, which: str, wild: int) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=200, more=lambda n, ert, archive: archive.event(ert, None, "weather", b"{}"))
    if table == "chunk" and which == "id":
        which = "id AND id % 7 = 0"
    with closing(sqlite3.connect(path)) as db, db:
        whole = b"".join(row[0] for row in db.execute("SELECT data FROM chunk ORDER BY id"))
        db.execute(f"UPDATE {table} SET ert = ? WHERE id >= {which} AND id <= {which}", (wild,))
    with closing(ReplaySource(ArchiveReader(path))) as playback:
        first, last = playback.span()
        assert EPOCH - HOUR <= first <= last <= EPOCH + HOUR
        items = list(playback.items(0))
    assert b"".join(item.report.data for item in items if isinstance(item.report, Chunk)) == whole
    assert all(EPOCH - HOUR <= item.ert <= EPOCH + HOUR for item in items)


def test_a_clock_that_was_set_is_believed(tmp_path: Path) -> None:
    """A station of before took the host's time: what follows a step goes on from there."""
    path = tmp_path / "pass.sqlite"
    record(path, bursts=200)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE chunk SET ert = ert + ? WHERE id > 200", (1000 * 24 * HOUR,))
        wanted = [row[0] for row in db.execute("SELECT ert FROM chunk ORDER BY id")]
    with closing(ReplaySource(ArchiveReader(path))) as playback:
        assert [item.ert for item in playback.items(0) if isinstance(item.report, Chunk)] == wanted
