"""report.html: one file, nothing fetched, readable without its script.

One run is shown as it is; of several an overview comes first, and those that did not pass are open.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from hil.report import tables
from hil.report.closeup import closeups
from hil.report.drawing import SYMBOLS
from hil.report.hexdiff import hexdiff
from hil.report.histogram import histogram
from hil.report.markup import Markup, el, join
from hil.report.strip import strip
from hil.report.words import grouped, plural, reason, state_of, tally, utc_ms
from hil.result import RunResult, worst

_HERE = Path(__file__).parent


def render(results: Sequence[RunResult], generated: str) -> str:
    """The text of the file."""
    state = worst(state_of(result) for result in results)
    script = _read("script.js")
    title = f"{state} – {_subject(results)}"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", Markup(_read("style.css"))),
    )
    body = el("body", SYMBOLS, _header(results, generated), el("main", *_runs(results)), el("script", Markup(script)))
    return f"<!DOCTYPE html>\n{el('html', head, body, lang='en')}\n"


def anchors(results: Sequence[RunResult]) -> list[str]:
    """Where the runs are in the page."""
    return [f"run-{n}-{re.sub(r'[^A-Za-z0-9-]+', '-', result.run)}" for n, result in enumerate(results, 1)]


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


def _header(results: Sequence[RunResult], generated: str) -> Markup:
    made = el("p", f"HIL report, Mars 6 ground station, {generated}", class_="made")
    if len(results) == 1:
        return el("header", made)
    states = [state_of(result) for result in results]
    seconds = sum(result.took_s for result in results)
    head = el("h1", tables.badge(worst(states)), f" {plural(len(results), 'run')}")
    text = f"{tally(states)}; flown in {seconds:.1f} s" if results else "nothing was flown"
    overview = [tables.overview(results, anchors(results))] if results else []
    return el("header", made, head, el("p", text), *overview)


def _runs(results: Sequence[RunResult]) -> list[Markup]:
    if len(results) == 1:
        return [el("section", _title("h1", results[0]), *_body(results[0]), class_="run", id=anchors(results)[0])]
    return [_folded(result, anchor) for result, anchor in zip(results, anchors(results), strict=True)]


def _folded(result: RunResult, anchor: str) -> Markup:
    """The anchor is inside, so that a browser opens the run for whoever follows a link to it."""
    summary = el("summary", _title("h2", result))
    inside = el("div", *_body(result), id=anchor, class_="inside")
    return el("details", summary, inside, class_="run", open=None if result.passed else "")


def _title(level: str, result: RunResult) -> Markup:
    name = el(level, tables.badge(state_of(result)), " ", result.scenario, " ", el("span", f"on {result.target}"))
    return join([name, el("p", reason(result), class_=f"reason {state_of(result).lower()}")])


def _body(result: RunResult) -> list[Markup]:
    facts = [result.mode, f"seed {result.seed}", f"began {result.began}", f"took {result.took_s:.2f} s"]
    if result.mode == "realtime":
        facts.insert(1, f"{result.speed:g}× real time")
    parts = [el("p", result.title, class_="title")] if result.title else []
    parts += [
        el("p", " · ".join(facts), class_="facts"),
        tables.measurements(result),
        _replay(result),
        _section("Descent", _losses(result), strip(result)),
    ]
    if shots := closeups(result):
        parts.append(_section("Frame by frame", el("div", shots, class_="closeups")))
    if result.mismatch is not None:
        parts.append(_section("First mismatch", hexdiff(result.mismatch)))
    parts += [
        _section("Inter-arrival of lander frames", histogram(result)),
        _section("Faults", tables.faults(result)),
    ]
    if result.applied:
        deeds = len(result.applied) + result.applied_dropped
        parts.append(_fold(f"Log of faults, {plural(deeds, 'deed')}", tables.log(result)))
    if result.moments:
        parts.append(_fold(f"What happened, {plural(len(result.moments), 'line')}", tables.moments(result)))
    parts += [
        _section("Counts of the station", tables.counters(result)),
        _section("Provenance", tables.provenance(result)),
        _fold(f"Console of the target, {plural(result.console.count(chr(10)), 'line')}", tables.console(result)),
        _fold("Scenario as flown", el("pre", result.toml, tabindex=0)),
        _section("Files of the bundle", tables.artefacts(result)),
    ]
    return parts


def _losses(result: RunResult) -> Markup:
    planned, observed = ("none" if t is None else utc_ms(t) for t in (result.planned_los, result.observed_los))
    frames = sum(frame.vcid == 0 and frame.quality in ("GOOD", "CORRECTED") for frame in result.frames)
    text = f"Loss of signal planned {planned}, observed {observed}; {grouped(frames)} lander frames received."
    if result.mode == "realtime":
        text += " Frames and events are placed by the host's clock, laid on the mission's scale from tick 0."
    return el("p", text, class_="caption")


def _replay(result: RunResult) -> Markup:
    text = el("code", result.replay, class_="command")
    return el("div", el("span", "Fly it again:"), text, class_="replay")


def _section(title: str, *parts: Markup) -> Markup:
    return el("section", el("h3", title), *parts)


def _fold(title: str, *parts: Markup) -> Markup:
    return el("details", el("summary", title), *parts, class_="fold")
