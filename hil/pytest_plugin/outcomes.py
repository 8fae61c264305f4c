"""How the tests of a session end, each written down as it comes: a session that is killed has told of all until then.

The file has a line of JSON for each word: that a test has begun, as one that was cut off, and how it ended. The last
line of a test counts (`hil.report.gathered`).
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from groundstation.formats.json_encoding import encode_json
from hil.pytest_plugin.labels import requirements_in
from hil.report import Ended, TestOutcome

CUT_OFF = "cut off: the session ended before the test did"
_TEXT = 50_000
"""Characters of a failure that are kept, the last ones."""


class Outcomes:
    """Writes them to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[str, TestOutcome] = {}

    def began(self, test: str) -> None:
        """A test has begun."""
        self._write(TestOutcome(test=test, ended="FAIL", why=CUT_OFF))

    def take(self, report: pytest.TestReport) -> None:
        """A phase of a test is over. If one phase failed, the test failed; a rerun of the test starts from scratch."""
        before = None if report.when == "setup" else self._open.get(report.nodeid)
        now = _outcome(report.nodeid, report)
        if before is not None:
            told = before if before.ended == "FAIL" or now.ended == "PASS" else now
            took_s = before.took_s + report.duration
            now = msgspec.structs.replace(told, took_s=took_s, requirements=now.requirements)
        self._open[report.nodeid] = now
        if report.when not in ("setup", "call"):  # of a worker of pytest-xdist that crashed it is "???"
            self._write(self._open.pop(report.nodeid))

    def collected(self, report: pytest.CollectReport) -> None:
        """A file was looked through: only what went wrong is told."""
        if report.failed:
            self._write(_outcome(report.nodeid, report))

    def broke(self, text: str) -> None:
        """Pytest itself has failed."""
        why = next((line for line in reversed(text.splitlines()) if line.strip()), "")
        self._write(TestOutcome(test="pytest", ended="FAIL", why=f"internal error: {why}", text=text[-_TEXT:]))

    def _write(self, outcome: TestOutcome) -> None:
        with self._path.open("ab") as lines:
            lines.write(encode_json(outcome) + b"\n")


def _outcome(test: str, report: pytest.TestReport | pytest.CollectReport) -> TestOutcome:
    """What one phase says of a test."""
    ended = _ended(report)
    return TestOutcome(
        test=test,
        ended=ended,
        why="" if ended == "PASS" else _why(report),
        text=report.longreprtext[-_TEXT:] if ended == "FAIL" else "",
        took_s=getattr(report, "duration", 0.0),
        requirements=requirements_in(getattr(report, "user_properties", [])),
    )


def _ended(report: pytest.TestReport | pytest.CollectReport) -> Ended:
    if report.passed:
        return "PASS"
    if report.skipped:
        return "XFAIL" if hasattr(report, "wasxfail") else "SKIP"
    return "FAIL"  # one that is run again, too: its last attempt counts


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason in a line."""
    if report.skipped and hasattr(report, "wasxfail"):
        return str(report.wasxfail)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = str(crash.message if crash is not None else report.longreprtext).strip().splitlines()
    return (lines[0] if crash is not None else lines[-1]) if lines else "no reason given"
