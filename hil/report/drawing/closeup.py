"""Single frames around the moments that matter: the loss, the first byte that differs, and in a run that did not pass
the first reject and the first gap."""

from __future__ import annotations

from dataclasses import dataclass

from groundstation.messages.text import utc
from hil.report.drawing.axis import PERIOD_NS, Axis, line_to_mission
from hil.report.drawing.lanes import HEIGHT, frame_times, gaps, lane, lanes
from hil.report.drawing.strip import heads, lines_at, windows
from hil.report.drawing.svg import Panel, drawing, stretched, strokes, time_scale, upright
from hil.report.markup import Markup, el, join
from hil.report.words import plural, utc_ms
from hil.verdict.result import RunResult
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.units import NS_PER_S

MOST = 4
_HALF = 1250 * NS_PER_S // 1000
_STEP = NS_PER_S // 2
_APART = 700 * NS_PER_S // 1000
"""Moments nearer than that share a close-up."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment to be looked at, in mission time."""

    time: int
    text: str


def closeups(result: RunResult) -> Markup:
    """All close-ups of a run; nothing if there is no moment to look at."""
    return join([_closeup(result, point) for point in points(result)])


def points(result: RunResult) -> list[Point]:
    """Where to look, in order of time; of two that are near the first in importance names both."""
    chosen: list[Point] = []
    for point in _candidates(result):
        near = next((p for p in chosen if abs(p.time - point.time) < _APART), None)
        if near is None:
            chosen.append(point)
        elif point.text not in near.text:
            chosen[chosen.index(near)] = Point(near.time, f"{near.text}; {point.text[0].lower()}{point.text[1:]}")
    return sorted(chosen[:MOST], key=lambda point: point.time)


def _candidates(result: RunResult) -> list[Point]:
    """From the most important on."""
    out = []
    found = result.mismatch
    if found is not None and found.scet is not None:
        out.append(Point(found.scet, f"First byte that differs, frame {found.frame}"))
    if result.planned_los is not None:
        out.append(Point(result.planned_los, "Planned loss"))
    if result.observed_los is not None:
        out.append(Point(result.observed_los, "Observed loss"))
    if result.state == "PASS" and not result.error:
        return out
    end = result.observed_los if result.observed_los is not None else max(_everything(result), default=0)
    everything = Axis(min([result.epoch, *_everything(result)]), end + 1)
    rejects = (line_to_mission(result, f.time) for f in result.frames if f.quality not in ("GOOD", "CORRECTED"))
    out += [Point(time, "First reject") for time in list(rejects)[:1]]
    holes = gaps(frame_times(result, everything, LANDER), PERIOD_NS)
    holes = holes if result.is_mars6 else []
    out += [Point(a + PERIOD_NS, f"First gap between lander frames, {(b - a) / NS_PER_S:.1f} s") for a, b in holes[:1]]
    return out


def _everything(result: RunResult) -> list[int]:
    return [line_to_mission(result, frame.time) for frame in result.frames]


def _closeup(result: RunResult, point: Point) -> Markup:
    axis = Axis(point.time - _HALF, point.time + _HALF)
    times = [(point.time + n * _STEP, f"{n / 2:+.1f} s" if n else utc(point.time, 1), n % 2 == 1) for n in range(-2, 3)]
    due = [_due(result, axis)] if result.is_mars6 else []
    panels = [heads(result, axis), time_scale(axis, times), *due, *lanes(result, axis)]
    behind = [*windows(result, axis), *(upright(axis, time, "grid") for time, _, _ in times), *lines_at(result, axis)]
    came = len(frame_times(result, axis, result.vcid))
    told = f"{plural(came, f'{result.spacecraft} frame')} within {_HALF / NS_PER_S:g} s of {utc_ms(point.time)}"
    caption = el("figcaption", el("b", point.text), f" at {utc_ms(point.time)}")
    return el("figure", caption, drawing(point.text, told, panels, join(behind), kind="closeup"), class_="closeup")


def _due(result: RunResult, axis: Axis) -> Panel:
    """When the lander's frames are stamped by the plan: every period from its first data to its loss."""
    first = MARS6.milestone("FIRST_DATA")
    begin = EPOCH if first is None else first.scet
    end = axis.last if result.planned_los is None else result.planned_los
    start = begin + max(0, -((begin - axis.first) // PERIOD_NS)) * PERIOD_NS
    due = list(range(start, min(end, axis.last + 1), PERIOD_NS))
    return lane("due", f"{len(due)} by plan", stretched(HEIGHT, strokes([axis.x(time) for time in due], 8, 8, "due")))
