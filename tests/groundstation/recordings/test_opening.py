"""Recordings with other journals, none, or what is no recording: which are read, and what is said of the others."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from groundstation.errors import ArchiveError, NotARecording
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import FrameEntry
from groundstation.recordings.writer import ArchiveWriter
from tests.groundstation.recordings.test_writer import LINK, someone_else

KILLED = """
import os, sys
from pathlib import Path
from groundstation.recordings.writer import ArchiveWriter
writer = ArchiveWriter(Path(sys.argv[1]), {"station": sys.argv[2]})
for number in range(int(sys.argv[3])):
    writer.chunk(number, "x", number.to_bytes(4, "big") * 25)
writer.flush()
os._exit(9)
"""


def killed(path: Path, station: str = "bench", chunks: int = 100) -> Path:
    """The recording of a station that was killed: a file and its journal."""
    subprocess.run([sys.executable, "-c", KILLED, path, station, str(chunks)], check=False)
    assert path.with_name(path.name + "-wal").stat().st_size > 0
    return path


def chunks_of(path: Path) -> int:
    with ArchiveReader(path) as reader:
        return sum(1 for _ in reader.chunks())


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("chunks", [1, 100, 50_000])
def test_a_copy_without_its_journal_is_told(tmp_path: Path, chunks: int) -> None:
    path = killed(tmp_path / "pass.sqlite", chunks=chunks)
    copy = tmp_path / "copy.sqlite"
    shutil.copy(path, copy)
    with ArchiveReader(copy) as reader:
        assert reader.journal == "missing"
        assert not reader.closed
        assert reader.meta()["station"] == "bench"
        assert "was not closed and its journal copy.sqlite-wal is missing" in reader.lack
        kept = sum(1 for _ in reader.chunks())
        assert kept < chunks or chunks == 50_000  # then SQLite may have just moved the whole journal into the file
    with ArchiveReader(path) as reader:
        assert (reader.journal, reader.lack) == ("read", "")
        assert sum(1 for _ in reader.chunks()) == chunks


def test_a_closed_recording_lacks_no_journal(tmp_path: Path) -> None:
    ArchiveWriter(tmp_path / "pass.sqlite", {}).close()
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert (reader.journal, reader.lack) == ("none", "")


def test_a_recording_of_before_copied_before_its_first_checkpoint_is_told(tmp_path: Path) -> None:
    """All of it was in the journal: what is left is SQLite's header, in the mode of such a journal."""
    path = tmp_path / "pass.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(ArchiveError, match=r"pass\.sqlite-wal is missing: .*`groundstation copy`"):
        ArchiveReader(path)


def test_the_journal_of_another_recording_is_not_mixed_in(tmp_path: Path) -> None:
    path, other = killed(tmp_path / "pass.sqlite", "bench"), killed(tmp_path / "other.sqlite", "other")
    shutil.copy(f"{other}-wal", f"{path}-wal")
    Path(f"{path}-shm").unlink()
    with ArchiveReader(path) as reader:
        assert reader.journal == "foreign"
        assert "journal of another recording" in reader.lack
        assert reader.meta()["station"] == "bench"
        assert list(reader.chunks()) == []


def test_the_journal_of_another_old_recording_is_not_mixed_in(tmp_path: Path) -> None:
    """Recordings of before have the same cookie, and their facts are in no later journal."""
    for name, byte in (("pass", b"a"), ("other", b"b")):
        path = tmp_path / f"{name}.sqlite"
        subprocess.run([sys.executable, "-c", OLD, path, byte.decode()], check=False)
    journal = Path(f"{tmp_path}/pass.sqlite-wal")
    own = journal.read_bytes()
    journal.write_bytes(Path(f"{tmp_path}/other.sqlite-wal").read_bytes())
    Path(f"{tmp_path}/pass.sqlite-shm").unlink()
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert reader.journal == "foreign"
        assert {data[:1] for _, _, data in reader.chunks()} == {b"a"}
    journal.write_bytes(own)
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert reader.journal == "read"
        assert sum(1 for _ in reader.chunks()) == 20_000


