"""One run, part by part: the verdict and its limits, what happened when, and where it came from."""

from __future__ import annotations

from hil.report import tables
from hil.report.drawing.axis import unseen
from hil.report.drawing.closeup import closeups
from hil.report.drawing.hexdiff import hexdiff
from hil.report.drawing.histogram import histogram
from hil.report.drawing.mission import mission
from hil.report.drawing.strip import strip
from hil.report.drawing.telemetry import telemetry
from hil.report.markup import Markup, el, join
from hil.report.words import grouped, plural, reason, utc_ms
from hil.verdict.result import RunResult


def title(result: RunResult, level: int, more: str = "") -> Markup:
    """The run's name with its state, and why. ``more`` tells it from others of its name."""
    where = el("span", f"on {result.target}{more}")
    name = el(f"h{level}", tables.badge(result.state), " ", result.scenario, " ", where, class_="name")
    return join([name, el("p", reason(result), class_=f"reason {result.state.lower()}")])


def body(result: RunResult, level: int, place: str) -> list[Markup]:
    """All parts; their headings are of ``level``, and the bundle is at a place relative to the report."""
    pace = f", {result.speed:g} × real time" if result.mode == "realtime" else ""
    facts = [result.mode + pace, f"seed {result.seed}", f"began {result.began}", f"took {result.took_s:.2f} s"]
    parts = {
        "Descent": join([_losses(result), strip(result)]),
        "Telemetry": telemetry(result),
        "Mission": mission(result),
        "Frame by frame": el("div", shots, class_="closeups") if (shots := closeups(result)) else Markup(),
        "First mismatch": hexdiff(result.mismatch) if result.mismatch is not None else Markup(),
        "Value quality": join([tables.checks(result), tables.usable(result)]),
        f"Inter-arrival of {result.spacecraft} frames": histogram(result),
        "Faults": join([tables.faults(result), *_folds(result)]),
        "Counts of the station": tables.counters(result),
        "Provenance": tables.provenance(result),
        "Files of the bundle": join([tables.artefacts(result, place), *_texts(result)]),
    }
    return [
        el("p", result.title, class_="title"),
        el("p", " · ".join(facts), class_="facts"),
        tables.measurements(result),
        _replay(result),
        *(el("section", el(f"h{level}", head, class_="part"), part) for head, part in parts.items() if part),
    ]


def _losses(result: RunResult) -> Markup:
    planned, observed = ("none" if t is None else utc_ms(t) for t in (result.planned_los, result.observed_los))
    frames = sum(frame.vcid == result.vcid and frame.quality in ("GOOD", "CORRECTED") for frame in result.frames)
    text = (
        f"Loss of signal planned {planned}, observed {observed}; {grouped(frames)} {result.spacecraft} frames received."
    )
    if result.mode == "realtime":
        text += " Frames and events are placed by the host's clock, laid on the mission's scale from tick 0."
    if away := unseen(result):
        text += f" {plural(away, 'mark')} would lie outside of the drawing."
    return el("p", text, class_="caption")


def _replay(result: RunResult) -> Markup:
    text = el("code", result.replay, class_="command")
    return el("div", el("span", "Fly it again:"), text, class_="replay")


def _folds(result: RunResult) -> list[Markup]:
    entries = len(result.applied) + result.applied_dropped
    return [
        _fold(f"Log of faults, {plural(entries, 'fault occurrence')}", tables.log(result)),
        _fold(f"What happened, {plural(len(result.moments), 'line')}", tables.moments(result)),
    ]


def _texts(result: RunResult) -> list[Markup]:
    lines = len(result.console.splitlines())
    return [
        _fold(f"Console of the target, {plural(lines, 'line')}", tables.console(result)),
        _fold("Scenario as flown", tables.pre(result.toml, "Scenario as flown")),
    ]


def _fold(head: str, *parts: Markup) -> Markup:
    return el("details", el("summary", head), *parts, class_="fold")
