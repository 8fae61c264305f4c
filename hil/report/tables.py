"""The parts of a report that are rows: measurements, faults, log, what happened, counts, where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from groundstation.formats.printable import printable
from groundstation.messages.lost_text import lost_text
from hil.faults import FaultLogEntry
from hil.report.drawing.axis import line_to_mission
from hil.report.markup import Markup, el, esc, join
from hil.report.words import SIGNS, WORST_FIRST, grouped, plural, reason, shown, utc_ms
from hil.verdict.result import CheckScore, Measurement, RunResult
from hil.verdict.value_quality import total

LOG_ROWS = 100
MOMENT_ROWS = 120
CONSOLE_TAIL = 20_000
"""Characters; the last words are what is wanted, and the bundle has all."""


def badge(state: str) -> Markup:
    """A state of a run or a test: its sign, its word and its colour."""
    return el("span", el("span", SIGNS[state], aria_hidden="true"), f" {state}", class_=f"badge {state.lower()}")


def broken(text: str) -> Markup:
    """A name of the field that may be cut into lines behind its joints."""
    return join([join([esc(part), el("wbr")]) for part in text.replace("_", "_\0").replace("-", "-\0").split("\0")])


def table(heads: Sequence[str], rows: Iterable[Markup], kind: str, caption: str) -> Markup:
    """A table that scrolls by itself if the window is too narrow."""
    head = el("thead", el("tr", *(el("th", text, scope="col") for text in heads)))
    body = el("table", el("caption", caption, class_="unseen"), head, el("tbody", *rows), class_=kind)
    return el("div", body, class_="scroll", tabindex=0, role="group", aria_label=caption)


def cells(*texts: str, numeric: Sequence[int] = ()) -> Markup:
    """A row; columns of numbers are flush right."""
    return el("tr", *(el("td", text, class_="number" if n in numeric else None) for n, text in enumerate(texts)))


def measurements(result: RunResult) -> Markup:
    """The judgement, row by row."""
    if not result.measurements:
        return el("p", "Nothing was measured.", class_="none")
    rows = [part for row in result.measurements for part in _measurement(row)]
    heads = ("State", "Measurement", "Value", "Unit", "Limit", "Marginal")
    return table(heads, rows, "measurements", "Measurements with limits")


def _measurement(row: Measurement) -> list[Markup]:
    state = row.state.lower()
    main = el(
        "tr",
        el("td", badge(row.state)),
        el("th", broken(row.name), scope="row"),
        el("td", broken(shown(row.value)), class_="value"),
        el("td", row.unit),
        el("td", broken(row.limit), class_="text"),
        el("td", row.marginal),
        class_=state,
    )
    if not row.note:
        return [main]
    return [main, el("tr", el("td"), el("td", row.note, colspan=5), class_=f"note {state}")]


def faults(result: RunResult) -> Markup:
    """What the scenario asked for, and what came of it."""
    if not result.faults:
        return el("p", "The scenario has no faults.", class_="none")
    rows = []
    for fault in result.faults:
        spans = ", ".join(utc_ms(a) if a == b else f"{utc_ms(a)} … {utc_ms(b)}" for a, b in fault.windows[:8])
        more = f" and {len(fault.windows) - 8} more" if len(fault.windows) > 8 else ""
        counts = [grouped(n) for n in (fault.occurrences, fault.lost, fault.changed, fault.added)]
        span = spans + more or "never acted"
        rows.append(cells(str(fault.fault), fault.text, *counts, span, numeric=(0, 2, 3, 4, 5)))
    heads = ("No.", "Fault", "Occurrences", "Bytes lost", "changed", "added", "Acted, mission UTC")
    return table(heads, rows, "faults", "Faults of the scenario")


def checks(result: RunResult) -> Markup:
    """What the checks of value quality were worth; empty if the chip did not fail."""
    if not result.checks:
        return Markup()
    whole = total(result.checks)
    rows = [_check("all", whole)] + [_check(row.parameter, row) for row in result.checks]
    heads = ("Parameter", "Check", "Garbage", "found", "Recall", "Good values", "marked", "Precision", "Latency, ms")
    text = (
        f"Of {grouped(whole.garbage)} garbage values {_share(whole.recall)} were marked; of "
        f"{grouped(whole.values - whole.garbage)} good ones {_share(whole.false_share)}."
    )
    return join([el("p", text, class_="caption"), table(heads, rows, "checks", "Checks beside what the lander meant")])


def _check(parameter: str, row: CheckScore) -> Markup:
    good = row.values - row.garbage
    latency = "–" if row.latency_ms is None else f"{row.latency_ms:,.0f}"
    counts = (grouped(row.garbage), grouped(row.found), _share(row.recall), grouped(good), grouped(row.wrong))
    return cells(parameter, row.check, *counts, _share(row.precision), latency, numeric=range(2, 9))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def usable(result: RunResult) -> Markup:
    """How many values were good, by phase and parameter; empty if none was judged, or all were good."""
    if not any(row.suspect or row.unusable for row in result.usable):
        return Markup()
    rows = []
    for row in result.usable:
        values = row.good + row.suspect + row.unusable
        counts = (grouped(values), grouped(row.suspect), grouped(row.unusable))
        share = _share(row.good / values if values else None)
        rows.append(cells(row.phase or "–", f"{row.packet}.{row.parameter}", *counts, share, numeric=range(2, 6)))
    heads = ("Phase", "Parameter", "Values", "suspect", "unusable", "Usable")
    return table(heads, rows, "usable", "Usable data by phase and instrument")


def log(result: RunResult) -> Markup:
    """The first entries, and how many more there are."""
    if not result.applied:
        return el("p", "Nothing was done to any byte.", class_="none")
    entries, total = result.applied, len(result.applied) + result.applied_dropped
    rows = [_entry(result, entry) for entry in entries[:LOG_ROWS]]
    heads = ("Mission UTC", "Fault", "Direction", "Frame", "Offset", "Effect", "Bytes", "What")
    rest = total - len(rows)
    more = f"and {plural(rest, 'more occurrence')}; the bundle's log has them."
    tail = [el("p", more, class_="caption")] if rest else []
    return join([table(heads, rows, "log", "Log of faults"), *tail])


def _entry(result: RunResult, entry: FaultLogEntry) -> Markup:
    at = utc_ms(entry.scet if entry.direction else line_to_mission(result, entry.at))
    numbers = [grouped(entry.frame), grouped(entry.offset)]
    texts = [
        at,
        f"{entry.fault} {entry.kind}",
        entry.direction or "–",
        *numbers,
        entry.effect,
        grouped(entry.length),
        entry.what,
    ]
    return cells(*texts, numeric=(3, 4, 6))


def moments(result: RunResult) -> Markup:
    """What happened: the first ones, and how many there are besides."""
    if not result.moments:
        return el("p", "Nothing was told of.", class_="none")
    rows = []
    for moment in result.moments[:MOMENT_ROWS]:
        sign = {"good": "● ", "bad": "▼ "}.get(moment.tone, "")
        tone = moment.tone if moment.tone in ("good", "bad") else "plain"
        time = utc_ms(line_to_mission(result, moment.time))
        rows.append(el("tr", el("td", time), el("td", moment.lane), el("td", sign + moment.text), class_=tone))
    rest = len(result.moments) - len(rows)
    tail = [el("p", f"and {grouped(rest)} more.", class_="caption")] if rest else []
    clock = "Mission UTC" if result.mode == "lockstep" else "At, on the mission's scale"
    return join([table((clock, "Lane", "What"), rows, "moments", "What happened"), *tail])


def counters(result: RunResult) -> Markup:
    """The station's counts, and whether its bytes add up."""
    c = result.counters
    total = c.good + c.corrected + c.rejected + c.skipped + c.pending
    right = "=" if total == c.bytes_in else "≠"
    rows = {
        "bytes": f"{c.bytes_in:,} in {right} {c.good:,} good + {c.corrected:,} corrected + {c.rejected:,} rejected "
        f"+ {c.skipped:,} skipped + {c.pending:,} pending",
        "frames": f"{c.frames_good:,} good, {c.frames_rejected:,} rejected, "
        f"{lost_text(c.frames_lost, c.frames_lost_certainty)} lost by their counts, "
        f"{c.frames_foreign:,} foreign, {c.frames_idle:,} idle",
        "counters": f"{plural(c.frames_duplicate, 'duplicate')}, {c.frames_late:,} late, "
        f"{c.frames_stepped_back:,} stepped back, {plural(c.restarts, 'restart')}",
        "packets": f"{c.packets:,} decoded, {c.packets_bad:,} bad, {c.packets_unknown:,} unknown",
        "dropped": f"{c.dropped:,} reports by the station itself",
    }
    return pairs(rows)