OLD = """
import os, sqlite3, sys
from groundstation.recordings import older, schema
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA journal_mode = WAL")
db.executescript(older.TABLES[1] + schema.INDICES.split("CREATE INDEX value_quality")[0])
db.executescript(f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = 2;")
for number in range(1, 20_001):
    db.execute(schema.INSERT_CHUNK, (number, number, "x", sys.argv[2].encode() * 100))
    if number % 50 == 0:
        db.commit()
os._exit(9)
"""


def test_a_journal_alone_says_what_is_missing(tmp_path: Path) -> None:
    path = killed(tmp_path / "pass.sqlite")
    path.unlink()
    with pytest.raises(ArchiveError, match=r"no recording at .*: only its journal pass\.sqlite-wal is there"):
        ArchiveReader(path)


def test_a_journal_given_for_its_recording_says_which_to_give(tmp_path: Path) -> None:
    path = killed(tmp_path / "pass.sqlite")
    with pytest.raises(ArchiveError, match=r"is the journal of a recording, not one itself: give pass\.sqlite"):
        ArchiveReader(Path(f"{path}-wal"))


@pytest.mark.parametrize("index", [True, False])
def test_a_read_only_medium_gives_all_of_a_killed_stations_recording(tmp_path: Path, index: bool) -> None:
    path = killed(tmp_path / "pass.sqlite")
    with TemporaryDirectory() as folder:
        medium = Path(folder)
        for end in ("", "-wal", *(["-shm"] if index else [])):
            shutil.copy(f"{path}{end}", medium)
        before = names(medium)
        medium.chmod(0o555)
        with someone_else():
            assert chunks_of(medium / "pass.sqlite") == 100
        assert names(medium) == before
        medium.chmod(0o755)


def test_a_file_and_its_journal_are_left_as_they_are(tmp_path: Path) -> None:
    path = killed(tmp_path / "pass.sqlite")
    Path(f"{path}-shm").unlink()
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert chunks_of(path) == 100
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = killed(tmp_path / "pass.sqlite")
    with TemporaryDirectory() as folder:
        medium = Path(folder)
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", medium)
        medium.chmod(0o755)
        for end in ("-wal", ""):
            (medium / f"pass.sqlite{end}").chmod(0)
            wanted = rf"pass\.sqlite{end} cannot be read: Permission denied"
            with someone_else(), pytest.raises(ArchiveError, match=wanted):
                ArchiveReader(medium / "pass.sqlite")


def test_a_journal_that_another_program_merged_is_not_missed(tmp_path: Path) -> None:
    """As ``sqlite3 pass.sqlite 'SELECT …'`` does when it ends."""
    path = killed(tmp_path / "pass.sqlite", chunks=50_000)
    with closing(sqlite3.connect(path)) as db:
        db.execute("SELECT count(*) FROM chunk")
    assert names(tmp_path) == ["pass.sqlite"]
    with ArchiveReader(path) as reader:
        assert (reader.journal, reader.lack, reader.closed) == ("none", "", False)
        assert sum(1 for _ in reader.chunks()) == 50_000


def test_a_recording_of_before_that_was_not_closed_may_lack_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    ArchiveWriter(path, {}).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM meta")
    with ArchiveReader(path) as reader:
        assert reader.journal == "unknown"
        assert "unless another program merged the two" in reader.lack


