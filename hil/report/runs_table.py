"""A row for each run: how it ended, how long it took, and what was wrong. Those that failed come first."""

from __future__ import annotations

from collections.abc import Sequence

from hil.report.markup import Markup, el, join
from hil.report.tables import badge, broken, table
from hil.report.words import WORST_FIRST, grouped, reason
from hil.verdict.result import RunResult

MOST = 2000
"""Rows."""


def runs_table(results: Sequence[RunResult], anchors: Sequence[str]) -> Markup:
    """All of it.

    Args:
        results: of the runs.
        anchors: of the runs, in the page.
    """
    ordered = sorted(
        zip(results, anchors, strict=True), key=lambda run: (WORST_FIRST.index(run[0].state), -run[0].took_s)
    )
    rows = [_row(result, anchor) for result, anchor in ordered[:MOST]]
    heads = ("State", "Run", "Mode", "Seconds", "What was wrong")
    rest = len(ordered) - len(rows)
    more = [el("p", f"and {grouped(rest)} more; report.json has them.", class_="caption")] if rest else []
    return join([table(heads, rows, "runs", "Runs, with how long each took"), *more])


def _row(result: RunResult, anchor: str) -> Markup:
    return el(
        "tr",
        el("td", badge(result.state)),
        el("td", el("a", broken(result.run), href=f"#{anchor}")),
        el("td", result.mode),
        el("td", f"{result.took_s:.2f}", class_="number"),
        el("td", "" if result.state == "PASS" else reason(result, brief=True)),
        class_="passed" if result.passed else None,
    )
