"""A viewer behind a slow line says how old what it shows is, and what it says is true."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from groundstation.messages.wire import Telemetry
from groundstation.security.endpoints import Endpoints, pair_of
from groundstation.viewer.client import StationClient
from groundstation.viewer.model import PassModel
from groundstation.viewer.source import StationBack, StationLost
from tests.shown import ALTITUDE
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.system.remote import GROUND, PATIENCE_S, free_pair, snapshot
from tests.system.slow_line import SlowLine, slow_line
from tests.system.test_terminal import Terminal

pytestmark = pytest.mark.long

S = 1_000_000_000
PERIOD_S = 0.05
TRUTH_NS = 300_000_000
"""The shown lag is that near to the true one: what the first snapshot took, and a busy machine."""


@pytest.fixture
def station(home: Path) -> Iterator[Endpoints]:
    """A station with 20 frames of the descent a second, on this host: its clock and the viewer's agree."""
    feeder, recording, address = Feeder(period_s=PERIOD_S), home / "bench.sqlite", f"tcp://127.0.0.1:{free_pair()}"
    command = [*GROUND, "serve", f"serial:{feeder.device}", "--name", "bench", "--record", str(recording), "--announce"]
    with subprocess.Popen([*command, "--bind", address], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline()
            wait_until_connected(recording)
            feeder.start()
            yield pair_of(address)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            feeder.close()


@pytest.mark.parametrize("asked", [0, 4000], ids=["answers at once", "answers as slow"])
def test_shown_lag_is_the_true_one_and_ends_with_its_cause(station: Endpoints, asked: int) -> None:
    async def watch(ends: Endpoints, line: SlowLine) -> None:
        client, model = StationClient(ends, host_clock), PassModel()
        try:
            model.apply(await client.connect(), host_clock())
            model.compare_clocks(await client.clock() or 0, host_clock())
            caught_up = 0
            async for update in client.messages():
                assert not isinstance(update, StationLost | StationBack)
                model.apply(update, now := host_clock())
                if not isinstance(update, Telemetry) or update.packet != ALTITUDE[0]:
                    continue
                true, shown = now - update.ert, model.behind_ns(now)
                assert abs(shown - true) < TRUTH_NS, (shown, true)
                if shown >= S:
                    assert not model.is_live(now)
                    assert model.reading(ALTITUDE, now).freshness == "STALE"
                if shown > 4 * S:
                    line.rate = 0
                caught_up += not line.rate and model.is_live(now)
                if caught_up > 5:
                    return
        finally:
            await client.close()

    with slow_line(station, 4000, asked) as (ends, line):
        asyncio.run(asyncio.wait_for(watch(ends, line), 60))


def test_screen_behind_a_slow_line_says_how_old_it_is(station: Endpoints, home: Path) -> None:
    with slow_line(station, 4000) as (ends, line):
        stage = Terminal(home, 120, 24, f"{sys.executable} -m groundstation.cli watch {ends.telemetry}")
        try:
            stage.wait_for("AEROBRAKING")
            stage.wait_for("LAG")
            for _ in range(20):
                screen, now = stage.screen(), host_clock()
                clock, lag = re.search(r"T\+(\d+):([\d.]+)", screen), re.search(r"lag (\d+(?:\.\d)?) s", screen)
                assert clock is not None and lag is not None, screen
                shown = snapshot().telemetry
                newest = next(each for each in shown if each.packet == ALTITUDE[0])
                tick = round((60 * int(clock[1]) + float(clock[2])) * 10)
                behind = int(newest.values["tick"]) - tick  # type: ignore[arg-type]
                true = behind * PERIOD_S * 1.1 - (newest.ert - now) / S  # one frame of the bus every ten
                assert abs(float(lag[1]) - true) < 1.5, screen
                assert ("LIVE" in screen) == ("LAG" not in screen)
                assert "LAG" in screen or true < 2
                time.sleep(0.3)
            line.rate = 0
            stage.wait_for("LIVE")
        finally:
            stage.close()


@pytest.mark.parametrize("style", ["--plain", "--json"])
def test_lines_say_how_late_they_are_and_when_that_is_over(station: Endpoints, style: str) -> None:
    with slow_line(station, 3000) as (ends, line):
        command = [*GROUND, "watch", ends.telemetry, style]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewer:
            assert viewer.stdout is not None
            said: list[float] = []
            for text in viewer.stdout:
                behind = behind_ms(text, style)
                if behind is None:
                    continue
                if behind < 1000 and not line.rate:
                    break
                said.append(behind)
                if behind > 3000:
                    line.rate = 0
            viewer.terminate()
    assert said[0] < 2500
    assert said[-1] > 3000


def behind_ms(text: str, style: str) -> float | None:
    """What a line says of how late it is; None if it is about something else."""
    if style == "--json":
        message = json.loads(text)
        return float(message["behind_ms"]) if message["type"] == "lag" else None
    if not text.startswith("VIEWER "):
        return None
    found = re.search(r"what follows is ([\d.]+) s behind the station", text)
    return float(found[1]) * 1000 if found else 0.0
