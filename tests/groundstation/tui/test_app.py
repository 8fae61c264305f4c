"""The application under keys, a loss, and a station that goes."""

from __future__ import annotations

import asyncio
from itertools import chain
from pathlib import Path

import msgspec
import pytest

from groundstation.errors import CallerError
from groundstation.messages.commanding import AcknowledgeRequest
from groundstation.messages.text import utc
from groundstation.messages.wire import Refusal
from groundstation.tui.app import farewell, run_tui
from groundstation.tui.descent import DescentScreen
from groundstation.tui.drawing.glyphs import ASCII, UNICODE, Glyphs
from groundstation.tui.drawing.spans import plain
from groundstation.tui.help import WIDTH, HelpScreen, help_rows
from groundstation.tui.relays_screen import RelaysScreen
from groundstation.viewer.flight import Flight
from groundstation.viewer.source import StationBack, StationLost
from tests.groundstation.tui.scripted import (
    LOS,
    FakeClock,
    ScriptedSource,
    Timed,
    descent,
    event,
    host,
    scet,
    script,
    snapshot,
    verdict,
)
from tests.groundstation.tui.stage import scene, staged
from tests.shown import ALTITUDE, PLOTTED


def test_acknowledge_removes_the_banner_and_leaves_the_badge() -> None:
    async def play() -> None:
        async with scene("los", (80, 24)) as stage:
            assert "LOSS OF SIGNAL" in stage.text()
            await stage.pilot.press("a")
            await stage.pilot.pause()
            await stage.settle()
            assert "LOSS OF SIGNAL" not in stage.text()
            assert "LANDER LOS" in stage.text()

    asyncio.run(play())


def test_hold_freezes_values_while_reception_goes_on() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            await stage.pilot.press("space")
            await stage.source.say(event(101.0, "LATE", "while held"))
            await stage.at(110.0)
            assert "HELD" in stage.text()
            assert "LATE" not in stage.text()
            await stage.pilot.press("space")
            await stage.settle()
            assert "LATE" in stage.text()

    asyncio.run(play())


def test_plots_scroll_help_copy_and_a_small_terminal() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            await stage.pilot.press("p")
            await stage.settle()
            assert "ALTITUDE" in stage.text() and "CONTACT" not in stage.text()
            await stage.pilot.press("p", "j", "j")
            await stage.settle()
            assert "above" in stage.text()
            await stage.pilot.press("y")
            assert "VC0" in stage.app.clipboard or "LANDER" in stage.app.clipboard
            await stage.pilot.press("question_mark")
            assert stage.shows(HelpScreen)
            await stage.pilot.press("escape")
            await stage.pilot.resize_terminal(50, 12)
            await stage.settle()
            assert "ALT " in stage.text() and "SPD " in stage.text()

    asyncio.run(play())


def test_relays_and_links_lie_over_the_descent_until_a_key() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            await stage.pilot.press("r")
            await stage.pilot.pause()
            assert stage.shows(RelaysScreen) and "LINKS" in stage.text() and "one: " in stage.text()
            await stage.pilot.press("escape")
            assert not stage.shows(RelaysScreen)

    asyncio.run(play())


def test_the_timeline_zooms_from_the_pass_to_the_mission_and_back() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            assert "ENTRY 09:05:53" in stage.text()
            await stage.pilot.press("t")
            await stage.settle()
            assert "SEPARATION 05:01:56" in stage.text() and "Timeline: the day around it." in stage.text()
            await stage.pilot.press("t")
            await stage.settle()
            assert "LAUNCH 1973-08-05" in stage.text()
            await stage.pilot.press("t")
            await stage.settle()
            assert "a minute before and after the mission clock" in stage.text() and "ENTRY 09" not in stage.text()
            await stage.pilot.press("t")
            await stage.settle()
            assert "ENTRY 09:05:53" in stage.text()

    asyncio.run(play())


def test_a_plot_names_the_same_value_as_the_telemetry() -> None:
    """The curve is drawn twice a second, its title with every painting."""

    async def play() -> str:
        async with staged(script(until=150.0), size=(120, 40)) as stage:
            await stage.source.say(descent(150.4))
            screen = stage.app.screen
            assert isinstance(screen, DescentScreen)
            screen.paint()
            await stage.pilot.pause()
            return stage.text()

    text = asyncio.run(play())
    (row,) = (line for line in text.splitlines() if "Altitude  " in line)
    assert f"ALTITUDE  {row.split()[2]} m" in text


@pytest.mark.parametrize("replay", [False, True], ids=["live", "replay"])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_line_of_the_help_is_cut(glyphs: Glyphs, replay: bool) -> None:
    whole = plain(help_rows(glyphs, snapshot().display.views, 2 * WIDTH, replay=replay)).splitlines()
    assert [line for line in whole if len(line.rstrip()) > WIDTH] == []


