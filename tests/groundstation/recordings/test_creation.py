"""The file of a new recording: what it says before anything is in its journal."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from groundstation.errors import ArchiveError
from groundstation.recordings import schema
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter


def schema_cookie(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        (cookie,) = db.execute("PRAGMA schema_version").fetchone()
    assert isinstance(cookie, int)
    return cookie


def test_the_file_alone_says_from_the_start_that_it_is_open(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "pass.sqlite", {"station": "bench"}):
        shutil.copy(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert dict(db.execute("SELECT key, value FROM meta")) == {
            "station": "bench",
            "closed": "no",
            "journal": "follows",
        }
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert reader.meta() == {"station": "bench", "closed": "yes"}


def test_a_recording_has_its_journal_from_the_start(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "pass.sqlite", {}):
        assert (tmp_path / "pass.sqlite-wal").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["pass.sqlite"]


def test_a_journal_of_another_recording_is_not_overwritten(tmp_path: Path) -> None:
    journal = tmp_path / "pass.sqlite-wal"
    journal.write_bytes(b"precious")
    with pytest.raises(ArchiveError, match="there is a journal of another recording"):
        ArchiveWriter(tmp_path / "pass.sqlite", {})
    assert journal.read_bytes() == b"precious"
    assert [file.name for file in tmp_path.iterdir()] == ["pass.sqlite-wal"]


def test_recordings_differ_in_their_schema_schema_cookie(tmp_path: Path) -> None:
    for name, station in [("a", "bench"), ("b", "bench"), ("c", "other")]:
        ArchiveWriter(tmp_path / name, {"station": station}).close()
    assert len({schema_cookie(tmp_path / name) for name in "abc"}) == 3
