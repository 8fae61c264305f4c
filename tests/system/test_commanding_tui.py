"""Commands typed in a real terminal at a lander that waits: armed, started, seen to fly, and who did it recorded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from groundstation.viewer.requests import who_am_i
from tests.lander_process import ChildProcess
from tests.system.conftest import Run
from tests.system.test_terminal import Terminal

pytestmark = pytest.mark.long

GROUND = f"{sys.executable} -m groundstation.cli"


@contextmanager
def watching(home: Path, size: tuple[int, int]) -> Iterator[Terminal]:
    """A lander in READY on a pseudo-terminal, and the TUI of a station that receives it."""
    with ChildProcess(["hil.cli", "lander", "--announce", "--pty", "--ready"]) as lander:
        record = home / "pass.sqlite"
        stage = Terminal(home, *size, f"{GROUND} run {lander.read()['url']} --name bench --record {record}")
        try:
            stage.wait_for("LIVE")
            stage.wait_for("CONNECTED serial:")
            yield stage
            stage.press("q")
            stage.wait_for("EXIT=0")
        finally:
            stage.close()
            subprocess.run([*GROUND.split(), "stop", "bench"], capture_output=True, check=False)  # after a failure


def line_of(screen: str, word: str) -> str:
    found = [line for line in screen.splitlines() if word in line]
    assert found, screen
    return found[-1]


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.long)], ids=["80x24", "120x40"])
def test_a_lander_is_armed_started_and_seen_to_fly(home: Path, run: Run, size: tuple[int, int]) -> None:
    with watching(home, size) as stage:
        stage.press(":", *"STRAT", "Enter")  # tmux and the screen are as fast as they are: nothing is waited for
        stage.wait_for("did you mean 'START'?")
        stage.press("C-u", *"FIRE_RETROS", "Enter")
        stage.wait_for("arm the station first")
        stage.press("C-u", *"arm 60", "Enter")
        stage.wait_for("armed for 60 s")
        assert re.search(r"ARMED (60|5\d) s", stage.screen())
        stage.press(*"FIRE_RETROS", "Enter")
        assert "the spacecraft says WRONG_STATE" in stage.wait_for("FAILED")
        stage.press(*"START", "Enter")
        stage.wait_for("START is queued")
        while "COMPLETED" not in line_of(stage.screen(), "START   "):
            stage.wait_for("COMPLETED")
        result = run("groundstation", "send", "PING", "--wait")  # other clients' commands are seen too
        assert result.returncode == 0, result.stderr
        stage.press(*"SCALE 30", "Enter")
        stage.wait_for("factor=30")
        stage.press("Escape")
        stage.wait_for("lander LOCK")
        stage.wait_for("LOSS OF SIGNAL")
        stage.wait_for("EVENTS")
        stage.press("a")
    with ArchiveReader(home / "pass.sqlite") as archive:
        commands = [json.loads(event.body) for event in archive.events("command")]
    assert {c["name"] for c in commands if c["who"] == who_am_i()} == {"FIRE_RETROS", "START", "SCALE", "PING"}
    states = [c["state"] for c in commands if c["name"] == "START"]
    assert [state for n, state in enumerate(states) if state not in states[:n]] == [
        "QUEUED",
        "SENT",
        "ACCEPTED",
        "COMPLETED",
    ]
