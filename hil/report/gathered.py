"""What is in the folder of a report: the bundles of its runs, its campaign, how the tests ended that flew them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hil.campaign_log import CAMPAIGN_LOG, read_campaign
from hil.report.contents import Report, TestOutcome
from hil.run import read_bundle

RUNS = "runs"
TESTS = "tests.jsonl"
"""How pytest's tests ended, as they came."""


def gather(folder: Path, generated: str) -> Report:
    """Read all of it.

    Args:
        folder: of a report, whole or of a program that was killed.
        generated: UTC of the report that is to be made, as text.

    Raises:
        ScenarioError: a bundle cannot be read.
    """
    bundles = [path for path in (folder / RUNS).glob("*") if (path / "result.json").exists()]
    bundles.sort(key=lambda path: (path / "result.json").stat().st_mtime_ns)
    results = [read_bundle(path) for path in bundles]
    campaign = read_campaign(folder / CAMPAIGN_LOG)
    if campaign is not None:  # bundles of runs that were in flight when it was killed say nothing of the scenario
        kept = {case.run for case in campaign.cases if case.bundle}
        results = [result for result in results if result.run in kept]
    flown = {result.test for result in results}
    tests = [test for test in _tests(folder / TESTS) if test.ended != "PASS" or test.test in flown]
    return Report(generated=generated, results=results, tests=tests, campaign=campaign)


def _tests(path: Path) -> list[TestOutcome]:
    """How each test ended, by the last that was said of it. The last line of a killed session may be half of one."""
    found: dict[str, TestOutcome] = {}
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                outcome = msgspec.json.decode(line, type=TestOutcome)
            except msgspec.DecodeError:
                continue
            found[outcome.test] = outcome
    return list(found.values())
