"""The command screen under keys: what is ordered, what is refused before, and what is shown of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from textual.events import Key

from groundstation.messages.commanding import ArmRequest, CommandRequest, CommandState, CopDirectiveRequest
from groundstation.messages.wire import Refusal
from groundstation.tui.command_screen import CommandScreen
from groundstation.tui.descent import DescentScreen
from groundstation.tui.drawing.glyphs import UNICODE
from groundstation.tui.drawing.spans import plain
from groundstation.tui.panels.commands import history_rows
from groundstation.viewer.command_history import CommandHistory
from tests.groundstation.tui.scripted import LOS, Timed, host, ordered, replayed, script, uplink
from tests.groundstation.tui.stage import Stage, staged

SIZES = [(80, 24), (120, 40)]


def lines(history: CommandHistory, width: int = 120) -> str:
    return plain([row for track in history.tracks for row in history_rows(track, width, UNICODE)])


def told(*states: CommandState, **last: object) -> CommandHistory:
    history = CommandHistory()
    for news in ordered(3, "PING", *states, **last):  # type: ignore[arg-type]
        history.take(news)
    return history


@pytest.mark.parametrize("width", [80, 120])
def test_sent_is_never_shown_as_acknowledged(width: int) -> None:
    sent = lines(told("QUEUED", "SENT"), width)
    assert "SENT" in sent
    assert "not acknowledged" in sent
    arrived = lines(told("QUEUED", "SENT", delivered=True), width)
    assert "arrived, no report" in arrived
    for text in (sent, arrived):
        assert "ACCEPTED" not in text.upper().replace("NOT ACKNOWLEDGED", "")
        assert "COMPLETED" not in text
    assert "not acknowledged" not in lines(told("QUEUED", "SENT", "ACCEPTED"), width)


def test_a_history_shows_states_in_order_who_and_why() -> None:
    text = lines(told("QUEUED", "SENT", "TIMEOUT", detail="no word of it; it may have arrived", attempt=2))
    assert "Queued → Sent → TIMEOUT" in text
    assert "ada@bench" in text
    assert "attempt 2, no word of it; it may have arrived" in text


def test_a_history_is_bounded_and_counts_what_it_dropped() -> None:
    history = CommandHistory(kept=3)
    for number in range(1, 6):
        for news in ordered(number, "PING", "QUEUED"):
            history.take(news)
    assert [track.news.command for track in history.tracks] == [3, 4, 5]
    assert history.dropped == 2


def test_the_arming_counts_down_by_the_stations_clock() -> None:
    history = CommandHistory()
    history.follow(uplink(100, armed_until=host(130), armed_by="ada"), 7_000_000_000)  # the viewer's clock is its own
    assert history.armed_ns(7_000_000_000) == 30 * 10**9
    assert history.armed_ns(36_999_999_999) == 1
    assert history.armed_ns(37_000_000_000) is None


@pytest.mark.parametrize("size", SIZES)
def test_commands_are_typed_checked_and_ordered(size: tuple[int, int]) -> None:
    async def play() -> None:
        async with staged(script(until=95.0), size) as stage:
            await stage.pilot.press("colon", *"step 99999", "enter")
            await stage.settle()
            assert "the range is 1 … 10000 tick" in stage.text()
            assert stage.source.asked == []
            await stage.pilot.press("escape", *"STEP", "space", *"12", "enter")
            await stage.pilot.pause()
            (order,) = stage.source.asked
            assert isinstance(order, CommandRequest)
            assert (order.name, order.arguments, order.bypass) == ("STEP", {"ticks": "12"}, False)
            await stage.settle()
            assert "taken" in stage.text()
            assert "> STEP" not in stage.text()

    asyncio.run(play())


def test_choosing_and_completing_without_typing_a_name() -> None:
    async def play() -> None:
        async with staged(script(until=95.0)) as stage:
            await stage.pilot.press("colon", "down", "enter")
            await stage.settle()
            assert "> STEP ticks=" in stage.text()
            await stage.pilot.press("escape", *"sel", "tab", *"so", "tab", "enter")
            await stage.pilot.pause()
            (order,) = stage.source.asked
            assert isinstance(order, CommandRequest)
            assert order.arguments == {"profile": "SOFT_LANDING"}

    asyncio.run(play())


def test_a_refusal_stays_on_the_line_with_its_reason() -> None:
    async def play() -> None:
        async with staged(script(until=95.0)) as stage:
            stage.source.answer = Refusal(text="FIRE_RETROS is critical: arm the station first")
            await stage.pilot.press("colon", *"FIRE_RETROS")
            await stage.settle()
            assert "critical, not armed: type  arm 30" in stage.text()
            await stage.pilot.press("enter")
            await stage.settle()
            assert "arm the station first" in stage.text()
            assert "> FIRE_RETROS" in stage.text()

    asyncio.run(play())


def test_what_a_station_advises_is_as_it_is_typed_here() -> None:
    async def play() -> None:
        async with staged(script(until=95.0)) as stage:
            stage.source.answer = Refusal(text="RESET is critical: arm the station first (groundstation arm 30)")
            await stage.pilot.press("colon", *"PING", "enter")
            await stage.settle()
            assert "arm the station first (arm 30)" in stage.text()
            stage.source.answer = Refusal(text="lockout: groundstation cop unlock, or send PING --bypass")
            await stage.pilot.press("enter")
            await stage.settle()
            assert "lockout: unlock, or send PING --bypass" in stage.text()

    asyncio.run(play())


def with_uplink(**status: object) -> Iterator[Timed]:
    yield from script(until=95.0)
    yield 95.0, uplink(95.0, **status)


def test_arming_is_ordered_counted_down_and_seen_on_every_screen() -> None:
    async def play() -> None:
        async with staged(with_uplink(armed_until=host(107.5), armed_by="eve@console")) as stage:
            assert "ARMED 13 s" in stage.text()
            await stage.pilot.press("colon", *"arm 30", "enter")
            await stage.pilot.pause()
            (order,) = stage.source.asked
            assert isinstance(order, ArmRequest) and order.seconds == 30
            assert "ARMED 13 s  by eve@console" in stage.text()
            await stage.hears(106.6)
            assert "ARMED 1 s" in stage.text()
            await stage.hears(107.5)
            assert "not armed" in stage.text()
            assert "ARM" not in stage.text().splitlines()[0].replace("MARS", "")

    asyncio.run(play())


def test_a_station_that_is_gone_is_neither_armed_nor_locked_out() -> None:
    async def play() -> None:
        async with staged(with_uplink(armed_until=host(160.0), armed_by="eve@console", lockout=True)) as stage:
            assert "ARM" in stage.text().splitlines()[0].replace("MARS", "")
            await stage.at(104.0)
            for keys in ((), ("colon", *"FIRE_RETROS")):
                await stage.pilot.press(*keys)
                await stage.settle()
                text = stage.text().replace("MARS", "")
                assert "STATION GONE" in text
                assert "ARM" not in text and "LOCKOUT" not in text.splitlines()[0]
            assert "critical, and the station is gone" in text

    asyncio.run(play())


def test_lockout_is_seen_on_every_screen_and_a_person_clears_it() -> None:
    async def play() -> None:
        async with staged(with_uplink(lockout=True, cop="INITIAL")) as stage:
            assert "LOCKOUT" in stage.text().splitlines()[0]
            await stage.pilot.press("colon")
            await stage.settle()
            assert "commands rejected: type  unlock" in stage.text()
            await stage.pilot.press(*"unlock", "enter")
            await stage.pilot.pause()
            (order,) = stage.source.asked
            assert isinstance(order, CopDirectiveRequest) and order.directive == "unlock"

    asyncio.run(play())


def test_a_loss_is_seen_while_a_command_is_typed_and_the_line_stays() -> None:
    async def play() -> None:
        async with staged(script(until=LOS - 1)) as stage:
            await stage.pilot.press("colon", *"FIRE")
            for at, update in script(start=LOS - 0.9, until=LOS + 0.5):
                stage.clock.now = host(at)
                await stage.source.say(update)
            await stage.settle()
            assert stage.shows(CommandScreen)
            assert "LOSS OF SIGNAL  LANDER" in stage.text()
            assert "> FIRE" in stage.text()
            await stage.pilot.press("escape", "escape")
            await stage.settle()
            assert stage.shows(DescentScreen)
            assert "Broken" in stage.text()

    asyncio.run(play())


def test_the_history_scrolls_and_keys_do_not_reach_the_screen_below() -> None:
    async def play(stage: Stage) -> None:
        for number in range(1, 31):
            for news in ordered(number, "PING", "QUEUED", at=90 + number / 10):
                await stage.source.say(news)
        await stage.pilot.press("colon")
        await stage.settle()
        assert "  30 " in stage.text() and "   1 " not in stage.text()
        await stage.pilot.press(*["pageup"] * 6)
        await stage.settle()
        assert "   1 " in stage.text() and "rows below" in stage.text()
        await stage.pilot.press(*["pagedown"] * 9, "q", "a", "space", "p")
        await stage.settle()
        assert "> qa p" in stage.text()
        assert "HELD" not in stage.text()

    async def run() -> None:
        async with staged(script(until=95.0)) as stage:
            await play(stage)

    asyncio.run(run())


def test_a_replay_says_that_it_takes_no_commands() -> None:
    async def play() -> None:
        async with staged(replayed(script(until=95.0), paused=True)) as stage:
            await stage.pilot.press("colon")
            await stage.settle()
            assert "REPLAY: a recording takes no commands" in stage.text()
            assert stage.text().count("REPLAY") >= 3  # the header, the bar, the uplink

    asyncio.run(play())


def test_a_burst_of_keys_acts_in_its_order() -> None:
    """As a slow connection delivers it: all at once."""

    async def play() -> None:
        async with staged(script(until=95.0)) as stage:
            step = [*"STPE", "backspace", "backspace", *"EP", "space", *"12", "enter"]
            for key in ["colon", *step, "ctrl+u", *"pi", "tab", "enter"]:
                stage.app.post_message(Key(key, " " if key == "space" else key if len(key) == 1 else None))
            await stage.settle()
            orders = [order for order in stage.source.asked if isinstance(order, CommandRequest)]
            assert [(order.name, order.arguments) for order in orders] == [("STEP", {"ticks": "12"}), ("PING", {})]

    asyncio.run(play())
