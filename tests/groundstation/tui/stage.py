"""Puts the application on a stage without a terminal: a script, a size, a moment; gives back what is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot

from groundstation.tui.app import StationApp
from groundstation.tui.descent import DescentScreen
from tests.groundstation.tui.scripted import HOST, LOS, FakeClock, ScriptedSource, Timed, host, script

SIZES = ((80, 24), (120, 40))


@dataclass(frozen=True, slots=True)
class Scene:
    """A script up to a moment, and how long nothing has come since."""

    until: float
    waited: float = 0.0


SCENES = {
    "aos": Scene(98.0),
    "stale": Scene(240.0, waited=1.2),
    "los": Scene(LOS + 0.9),
    "gone": Scene(290.0, waited=5.0),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The running application with its clock and its pilot."""

    app: StationApp
    clock: FakeClock
    pilot: Pilot[int]

    async def settle(self) -> None:
        """Paint for the clock as it stands; twice, for a banner moves the panels."""
        for _ in range(2):
            assert isinstance(self.app.screen_stack[1], DescentScreen)
            self.app.screen_stack[1].paint_all()
            await self.pilot.pause()

    async def at(self, seconds: float) -> None:
        """Set the clock to so many seconds after entry."""
        self.clock.now = host(seconds)
        await self.settle()

    def text(self) -> str:
        """What is on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


@asynccontextmanager
async def staged(
    updates: Iterator[Timed], size: tuple[int, int] = (80, 24), *, ascii_only: bool = False
) -> AsyncIterator[Stage]:
    """Run the application until the script is through."""
    clock = FakeClock(HOST)
    source = ScriptedSource(updates, clock)
    app = StationApp(source, ascii_only=ascii_only, clock=clock)
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(20):  # an application that died would never finish the script
            await source.done.wait()
        stage = Stage(app, clock, pilot)
        await stage.settle()
        yield stage
    assert source.closed


@asynccontextmanager
async def scene(name: str, size: tuple[int, int], *, ascii_only: bool = False) -> AsyncIterator[Stage]:
    """One of the scenes that have a golden."""
    wanted = SCENES[name]
    async with staged(script(until=wanted.until), size, ascii_only=ascii_only) as stage:
        await stage.at(wanted.until + wanted.waited)
        yield stage
