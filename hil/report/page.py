"""report.html: one file, nothing fetched, readable without its script.

One run is shown as it is; of several an overview comes first, and those that did not pass are open.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from hil.report import tables
from hil.report.body import body, title
from hil.report.drawing import SYMBOLS
from hil.report.markup import Markup, el
from hil.report.words import plural, tally
from hil.result import RunResult, worst

MOST = 120
"""Runs that are shown whole, first of all those that did not pass; of more the page has a line."""

_HERE = Path(__file__).parent


def render(results: Sequence[RunResult], generated: str) -> str:
    """The text of the file."""
    script = _read("script.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{worst(result.state for result in results)} – {_subject(results)}"),
        el("style", Markup(_read("style.css"))),
    )
    made = el("p", f"HIL report, Mars 6 ground station, {generated}", class_="made")
    parts = _one(results[0], made) if len(results) == 1 else _several(results, made)
    content = el("body", SYMBOLS, *parts, el("script", Markup(script)))
    return f"<!DOCTYPE html>\n{el('html', head, content, lang='en')}\n"


def _policy(script: str) -> str:
    """The browser is told to fetch nothing and to run this script alone."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _subject(results: Sequence[RunResult]) -> str:
    if len(results) == 1:
        return f"{results[0].scenario} on {results[0].target}"
    return plural(len(results), "run")


def _one(result: RunResult, made: Markup) -> list[Markup]:
    return [el("header", made), el("main", title(result, 1), *body(result, 2), class_="run")]


def _several(results: Sequence[RunResult], made: Markup) -> list[Markup]:
    states = [result.state for result in results]
    seconds = sum(result.took_s for result in results)
    head = el("h1", tables.badge(worst(states)), f" {plural(len(results), 'run')}", class_="name")
    text = f"{tally(states)}; {seconds:.1f} s of flying" if results else "nothing was flown"
    names = [f"run-{n}-{re.sub(r'[^A-Za-z0-9-]+', '-', result.run)}" for n, result in enumerate(results, 1)]
    overview = [tables.overview(results, names)] if results else []
    flown = Counter((result.scenario, result.target) for result in results)
    chosen = sorted(range(len(results)), key=lambda n: results[n].passed)[:MOST]
    runs = [
        _folded(result, name, n in chosen, flown[result.scenario, result.target] > 1)
        for n, (result, name) in enumerate(zip(results, names, strict=True))
    ]
    return [el("header", made, head, el("p", text), *overview), el("main", *runs)]


def _folded(result: RunResult, anchor: str, whole: bool, repeated: bool) -> Markup:
    """The anchor is inside, so that a browser opens the run for whoever follows a link to it."""
    head = title(result, 2, f", {result.run}" if repeated else "")
    if not whole:
        line = el("p", f"Not shown here, since there are more than {MOST} runs; report.json has it.", class_="none")
        return el("section", head, line, class_="run", id=anchor)
    inside = el("div", *body(result, 3), id=anchor, class_="inside")
    return el("details", el("summary", head), inside, class_="run", open=None if result.passed else "")
