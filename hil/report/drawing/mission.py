"""The mission that a run is a part of: its moments from months to hours, with the part that was flown shaded."""

from __future__ import annotations

from collections.abc import Sequence

from groundstation.messages.text import utc, utc_day
from hil.report.drawing.axis import Axis, whole
from hil.report.drawing.svg import Panel, drawing, label, rows_for, upright, window
from hil.report.markup import Markup, join
from hil.verdict.result import RunResult
from protocols.declare.mission import MissionEvent
from protocols.lander import EPOCH, MISSION
from protocols.units import NS_PER_DAY

_ROW = 15
_LABEL_ROWS = 8


def mission(result: RunResult) -> Markup:
    """Two drawings, the whole mission and the day of the encounter; nothing of another mission's run."""
    if not result.is_mars6:
        return Markup()
    day = [event for event in MISSION.events if not event.day_only and abs(event.scet - EPOCH) < NS_PER_DAY]
    scales = (("The mission", MISSION.events), ("The day of the encounter", day))
    return join([_scale(result, title, events) for title, events in scales])


def _scale(result: RunResult, title: str, events: Sequence[MissionEvent]) -> Markup:
    first, last = events[0].scet, events[-1].scet
    axis = Axis(first, last + (last - first) // 25)
    rows = rows_for(axis, [event.scet for event in events], _LABEL_ROWS)
    labels = [
        label(axis, event.scet, 12 + _ROW * row, f"{event.label} [{event.mark}]", "head", _told(event))
        for event, row in zip(events, rows, strict=True)
    ]
    flown = whole(result)
    behind = [
        window(axis, max(first, flown.first), min(axis.last, flown.last), f"flown in {result.run}"),
        *(upright(axis, event.scet, "milestone") for event in events),
    ]
    words = "; ".join(_told(event) for event in events)
    panel = Panel(_ROW * (max(rows, default=0) + 1) + 4, Markup(), join(labels))
    return drawing(f"{title}, {result.run}", words, [panel], join(behind), kind="mission")


def _told(event: MissionEvent) -> str:
    date = utc_day(event.scet) if event.day_only else f"{utc_day(event.scet)} {utc(event.scet, 0)}"
    return f"{date} {event.text} [{event.mark}]"
