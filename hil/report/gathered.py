"""What is in the folder of a report: the bundles of its runs, and how the tests ended that flew them."""

from __future__ import annotations

from pathlib import Path

import msgspec

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
    flown = {result.test for result in results}
    tests = [test for test in _tests(folder / TESTS) if test.ended != "PASS" or test.test in flown]
    return Report(generated=generated, results=results, tests=tests)


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
