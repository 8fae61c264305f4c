"""The clock of a process: the machine's time at its start; later settings of that clock do not change it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from groundstation.host.clock import steady_clock
from groundstation.recordings.reader import ArchiveReader
from hil.lander_io.servers import PtyServer
from tests.groundstation.station.running import config_in, registry_in, running

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
    server = PtyServer(tmp_path / "tty")
    path, step = tmp_path / "pass.sqlite", 0
    config, registry = config_in(tmp_path, server.url), registry_in(tmp_path)

    async def run() -> None:
        nonlocal step
        async with running(config, registry, steady_clock(), lambda: time.time_ns() + step):
            assert await asyncio.to_thread(server.wait_for_listener, 10)
            step = step_s * S
            await asyncio.sleep(0.3)
            step = 0
            await asyncio.sleep(0.2)

    try:
        asyncio.run(run())
    finally:
        server.close()
    with ArchiveReader(path) as reader:
        events = [json.loads(event.body) for event in reader.events("event")]
    first, second = [event["text"] for event in events if event["name"] == "CLOCK"]
    assert words in first
    assert "agrees with this station's again" in second
