"""report.html: one file, nothing fetched, readable without its script.

One run is shown as it is; of several an overview comes first, and those that did not pass are open.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from functools import cache
from pathlib import Path

from hil.report import tables
from hil.report.body import body, title
from hil.report.contents import Report
from hil.report.coverage import coverage
from hil.report.drawing.svg import SYMBOLS
from hil.report.markup import Markup, el
from hil.report.runs_table import runs_table
from hil.report.tested import tested
from hil.report.trials import trials
from hil.report.words import plural, tally
from hil.verdict.result import RunResult

MOST = 120
"""Runs that are shown whole, first of all those that did not pass; of more the page has a line."""

_HERE = Path(__file__).parent


def render(report: Report) -> str:
    """The text of the file."""
    script = _read("script.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{report.state} – {_subject(report)}"),
        el("style", Markup(_read("style.css"))),
    )
    made = el("p", f"HIL report, Mars 6 ground station, {report.generated}", class_="made")
    alone = len(report.results) == 1 and not report.tests and report.campaign is None and not report.unflown
    parts = _one(report, made) if alone else _several(report, made)
    content = el("body", SYMBOLS, *parts, el("script", Markup(script)))
    return f"<!DOCTYPE html>\n{el('html', head, content, lang='en')}\n"


def _policy(script: str) -> str:
    """The browser is told to fetch nothing and to run this script alone."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _subject(report: Report) -> str:
    if (campaign := report.campaign) is not None:
        return f"{plural(campaign.runs, 'run')} of {campaign.scenario} on {campaign.target}"
    if len(report.results) == 1 and not report.tests:
        return f"{report.results[0].scenario} on {report.results[0].target}"
    tests = f"{plural(len(report.tests), 'test')}, " if report.tests else ""
    return tests + plural(len(report.results), "run")


def _one(report: Report, made: Markup) -> list[Markup]:
    (result,) = report.results
    inside = [title(result, 1), *body(result, 2, report.place(0)), *coverage(report, [""])]
    return [el("header", made), el("main", *inside, class_="run")]


def _several(report: Report, made: Markup) -> list[Markup]:
    results = report.results
    head = el("h1", tables.badge(report.state), f" {_subject(report)}", class_="name")
    names = [f"run-{n}-{re.sub(r'[^A-Za-z0-9-]+', '-', result.run)}" for n, result in enumerate(results, 1)]
    flown = Counter((result.scenario, result.target) for result in results)
    chosen = sorted(range(len(results)), key=lambda n: results[n].passed)[:MOST]
    runs = [
        _folded(result, name, report.place(n), n in chosen, flown[result.scenario, result.target] > 1)
        for n, (result, name) in enumerate(zip(results, names, strict=True))
    ]
    early = [el("p", report.ended_early)] if report.unflown else []
    parts = [*early, *_filter(report), *_overview(report, names), *coverage(report, names)]
    return [el("header", made, head, *parts), el("main", *runs)]


def _filter(report: Report) -> list[Markup]:
    """Hides what passed. It needs no script."""
    runs = report.results if report.campaign is None else report.campaign.cases
    failed = sum(not run.passed for run in runs) + sum(test.ended == "FAIL" for test in report.tests)
    if not failed:
        return []
    box = el("input", type="checkbox", class_="failed-only")
    return [el("label", box, f" only what failed ({failed})", class_="filter")]


def _overview(report: Report, anchors: list[str]) -> list[Markup]:
    """What comes before the runs: how many ended how, and which."""
    results = report.results
    if report.campaign is not None:
        where = {result.run: anchor for result, anchor in zip(results, anchors, strict=True)}
        return [el("p", report.campaign.title, class_="title"), trials(report.campaign, where)]
    tests = [tested(report.tests, results, anchors)] if report.tests else []
    runs = [tables.overview(results, anchors), runs_table(results, anchors)] if results else []
    return [el("p", _sum(report)), *tests, *runs]


def _sum(report: Report) -> str:
    """How many ended how, in a line."""
    seconds = sum(result.took_s for result in report.results)
    flown = f"{tally([result.state for result in report.results])}; {seconds:.1f} s of flying"
    runs = flown if report.results else "nothing was flown"
    return f"tests: {tally([test.ended for test in report.tests])}; runs: {runs}" if report.tests else runs


def _folded(result: RunResult, anchor: str, place: str, whole: bool, repeated: bool) -> Markup:
    """The anchor is inside, so that a browser opens the run when a link to it is followed."""
    head = title(result, 2, f", {result.run}" if repeated else "")
    kind = " passed" if result.passed else ""
    if not whole:
        line = el("p", f"Not shown here, since there are more than {MOST} runs; report.json has it.", class_="none")
        return el("section", head, line, class_=f"run{kind}", id=anchor)
    inside = el("div", *body(result, 3, place), id=anchor, class_="inside")
    return el("details", el("summary", head), inside, class_=f"run{kind}", open=None if result.passed else "")
