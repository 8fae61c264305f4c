"""The painter on a real event loop: nothing that arrives waits for ever, whatever moment it arrives at."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import pytest

from groundstation.tui.command_screen import CommandScreen
from groundstation.tui.descent import DescentScreen
from groundstation.tui.painter import PAINT_EVERY_S, Painter
from tests.groundstation.tui.scripted import LOS, host, script
from tests.groundstation.tui.stage import staged

DRAWS = 10_000
PATIENCE_S = 60.0
NEAR_ZERO_S = (0.0, 5e-324, 1e-12, 1e-9, 1e-7, 1e-6, 5e-6)


class Clock:
    """Real seconds, moved to where a test wants them."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def run(painter: Painter, play: Callable[[], Awaitable[None]]) -> None:
    async def both() -> None:
        painting = asyncio.create_task(painter.run())
        async with asyncio.timeout(PATIENCE_S):
            await play()
        painting.cancel()

    asyncio.run(both())


async def painted(painter: Painter, count: int) -> None:
    while painter.paintings < count:
        await asyncio.sleep(0)


def test_it_paints_again_after_10_000_waits_near_zero() -> None:
    """An arrival 0 to 5 µs before it may be painted is where a one-shot timer gets lost."""
    chance, clock, painted_at = random.Random(6), Clock(), [0.0]
    painter = Painter(lambda: painted_at.__setitem__(0, clock()), clock=clock, ages_s=3600.0)

    async def play() -> None:
        await painted(painter, 1)
        for _ in range(DRAWS):
            before = painter.paintings
            wait = chance.choice([*NEAR_ZERO_S, chance.uniform(0, 5e-6), -chance.uniform(0, 5e-6)])
            clock.ahead += painted_at[0] + PAINT_EVERY_S - wait - clock()
            painter.soon()
            await painted(painter, before + 1)

    run(painter, play)
    assert painter.paintings >= DRAWS


@pytest.mark.parametrize("early_s", NEAR_ZERO_S)
def test_an_arrival_as_another_wait_ends_is_painted(early_s: float) -> None:
    """It meets the end of the wait for ages, to the moment."""
    clock = Clock()
    painter = Painter(lambda: None, clock=clock, every_s=0.0, ages_s=0.001)

    async def play() -> None:
        for _ in range(200):
            await asyncio.sleep(max(0.0, 0.001 - early_s))
            before = painter.paintings
            painter.soon()
            await painted(painter, before + 1)

    run(painter, play)


def test_many_arrivals_are_one_painting_and_the_last_is_painted() -> None:
    seen: list[int] = []
    value = [0]
    painter = Painter(lambda: seen.append(value[0]), ages_s=3600.0)

    async def play() -> None:
        await painted(painter, 1)
        for value[0] in range(1, 101):
            painter.soon()
            await asyncio.sleep(0)
        await painted(painter, 2)

    run(painter, play)
    assert seen == [0, 100]


def test_without_arrivals_it_paints_for_the_ages() -> None:
    painter = Painter(lambda: None, ages_s=0.001)

    async def play() -> None:
        await painted(painter, 20)

    run(painter, play)


def test_a_deferred_painting_waits_for_what_follows() -> None:
    clock = Clock()
    painter = Painter(lambda: None, clock=clock, ages_s=3600.0)

    async def play() -> None:
        await painted(painter, 1)
        clock.ahead += 1.0
        painter.defer()
        painter.soon()
        for _ in range(10):
            await asyncio.sleep(0)
        assert painter.paintings == 1
        await painted(painter, 2)

    run(painter, play)


def test_a_painting_that_fails_ends_the_painter() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Painter(fail).run())


def test_the_application_paints_without_arrivals() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage, asyncio.timeout(PATIENCE_S):
            await painted(stage.app.painter, stage.app.painter.paintings + 3)

    asyncio.run(play())


def test_a_layout_whose_callback_is_lost_is_painted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Panels know their new sizes only after a refresh; no one callback is trusted to come then."""

    async def seen() -> str:
        async with staged(script(until=LOS + 0.9), (80, 24)) as stage, asyncio.timeout(PATIENCE_S):
            stage.clock.now = host(LOS + 0.9)
            await stage.pilot.resize_terminal(60, 18)
            for _ in range(4):
                await painted(stage.app.painter, stage.app.painter.paintings + 1)
                await stage.pilot.pause()
            return stage.text()

    kept = asyncio.run(seen())
    assert "LOSS OF SIGNAL" in kept
    monkeypatch.setattr(DescentScreen, "call_after_refresh", lambda *_: True)
    assert asyncio.run(seen()) == kept


@pytest.mark.long
@pytest.mark.parametrize("keys", [(), ("colon",)], ids=["descent", "commands"])
@pytest.mark.parametrize("size", [(20, 5), (60, 18), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_resize_that_is_lost_is_painted_all_the_same(
    size: tuple[int, int], keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal's size may come before the screen is mounted: its event is then without effect."""

    async def seen() -> str:
        async with staged(script(until=LOS + 0.9), (80, 24)) as stage, asyncio.timeout(PATIENCE_S):
            stage.clock.now = host(LOS + 0.9)
            await stage.pilot.press(*keys)
            await stage.pilot.resize_terminal(*size)
            for _ in range(4):
                await painted(stage.app.painter, stage.app.painter.paintings + 1)
                await stage.pilot.pause()
            return stage.text()

    kept = asyncio.run(seen())
    for screen in (DescentScreen, CommandScreen):
        monkeypatch.setattr(screen, "on_resize", lambda _: None)
    assert asyncio.run(seen()) == kept
