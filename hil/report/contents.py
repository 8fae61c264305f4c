"""What a report is of: runs, and the tests that flew them. The value that all renderers get, and that report.json is.

A run has the verdict of its rig. A test of pytest has its own: an `assert` may fail although its flights passed, a test
may be skipped or cut off before it flew. Both are told, and neither stands for the other.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

import msgspec

from hil.runs.campaign import Summary
from hil.scenario.scenario import State
from hil.verdict.result import Finite, RunResult, worst

SCHEMA = 3
"""Counts up when a field changes its meaning or goes; new fields do not count. In 1 a result had no `verdict`."""

BUNDLES = "runs"
"""The folder beside the report in which the runs' bundles are."""

Ended = Literal["PASS", "FAIL", "SKIP", "XFAIL"]


def bundle_place(run: str) -> str:
    """Where in the folder of a report the bundle of a run is, whatever its name: it never leaves that folder."""
    return "/".join(part for part in PurePosixPath(BUNDLES, run).parts if part not in ("..", "/"))


class TestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a test of pytest ended.

    Attributes:
        test: pytest's name for it.
        ended: XFAIL is a failure that the test expects.
        why: the reason in a line; empty of a test that passed.
        text: all that pytest has to say of a failure.
        took_s: host time, with set-up and teardown.
        requirements: ids that the test verifies.
    """

    __test__ = False  # not one of ours, pytest

    test: str
    ended: Ended
    why: str = ""
    text: str = ""
    took_s: Finite = 0.0
    requirements: list[str] = []


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report", tag_field="type"):
    """All of one report.

    Attributes:
        schema: of this form.
        generated: UTC at which it was made.
        results: of the runs, in the order in which they are shown.
        tests: of a session of pytest: those that flew, failed, or were skipped.
        campaign: all runs of a campaign; then `results` has some of those that failed.
        places: of the bundles, relative to the folder of the report; none: each is in its ``runs``.
        unflown: runs that were planned and not flown, since a signal ended the command.
    """

    schema: int = SCHEMA
    generated: str
    results: list[RunResult]
    tests: list[TestOutcome] = []
    campaign: Summary | None = None
    places: list[str] = []
    unflown: int = 0

    def place(self, n: int) -> str:
        """Where the bundle of a run is, by its place in the results: an address relative to the report."""
        return self.places[n] if self.places else bundle_place(self.results[n].run)

    @property
    def ended_early(self) -> str:
        """What was not flown, in words."""
        planned = len(self.results) + self.unflown
        return f"interrupted: {self.unflown} of {planned} planned runs were not flown"

    @property
    def state(self) -> State:
        """The worst of all runs and tests; of a command that was ended early no better than INCOMPLETE."""
        states: list[State] = [result.state for result in self.results if not result.verdict.flown_again]
        states += ["INCOMPLETE"] if self.unflown else []
        if (campaign := self.campaign) is not None:
            unflown: list[State] = ["INCOMPLETE"] if campaign.runs < campaign.planned else []
            states = [*(case.state for case in campaign.cases), *unflown]
        return worst(["FAIL", *states] if any(test.ended == "FAIL" for test in self.tests) else states)

    def untold(self) -> list[TestOutcome]:
        """Tests whose end no run of theirs says: skipped, or failed although all that they flew passed."""
        told = {result.test for result in self.results if not result.passed}
        return [t for t in self.tests if t.ended in ("SKIP", "XFAIL") or (t.ended == "FAIL" and t.test not in told)]

    def failure(self, test: str) -> str:
        """What pytest says of the failure of a test, in a line; empty if it did not fail."""
        return next((each.why for each in self.tests if each.test == test and each.ended == "FAIL"), "")
