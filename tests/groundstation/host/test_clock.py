"""The clock of a process: the machine's time at its start; later settings of that clock do not change it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from groundstation.host.clock import steady_clock
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.config import StationConfig
from groundstation.station.registry import Registry
from groundstation.station.station import Station
from hil.lander_io.servers import PtyServer
from protocols.lander import MISSION

S = 1_000_000_000


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_setting_the_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch, step_s: int) -> None:
    wall = time.time_ns
    clock = steady_clock()
    assert abs(clock() - wall()) < S
    monkeypatch.setattr(time, "time_ns", lambda: wall() + step_s * S)
    before = clock()
    time.sleep(0.05)
    assert 0.05 * S <= clock() - before < 5 * S
    assert abs(steady_clock()() - wall() - step_s * S) < S  # who is started now goes by the new time


@pytest.mark.parametrize(("step_s", "words"), [(-3600, "3600 s behind"), (5, "5 s ahead of")])
def test_a_station_tells_that_the_clock_was_set_and_goes_on(tmp_path: Path, step_s: int, words: str) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    server = PtyServer(tmp_path / "tty")
    path, step = tmp_path / "pass.sqlite", 0
    config = StationConfig("bench", server.url, path, MISSION)
    station = Station(config, steady_clock(), Registry(tmp_path / "run"), lambda: time.time_ns() + step)

    async def run() -> None:
        nonlocal step
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(station.run())
            assert await asyncio.to_thread(server.wait_for_listener, 10)
            step = step_s * S
            await asyncio.sleep(0.3)
            step = 0
            await asyncio.sleep(0.2)
            station._stop.set()

    try:
        asyncio.run(run())
    finally:
        server.close()
    with ArchiveReader(path) as reader:
        events = [json.loads(event.body) for event in reader.events("event")]
    first, second = [event["text"] for event in events if event["name"] == "CLOCK"]
    assert words in first
    assert "agrees with this station's again" in second
