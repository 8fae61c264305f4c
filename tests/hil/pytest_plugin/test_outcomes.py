"""What pytest itself found is in the report, too: failures, skips, and what was cut off, however the session ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hil.report import Report
from hil.report.export.json import read
from tests.hil.pytest_plugin.scenarios import FLIP, PLAIN, TIGHT, put

pytestmark = pytest.mark.long

pytest_plugins = ["pytester"]


def report_in(folder: Path) -> Report:
    """The report of a session; one that was killed gets it a moment later."""
    deadline = time.monotonic() + 30
    while not (folder / "report.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return read((folder / "report.json").read_bytes())


def ends(report: Report) -> dict[str, str]:
    return {test.test.partition("::")[2]: test.ended for test in report.tests}


def counts(folder: Path) -> tuple[int, int, int]:
    """Tests, failures and skips of junit.xml."""
    root = ET.parse(folder / "junit.xml").getroot()
    assert int(root.get("tests", "")) == len(list(root.iter("testcase")))
    assert int(root.get("failures", "")) == len(list(root.iter("failure")))
    return int(root.get("tests", "")), int(root.get("failures", "")), int(root.get("skipped", ""))


def test_what_a_test_found_itself_fails_the_report(project: pytest.Pytester) -> None:
    put(project, flip=FLIP, tight=TIGHT)
    project.makepyfile(
        """
        import pytest

        def test_flies(hil_flight):
            hil_flight.fly()

        def test_flies_and_asserts(hil_flight):
            hil_flight.fly()
            assert hil_flight.measurement("losses").value == 7, "seven & <more>"

        @pytest.fixture
        def bench():
            raise OSError("no bench")

        def test_never_flies(bench, hil_flight): ...

        @pytest.mark.skip(reason="not today")
        def test_skipped(hil_flight): ...

        @pytest.mark.xfail(reason="known")
        def test_expected(hil_flight):
            assert False

        def test_plain(): ...
        """
    )
    done = project.runpytest("--hil-report", "out")
    done.assert_outcomes(passed=2, failed=2, errors=1, skipped=2, xfailed=1)
    report = report_in(project.path / "out")
    assert report.state == "FAIL"
    assert ends(report) == {
        "test_flies[software]": "PASS",
        "test_flies_and_asserts[software]": "FAIL",
        "test_never_flies[software]": "FAIL",
        "test_skipped[software]": "SKIP",
        "test_expected[software]": "XFAIL",
        "tight[software]": "FAIL",
        "flip[software]": "SKIP",
    }
    assert sorted(result.state for result in report.results) == ["FAIL", "PASS", "PASS"]
    # three runs, and what they do not say: two failures, two skips, one expected failure
    assert counts(project.path / "out") == (8, 3, 3)
    cases = {case.get("name"): case for case in ET.parse(project.path / "out" / "junit.xml").iter("testcase")}
    failure = cases["test_flies_and_asserts[software]"].find("failure")
    assert failure is not None
    assert "seven & <more>" in failure.get("message", "")
    page = (project.path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<title>FAIL" in page
    for word in ("seven &amp; &lt;more&gt;", "OSError: no bench", "not today", "cannot do that in lockstep"):
        assert word in page


def test_a_file_that_cannot_be_collected_fails_the_report(project: pytest.Pytester) -> None:
    project.makepyfile("import nowhere\n\ndef test_x(hil_flight): ...")
    put(project, plain=PLAIN)
    project.runpytest("--hil-report", "out", "--continue-on-collection-errors")
    report = report_in(project.path / "out")
    assert (report.state, [result.state for result in report.results]) == ("FAIL", ["PASS"])
    assert "No module named 'nowhere'" in report.tests[0].why


KILLED = """
import os, signal
from hil.rigs import stepped_target as stepped

def test_passes(hil_flight):
    hil_flight.fly()
    hil_flight.assert_passed()

def test_ends_it(hil_flight, monkeypatch):
    class Ends(stepped.SteppedSoftware):
        def advance(self, ticks, uplink):
            if self.steps > 1500:
                END
            return super().advance(ticks, uplink)
    monkeypatch.setitem(stepped.STEPPED, "software", Ends)
    hil_flight.fly()

def test_never_run(hil_flight): ...
"""
INTERRUPTED = "interrupted"
KILL = "cut off: the process that flew it was killed"


@pytest.mark.parametrize(
    ("end", "code", "error"),
    [
        ("os._exit(1)", 1, KILL),  # as pytest-timeout does it by the method thread
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, KILL),
        ("os.kill(os.getpid(), signal.SIGTERM)", 128 + signal.SIGTERM, INTERRUPTED),
        ("os.kill(os.getpid(), signal.SIGINT)", pytest.ExitCode.INTERRUPTED, INTERRUPTED),
    ],
)
def test_a_session_that_is_ended_has_its_report(project: pytest.Pytester, end: str, code: int, error: str) -> None:
    project.makepyfile(KILLED.replace("END", end))
    done = project.runpytest_subprocess("--hil-report", "out")
    assert done.ret == code
    report = report_in(project.path / "out")
    assert ends(report) == {"test_passes[software]": "PASS", "test_ends_it[software]": "FAIL"}
    assert [(result.state, result.error) for result in report.results] == [("PASS", ""), ("FAIL", error)]
    assert counts(project.path / "out") == (2, 1, 0)


def test_sigterm_between_flights_ends_with_the_report(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import time

        def test_flies(hil_flight):
            hil_flight.fly()
            print("now", flush=True)
            time.sleep(60)
        """
    )
    command = [sys.executable, "-m", "pytest", "-s", "--hil-report", "out"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as session:
        assert session.stdout is not None
        assert any("now" in line for line in session.stdout)
        session.send_signal(signal.SIGTERM)
        session.communicate(timeout=30)
    assert session.returncode == 143
    report = report_in(project.path / "out")
    assert (report.state, ends(report)) == ("FAIL", {"test_flies[software]": "FAIL"})
    assert report.tests[0].why == "cut off: the session ended before the test did"


def test_a_worker_that_crashes_is_in_the_report(project: pytest.Pytester) -> None:
    project.makepyfile(KILLED.replace("END", "os._exit(1)"))
    project.runpytest_subprocess("-n", "1", "--hil-report", "out")
    report = report_in(project.path / "out")
    assert ends(report) == {"test_passes[software]": "PASS", "test_ends_it[software]": "FAIL"} | {
        name: end for name, end in ends(report).items() if name.startswith("test_never_run")
    }
    assert "crashed" in next(test.why for test in report.tests if "test_ends_it" in test.test)
    assert counts(project.path / "out")[:2] == (2, 1)


def test_bundles_of_a_killed_session_without_a_report_go(project: pytest.Pytester, kept: Path) -> None:
    project.makepyfile(KILLED.replace("END", "os._exit(1)"))
    os.environ["TMPDIR"] = str(kept)
    try:
        project.runpytest_subprocess()
    finally:
        del os.environ["TMPDIR"]
    deadline = time.monotonic() + 5
    while any(kept.glob("hil-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(kept.glob("hil-*"))
