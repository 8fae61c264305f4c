"""A replay on the screen: marked, without alarm, under keys."""

from __future__ import annotations

import asyncio

import pytest

from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.wire import (
    Acknowledgement,
    Heartbeat,
    LinkStatus,
    LossId,
    PlaybackStatus,
    Refusal,
    ReplayControl,
)
from groundstation.tui.app import farewell
from groundstation.tui.drawing.glyphs import ASCII, UNICODE
from groundstation.tui.drawing.spans import plain
from groundstation.tui.help import help_rows
from groundstation.tui.panels.replay import KEYS, SPEEDS, faster
from groundstation.tui.panels.rows import footer
from groundstation.viewer.model import PassModel
from groundstation.viewer.pass_clock import PassClock
from groundstation.viewer.source import StationBack, StationLost
from tests.groundstation.tui.scripted import LOS, RECORDING, S, host, replayed, scet, script, snapshot
from tests.groundstation.tui.stage import staged
from tests.shown import ALTITUDE


def played(until: float, **how: object) -> PassModel:
    model = PassModel()
    model.apply(snapshot(), 0)
    for _, update in replayed(script(until=until), **how):  # type: ignore[arg-type]
        assert not isinstance(update, StationLost | StationBack)
        model.apply(update, 0)
    return model


def test_ages_are_those_of_the_recording() -> None:
    """Everything came in the same moment of the host's, and is as old as it was in the pass."""
    model = played(LOS + 5, speed=4.0)
    assert model.reading(ALTITUDE, 0).age_ns == round(5.1 * S)
    assert model.reading(ALTITUDE, S).age_ns == round(9.1 * S)  # four times as fast
    assert model.reading(ALTITUDE, 100 * S).age_ns == round(10.1 * S)  # the recording ends
    stands = played(200.0, paused=True)
    stands.apply(Heartbeat(ert=host(200.0), sequences={}), 50 * S)
    assert stands.reading(ALTITUDE, 50 * S).freshness == "FRESH"
    assert stands.pass_time(50 * S) == host(200.0)


def test_its_time_stands_while_its_station_is_gone() -> None:
    model = played(200.0, speed=1.0)
    assert model.pass_time(S) == host(201.0)
    assert model.pass_time(10 * S) == model.pass_time(20 * S) == host(202.0)
    assert model.gone_ns(10 * S) is not None


def test_a_jump_leaves_nothing_behind_it() -> None:
    model = played(LOS + 5)
    assert model.losses and model.flight.loss_marks
    assert model.alarms == 0
    updates = list(replayed(script(start=200.0, until=200.5), jumps=2))
    link = next(update for _, update in updates if isinstance(update, LinkStatus))
    model.apply(link, 0)
    assert not model.losses and not model.flight.loss_marks and not model.log.entries
    assert model.reading(ALTITUDE, 0).freshness == "NEVER"
    for _, update in updates:
        model.apply(update, 0)  # type: ignore[arg-type]
    assert model.clock == scet(200.5)
    assert model.reading(ALTITUDE, 0).freshness == "FRESH"
    times = [time for time, _ in model.flight.series[ALTITUDE].samples]
    assert times == sorted(set(times))
    assert times[0] == scet(88.0) and times[-1] == scet(200.5)


def test_a_jump_forgets_commands_too() -> None:
    """Those that are told behind it may be earlier ones with the same numbers."""
    model = played(100.0)
    news = CommandUpdate(
        command=1, name="PING", arguments={}, who="x", state="SENT", previous="QUEUED", ert=host(90.0), replay=True
    )
    model.apply(news, 0)
    assert len(model.commanding.tracks) == 1
    link = next(u for _, u in replayed(script(start=50.0, until=50.5), jumps=2) if isinstance(u, LinkStatus))
    model.apply(link, 0)
    assert model.commanding.tracks == []


def test_time_never_goes_back_to_an_end_that_moved_on() -> None:
    """The recording is still written: what was given may be later than the end that was told."""
    clock = PassClock()
    here = PlaybackStatus(recording="x", at=9 * S, first=0, last=8 * S, speed=1.0, paused=False, ended=False, jumps=0)
    clock.follow(here, 0)
    assert clock.at(0) == 9 * S
    assert clock.at(S) == 9 * S


def test_a_loss_can_be_read_and_not_be_acknowledged() -> None:
    async def play() -> None:
        async with staged(replayed(script(until=LOS + 2))) as stage:
            assert "LANDER_ONLY" in stage.text()
            await stage.pilot.press("a", "v")
            await stage.settle()
            assert "A recording has no alarm" in stage.text() and stage.source.asked == []
            assert "CRC ✓ → lander ✗" in stage.text()
            news = Acknowledgement(ert=host(LOS + 3), who="eve", losses=[loss_of(stage.app.model)], replay=True)
            await stage.source.say(news)
            await stage.settle()
            assert "by eve" in stage.text()

    asyncio.run(play())


