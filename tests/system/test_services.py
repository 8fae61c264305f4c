"""How a station ends when the process that started it goes away."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from groundstation.station.registry import Registry
from tests.groundstation.made_recordings import record

SERVE = [sys.executable, "-m", "groundstation.cli", "serve", "zmq:ipc:///absent", "--wait", "--name", "bench"]
PATIENCE_S = 20.0


def read_until(master: int, words: str) -> None:
    text, deadline = b"", time.monotonic() + PATIENCE_S
    while words.encode() not in text:
        assert time.monotonic() < deadline, text
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 4096)


def test_a_terminal_that_closes_ends_its_station_in_good_order(home: Path) -> None:
    """As when ssh loses its connection: the recording is closed, and the station leaves the list of stations."""
    child, master = pty.fork()
    if child == 0:
        try:
            os.execv(sys.executable, [*SERVE, "--record", str(home / "pass.sqlite")])
        finally:
            os._exit(127)
    try:
        read_until(master, "watch it with")
    finally:
        os.close(master)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with ArchiveReader(home / "pass.sqlite") as reader:
        assert reader.closed
    assert Registry().running() == []


def test_under_nohup_a_station_goes_on(home: Path) -> None:
    command = ["nohup", *SERVE, "--record", str(home / "pass.sqlite"), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ)) as station:
        assert station.stdout is not None
        assert station.stdout.readline()
        station.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert station.poll() is None
        assert [found.name for found in Registry().running()] == ["bench"]
        station.send_signal(signal.SIGTERM)
        assert station.wait(PATIENCE_S) == 0


def test_in_a_scripts_background_a_station_hears_ctrl_c(home: Path) -> None:
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *SERVE, "--record", str(home / "pass.sqlite"), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as station:
        assert station.stdout is not None
        assert station.stdout.readline()
        station.send_signal(signal.SIGINT)
        assert station.wait(PATIENCE_S) == 0
    assert Registry().running() == []


def shell(home: Path, line: str) -> subprocess.Popen[str]:
    """A command line of bash's, which can close and redirect what Python cannot."""
    line = line.replace("SERVE", " ".join(SERVE) + f" --record {home}/pass.sqlite")
    return subprocess.Popen(["bash", "-c", line], stderr=subprocess.PIPE, text=True, env=dict(os.environ))


@pytest.mark.parametrize("streams", [">&-", ">&- 2>&-", "<&- >&-", ">/dev/full", "| true"])
def test_without_anybody_who_reads_a_station_serves_all_the_same(home: Path, streams: str) -> None:
    with shell(home, f"exec SERVE {streams}" if "|" not in streams else f"SERVE {streams}") as station:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := Registry().running()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(found[0].pid, signal.SIGTERM)
        assert station.wait(PATIENCE_S) == 0
        assert station.stderr is not None
        assert station.stderr.read() == ""
    with ArchiveReader(home / "pass.sqlite") as reader:
        assert reader.closed


def test_a_stopped_terminal_delays_no_process(home: Path) -> None:
    """Ctrl-S: nothing can be written there any more."""
    master, slave = pty.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    with subprocess.Popen(
        [*SERVE, "--record", str(home / "pass.sqlite")], stdout=slave, env=dict(os.environ)
    ) as station:
        deadline = time.monotonic() + PATIENCE_S
        while not Registry().running():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)
        station.send_signal(signal.SIGTERM)
        assert station.wait(PATIENCE_S) == 0
    os.close(slave)
    os.close(master)


@pytest.mark.long
def test_lines_into_a_pipe_that_does_not_block_are_all_there(home: Path) -> None:
    """Python's own text layer drops what such a pipe does not take, and says nothing."""
    record(home / "pass.sqlite")
    read, write = os.pipe()
    os.set_blocking(write, False)
    command = [sys.executable, "-m", "groundstation.cli", "replay", str(home / "pass.sqlite"), "--json"]
    with subprocess.Popen([*command, "--speed", "1000"], stdout=write, env=dict(os.environ)) as replay:
        os.close(write)
        time.sleep(2)
        with open(read, encoding="utf-8") as lines:
            messages = [json.loads(line) for line in lines]
        assert replay.wait(PATIENCE_S) == 0
    assert messages[-1]["name"] == "REPLAY_END"
    assert sum(message["type"] == "telemetry" for message in messages) > 500


def test_a_name_that_others_could_not_read_is_refused(home: Path) -> None:
    command = [each.encode() for each in SERVE] + [b"--record", os.fsencode(home) + b"/\xff.sqlite"]
    done = subprocess.run(command, capture_output=True, env=dict(os.environ), timeout=PATIENCE_S, check=False)
    assert done.returncode == 2
    assert b"is not UTF-8: choose a name that other programs can read" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_runtime_folder_that_is_full_is_told(home: Path) -> None:
    command = ["prlimit", "--fsize=0", *SERVE, "--record", str(home / "pass.sqlite")]
    done = subprocess.run(command, capture_output=True, env=dict(os.environ), timeout=PATIENCE_S, check=False)
    assert done.returncode == 1
    assert b"cannot write to" in done.stderr
    assert b"Traceback" not in done.stderr
