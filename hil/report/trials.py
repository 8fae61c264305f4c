"""A campaign: how many of its runs passed, at which of the drawn values, and a row for each run."""

from __future__ import annotations

import math
from collections.abc import Mapping

from groundstation.messages.lost_text import lost_text
from hil.faults.window import mission_time, span_ns
from hil.report.drawing.svg import percent
from hil.report.markup import Markup, el, join
from hil.report.tables import badge, broken, table
from hil.report.words import grouped
from hil.runs.campaign import Case, Summary, drawn_text, rate_text

MOST = 2000
"""Rows; of more runs those that did not pass come first."""
_LANE = 16
_ROOM = 3.0
"""Percent at both ends of a scale."""


def trials(campaign: Summary, anchors: Mapping[str, str]) -> Markup:
    """All of it.

    Args:
        campaign: as far as it was flown.
        anchors: in the page, by the names of the runs that it shows.
    """
    scales = [_scale(campaign, key) for key in _keys(campaign)]
    speed = (
        f"{campaign.took_s:g} s with seed {campaign.seed}, {campaign.per_second_and_core:g} descents a second and core"
    )
    return join(
        [
            el("p", rate_text(campaign), class_="rate"),
            _interval(campaign),
            el("p", speed, class_="caption"),
            *([el("section", el("h2", "Drawn values", class_="part"), *scales)] if scales else []),
            el("section", el("h2", "Runs", class_="part"), _rows(campaign, anchors)),
        ]
    )


def _keys(campaign: Summary) -> list[str]:
    return list(dict.fromkeys(key for case in campaign.cases for key in case.drawn))


def _interval(campaign: Summary) -> Markup:
    """The pass rate on a scale from 0 to 1, with its interval."""
    low, high, rate = (100 * value for value in (campaign.low, campaign.high, campaign.rate))
    bar = [
        el("rect", x="0", y=5, width="100%", height=6, class_="whole"),
        el("rect", x=percent(low), y=5, width=percent(high - low), height=6, class_="likely"),
        el("line", x1=percent(rate), x2=percent(rate), y1=1, y2=15, class_="mean"),
    ]
    return el("svg", el("title", rate_text(campaign)), *bar, class_="interval", height=16, width="100%", role="img")


def _scale(campaign: Summary, key: str) -> Markup:
    """Where on a drawn value's range runs passed, and where they did not."""
    drawn = [(_number(case.drawn[key]), case) for case in campaign.cases if key in case.drawn]
    wide = 0 < 100 * min(value for value, _ in drawn) < max(value for value, _ in drawn)
    drawn = [(math.log(value), case) for value, case in drawn] if wide else drawn
    low, high = min(drawn, key=_place), max(drawn, key=_place)
    span = high[0] - low[0] or 1.0
    marks = {True: list[Markup](), False: list[Markup]()}
    for value, case in drawn:
        x = percent(_ROOM + (100 - 2 * _ROOM) * (value - low[0]) / span)
        top = 1 if case.passed else _LANE + 1
        marks[case.passed].append(el("line", x1=x, x2=x, y1=top, y2=top + _LANE - 2))
    lanes = [
        el("line", x1="0", x2="100%", y1=_LANE, y2=_LANE, class_="base"),
        el("g", *marks[True], class_="passed"),
        el("g", *marks[False], class_="failed"),
    ]
    failed = len(marks[False])
    ends = [drawn_text(end[1].drawn[key]) for end in (low, high)]
    told = f"{key} from {ends[0]} to {ends[1]}: {failed} of {len(drawn)} failed"
    plot = el("svg", el("title", told), *lanes, class_="lanes", height=2 * _LANE, width="100%", role="img")
    names = el("div", el("span", "passed"), el("span", "failed"), class_="sides")
    below = [el("span", ends[0]), el("span", "logarithmic" if wide else ""), el("span", ends[1])]
    return el("div", el("code", broken(key)), names, plot, el("div", *below, class_="ends"), class_="drawn")


def _place(drawn: tuple[float, Case]) -> float:
    return drawn[0]


def _number(value: float | str) -> float:
    """A drawn value as a number: a time, a span, or what it is."""
    if not isinstance(value, str):
        return float(value)
    return float(mission_time(value) if ":" in value else span_ns(value))


def _rows(campaign: Summary, anchors: Mapping[str, str]) -> Markup:
    keys, cases = _keys(campaign), campaign.cases
    shown = cases if len(cases) <= MOST else sorted(cases, key=lambda case: case.passed)[:MOST]
    rows = [_row(case, keys, anchors.get(case.run)) for case in shown]
    heads = ("State", "Run", "Failed", *keys, "Lost", "Rejected", "Seconds", "Seed")
    rest = len(cases) - len(shown)
    more = [el("p", f"and {grouped(rest)} more that passed; report.json has them.", class_="caption")] if rest else []
    return join([table(heads, rows, "trials", "Runs of the campaign"), *more])


def _row(case: Case, keys: list[str], anchor: str | None) -> Markup:
    name = str(case.number)
    drawn = [drawn_text(case.drawn[key]) if key in case.drawn else "–" for key in keys]
    numbers = [
        *drawn,
        lost_text(case.lost, case.lost_certainty),
        grouped(case.rejects),
        f"{case.took_s:.2f}",
        str(case.seed),
    ]
    return el(
        "tr",
        el("td", badge(case.state)),
        el("td", name if anchor is None else el("a", name, href=f"#{anchor}"), class_="number"),
        el("td", "" if case.passed else ", ".join(case.failed) or case.line),
        *(el("td", text, class_="number") for text in numbers),
        class_="passed" if case.passed else None,
    )