def loss_of(model: PassModel) -> LossId:
    loss = model.last_loss()
    assert loss is not None
    return LossId(vcid=loss.vcid, channel=loss.channel, declared_ert=loss.verdict.declared_ert)


def test_a_loss_rings_no_bell_and_shows_no_banner() -> None:
    async def play() -> None:
        async with staged(replayed(script(until=LOS + 2))) as stage:
            rung = []
            stage.app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
            assert "LANDER LOS" in stage.text()
            assert "LOSS OF SIGNAL " not in stage.text()
            assert stage.app.model.alarms == 0 and not rung

    asyncio.run(play())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_it_is_marked_on_every_screen(size: tuple[int, int]) -> None:
    async def play() -> list[str]:
        async with staged(replayed(script(until=200.0), paused=True), size) as stage:
            assert stage.text().count(" REPLAY ") == 2  # the header and the bar
            assert "LIVE" not in stage.text()
            assert stage.colours("─") == {"#e69f00"}
            for key in ("p", "question_mark", "escape", "p", "g"):
                await stage.pilot.press(key)
                await stage.settle()
                assert "REPLAY" in stage.text(), key
            await stage.pilot.press("escape")
            await stage.pilot.resize_terminal(50, 12)
            await stage.settle()
            assert " REPLAY " in stage.text()
            return farewell(stage.app)

    assert asyncio.run(play())[0] == f"Replay of {RECORDING}. Nothing was recorded."


KEYS_AND_ORDERS = [
    ("space", ReplayControl(action="play")),
    ("right_square_bracket", ReplayControl(action="step", frames=1)),
    ("left_square_bracket", ReplayControl(action="step", frames=-1)),
    ("right_curly_bracket", ReplayControl(action="skip", seconds=10)),
    ("left", ReplayControl(action="skip", seconds=-10)),
    ("right_parenthesis", ReplayControl(action="skip", seconds=60)),
    ("shift+left", ReplayControl(action="skip", seconds=-60)),
    ("greater_than_sign", ReplayControl(action="speed", speed=10)),
    ("less_than_sign", ReplayControl(action="speed", speed=2)),
    ("n", ReplayControl(action="next")),
    ("N", ReplayControl(action="previous")),
    ("L", ReplayControl(action="loss")),
]


@pytest.mark.long
def test_every_key_gives_its_order() -> None:
    async def play() -> None:
        async with staged(replayed(script(until=200.0), paused=True)) as stage:
            for key, order in KEYS_AND_ORDERS:
                await stage.pilot.press(key)
                await stage.pilot.pause()
                assert stage.source.asked[-1] == order, key
            await stage.pilot.press("g", *"09:10:55", "enter")
            await stage.pilot.pause()
            assert stage.source.asked[-1] == ReplayControl(action="seek", to="09:10:55")
            asked = len(stage.source.asked)
            await stage.pilot.press("g", "escape", "g", "enter")
            await stage.pilot.pause()
            assert len(stage.source.asked) == asked
            stage.source.answer = Refusal(text="there is no frame after this one")
            await stage.pilot.press("right_square_bracket")
            await stage.settle()
            assert "there is no frame after this one" in stage.text()

    asyncio.run(play())


def test_a_live_station_cannot_be_moved() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            for key, _ in KEYS_AND_ORDERS[1:]:
                await stage.pilot.press(key)
            await stage.pilot.press("g")
            await stage.settle()
            assert stage.source.asked == []
            assert "Only a replay can be moved" in stage.text()

    asyncio.run(play())


def test_speeds_stay_within_what_is_possible() -> None:
    assert [faster(speed, 1) for speed in (0.1, 1.0, 3.0, 1000.0)] == [0.25, 2.0, 4.0, 1000.0]
    assert [faster(speed, -1) for speed in (0.1, 1.0, 3.0, 1000.0)] == [0.1, 0.5, 2.0, 300.0]
    assert SPEEDS[0] == 0.1 and SPEEDS[-1] == 1000.0


def test_keys_are_in_the_footer_and_in_the_help() -> None:
    line = plain([footer(80, UNICODE, keys=KEYS)])
    for word in ("Play", "10/60", "Step", "Speed", "Evt", "LOS", "UTC", "Quit"):
        assert word in line
    for glyphs in (UNICODE, ASCII):
        page = help_rows(glyphs, snapshot().display.views, replay=True)
        assert len(page) <= 22
        assert "60 s back and on" in plain(page)