def test_screenshots_are_svg_and_never_overwrite(tmp_path: Path) -> None:
    mine, elsewhere = tmp_path / "descent.svg", tmp_path / "elsewhere"
    mine.write_text("mine")
    (tmp_path / "descent-2.svg").symlink_to(elsewhere)

    async def play() -> None:
        async with scene("los", (120, 40)) as stage:
            for _ in range(2):
                stage.app.action_screenshot("descent.svg", str(tmp_path))

    asyncio.run(play())
    assert mine.read_text() == "mine"
    assert not elsewhere.exists()
    assert all("<svg" in (tmp_path / f"descent-{n}.svg").read_text(encoding="utf-8") for n in (3, 4))


def test_the_farewell_names_the_recording_and_the_station() -> None:
    async def play() -> list[str]:
        async with scene("los", (80, 24)) as stage:
            return farewell(stage.app)

    recording, fate = asyncio.run(play())
    assert recording.startswith("Recording: /var/lib/mars6/")
    assert fate == "Station bench goes on."


def test_without_a_terminal_it_refuses_instead_of_hanging() -> None:
    with pytest.raises(CallerError, match="no terminal"):
        run_tui(ScriptedSource(script(until=1.0), FakeClock()))


def test_what_comes_while_the_application_closes_finds_no_screen_and_does_no_harm() -> None:
    """Textual closes its screens first; timers and workers may still wake after that."""

    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            pass
        assert stage.app.screen_stack == []
        stage.app.painter.now()
        for _, update in script(start=100.1, until=LOS + 0.5):
            stage.app.apply(update)
        assert stage.app.model.alarms == 1

    asyncio.run(play())


def test_acknowledging_asks_the_station_and_the_verdict_stays_to_be_read() -> None:
    async def play() -> None:
        async with scene("los", (120, 40)) as stage:
            await stage.pilot.press("a")
            await stage.pilot.pause()
            (asked,) = stage.source.asked
            assert isinstance(asked, AcknowledgeRequest) and asked.until == host(LOS + 0.2)
            await stage.settle()
            text = stage.text()
            assert "LOSS OF SIGNAL" not in text
            assert "LANDER after 09:11:04.9" in text and "LANDER_ONLY: port open" in text
            assert f"seen {utc(host(LOS + 0.2), 0)}r by " in text
            await stage.pilot.press("v")
            await stage.settle()
            for words in ("CRC ✓ → lander ✗", "Since     not regained", "the loss falls on the plan", "v Close"):
                assert words in stage.text()
            await stage.pilot.press("v")
            await stage.settle()
            assert "Since     " not in stage.text()

    asyncio.run(play())


def test_a_refused_acknowledgement_leaves_the_banner_and_says_why() -> None:
    async def play() -> None:
        async with scene("los", (80, 24)) as stage:
            stage.source.answer = Refusal(text="the key 'wall' is for telemetry only")
            await stage.pilot.press("a")
            await stage.pilot.pause()
            await stage.settle()
            assert "LOSS OF SIGNAL" in stage.text()
            assert "telemetry only" in stage.text()

    asyncio.run(play())


def test_a_restart_of_the_station_is_said_and_its_badge_goes_after_a_minute() -> None:
    async def play() -> None:
        again = msgspec.structs.replace(snapshot(104.0), started=host(104.0), pid=4712)
        gap: list[Timed] = [(103.0, StationLost(host(100.0))), (104.0, StationBack(again))]
        updates = chain(script(until=100.0), gap)
        async with staged(updates, (120, 40)) as stage:
            text = stage.text()
            assert "RESTARTED 0.0 s" in text and "Station bench was started again" in text
            assert "STATION_RESTARTED" in text
            assert "earlier run" in text
            await stage.hears(165.0)
            assert "RESTARTED 1" not in stage.text()

    asyncio.run(play())


def test_a_late_viewer_shows_the_curve_that_the_station_kept() -> None:
    async def play() -> None:
        station = Flight(kept=1000)
        for tick in range(880, 2000):
            station.add(descent(tick / 10), {"DESCENT": 100})
        station.lose(verdict(150.1))
        history = station.history(PLOTTED, 600, {})
        async with staged(script(start=200.0, until=200.3), (120, 40), history=history) as stage:
            assert stage.app.model.flight.series[ALTITUDE].samples[0][0] == scet(88.0)
            assert list(stage.app.model.flight.loss_marks) == [(0, scet(150.0))]
            assert stage.text().count("⣀") >= 4

    asyncio.run(play())


def test_without_a_loss_nothing_is_acknowledged_and_there_is_no_verdict() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            for key, words in (("a", "Nothing to acknowledge"), ("v", "No signal was lost")):
                await stage.pilot.press(key)
                await stage.settle()
                assert words in stage.text()
            assert stage.source.asked == []

    asyncio.run(play())
