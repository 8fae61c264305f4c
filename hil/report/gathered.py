"""What is in the folder of a report: the bundles of its runs, its campaign, how the tests ended that flew them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hil.errors import ScenarioError
from hil.report.contents import BUNDLES, Report, TestOutcome
from hil.runs.bundles import bundles_of, find_bundles
from hil.runs.campaign_log import CAMPAIGN_LOG, read_campaign
from hil.runs.run import read_bundle

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
    results = [read_bundle(path) for path in bundles_of(folder / BUNDLES)]
    campaign = read_campaign(folder / CAMPAIGN_LOG)
    if campaign is not None:  # bundles of runs that were in flight when it was killed say nothing of the scenario
        kept = {case.run for case in campaign.cases if case.bundle}
        results = [result for result in results if result.run in kept]
    flown = {result.test for result in results}
    tests = [test for test in _tests(folder / TESTS) if test.ended != "PASS" or test.requirements or test.test in flown]
    return Report(generated=generated, results=results, tests=tests, campaign=campaign)


def gather_several(folders: Sequence[Path], into: Path, generated: str) -> Report:
    """Read bundles, folders of bundles and folders of reports, for one report of all of them.

    Args:
        folders: each a bundle, or with bundles in it.
        into: the folder of the report that is to be made; the bundles stay where they are.
        generated: as for `gather`.

    Raises:
        ScenarioError: a bundle cannot be read, there is none, or a folder is of a campaign.
    """
    places: list[Path] = []
    tests: list[TestOutcome] = []
    for folder in folders:
        if (folder / CAMPAIGN_LOG).exists():
            raise ScenarioError(f"{folder} is of a campaign: only its own report says how many of its runs passed")
        own = _tests(folder / TESTS)
        tests += own
        places += bundles_of(folder) if own else find_bundles(folder)
    places = list(dict.fromkeys(path.resolve() for path in places))
    results = [read_bundle(path) for path in places]
    flown = {result.test for result in results}
    return Report(
        generated=generated,
        results=results,
        tests=[test for test in tests if test.ended != "PASS" or test.requirements or test.test in flown],
        places=[os.path.relpath(path, into.resolve()) for path in places],
    )


def _tests(path: Path) -> list[TestOutcome]:
    """How each test ended, by the last that was said of it. The last line of a killed session may be half of one."""
    found: dict[str, TestOutcome] = {}
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                outcome = msgspec.json.decode(line, type=TestOutcome)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            found[outcome.test] = outcome
    return list(found.values())
