"""The timeline in its three scales."""

from __future__ import annotations

import pytest

from groundstation.messages.wire import MilestoneInfo, Snapshot
from groundstation.tui.drawing.glyphs import UNICODE
from groundstation.tui.drawing.spans import plain
from groundstation.tui.panels.rows import View
from groundstation.tui.panels.timeline import Scale, scales_of, stones_of, timeline
from groundstation.viewer.model import PassModel
from protocols.times import utc_ns
from tests.groundstation.tui.scripted import host, scet, snapshot


def shown(at: float, scale: Scale, width: int = 120) -> str:
    """The timeline so many seconds after entry."""
    model = PassModel()
    model.apply(snapshot(), host(60))
    model.flight.adopt(1, scet(at), 0)
    return plain(timeline(View(model, host(at), UNICODE), width, scale))


def test_the_pass_is_in_seconds() -> None:
    text = shown(100.0, "pass")
    assert "CHUTE in 00:59" in text and "ENTRY 09:05:53" in text and "LOS 09:11:05" in text


def test_the_day_goes_from_separation_to_the_fly_by() -> None:
    text = shown(320.0, "day")
    assert "SEPARATION 05:01:56" in text and "FLY-BY 09:13:33" in text and "LAUNCH" not in text


def test_the_moment_is_a_minute_before_and_after_the_clock() -> None:
    text = shown(150.0, "moment")
    assert "CHUTE 09:08:32" in text and "ENTRY" not in text and "CHUTE in 00:09" in text
    bar = text.splitlines()[0][:99]
    here, chute = bar.index("◆"), bar.index("┿")
    assert (chute - here) / 98 == pytest.approx(9 / 120, abs=0.02) and here == pytest.approx(50, abs=1)


def test_a_moment_in_which_nothing_is_planned_has_its_times() -> None:
    text = shown(-7000.0, "moment")
    assert "07:08:13" in text and "07:10:13" in text and "ENTRY in 1:56 h" in text


@pytest.mark.parametrize("at", [-14637.0, -205.0, 0.0, 312.0, 4060.0])
@pytest.mark.parametrize("scale", ["moment", "pass", "day", "mission"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_scale_holds_a_flight_from_separation_on(at: float, scale: Scale, width: int) -> None:
    first, second = shown(at, scale, width).splitlines()[:2]
    assert "◆" in first and len(first) <= width and len(second) <= width
    assert "in" in first or "over" in first


def test_the_mission_goes_from_1973_and_shows_days() -> None:
    text = shown(320.0, "mission", 200)
    assert "LAUNCH 1973-08-05" in text and "FLY-BY 1974-03-12" in text
    assert "TELEMETRY 1973-09-03" in text
    assert "COURSE 00:00:00" not in text


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("1973-08-05T18:00:00", "BLOK D in 75:48"),
        ("1973-09-03T00:00:01", "SEPARATION in 190 d"),
        ("1974-03-12T02:01:56", "SEPARATION in 3:00 h"),
        ("1974-03-12T10:00:00", "timeline over"),
    ],
)
def test_the_countdown_has_the_unit_of_what_is_left(clock: str, words: str) -> None:
    model = PassModel()
    model.apply(snapshot(), host(60))
    model.flight.adopt(1, utc_ns(clock), 0)
    assert words in plain(timeline(View(model, host(61), UNICODE), 120, "mission"))


def test_a_mission_without_events_has_the_pass_alone() -> None:
    model = PassModel()
    bare = snapshot()
    fields = {name: getattr(bare, name) for name in bare.__struct_fields__} | {"mission_events": []}
    model.apply(Snapshot(**fields), host(60))
    assert scales_of(model) == ["pass"]
    assert all(isinstance(stone, MilestoneInfo) for stone in stones_of(model, "pass"))