def pairs(rows: dict[str, str]) -> Markup:
    """Names and what they are."""
    return el("dl", *(join([el("dt", key), el("dd", value)]) for key, value in rows.items()))


def provenance(result: RunResult) -> Markup:
    """What flew on what, and when."""
    run = {"run": result.run, "began": result.began, "took": f"{result.took_s:.2f} s"}
    return pairs({**run, **result.provenance})


def artefacts(result: RunResult, place: str) -> Markup:
    """Links into the bundle at a place."""
    items = []
    for what, name in result.artefacts.items():
        items.append(el("li", el("a", what, href=bundle_link(place, name)), f" ({name})"))
    return el("ul", *items) if items else el("p", "None were kept.", class_="none")


def bundle_link(place: str, name: str) -> str:
    """A relative address, whatever the file is called: it never leaves the bundle."""
    inside = [part for part in PurePosixPath(name.lstrip("/")).parts if part not in ("..", "/")]
    return "./" + "/".join(quote(printable(part), safe="") for part in [*PurePosixPath(place).parts, *inside])


def console(result: RunResult) -> Markup:
    """The target's own words, the last ones."""
    text = result.console
    if not text:
        return el("p", "The target said nothing.", class_="none")
    cut = len(text) - CONSOLE_TAIL
    head = f"The first {plural(cut, 'character')} are only in the bundle." if cut > 0 else ""
    return join([el("p", head, class_="caption"), pre(text[-CONSOLE_TAIL:], "Console of the target", "console")])


