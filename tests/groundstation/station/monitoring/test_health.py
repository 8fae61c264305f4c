"""What a station notices, and that it says each thing once."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from random import Random

from groundstation.messages.wire import Counters
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.monitoring.health import FRAMES_WAITED, STEP_NS, HealthMonitor
from groundstation.viewer.client import StationClient
from hil.lander_io.servers import PtyServer
from protocols.profile import UART
from tests.groundstation.station.running import config_in, registry_in, running

LENGTH = 132
S = 1_000_000_000
HOUR = 3600 * S
NONE = Counters()


def said(
    health: HealthMonitor,
    error: str | None = None,
    step: int = 0,
    counters: Counters = NONE,
    missing: str = "",
    now: int = 0,
) -> list[str]:
    told = health.look(now, error, missing, step, counters)
    return [f"{severity} {name} {text}" for severity, name, text in told]


def test_an_archive_that_cannot_write_is_told_and_so_is_its_return() -> None:
    health = HealthMonitor(LENGTH)
    assert said(health) == []
    assert said(health, "pass.sqlite: full") == [
        "WARNING_HI ARCHIVE not recording: pass.sqlite: full. Reception goes on"
    ]
    assert said(health, "pass.sqlite: full") == []
    assert said(health) == ["ACTIVITY_HI ARCHIVE the recording goes on; nothing is missing"]
    assert said(health) == []


def test_an_archive_that_writes_again_says_what_it_dropped() -> None:
    health = HealthMonitor(LENGTH)
    said(health, "pass.sqlite: full")
    (text,) = said(health, missing="3 reads, 30 bytes")
    assert text == "ACTIVITY_HI ARCHIVE the recording goes on; missing, and noted in it: 3 reads, 30 bytes"


def test_a_clock_that_was_set_is_told() -> None:
    health = HealthMonitor(LENGTH)
    assert said(health, step=STEP_NS) == said(health, step=-STEP_NS // 2) == []
    (text,) = said(health, step=-HOUR)
    assert "3600 s behind this station's, which stays as it is" in text
    assert said(health, step=-HOUR + STEP_NS) == []
    (text,) = said(health, step=HOUR)
    assert "3600 s ahead of this station's" in text
    (text,) = said(health)
    assert "agrees with this station's again" in text


def test_bytes_without_a_frame_are_told_once() -> None:
    """The usual mistake on a bench: another baud rate."""
    health = HealthMonitor(LENGTH)
    enough = FRAMES_WAITED * LENGTH
    assert said(health, counters=Counters(bytes_in=enough - 1)) == []
    (text,) = said(health, counters=Counters(bytes_in=enough))
    assert text.startswith(f"WARNING_HI NO_FRAMES {enough:,} bytes and not one frame: another baud rate")
    assert said(health, counters=Counters(bytes_in=2 * enough)) == []


def test_bytes_that_come_for_five_seconds_without_a_frame_are_told() -> None:
    """A lander that only greets, at another baud rate: a few bytes a second."""
    health = HealthMonitor(LENGTH)
    assert said(health, now=60 * S) == []
    for second in range(5):
        assert said(health, counters=Counters(bytes_in=12 * (second + 1)), now=(100 + second) * S) == []
    assert said(health, counters=Counters(bytes_in=60), now=109 * S) == []  # nothing new came: it waits
    (text,) = said(health, counters=Counters(bytes_in=72), now=110 * S)
    assert text.startswith("WARNING_HI NO_FRAMES 72 bytes and not one frame")
    assert said(health, counters=Counters(bytes_in=84), now=111 * S) == []


def test_a_frame_after_a_pause_is_not_called_missing() -> None:
    """Half a frame at first, and the next one, whole, ten seconds later."""
    health = HealthMonitor(LENGTH)
    assert said(health, counters=Counters(bytes_in=LENGTH // 2), now=100 * S) == []
    assert said(health, counters=Counters(bytes_in=3 * LENGTH // 2, frames_good=1), now=110 * S) == []


def test_after_a_frame_the_port_is_known() -> None:
    health = HealthMonitor(LENGTH)
    assert said(health, counters=Counters(bytes_in=LENGTH, frames_good=1)) == []
    assert said(health, counters=Counters(bytes_in=10**6, frames_good=1)) == []


def test_a_station_says_that_what_comes_is_no_telemetry(tmp_path: Path) -> None:
    server, registry = PtyServer(tmp_path / "tty"), registry_in(tmp_path)
    noise = Random(6).randbytes(FRAMES_WAITED * UART.cadu_length)

    async def run() -> None:
        async with asyncio.timeout(20), running(config_in(tmp_path, server.url), registry):
            assert await asyncio.to_thread(server.wait_for_listener, 10)
            client = StationClient(registry.find("bench"), time.time_ns)
            server.send(noise)
            while (await client.connect()).link.counters.bytes_in < len(noise):
                await asyncio.sleep(0.01)
            await client.close()
            await asyncio.sleep(0.3)

    try:
        asyncio.run(run())
    finally:
        server.close()
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        names = [json.loads(event.body)["name"] for event in reader.events("event")]
    assert names.count("NO_FRAMES") == 1
