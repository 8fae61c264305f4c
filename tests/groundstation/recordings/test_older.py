"""Recordings of older schemas: read as today's, left as they are, and upgraded as copies.

``recording-2.sqlite`` was written by the station before schema 3: a pass of 1.2 s at twenty times real time, with a
command, an arming, a lander that is killed, and the acknowledgement of that loss.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.errors import ArchiveError, CallerError
from groundstation.recordings import older
from groundstation.recordings.copy import copy_recording
from groundstation.recordings.export.columns import frame_columns
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from tests.groundstation.made_recordings import make_old, record

OLD = Path(__file__).parents[2] / "data" / "recording-2.sqlite"
FILE_SHA = "3772808bbedcd1594a534c54f29fe00bbab074514d0b89fd3216ba65289ee357"
BYTES_SHA = "42286ea63dc22fdda50b68daa68ab9e561b8d03506346c1d57c0433971bc9f8d"
URL = "serial:/tmp/mars6-lander?baud=115200"
PAGE = 4096


def contents(path: Path) -> dict[str, object]:
    """All that a reader gives of a recording."""
    with ArchiveReader(path) as reader:
        reader.check()
        reader.require_whole()
        frames = list(reader.frames())
        return {
            "meta": reader.meta(),
            "chunks": list(reader.chunks()),
            "records": list(reader.records_from(1)),
            "events": list(reader.events()),
            "frames": frames,
            "frame bytes": [reader.frame_bytes(frame) for frame in frames],
            "columns": {name: column.tolist() for name, column in frame_columns(reader).items()},
            "by time": reader.frame_by_scet(frames[40].scet or 0),
            "counts": (reader.frame_counts(), reader.event_counts(), reader.bytes_total),
            "spans": (reader.span(), reader.onboard_spans()),
        }


def upgraded(source: Path, target: Path) -> Path:
    with ArchiveReader(source) as reader:
        copy_recording(reader, target, "2026-11-28T12:00:00Z", upgrade=True)
    return target


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}


def test_a_station_of_before_wrote_what_is_read_today(tmp_path: Path) -> None:
    path = Path(shutil.copy(OLD, tmp_path / "pass.sqlite"))
    with ArchiveReader(path) as reader:
        assert (reader.schema_version, reader.closed, reader.lack) == (2, True, "")
        assert reader.event_counts() == {"acknowledgement": 1, "command": 5, "contact": 9, "event": 12, "transport": 3}
        assert reader.frame_counts() == {(0, "GOOD"): 95, (2, "GOOD"): 99}
        assert (reader.sha256(), reader.bytes_total) == (BYTES_SHA, 25_608)
        assert {link for _, link, _ in reader.chunks()} == {URL}
        assert reader.links() == {}
        assert all(reader.frame_bytes(frame)[:4] == bytes.fromhex("1acffc1d") for frame in reader.frames())


def test_reading_leaves_an_older_recording_as_it_is(tmp_path: Path) -> None:
    path = Path(shutil.copy(OLD, tmp_path / "pass.sqlite"))
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        contents(path)
    finally:
        tmp_path.chmod(0o755)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == FILE_SHA
    assert [each.name for each in tmp_path.iterdir()] == ["pass.sqlite"]


def test_an_older_recording_reads_as_todays_of_the_same_pass(tmp_path: Path) -> None:
    record(tmp_path / "today.sqlite", bursts=120)
    shutil.copy(tmp_path / "today.sqlite", tmp_path / "old.sqlite")
    make_old(tmp_path / "old.sqlite", version=2)
    assert "at INTEGER" in " ".join(tables(tmp_path / "old.sqlite"))
    assert contents(tmp_path / "old.sqlite") == contents(tmp_path / "today.sqlite")


def test_an_upgraded_copy_holds_the_same_in_todays_tables(tmp_path: Path) -> None:
    copy = upgraded(OLD, tmp_path / "copy.sqlite")
    ArchiveWriter(tmp_path / "new.sqlite", {}).close()
    assert tables(copy) == tables(tmp_path / "new.sqlite")
    assert contents(copy) == contents(OLD)
    with ArchiveReader(copy) as reader:
        assert (reader.schema_version, reader.links()) == (3, {1: URL})


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = Path(shutil.copy(OLD, tmp_path / "pass.sqlite"))
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP INDEX frame_scet; CREATE TABLE value_quality (x)")
        before = list(db.iterdump())
        with pytest.raises(sqlite3.Error):
            older.upgrade(db, 2)
        assert not db.in_transaction
        assert list(db.iterdump()) == before


def test_schema_1_is_copied_but_not_upgraded(tmp_path: Path) -> None:
    record(tmp_path / "pass.sqlite", bursts=20)
    make_old(tmp_path / "pass.sqlite")
    with pytest.raises(CallerError, match="no index of frames and cannot be upgraded: copy it as it is"):
        upgraded(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_todays_recording_is_copied_whether_upgraded_or_not(tmp_path: Path) -> None:
    record(tmp_path / "pass.sqlite", bursts=50)
    assert contents(upgraded(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite")) == contents(tmp_path / "pass.sqlite")


def test_a_station_continues_no_recording(tmp_path: Path) -> None:
    path = Path(shutil.copy(OLD, tmp_path / "pass.sqlite"))
    with pytest.raises(ArchiveError, match="exists already: a recording never overwrites a file"):
        ArchiveWriter(path, {})
    assert hashlib.sha256(path.read_bytes()).hexdigest() == FILE_SHA


@pytest.mark.parametrize("command", ["info", "salvage"])
def test_commands_give_the_same_of_an_upgraded_copy(tmp_path: Path, command: str) -> None:
    copy = upgraded(OLD, tmp_path / OLD.name)
    outputs = []
    for path in (OLD, copy):
        result = CliRunner().invoke(cli, [command, str(path)])
        assert result.exit_code == 0, result.output
        outputs.append(result.output.replace(str(path), OLD.name).replace("schema 3", "schema 2"))
    assert outputs[0] == outputs[1] != ""


def test_an_upgraded_copy_is_exported_alike(tmp_path: Path) -> None:
    copy = upgraded(OLD, tmp_path / OLD.name)
    for path, folder in ((OLD, "old"), (copy, "new")):
        result = CliRunner().invoke(cli, ["export", str(path), "--to", "csv", "--output", str(tmp_path / folder)])
        assert result.exit_code == 0, result.output
    old, new = ({each.name: each.read_bytes() for each in (tmp_path / name).iterdir()} for name in ("old", "new"))
    assert old == new
    assert len(old) >= 2


def pages() -> Iterable[int]:
    return range(1, OLD.stat().st_size // PAGE)


@pytest.mark.parametrize("page", pages())
def test_a_damaged_older_recording_keeps_the_links_of_its_reads(tmp_path: Path, page: int) -> None:
    data = OLD.read_bytes()
    path = tmp_path / "pass.sqlite"
    path.write_bytes(data[: page * PAGE] + b"\xaa" * PAGE + data[(page + 1) * PAGE :])
    with ArchiveReader(OLD) as whole, ArchiveReader(path) as reader:
        reader.check()
        assert reader.damage is not None
        found = list(reader.chunks())
        assert {link for _, link, _ in found} == {URL}
        assert set(found) <= set(whole.chunks())
        assert set(reader.frames()) <= set(whole.frames())


def test_links_are_numbered_and_named(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer, ArchiveReader(path) as reader:
        for ert, link in enumerate(("serial:a", "serial:b", "serial:a")):
            writer.chunk(ert, link, b"x")
            writer.flush()
            assert list(reader.chunks())[-1] == (ert, link, b"x")
        assert reader.links() == {1: "serial:a", 2: "serial:b"}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT link FROM chunk ORDER BY id").fetchall() == [(1,), (2,), (1,)]
        assert db.execute("SELECT count(*) FROM value_quality").fetchone() == (0,)


def test_a_damaged_recording_keeps_qualities_and_links(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=50)
    row = (10_000, 5, None, 100, 7, "altitude", "SUSPECT", "the frame was late")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO value_quality VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        (events,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'event'").fetchone()
    data = path.read_bytes()
    path.write_bytes(data[: (events - 1) * PAGE] + bytes(PAGE) + data[events * PAGE :])
    with ArchiveReader(path) as reader:
        reader.check()
        assert reader.damage is not None
        assert reader.links() == {1: "test:"}
        assert {link for _, link, _ in reader.chunks()} == {"test:"}
