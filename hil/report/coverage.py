"""Requirements, and what verifies each: runs, tests of pytest, a campaign. The worst of them is its state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hil.report.contents import Report
from hil.report.markup import Markup, el
from hil.report.tables import badge, broken, table
from hil.report.words import WORST_FIRST
from hil.runs.campaign import rate_text

MOST = 20
"""Things that verify one requirement, the worst first; of more the row has their number."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Something that verifies requirements: how it ended, what it is, and where the page shows it; empty: nowhere."""

    requirements: Sequence[str]
    state: str
    text: str
    anchor: str


def coverage(report: Report, anchors: Sequence[str]) -> list[Markup]:
    """The table; nothing if the report knows of no requirement.

    Args:
        report: its contents.
        anchors: of its runs, in the page.
    """
    found: dict[str, list[Verified]] = {}
    for each in _all(report, anchors):
        for requirement in each.requirements:
            found.setdefault(requirement, []).append(each)
    if not found:
        return []
    rows = [_row(name, found[name]) for name in sorted(found, key=_natural)]
    heads = ("State", "Requirement", "Verified by")
    covered = table(heads, rows, "coverage", "Requirements, and what verifies them")
    return [el("section", el("h2", "Requirements", class_="part"), covered)]


def _all(report: Report, anchors: Sequence[str]) -> Iterator[Verified]:
    for test in report.tests:
        yield Verified(test.requirements, test.ended, test.test, "")
    if (campaign := report.campaign) is not None:
        yield Verified(campaign.requirements, report.state, rate_text(campaign), "")
        return
    for result, anchor in zip(report.results, anchors, strict=True):
        yield Verified(result.requirements, result.state, result.run, anchor)


def _row(name: str, verified: list[Verified]) -> Markup:
    ordered = sorted(verified, key=lambda each: WORST_FIRST.index(each.state))
    parts = [el("div", badge(each.state), " ", _linked(each)) for each in ordered[:MOST]]
    more = [el("div", f"and {len(ordered) - MOST} more", class_="count")] if len(ordered) > MOST else []
    worst = ordered[0].state
    kind = "passed" if worst in ("PASS", "MARGINAL") else None
    return el("tr", el("td", badge(worst)), el("th", broken(name), scope="row"), el("td", *parts, *more), class_=kind)


def _linked(each: Verified) -> Markup:
    return el("a", broken(each.text), href=f"#{each.anchor}") if each.anchor else broken(each.text)


def _natural(name: str) -> list[tuple[int, str]]:
    """LOS-3 before LOS-12."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