def test_a_reader_sees_what_is_written_after_it_opened_a_newborn_recording(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer, ArchiveReader(path) as reader:
        assert list(reader.chunks()) == []
        writer.chunk(1, LINK, b"x")
        writer.flush()
        assert list(reader.chunks()) == [(1, LINK, b"x")]


STRANGE = {
    "ALTER TABLE chunk RENAME TO kept; CREATE VIEW chunk AS SELECT * FROM kept": "'chunk' is a view",
    "CREATE VIEW extra AS WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n) SELECT * FROM n": "'extra' is a",
    "CREATE TRIGGER more AFTER INSERT ON chunk BEGIN DELETE FROM chunk; END": "'more' is a trigger",
    "DROP TABLE event; CREATE VIRTUAL TABLE event USING fts5(body)": "(virtual|shadow) table",
    "DROP TABLE chunk; CREATE TABLE chunk (id INTEGER PRIMARY KEY, ert, link, data AS (zeroblob(1000)))": "computed",
}


@pytest.mark.parametrize("statements", STRANGE)
def test_what_no_writer_puts_into_a_recording_is_refused(tmp_path: Path, statements: str) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        writer.chunk(1, LINK, b"x")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(statements)
    with pytest.raises(NotARecording, match=STRANGE[statements]):
        ArchiveReader(path)


@pytest.mark.parametrize("index", ["chunk_ert", "event_ert", "event_scet", "frame_ert", "frame_scet"])
def test_an_index_that_is_not_there_costs_nothing(tmp_path: Path, index: str) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        for number in range(5):
            writer.chunk(number, LINK, b"x")
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"DROP INDEX {index}")
    with ArchiveReader(path) as reader:
        assert reader.chunk_by_ert(3) == 4
        assert len(list(reader.chunks())) == 5
        reader.require_whole()


@pytest.mark.parametrize("table", ["meta", "chunk", "event", "frame"])
def test_a_table_that_is_not_there_costs_its_own_rows(tmp_path: Path, table: str) -> None:
    path = recorded(tmp_path / "pass.sqlite")
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"DROP TABLE {table}")
    with ArchiveReader(path) as reader:
        counts: dict[str, Iterable[object]] = {
            "chunk": reader.chunks(),
            "event": reader.events(),
            "frame": reader.frames(),
            "meta": reader.meta(),
        }
        assert {name for name, rows in counts.items() if not list(rows)} == {table}
        assert reader.damage is not None
        assert f"it has no table {table!r}" in reader.damage.reason


def recorded(path: Path) -> Path:
    """A recording of one record of each kind."""
    with ArchiveWriter(path, {"station": "bench"}) as writer:
        number = writer.chunk(1, LINK, b"x")
        writer.frames([FrameEntry(1, 1, 0, 0, "GOOD", number, 0, 1)])
        writer.event(2, None, "event", b"{}")
    return path


@pytest.mark.parametrize(
    ("before", "after"), [("data BLOB", "dada BLOB"), ("TABLE chunk", "TABLE chunj"), ("STRICT", "STRIKT")]
)
def test_a_damaged_schema_costs_no_record(tmp_path: Path, before: str, after: str) -> None:
    path = recorded(tmp_path / "pass.sqlite")
    path.write_bytes(path.read_bytes().replace(before.encode(), after.encode(), 1))
    with ArchiveReader(path) as reader:
        assert list(reader.chunks()) == [(1, LINK, b"x")]
        assert len(list(reader.frames())) == len(list(reader.events())) == 1


@pytest.mark.parametrize(
    ("pragma", "reason"), [("user_version = -5", "schema is -5"), ("application_id = 7", "id is 0x7")]
)
def test_a_damaged_header_costs_no_record(tmp_path: Path, pragma: str, reason: str) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        writer.chunk(1, LINK, b"x")
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA {pragma}")
    with ArchiveReader(path) as reader:
        assert list(reader.chunks()) == [(1, LINK, b"x")]
        assert reader.damage is not None
        assert reason in reader.damage.reason
        reader.require_whole()


def test_a_path_that_sqlite_does_not_take_is_an_archive_error(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 250) / ("y" * 250)
    folder.mkdir(parents=True)
    (folder / "pass.sqlite").write_bytes(b"SQLite format 3\0" + bytes(4080))
    with pytest.raises(ArchiveError, match="cannot be read: "):
        ArchiveReader(folder / "pass.sqlite")


@pytest.mark.parametrize("journal", [b"", b"x" * 100_000])
def test_an_empty_file_is_left_alone(tmp_path: Path, journal: bytes) -> None:
    """SQLite removes a journal beside an empty file."""
    path = tmp_path / "pass.sqlite"
    path.touch()
    Path(f"{path}-wal").write_bytes(journal)
    with pytest.raises(NotARecording, match="it is empty"):
        ArchiveReader(path)
    assert os.path.getsize(f"{path}-wal") == len(journal)
