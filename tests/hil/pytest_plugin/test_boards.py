"""The boards of a session: several workers share one, one session uses several, and what is wrong is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from groundstation.ports.board_lock import lock_board
from groundstation.ports.devices import describe

pytest_plugins = ["pytester"]

FOUR = """
import pytest

@pytest.mark.parametrize("n", range(4))
def test_flight(hil_flight, n):
    hil_flight.fly()
    hil_flight.assert_passed()
"""


@pytest.fixture
def ports() -> Iterator[list[str]]:
    """Two landers on serial ports."""
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            command = [sys.executable, "-m", "hil.cli", "lander", "--pty", "--ready"]
            lander = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            stack.callback(lander.kill)
            assert lander.stdout is not None
            match = re.search(r"serial:(\S+)", lander.stdout.readline())
            assert match is not None
            found.append(match[1])
        yield found


def flown_on(project: pytest.Pytester) -> set[str]:
    found = (project.path / "out/runs").glob("*/result.json")
    return {json.loads(path.read_text())["port"] for path in found}


@pytest.mark.long
def test_workers_share_one_board(project: pytest.Pytester, ports: list[str]) -> None:
    project.makepyfile(FOUR)
    words = ["--hil-target", "board", f"--hil-port=serial:{ports[0]}?baud=115200", "--hil-report", "out"]
    project.runpytest_subprocess("-n", "2", *words).assert_outcomes(passed=4)
    assert flown_on(project) == {f"serial:{ports[0]}?baud=115200"}


@pytest.mark.long
def test_workers_are_spread_over_boards(project: pytest.Pytester, ports: list[str]) -> None:
    project.makepyfile(FOUR)
    words = ["--hil-target", "board", *(f"--hil-port={port}" for port in ports), "--hil-report", "out"]
    project.runpytest_subprocess("-n", "2", *words).assert_outcomes(passed=4)
    assert flown_on(project) == {f"serial:{port}?baud=115200" for port in ports}


@pytest.mark.long
def test_board_that_stays_in_use_fails_with_its_holder(project: pytest.Pytester, ports: list[str]) -> None:
    project.makepyfile(FOUR)
    words = ["--hil-target", "board", f"--hil-port={ports[0]}", "--hil-board-wait", "0.2", "-k", "0"]
    with lock_board([describe(ports[0])], 0.0):
        done = project.runpytest_subprocess(*words)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([f"*{ports[0]} is in use by *(pid *), since *; waited 0.2 s*"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hil-port=zmq:ipc:///x"], "*--hil-port: 'zmq:ipc:///x' is not a serial port: expected *"),
        (["--hil-port=/dev/null?baud=fast"], "*bits per second*"),
        (["--hil-port=/dev/null?baud=9600", "--hil-baud", "57600"], "*leave out --baud 57600*"),
    ],
)
def test_port_that_cannot_be_is_a_usage_error(project: pytest.Pytester, words: list[str], said: str) -> None:
    project.makepyfile(FOUR)
    done = project.runpytest("--hil-target", "board", *words)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([said])


def test_serial_number_that_is_not_plugged_in_is_a_skip(project: pytest.Pytester) -> None:
    project.makepyfile(FOUR)
    done = project.runpytest("-rs", "--hil-target", "board", "--hil-port=066CFF0000")
    done.assert_outcomes(skipped=4)
    done.stdout.fnmatch_lines(["SKIPPED*board: serial:066CFF0000 is not plugged in*"])
