"""The tests of a session of pytest: how each ended, why, and what it flew. Those that did not pass come first."""

from __future__ import annotations

from collections.abc import Sequence

from hil.report.contents import TestOutcome
from hil.report.markup import Markup, el
from hil.report.tables import badge, broken, pre, table
from hil.report.words import WORST_FIRST
from hil.verdict.result import RunResult

TEXT_TAIL = 20_000
"""Characters of what pytest says of a failure; the last ones name the error."""


def tested(tests: Sequence[TestOutcome], results: Sequence[RunResult], anchors: Sequence[str]) -> Markup:
    """A row for each test.

    Args:
        tests: in the order in which they ran.
        results: of the runs.
        anchors: of the runs, in the page.
    """
    flown: dict[str, list[tuple[RunResult, str]]] = {}
    for result, anchor in zip(results, anchors, strict=True):
        flown.setdefault(result.test, []).append((result, anchor))
    ordered = sorted(tests, key=lambda test: WORST_FIRST.index(test.ended))
    rows = [_row(test, flown.get(test.test, [])) for test in ordered]
    return table(("State", "Test", "Flown"), rows, "tests", "Tests")


def _row(test: TestOutcome, runs: list[tuple[RunResult, str]]) -> Markup:
    links = [el("div", el("a", badge(run.state), href=f"#{anchor}"), " ", run.run) for run, anchor in runs]
    kind = None if test.ended == "FAIL" else "passed"
    return el(
        "tr", el("td", badge(test.ended)), el("td", broken(test.test), *_why(test)), el("td", *links), class_=kind
    )


def _why(test: TestOutcome) -> list[Markup]:
    if not test.why:
        return []
    if not test.text:
        return [el("div", test.why, class_="why")]
    said = pre(test.text[-TEXT_TAIL:], f"What pytest said of {test.test}")
    return [el("details", el("summary", test.why, class_="why"), said, class_="fold")]
