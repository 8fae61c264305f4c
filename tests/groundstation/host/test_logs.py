"""The log of a program: who writes what, where, and what it costs when the outlet takes nothing."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import groundstation
import hil
from groundstation.cli import cli
from groundstation.host.logs import ROOMS, LogHandler, logs_to_terminal, options_of_child, start_logging, stop_logging
from groundstation.recordings.reader import ArchiveReader

LOG = logging.getLogger("groundstation.links")


@pytest.fixture(autouse=True)
def _silent_again() -> Iterator[None]:
    yield
    stop_logging()


def test_a_line_has_time_process_level_room_and_text(tmp_path: Path) -> None:
    start_logging(0, tmp_path / "log")
    LOG.info("opened %s", "port")
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {os.getpid()} INFO groundstation.links: opened port", line
    )


def test_terminal_escapes_are_visible_text_in_a_log(tmp_path: Path) -> None:
    start_logging(0, tmp_path / "log")
    LOG.warning("peer %s", "\x1b[2J\u202e\r\nINFO forged")
    try:
        raise ValueError("\x1b]0;title\x07")
    except ValueError:
        LOG.exception("failed")
    text = (tmp_path / "log").read_text()
    assert "\\x1b[2J\\u202e\\r\\nINFO forged\n" in text
    assert "ValueError: \\x1b]0;title\\x07\n" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("verbose", "levels"), [(0, ["INFO"]), (1, ["INFO"]), (2, ["DEBUG", "INFO"])])
def test_debug_is_logged_when_verbose_is_given_twice(verbose: int, levels: list[str], tmp_path: Path) -> None:
    start_logging(verbose, tmp_path / "log")
    LOG.debug("detail")
    LOG.info("event")
    assert [line.split()[2] for line in (tmp_path / "log").read_text().splitlines()] == levels


def test_nothing_is_logged_unless_it_is_asked_for() -> None:
    program = "import logging, groundstation; logging.getLogger('groundstation.links').error('unasked')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_pipe_that_takes_nothing_costs_lines_and_no_time() -> None:
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    start_logging(1, None, err=writing)
    for number in range(size // 50):
        LOG.info("line %d", number)  # were it to block, this test would not end
    first = os.read(reading, size).decode()
    LOG.info("the last line")
    rest = os.read(reading, size).decode()
    lines = first.splitlines()
    assert lines[0].endswith(": line 0")
    assert rest.splitlines()[0] == f"... {size // 50 - len(lines)} lines of this log are missing here"
    assert rest.splitlines()[1].endswith(": the last line")
    stop_logging()
    os.close(reading)
    os.close(writing)


def test_a_full_disk_costs_lines_and_ends_nothing() -> None:
    start_logging(0, Path("/dev/full"))
    LOG.info("lost")
    handlers = logging.getLogger("groundstation").handlers
    assert [each.dropped for each in handlers if isinstance(each, LogHandler)] == [1]


def test_a_child_logs_to_the_same_file_and_not_to_the_terminal(tmp_path: Path) -> None:
    assert options_of_child() == []
    start_logging(2, tmp_path / "log")
    assert options_of_child() == ["--log-file", str(tmp_path / "log"), "-vv"]
    assert not logs_to_terminal()
    start_logging(1, None)
    assert options_of_child() == []
    assert logs_to_terminal()


@pytest.mark.parametrize("words", [["--log-file", "LOG", "commands"], ["commands", "--log-file", "LOG"]])
def test_the_options_stand_before_or_after_a_command(words: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert CliRunner().invoke(cli, [str(log) if word == "LOG" else word for word in words]).exit_code == 0
    assert log.is_file()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "groundstation.cli", "ports", "--log-file", str(tmp_path / "no" / "log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"groundstation: cannot write the log {tmp_path}/no/log: No such file or directory\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_every_logger_is_that_of_a_room() -> None:
    folders = [Path(folder) for package in (groundstation, hil) for folder in package.__path__]
    found = set()
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        found |= set(re.findall(r'getLogger\("([\w.]+)"\)', path.read_text(encoding="utf-8")))
    assert found == set(ROOMS)


@pytest.mark.parametrize("program", [["groundstation", "watch"], ["hil", "fly"]])
def test_the_terminal_interface_and_a_log_do_not_share_a_terminal(program: list[str], tmp_path: Path) -> None:
    main, side = os.openpty()
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-m", f"{program[0]}.cli", program[1], "--verbose"]
    done = subprocess.run(
        command, stdin=side, stdout=side, stderr=subprocess.PIPE, env=environment, text=True, check=False
    )
    os.close(side)
    os.close(main)
    assert done.returncode == 2
    assert "add --log-file FILE, or --plain" in done.stderr


@pytest.mark.long
def test_a_flight_logs_all_its_processes_to_one_file(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "XDG_DATA_HOME": str(tmp_path)}
    log = tmp_path / "log"
    words = ["fly", "los-lander-only", "--plain", "--speed", "100", "--log-file", str(log), "-vv"]
    subprocess.run([sys.executable, "-m", "hil.cli", *words], env=environment, capture_output=True, check=False)
    rows = [line.split(" ", 4) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len({row[1] for row in rows}) == 2  # this flight's process, and its station's
    rooms = {row[3] for row in rows}
    assert rooms >= {"hil.runs:", "hil.targets:", "groundstation.station:", "groundstation.links:"}
    assert rooms >= {"groundstation.recordings:", "groundstation.downlink:", "groundstation.viewer:"}
    received = [row[4] for row in rows if row[4].startswith("< ")]
    data = b"".join(bytes.fromhex(text[2 : text.index("[")]) for text in received)
    (recording,) = (tmp_path / "groundstation" / "passes").glob("*.sqlite")
    with ArchiveReader(recording) as reader:
        assert data == b"".join(chunk for _, _, chunk in reader.chunks())
