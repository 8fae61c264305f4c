"""A station that runs in this process for a test, and a link whose reports the test gives."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from groundstation.links.base import Clock, Report
from groundstation.station.config import StationConfig
from groundstation.station.registry import Registry
from groundstation.station.server import StationServer
from groundstation.station.station import open_station
from protocols.declare.mission import Mission
from protocols.lander import MISSION


def config_in(folder: Path, link: str) -> StationConfig:
    """A station named bench that records into the folder."""
    return StationConfig("bench", link, folder / "pass.sqlite", MISSION)


def registry_in(folder: Path) -> Registry:
    """Stations that nothing outside the test finds."""
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    return Registry(folder / "run")


@asynccontextmanager
async def running(
    config: StationConfig, registry: Registry, clock: Clock = time.time_ns, wall: Clock = time.time_ns
) -> AsyncIterator[StationServer]:
    """Serve while the block runs; stopped at its end, if it was not before."""
    async with open_station(config, clock, registry, wall) as station, asyncio.TaskGroup() as tasks:
        ready = asyncio.Event()
        tasks.create_task(station.serve(lambda _: ready.set()))
        await ready.wait()
        yield station
        station.stop()


class ScriptedLink:
    """Reports what it is given, from a thread of its own, as fast as it can. `from_url` gives it to a station."""

    OPTIONS = ()
    url = "scripted:"

    def __init__(self, reports: list[Report]) -> None:
        self.done = threading.Event()
        self._reports = reports

    def from_url(self, address: str, options: Mapping[str, str], clock: Clock, mission: Mission | None) -> ScriptedLink:
        """The link of any URL."""
        return self

    def now(self) -> int:
        """The host's time."""
        return time.time_ns()

    def start(self, sink: Callable[[Report], None]) -> None:
        """Report everything."""

        def run() -> None:
            for report in self._reports:
                sink(report)
            self.done.set()

        threading.Thread(target=run).start()

    def write(self, data: bytes) -> None:
        """Into nothing."""

    def stop(self) -> None:
        """Wait until everything was reported."""
        self.done.wait(20)
