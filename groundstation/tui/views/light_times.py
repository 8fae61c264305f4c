"""The light times of a mission, each with its name: those that are told, and those that are known beforehand."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from groundstation.messages.wire import LightTimeInfo, ParameterInfo, ViewInfo
from groundstation.tui.drawing.spans import Row
from groundstation.tui.panels.rows import View, parameter_row, title
from groundstation.viewer.model import Reading


def light_times(view: View, page: ViewInfo, width: int) -> list[Row]:
    """A title and a row for each; they are not added to any time that is shown."""
    times = [] if view.model.snapshot is None else view.model.snapshot.light_times
    return [title("LIGHT TIME, ONE WAY", width, view.glyphs), *(_row(view, time, width) for time in times)]


def _row(view: View, time: LightTimeInfo, width: int) -> Row:
    if time.parameter is not None:
        reading = view.model.reading(time.parameter, view.now)
        named = msgspec.structs.replace(reading.info, name=time.name)
        return parameter_row(replace(reading, info=named), width, view.glyphs)
    info = ParameterInfo(
        packet="", name=f"{time.name} [{time.mark}]", unit="s", decimals=2, description=time.name, period_ms=0
    )
    return parameter_row(Reading(info, time.seconds, "GREEN", True, "FRESH", 0), width, view.glyphs)
