"""What ends a batch of runs, or one of its workers: the report is of what was flown, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from groundstation.host.service import Interrupts
from hil.runs.batch import Batch
from hil.runs.run import Plan, fly_plan, read_bundle
from hil.scenario.scenario import parse_scenario
from hil.targets import MachineFailed
from tests.stress.end_runs import SIGNALS, cases, end_many, end_once, processes

SCENARIO = parse_scenario('[scenario]\nid = "x"\n')


def plans(folder: Path, count: int) -> list[Plan]:
    return [Plan(SCENARIO, "software", "lockstep", folder / f"run-{n}", "again") for n in range(count)]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_program_that_is_ended_leaves_its_report_alone(tmp_path: Path, number: signal.Signals) -> None:
    ended = end_once(tmp_path, "lockstep", number, 1.5, "software")
    assert not ended.faults, ended.text


@pytest.mark.long
def test_programs_ended_at_random_moments() -> None:
    faults = [ended.text for ended in end_many(18) if ended.faults]
    assert not faults


def in_flight(out: Path) -> int:
    """Runs whose bundles say that they have not ended."""
    results = [read_bundle(path) for path in out.glob("runs/*") if (path / "result.json").exists()]
    return sum("cut off" in result.error for result in results)


@pytest.mark.long
def test_a_killed_worker_costs_one_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", "noisy-descent", "--repeat", "6", "--jobs", "2", "--report", str(out)]
    mark = {"XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "hil.cli", *words], stdout=subprocess.PIPE, text=True, env=os.environ | mark
    ) as program:
        deadline = time.monotonic() + 30
        while in_flight(out) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(next(pid for pid in processes(str(tmp_path)) if is_worker(pid)), signal.SIGKILL)
        said, _ = program.communicate(timeout=60)
    assert program.returncode == 20
    assert "5 of 6 passed" in said
    found = cases(tmp_path)
    (broken,) = [case.find("failure") for case in found if case.find("failure") is not None]
    assert len(found) == 6
    assert broken is not None
    assert broken.get("message") == "cut off: its worker was killed by SIGKILL"
    assert sum("cut off" in read_bundle(path).error for path in out.glob("runs/*")) == 1


def is_worker(pid: int) -> bool:
    return b"\0hil.runs.worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_worker_that_cannot_be_started_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'no module hil' >&2; exit 3\n")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))
    with pytest.raises(MachineFailed, match="no worker can be started: no module hil"):
        list(Batch(2, Interrupts()).fly(plans(tmp_path, 2), 2))


def test_a_run_that_cannot_be_kept_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "run-1").mkdir()
    results = list(Batch(1, Interrupts()).fly(plans(tmp_path, 3), 3))
    assert [result.state for result in results] == ["PASS", "FAIL", "PASS"]
    assert "cannot make the bundle" in results[1].error
    assert results[1].verdict.exit_code == 14


class TimeOut(BaseException):
    """As pytest-timeout raises one, anywhere."""


def test_what_breaks_off_a_flight_is_raised_and_kept(tmp_path: Path) -> None:
    (plan,) = plans(tmp_path, 1)
    lost_at = SCENARIO.losses[0].at.value
    assert isinstance(lost_at, int)
    in_the_middle = lost_at - 120 * 10**9

    def progress(scet: int) -> None:
        if scet > in_the_middle:
            raise TimeOut("Timeout (>30.0s)\nand its stack")

    with pytest.raises(TimeOut):
        fly_plan(plan, host_clock, progress)
    result = read_bundle(tmp_path / "run-0")
    assert (result.state, result.error) == ("FAIL", "cut off: Timeout (>30.0s)")
    assert result.samples  # what came until then is judged and kept
    assert (tmp_path / "run-0" / "sent.bin").stat().st_size > 10_000


def test_a_bundle_in_flight_is_of_a_flight_cut_off(tmp_path: Path) -> None:
    (plan,) = plans(tmp_path, 1)
    seen = set()

    def look(scet: int) -> None:
        seen.add(read_bundle(tmp_path / "run-0").verdict.line)

    fly_plan(plan, host_clock, look)
    assert seen == {
        "FAIL     x on software, lockstep, seed 6: cut off: the process that flew it was killed",
    }
    assert read_bundle(tmp_path / "run-0").passed
