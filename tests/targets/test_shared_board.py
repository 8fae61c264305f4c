"""Several runs and few boards: each board is flown by one run at a time, and each run is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundstation.ports.board_lock import lock_board, lock_holder
from groundstation.ports.devices import describe
from hil.targets import BoardMachine, BoardPort, MachineFailed
from tests.system.conftest import Run, home, run  # noqa: F401 - fixtures
from tests.targets.bench import require
from tests.targets.stand_in import StandIn

pytestmark = [pytest.mark.target, pytest.mark.long]
HIL = [sys.executable, "-m", "hil.cli"]
FLY = ["run", "los-091105", "--target", "board", "--lockstep"]


@pytest.fixture
def boards() -> Iterator[list[StandIn]]:
    require("posix")
    found = [StandIn(), StandIn()]
    yield found
    for board in found:
        board.close()


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*HIL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_second_run_waits_for_the_board_and_says_for_whom(boards: list[StandIn], home: Path) -> None:  # noqa: F811
    path = boards[0].path
    first = start(*FLY, "--port", path, "--repeat", "2")
    until(lambda: lock_holder(describe(path)) is not None)
    second = start(*FLY, "--port", f"serial:{path}?baud=115200")
    said = [process.communicate(timeout=90) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert "2 of 2 passed; 1 different streams of 1" in said[0][0]
    assert f"{path} is in use by hil run los-091105 --target board" in said[1][1]
    assert f"(pid {first.pid}), since " in said[1][1]


def test_jobs_share_one_board(boards: list[StandIn], run: Run) -> None:  # noqa: F811
    done = run("hil", *FLY, "--port", boards[0].path, "--repeat", "3", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 of 3 passed; 1 different streams of 1" in done.stdout


def test_runs_are_spread_over_boards(boards: list[StandIn], run: Run, home: Path) -> None:  # noqa: F811
    ports = [word for board in boards for word in ("--port", board.path)]
    done = run("hil", *FLY, *ports, "--repeat", "4", "--report", str(home / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads(path.read_text()) for path in (home / "out/runs").glob("*/result.json")]
    assert {result["port"] for result in results} == {f"serial:{board.path}?baud=115200" for board in boards}
    assert len({result["provenance"]["received sha256"] for result in results}) == 1


def test_board_of_a_killed_run_is_free(boards: list[StandIn], run: Run) -> None:  # noqa: F811
    path = boards[0].path
    first = start(*FLY, "--port", path, "--repeat", "50")
    until(lambda: lock_holder(describe(path)) is not None)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = run("hil", *FLY, "--port", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_run_that_waited_too_long_names_the_holder(boards: list[StandIn], run: Run) -> None:  # noqa: F811
    path = boards[0].path
    with lock_board([describe(path)], 0.0):
        done = run("hil", *FLY, "--port", path, "--board-wait", "0.3")
    assert done.returncode == 20
    assert f"FAIL     los-091105 on board, lockstep, seed 6: {path} is in use by" in done.stdout
    assert f"(pid {os.getpid()}), since" in done.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_wait_for_a_board_is_ended_by_ctrl_c(boards: list[StandIn], home: Path, jobs: str) -> None:  # noqa: F811
    with lock_board([describe(boards[0].path)], 0.0):
        waiting = start(*FLY, "--port", boards[0].path, "--jobs", jobs, "--repeat", "2")
        assert waiting.stderr is not None
        assert "waiting for up to 1800 s" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(30) == 130
        waiting.communicate()


def test_replay_flies_the_board_of_its_bundle_or_another(boards: list[StandIn], run: Run, home: Path) -> None:  # noqa: F811
    flown, other = home / "flown", home / "other"  # not their numbers, which other terminals may get
    for link, board in zip((flown, other), boards, strict=True):
        link.symlink_to(board.path)
    run("hil", *FLY, "--port", str(flown), "--report", str(home / "out"))
    bundle = str(home / "out/runs/los-091105-board")
    again = run("hil", "replay", bundle, "--report", str(home / "again"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the same bytes" in again.stdout
    flown.unlink()
    gone = run("hil", "replay", bundle)
    assert gone.returncode == 20
    assert f"{flown} is not there" in gone.stdout
    moved = run("hil", "replay", bundle, "--port", str(other), "--report", str(home / "moved"))
    assert moved.returncode == 0, moved.stdout + moved.stderr
    (result,) = [json.loads(path.read_text()) for path in (home / "moved/runs").glob("*/result.json")]
    assert result["port"] == f"serial:{other}?baud=115200"


def test_campaign_flies_on_boards(boards: list[StandIn], run: Run, home: Path) -> None:  # noqa: F811
    ports = [word for board in boards for word in ("--port", board.path)]
    words = ["campaign", "noisy-descent", "--runs", "2", "--target", "board", *ports]
    done = run("hil", *words, "--report", str(home / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((home / "out/campaign.json").read_text())["passed"] == 2


def test_another_device_under_the_boards_name_is_not_flown(boards: list[StandIn]) -> None:
    board = boards[0]
    port = BoardPort(board.path, 115_200, describe(board.path))
    board.unplug()
    time.sleep(0.02)
    held: list[int] = []
    while not os.path.exists(board.path):
        held += os.openpty()
    with pytest.raises(MachineFailed, match="is another device now than when this run began"):
        BoardMachine(lambda data: None, [port]).power_on()
    for fd in held:
        os.close(fd)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "los-091105", "--baud", "9600"], "--baud needs --target board"),
        (["campaign", "random-faults", "--target", "qemu", "--port", "auto"], "--port needs --target board"),
        (["run", "los-091105", "--target", "board", "--port", "zmq:ipc:///x"], "is not a serial port: expected"),
        (["fly", "--target", "board", "--port", "serial:/dev/null?baud=9600", "--baud", "57600"], "leave out --baud"),
        (["firmware", "info", "--target", "qemu", "--baud", "9600"], "--baud needs a board: leave out --target"),
        (["firmware", "info", "--port", "all"], "boards are asked one at a time"),
    ],
)
def test_options_of_boards_that_cannot_be(run: Run, words: list[str], said: str) -> None:  # noqa: F811
    done = run("hil", *words)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["run", "los-091105", "--target", "board"],
        ["fly", "--target", "board"],
        ["campaign", "noisy-descent", "--runs", "2", "--target", "board"],
        ["firmware", "info"],
        ["firmware", "flash", "uno", "--dry-run"],
    ],
)
@pytest.mark.parametrize("path", ["/dev/null", "/dev/tty"])
def test_what_is_not_a_port_is_rejected_before_the_flight(run: Run, words: list[str], path: str) -> None:  # noqa: F811
    done = run("hil", *words, "--port", path)
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr == f"hil: {path} is not a serial port: `groundstation ports` lists them\n"


def test_board_that_is_not_plugged_in_is_told_by_its_number(run: Run) -> None:  # noqa: F811
    for words in (["run", "los-091105", "--target", "board"], ["firmware", "info"]):
        done = run("hil", *words, "--port", "serial:066CFF0000")
        assert done.returncode == 11
        assert "serial:066CFF0000 is not plugged in" in done.stderr
        assert done.stderr.count("\n") == 1
