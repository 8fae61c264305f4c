"""The commands on recordings, on a terminal and beside it, and with another mission's recording."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.errors import CallerError, PartlyRead
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.summary import info_lines, summarise
from protocols.lander import MARS6
from tests.groundstation.made_recordings import record

CLEAR = "\r\x1b[K"


class Tty(io.StringIO):
    """A terminal: what comes to standard output and to standard error stands on one screen."""

    def isatty(self) -> bool:
        return True


def cut(number: int, data: bytes) -> bytes:
    return data[:60] if number % 50 == 0 else data


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pass") / "pass.sqlite"
    record(path, cut, bursts=600)
    return path


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A recording made with another dictionary of this mission."""
    return recorded_by(tmp_path, MARS6.name)


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A recording of a mission that is not installed."""
    return recorded_by(tmp_path, "Mars 7")


def recorded_by(folder: Path, mission: str) -> Path:
    """A recording made with another dictionary."""
    path = folder / "foreign.sqlite"
    record(path, cut, bursts=200)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = '0badf00d' WHERE key = 'dictionary_hash'")
        db.execute("UPDATE meta SET value = ? WHERE key = 'mission'", (mission,))
    return path


def on_terminal(monkeypatch: pytest.MonkeyPatch, screen: Tty, *arguments: str) -> None:
    """Run a command on a terminal that is painted at every step."""
    monkeypatch.setattr("groundstation.cli.decode.PAINT_EVERY_S", 0)
    monkeypatch.setattr("groundstation.recordings.export.columns.BLOCK", 1000)
    monkeypatch.setattr("groundstation.recordings.export.columns.CHUNKS_A_READ", 20)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    cli.main(list(arguments), standalone_mode=False)


def seen(screen: str) -> list[str]:
    """The lines that are left: clearing wipes what stood in the line before."""
    return [line.rpartition(CLEAR)[2] for line in screen.split("\n")]


def painted(screen: str) -> list[int]:
    return [int(share) for share in re.findall(r"\r *(\d+)%  \d+ MB  [\d.]+ MB/s \x1b\[K", screen)]


@pytest.mark.parametrize("command", [["salvage"], ["export", "--to", "csv", "--force"]])
def test_progress_never_stands_in_a_line_with_results(
    recording: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    name, *options = command
    plain = CliRunner().invoke(cli, [name, str(recording), *options])
    assert plain.stderr == ""
    screen = Tty()
    with monkeypatch.context() as patch:
        on_terminal(patch, screen, name, str(recording), *options)
    assert sorted(seen(screen.getvalue())) == sorted(plain.stdout.split("\n"))  # the order is that of the blocks
    shares = painted(screen.getvalue())
    assert shares == sorted(shares)
    assert len(set(shares)) > 5
    assert shares[-1] == 100


def test_progress_is_taken_away_before_an_error(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pass-DESCENT.csv").touch()
    screen = Tty()
    with monkeypatch.context() as patch, pytest.raises(CallerError, match="exists"):
        on_terminal(patch, screen, "export", str(recording), "--to", "csv", "--output", str(tmp_path))
    assert painted(screen.getvalue())
    assert screen.getvalue().endswith(CLEAR)


@pytest.mark.parametrize("command", [["salvage", "--json"], ["export", "--to", "csv"]])
def test_another_dictionary_is_told_in_one_line(foreign: Path, command: list[str]) -> None:
    name, *options = command
    done = CliRunner().invoke(cli, [name, str(foreign), *options])
    assert done.exit_code == 0
    assert done.stdout
    (line,) = done.stderr.splitlines()
    recorded = f"{foreign} was recorded with dictionary 0badf00d of {MARS6.name}"
    assert line == f"{recorded}, decoded with {MARS6.hash_text} of {MARS6.name}: values may be wrong"


def test_a_file_name_that_is_no_utf8_is_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"good-\xff.sqlite")
    record(path, bursts=20)
    (tmp_path / os.fsdecode(b"bad-\xff.sqlite")).write_bytes(b"no recording")
    shown = f"{tmp_path}/good-\\udcff.sqlite"
    for command, where in [("passes", str(tmp_path)), ("info", str(path))]:
        done = CliRunner().invoke(cli, [command, where])
        assert done.exit_code == 0
        assert shown in done.output
        done = CliRunner().invoke(cli, [command, where, "--json"])
        assert done.exit_code == 0
        assert json.loads(done.output.splitlines()[-1])["path"] == shown
    listed = CliRunner().invoke(cli, ["passes", str(tmp_path)]).output
    assert f"{tmp_path}/bad-\\udcff.sqlite is not a recording of this station" in listed


def test_a_file_that_sqlite_cannot_even_open_is_listed(tmp_path: Path) -> None:
    record(tmp_path / "pass.sqlite", bursts=20)
    (tmp_path / "loop.sqlite").symlink_to("loop.sqlite")
    done = CliRunner().invoke(cli, ["passes", str(tmp_path)])
    assert isinstance(done.exception, PartlyRead)
    assert f"{tmp_path}/pass.sqlite" in done.output
    assert f"no recording at {tmp_path}/loop.sqlite" in done.output


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(cli, ["passes", str(tmp_path / "none")])
    assert isinstance(done.exception, CallerError)
    assert str(done.exception) == f"no such folder: {tmp_path / 'none'}"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "new"))  # of a user without recordings
    done = CliRunner().invoke(cli, ["passes"])
    assert (done.exit_code, done.output) == (0, f"no recording in {tmp_path}/new/groundstation/passes\n")


def test_another_dictionary_is_marked_in_info(foreign: Path) -> None:
    told = CliRunner().invoke(cli, ["info", str(foreign)]).output.splitlines()[1]
    assert told.endswith(f"dictionary 0badf00d, not this program's {MARS6.hash_text}: values may be wrong")
    with ArchiveReader(foreign) as reader:
        assert info_lines(summarise(reader), "0badf00d")[1].endswith("dictionary 0badf00d")


@pytest.mark.parametrize("command", [["salvage"], ["export", "--to", "csv"], ["replay", "--plain"]])
def test_a_mission_that_is_not_installed_is_asked_for(stranger: Path, command: list[str]) -> None:
    name, *options = command
    done = CliRunner().invoke(cli, [name, str(stranger), *options])
    assert isinstance(done.exception, CallerError)
    assert str(done.exception) == f"{stranger} was recorded with mission Mars 7: name it, --mission NAME"
    told = CliRunner().invoke(cli, ["info", str(stranger)]).output.splitlines()[1]
    assert told.endswith("0badf00d, of a mission that is not installed: name it with --mission")


def test_another_mission_that_is_named_is_said_and_used(stranger: Path) -> None:
    done = CliRunner().invoke(cli, ["salvage", str(stranger), "--mission", "mars6"])
    assert done.exit_code == 0 and done.stdout
    assert f"decoded with {MARS6.hash_text} of MARS-6: values may be wrong" in done.stderr


def test_a_recording_that_names_no_dictionary_is_not_doubted(foreign: Path) -> None:
    with closing(sqlite3.connect(foreign)) as db, db:
        db.execute("DELETE FROM meta WHERE key = 'dictionary_hash'")
    assert CliRunner().invoke(cli, ["salvage", str(foreign)]).stderr == ""
    assert "values may be wrong" not in CliRunner().invoke(cli, ["info", str(foreign)]).output


class BinaryTty(Tty):
    """A terminal that takes bytes too, as standard output does."""

    def __init__(self) -> None:
        super().__init__()
        self.binary = io.BytesIO()

    @property
    def buffer(self) -> BinaryIO:
        return self.binary


@pytest.mark.parametrize(("to", "shown"), [("-", False), ("rows.jsonl", True)])
def test_rows_on_a_terminal_have_no_progress_between_them(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, shown: bool
) -> None:
    screen = Tty()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("groundstation.cli.decode.PAINT_EVERY_S", 0)
    monkeypatch.setattr(sys, "stdout", BinaryTty())
    monkeypatch.setattr(sys, "stderr", screen)
    cli.main(["decode", str(recording), "--jsonl", to], standalone_mode=False)
    assert bool(painted(screen.getvalue())) == shown
