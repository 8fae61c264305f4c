"""Puts the application on a stage without a terminal: a script, a size, a moment; gives back what is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from groundstation.messages.commanding import CommandState
from groundstation.messages.wire import Heartbeat, History
from groundstation.tui.app import StationApp
from groundstation.tui.command_screen import CommandScreen
from groundstation.tui.descent import DescentScreen
from tests.groundstation.tui.scripted import (
    HOST,
    LOS,
    FakeClock,
    ScriptedSource,
    Timed,
    host,
    ordered,
    replayed,
    script,
    uplink,
)

SIZES = ((20, 5), (60, 18), (80, 24), (120, 40))


@dataclass(frozen=True, slots=True)
class Scene:
    """A script up to a moment, how long nothing has come since, and what was pressed and typed then."""

    until: float
    waited: float = 0.0
    replay: bool = False
    keys: tuple[str, ...] = ()


SCENES = {
    "aos": Scene(98.0),
    "stale": Scene(240.0, waited=1.2),
    "los": Scene(LOS + 0.9),
    "gone": Scene(290.0, waited=5.0),
    "replay": Scene(LOS + 0.9, replay=True),
    "bus": Scene(240.0, waited=0.1, keys=("2",)),
    "bus-stale": Scene(240.0, waited=35.0, keys=("2",)),
    "surface": Scene(486.0, keys=("a", "3")),
    "surface-before": Scene(300.0, keys=("3",)),
    "quality": Scene(230.0, keys=("4",)),
    "relays": Scene(240.0, keys=("5",)),
    "commands": Scene(98.0, keys=("colon", *"STEP", "tab")),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The running application with its clock and its pilot."""

    app: StationApp
    clock: FakeClock
    pilot: Pilot[int]
    source: ScriptedSource

    def shows(self, screen: type[Screen[Any]]) -> bool:
        """Whether this screen lies on top."""
        return isinstance(self.app.screen, screen)

    async def settle(self) -> None:
        """Paint for the clock as it stands; twice, for a banner moves the panels."""
        for _ in range(2):
            assert isinstance(self.app.screen_stack[1], DescentScreen)
            self.app.screen_stack[1].paint_all()
            if isinstance(self.app.screen, CommandScreen):
                self.app.screen.paint()
            await self.pilot.pause()

    async def at(self, seconds: float) -> None:
        """Set the clock to so many seconds after entry."""
        self.clock.now = host(seconds)
        await self.settle()

    async def hears(self, seconds: float) -> None:
        """Set the clock, and let the station say something then: it goes on."""
        self.clock.now = host(seconds)
        await self.source.say(Heartbeat(ert=host(seconds), sequences={}))
        await self.settle()

    def colours(self, text: str) -> set[str]:
        """The colours of a piece of text on the screen, wherever it stands."""
        styles = [part.style for strip in self._strips() for part in strip if text in part.text]
        return {style.color.name for style in styles if style is not None and style.color is not None}

    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(strip.text.rstrip() for strip in self._strips()) + "\n"

    def _strips(self) -> list[Strip]:
        return self.app.screen._compositor.render_strips()


@asynccontextmanager
async def staged(
    updates: Iterator[Timed],
    size: tuple[int, int] = (80, 24),
    *,
    ascii_only: bool = False,
    history: History | None = None,
) -> AsyncIterator[Stage]:
    """Run the application until the script is through."""
    clock = FakeClock(HOST)
    source = ScriptedSource(updates, clock)
    source.history = history or source.history
    app = StationApp(source, ascii_only=ascii_only, clock=clock)
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(20):  # an application that died would never finish the script
            await source.done.wait()
        stage = Stage(app, clock, pilot, source)
        await stage.settle()
        yield stage
    assert source.closed


def commanded(until: float) -> Iterator[Timed]:
    """Commands in all their states, by two people, while the station is armed."""
    states: tuple[CommandState, ...] = ("QUEUED", "SENT", "ACCEPTED", "COMPLETED")
    updates = [
        *ordered(1, "PING", *states, at=until - 9, who="station", tick=970),
        *ordered(2, "STEP", "QUEUED", "SENT", "FAILED", at=until - 7, arguments={"ticks": 10},
                 detail="the spacecraft says WRONG_STATE"),
        *ordered(3, "FIRE_RETROS", *states[:3], at=until - 5, who="eve@console", critical=True, tick=978),
        *ordered(4, "PING", *states[:2], at=until - 3),
        *ordered(5, "PING", *states[:2], at=until - 2, delivered=True),
        *ordered(6, "HOLD", *states[:1], at=until - 1),
    ]  # fmt: skip
    yield from ((until, update) for update in updates)
    yield until, uplink(until, unacknowledged=1, armed_until=host(until + 23), armed_by="ada@bench")


@asynccontextmanager
async def scene(name: str, size: tuple[int, int], *, ascii_only: bool = False) -> AsyncIterator[Stage]:
    """One of the scenes that have a golden."""
    wanted = SCENES[name]
    updates = script(until=wanted.until)
    if wanted.replay:
        updates = replayed(updates, paused=True)
    elif wanted.keys[:1] == ("colon",):
        updates = chain(updates, commanded(wanted.until))
    async with staged(updates, size, ascii_only=ascii_only) as stage:
        await stage.pilot.press(*wanted.keys)
        await stage.at(wanted.until + wanted.waited)
        yield stage
