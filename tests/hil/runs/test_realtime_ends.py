"""Flights in real time that cannot end as planned end all the same, soon, with last words and with the right cause."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from hil.faults import mission_time
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.scenario import parse_scenario
from hil.verdict.result import RunResult
from tests.system.conftest import home  # noqa: F401 - a fixture
from tests.targets.bench import require

HEAD = '[scenario]\nid = "x"\nspeed = 100\n'
RESET = '[[command]]\nat = "09:08:00"\nname = "RESET"\n'
MOMENT = mission_time("09:08:00")

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.long]


def flown(
    text: str,
    folder: Path,
    at: Callable[[], None] = lambda: None,
    target: str = "software",
    moment: int = MOMENT,
) -> RunResult:
    """Fly, and do something once at a moment."""
    plan = Plan(parse_scenario(HEAD + text), target, "realtime", folder / "flight", "")
    check_plan(plan)
    left = [at]

    def progress(scet: int) -> None:
        if scet >= moment and left:
            left.pop()()

    return fly_plan(plan, host_clock, progress)


def child(word: str) -> int:
    """The process that this one has started with a word on its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == os.getpid() and word.encode() in words:
            return int(folder.name)
    raise AssertionError(f"no child with {word}")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of grace instead of five, and one for commands instead of ten."""
    monkeypatch.setattr("hil.rigs.relay.GRACE_S", 1.0)
    monkeypatch.setattr("hil.rigs.deadline.COMMAND_S", 1.0)


@pytest.mark.parametrize("target", ["software", pytest.param("qemu", marks=pytest.mark.long)])
@pytest.mark.usefixtures("hurried")
def test_a_target_that_resets_itself(target: str, tmp_path: Path) -> None:
    require(target)
    result = flown(RESET, tmp_path, target=target)
    assert (result.state, result.verdict.exit_code) == ("FAIL", 20)
    assert f"{target} did not end its pass, planned to take 3.2 s, in 1 s more" in result.error
    assert "it has booted again, and waits for START; its last byte came 0." in result.error
    assert re.search(r"and of the lander VC0 frame \d+ of 09:0[89]:", result.error)
    assert {row.name: row.value for row in result.measurements}["resets"] == 1


@pytest.mark.usefixtures("hurried")
def test_a_target_that_resets_before_its_first_frame(tmp_path: Path) -> None:
    """Until 09:07:21 the bus alone is heard."""
    result = flown(RESET.replace("09:08:00", "09:06:30"), tmp_path)
    assert "it has booted again, and waits for START; its last byte came 0." in result.error
    assert {row.name: row.value for row in result.measurements}["resets"] == 1


@pytest.mark.usefixtures("hurried")
def test_a_target_that_hangs(tmp_path: Path) -> None:
    result = flown("", tmp_path, lambda: os.kill(child("--terminal"), signal.SIGSTOP))
    assert "it sends no more; its last byte came " in result.error
    assert "its last frame was VC" in result.error
    assert [loss.cause for loss in result.verdict.losses] == ["SILENCE"]


@pytest.mark.usefixtures("hurried")
def test_a_command_that_could_not_be_given(tmp_path: Path) -> None:
    hold = '[[command]]\nat = "09:08:00"\nname = "HOLD"\n[[command]]\nat = "09:09:00"\nname = "RESUME"\n'
    result = flown(hold, tmp_path)
    assert "it sends no more, and RESUME could not be given" in result.error


@pytest.mark.parametrize(("link", "cause"), [("pty", "PORT"), ("zmq", "RELAY")])
def test_a_target_that_ends_takes_its_port_with_it(tmp_path: Path, link: str, cause: str) -> None:
    died = []

    def kill() -> None:
        os.kill(child("--terminal"), signal.SIGKILL)
        died.append(time.monotonic())

    result = flown(f'link = "{link}"\n', tmp_path, kill)
    assert time.monotonic() - died[0] < 15  # it would have taken for ever
    assert result.error.startswith("software ended: its last frame was VC")
    assert [loss.cause for loss in result.verdict.losses] == [cause]
    moments = [moment.text for moment in result.moments if moment.lane == "contact"]
    assert moments[-1].startswith(f"link LOCKED → LOS, {cause}"), moments


@pytest.mark.alone
def test_a_verdict_waits_for_a_station_that_is_late(tmp_path: Path) -> None:
    def kill() -> None:
        station = child("serve")
        os.kill(station, signal.SIGSTOP)
        os.kill(child("--terminal"), signal.SIGKILL)
        threading.Timer(2.5, os.kill, (station, signal.SIGCONT)).start()

    result = flown("", tmp_path, kill)
    assert result.error.startswith("software ended: its last frame was VC")
    assert [loss.cause for loss in result.verdict.losses] == ["STATION"]


@pytest.mark.alone
def test_a_verdict_waits_for_the_time_out_of_slow_frames(tmp_path: Path) -> None:
    steps = [("09:07:30", 1), ("09:07:31", 0.4), ("09:07:33", 0.2)]
    slow = "".join(f'[[command]]\nat = "{at}"\nname = "SCALE"\nargs.factor = {factor}\n' for at, factor in steps)
    moment = mission_time("09:07:34.5")
    result = flown(slow, tmp_path, lambda: os.kill(child("--terminal"), signal.SIGKILL), moment=moment)
    assert [loss.cause for loss in result.verdict.losses] == ["PORT"]


def test_a_station_that_ends_in_flight(tmp_path: Path) -> None:
    result = flown(
        "speed = 20\n".replace("speed = 20\n", ""), tmp_path, lambda: os.kill(child("serve"), signal.SIGKILL)
    )
    assert (result.state, result.verdict.exit_code) == ("FAIL", 15)
    assert result.error.startswith("the station ended in flight, at 09:")
