"""Copies of recordings, finished, damaged and being written."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from groundstation.errors import ArchiveError, CallerError
from groundstation.recordings.copy import copy_recording
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from tests.groundstation.recordings.test_opening import killed
from tests.groundstation.recordings.test_writer import LINK

NOW = "2026-11-28T12:00:00Z"


def copied(
    source: Path, target: Path, advance: Callable[[int], None] = lambda count: None, *, force: bool = False
) -> ArchiveReader:
    with ArchiveReader(source) as reader:
        copy_recording(reader, target, NOW, advance, force=force)
    return ArchiveReader(target)


def test_a_copy_of_a_recording_being_written_holds_what_was_committed(tmp_path: Path) -> None:
    path, stop = tmp_path / "pass.sqlite", threading.Event()
    with ArchiveWriter(path, {"station": "bench"}, commit_every_s=0.001) as writer:

        def write() -> None:
            number = 0
            while not stop.is_set():
                writer.chunk(number, LINK, number.to_bytes(4, "big") * 50)
                number += 1

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for round_ in range(3):
                with ArchiveReader(path) as reader:
                    least = len(list(reader.chunks()))
                with copied(path, tmp_path / f"{round_}.sqlite") as copy:
                    assert (copy.closed, copy.lack, copy.meta()["copied"]) == (False, "", NOW)
                    copy.check()
                    assert copy.damage is None
                    erts = [ert for ert, _, _ in copy.chunks()]
                assert erts == list(range(len(erts)))
                assert len(erts) >= least
        finally:
            stop.set()
            thread.join()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["0.sqlite", "1.sqlite", "2.sqlite", "pass.sqlite"]


def test_a_copy_of_a_finished_recording_is_finished(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "pass.sqlite", {"station": "bench"}) as writer:
        writer.chunk(1, LINK, b"x")
    with copied(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite") as copy:
        assert copy.meta() == {"station": "bench", "closed": "yes"}
        assert list(copy.chunks()) == [(1, LINK, b"x")]


def test_a_copy_of_a_killed_stations_recording_needs_no_journal(tmp_path: Path) -> None:
    killed(tmp_path / "pass.sqlite")
    with copied(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite") as copy:
        assert len(list(copy.chunks())) == 100
        assert copy.lack == ""


def test_a_copy_overwrites_only_if_told_to(tmp_path: Path) -> None:
    ArchiveWriter(tmp_path / "pass.sqlite", {}).close()
    (tmp_path / "copy.sqlite").write_bytes(b"precious")
    with pytest.raises(CallerError, match="exists"):
        copied(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite")
    assert (tmp_path / "copy.sqlite").read_bytes() == b"precious"
    copied(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite", force=True).close()


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    ArchiveWriter(tmp_path / "pass.sqlite", {}).close()
    with pytest.raises(ArchiveError, match=r"cannot copy .* to "):
        copied(tmp_path / "pass.sqlite", tmp_path / "nowhere" / "copy.sqlite")

    def fail(count: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(ArchiveError, match="disk is full"):
        copied(tmp_path / "pass.sqlite", tmp_path / "copy.sqlite", advance=fail)
    assert [each.name for each in tmp_path.iterdir()] == ["pass.sqlite"]


def test_a_copy_of_a_copy_without_journal_still_lacks_it(tmp_path: Path) -> None:
    shutil.copy(killed(tmp_path / "pass.sqlite"), tmp_path / "bare.sqlite")
    with ArchiveReader(tmp_path / "bare.sqlite") as reader:
        copy_recording(reader, tmp_path / "copy.sqlite", NOW)
    with ArchiveReader(tmp_path / "copy.sqlite") as copy:
        assert "journal" in copy.lack
