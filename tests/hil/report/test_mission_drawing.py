"""The mission in a report: all its moments, each with its mark, and the part that was flown."""

from __future__ import annotations

import re

from hil.report.drawing.mission import mission
from protocols.lander import MISSION
from tests.hil.report.runs import changed, quiet


def test_every_moment_of_the_mission_is_drawn_with_its_mark() -> None:
    run = quiet()
    page = str(mission(run))
    for event in MISSION.events:
        assert f"{event.label} [{event.mark}]" in page
    assert page.count('class="plot"') == 2 and page.count(f"flown in {run.run}") == 2


def test_the_day_shades_the_time_that_was_flown() -> None:
    page = str(mission(quiet()))
    (_, _), (x, width) = [
        (float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)%" width="([\d.]+)%"', page)
    ]
    assert 85 < x < 95 and 1 < width < 3  # entry stands at 14,637 s of 16,485 s and the room at the right


def test_a_run_of_another_mission_has_no_drawing() -> None:
    assert mission(changed(quiet(), mission="SPARROW")) == ""
