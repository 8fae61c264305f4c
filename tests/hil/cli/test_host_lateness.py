"""A host that is late spoils rows in real time: they are UNSTABLE, with its figure, and can be flown again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

import hil.runs.batch
from groundstation.host.clock import host_clock
from hil.cli import cli
from hil.faults import mission_time
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import State, parse_scenario
from hil.verdict.host_spoilt import is_spoilt
from hil.verdict.host_watch import HoldUp, HostWatch, Lateness, LatenessTally
from hil.verdict.limits import LimitBand
from hil.verdict.result import RunResult, worst

MS = 1_000_000
HELD = mission_time("09:10:00")
PART = """loss = []
[scenario]
id = "held"
speed = 10
from = "09:09:58"
until = "09:10:12"
[[limit]]
name = "interarrival_p99"
max = 5000
[[limit]]
name = "byte_to_published_p99"
max = 5000
"""


def held_up(seconds: float) -> Callable[[int], None]:
    """Stops this process once in a flight, as a host does that has other things to do."""
    left = [seconds]

    def progress(scet: int) -> None:
        if scet > HELD and left:
            wake = f"sleep {left.pop()}; kill -CONT {os.getpid()}"
            with subprocess.Popen(["/bin/sh", "-c", wake], start_new_session=True):
                os.kill(os.getpid(), signal.SIGSTOP)

    return progress


def tallied(*late_ms: float) -> Lateness:
    """Of wakes every 10 ms, each so late."""
    tally, now = LatenessTally(), 0
    for late in late_ms:
        due = now + 10 * MS
        now = due + round(late * MS)
        tally.wake(due, now)
    return tally.lateness


def test_a_host_in_time_is_not_late() -> None:
    lateness = tallied(*[0.01] * 1000)
    assert (lateness.p99_ms, lateness.worst_ms(), lateness.longest) == (0, 0, ())


@pytest.mark.parametrize(
    ("late", "p99", "worst"),
    [
        ([0] * 970 + [300], 200, 300),  # of 10.01 s in 100.1 ms something was up to 100.1 ms later than 200 ms
        ([0] * 1000 + [100], 0, 100),  # 1 % of 10.11 s is more than all of it
        ([40] * 200, 39.7, 40),
    ],
)
def test_the_figures_count_time_not_wakes(late: list[float], p99: float, worst: float) -> None:
    lateness = tallied(*late)
    assert lateness.p99_ms == pytest.approx(p99, abs=0.5)
    assert lateness.worst_ms() == worst


def test_the_longest_of_a_span_is_what_was_late_in_it() -> None:
    lateness = Lateness(0, (HoldUp(300 * MS, 1000 * MS), HoldUp(50 * MS, 5000 * MS)))
    assert lateness.worst_ms(4000 * MS, 6000 * MS) == 50
    assert lateness.worst_ms(900 * MS, 950 * MS) == 300
    assert lateness.worst_ms(1001 * MS, 4949 * MS) == 0
    assert lateness.text == "the host was up to 300.0 ms late, and in 99 % of the time up to 0.0 ms"


def test_a_process_that_is_stopped_is_seen() -> None:
    with HostWatch(host_clock) as watch:
        held_up(0.2)(HELD + 1)
    assert watch.tally.lateness.worst_ms() >= 150


LATE = Lateness(4.0, (HoldUp(200 * MS, 1000 * MS),))


@pytest.mark.parametrize(
    ("name", "value", "band", "spoilt"),
    [
        ("interarrival_p99", 21.9, LimitBand(0, 10), True),  # less three times 4 ms
        ("interarrival_p99", 22.1, LimitBand(0, 10), False),
        ("byte_to_published_p99", 29.9, LimitBand(0, 10), True),
        ("byte_to_published_p99", 30.1, LimitBand(0, 10), False),
        ("los_declared_late[2]", 249, LimitBand(0, 50), True),
        ("los_declared_late[2]", 251, LimitBand(0, 50), False),
        ("reacquisition", 2.1, LimitBand(0, 2), True),
        ("reacquisition", 2.3, LimitBand(0, 2), False),
        ("command[1] PING", "TIMEOUT", LimitBand(equals="COMPLETED"), False),  # 200 ms are not enough
        ("frames_lost", 1, LimitBand(equals=0), False),
        ("stream_equal", False, LimitBand(equals=True), False),
        ("los_time_error", 100, LimitBand(equals=0), False),
    ],
)
def test_a_row_is_spoilt_if_it_would_pass_in_time(name: str, value: float | str, band: LimitBand, spoilt: bool) -> None:
    assert is_spoilt(name, value, band, LATE, (900 * MS, 1100 * MS)) is spoilt


def test_a_hold_up_at_another_time_spoils_no_moment() -> None:
    assert not is_spoilt("los_declared_late", 60, LimitBand(0, 50), LATE, (2000 * MS, 3000 * MS))


def test_a_command_times_out_on_a_host_that_is_very_late() -> None:
    band = LimitBand(equals="COMPLETED")
    assert is_spoilt("command[1] PING", "TIMEOUT", band, Lateness(0, (HoldUp(600 * MS, 0),)), None)
    assert not is_spoilt("command[1] PING", "FAILED", band, Lateness(0, (HoldUp(600 * MS, 0),)), None)


@pytest.mark.parametrize(
    ("states", "state"),
    [(["PASS", "UNSTABLE", "MARGINAL"], "UNSTABLE"), (["UNSTABLE", "FAIL"], "FAIL"), (["UNSTABLE", "UNSET"], "UNSET")],
)
def test_what_fails_is_worse_than_what_is_unstable(states: list[State], state: State) -> None:
    assert worst(states) == state


@pytest.mark.long
def test_a_loss_while_the_host_was_held_up_is_unstable(tmp_path: Path) -> None:
    plan = Plan(parse_scenario(PART), "software", "realtime", tmp_path / "run", "")
    result = fly_plan(plan, host_clock, held_up(0.8))
    rows = {row.name: row for row in result.measurements}
    assert (rows["false_los"].state, rows["false_los"].value) == ("UNSTABLE", 1)
    assert "; the host was up to " in rows["false_los"].note
    assert (result.state, result.passed, result.verdict.exit_code) == ("UNSTABLE", False, 28)
    assert result.provenance["lateness"].startswith("the host was up to ")


def flown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *words: str) -> Result:
    """`hil run` of a scenario, held up in each run's first attempt."""
    (tmp_path / "held.toml").write_text(text)

    def fly(plan: Plan, clock: Callable[[], int], progress: Callable[[int], None], **more: Any) -> RunResult:
        return fly_plan(plan, clock, held_up(0.8) if plan.attempt == 1 else progress, **more)

    monkeypatch.setattr(hil.runs.batch, "fly_plan", fly)
    given = ["run", str(tmp_path / "held.toml"), "--realtime", "--report", str(tmp_path / "out"), *words]
    return CliRunner().invoke(cli, given)


@pytest.mark.long
def test_retries_fly_an_unstable_run_again_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = flown(tmp_path, monkeypatch, PART, "--retries", "2", "--json")
    assert done.exit_code == 0, done.output
    first, second = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert (first["state"], first["run"], first["attempt"]) == ("UNSTABLE", "held-software", 1)
    assert (second["state"], second["run"], second["attempt"]) == ("PASS", "held-software-try2", 2)
    assert "held-software is flown again, attempt 2 of 3: the host was late" in done.output
    junit = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    counts = [junit.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counts == ["2", "0", "0", "1"]


@pytest.mark.long
def test_without_retries_unstable_has_its_own_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = flown(tmp_path, monkeypatch, PART)
    assert done.exit_code == 28, done.output
    junit = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    assert (junit.get("failures"), junit.get("errors")) == ("0", "1")


@pytest.mark.long
def test_what_fails_besides_is_not_flown_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = f'{PART}[[limit]]\nname = "frames_lost"\nmin = 1\n'
    done = flown(tmp_path, monkeypatch, failing, "--retries", "2")
    assert done.exit_code == 1, done.output
    assert "again, attempt" not in done.output
    assert "UNSTABLE false_los" in done.output