def pre(text: str, name: str, kind: str | None = None) -> Markup:
    """Text as it was written; it scrolls by itself."""
    return el("pre", text, class_=kind, tabindex=0, role="group", aria_label=name)


def overview(results: Sequence[RunResult], anchors: Sequence[str]) -> Markup:
    """Scenarios by targets: how each came out, with a link to the worst run and its reason."""
    targets = list(dict.fromkeys(result.target for result in results))
    flown: dict[tuple[str, str], list[tuple[RunResult, str]]] = {}
    for result, anchor in zip(results, anchors, strict=True):
        flown.setdefault((result.scenario, result.target), []).append((result, anchor))
    rows = []
    for scenario in dict.fromkeys(result.scenario for result in results):
        runs = [_cell(flown.get((scenario, target), [])) for target in targets]
        whole = all(result.passed for result in results if result.scenario == scenario)
        rows.append(el("tr", el("th", broken(scenario), scope="row"), *runs, class_="passed" if whole else None))
    return table(("Scenario", *targets), rows, "overview", "Scenarios by targets")


def _cell(runs: list[tuple[RunResult, str]]) -> Markup:
    if not runs:
        return el("td", el("span", "not flown", class_="unseen"))
    worst, anchor = min(runs, key=lambda run: WORST_FIRST.index(run[0].state))
    parts: list[Markup] = [el("a", badge(worst.state), href=f"#{anchor}")]
    if len(runs) > 1:
        parts.append(el("span", f" {sum(r.passed for r, _ in runs)} of {len(runs)} pass", class_="count"))
    if worst.state != "PASS":
        parts.append(el("div", reason(worst, brief=True), class_="why"))
    return el("td", *parts)
