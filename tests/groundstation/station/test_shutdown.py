"""How a station comes to its end when the disk, or what waits to be decoded, takes its time."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from groundstation.errors import ArchiveError
from groundstation.links.base import Idle
from groundstation.recordings.reader import ArchiveReader
from groundstation.station import shutdown as ending
from groundstation.station import station as module
from groundstation.station.config import StationConfig
from groundstation.station.recorder import ArchivedReport
from groundstation.station.registry import Registry
from groundstation.station.station import Station
from hil.lander_io.servers import PtyServer
from protocols.lander import MISSION


def run_and_stop(tmp_path: Path, prepare: Callable[[Station], None], again_after_s: float | None = None) -> float:
    """Run a station, prepare it for its end, and stop it, by a second signal if it must be; seconds that it took."""
    (tmp_path / "run").mkdir(mode=0o700)
    server = PtyServer(tmp_path / "tty")
    config = StationConfig("bench", server.url, tmp_path / "pass.sqlite", MISSION)
    station = Station(config, time.time_ns, Registry(tmp_path / "run"))
    began = 0.0

    async def run() -> None:
        nonlocal began
        serving = asyncio.create_task(station.run())
        assert await asyncio.to_thread(server.wait_for_listener, 10)
        prepare(station)
        began = time.monotonic()
        station._ending.signalled()
        if again_after_s is not None:
            await asyncio.sleep(again_after_s)
            station._ending.signalled()
        async with asyncio.timeout(20):
            await serving

    try:
        asyncio.run(run())
        return time.monotonic() - began
    finally:
        server.close()


@pytest.mark.parametrize("answers", [True, False])
def test_a_disk_that_does_not_answer_is_waited_for_until_a_second_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], answers: bool
) -> None:
    monkeypatch.setattr(ending, "DISK_S", 0.1)
    disk = threading.Event()

    def prepare(station: Station) -> None:
        close = station._archive.close

        def closes_late() -> None:
            disk.wait(20)
            close()

        monkeypatch.setattr(station._archive, "close", closes_late)
        if answers:
            threading.Timer(0.5, disk.set).start()

    try:
        if answers:
            run_and_stop(tmp_path, prepare)
            with ArchiveReader(tmp_path / "pass.sqlite") as reader:
                assert reader.closed
        else:
            with pytest.raises(ArchiveError, match="was not closed: the disk does not answer"):
                run_and_stop(tmp_path, prepare, again_after_s=1.0)
    finally:
        disk.set()
    assert "waiting for it" in capfd.readouterr().err


def test_what_is_left_to_decode_holds_the_end_up_for_a_moment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are archived; who stops an overloaded station does not wait for minutes."""
    monkeypatch.setattr(module, "_LAST_SLICES_S", 0.3)

    def prepare(station: Station) -> None:
        monkeypatch.setattr(station, "_take", lambda kept: time.sleep(0.01))
        for number in range(5000):
            station._queue.put(ArchivedReport(Idle(number), 0))

    assert run_and_stop(tmp_path, prepare) < 10
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert reader.closed
        texts = [json.loads(event.body)["text"] for event in reader.events("event")]
    (overrun,) = [text for text in texts if "archived and not decoded" in text]
    assert 4000 < int(overrun.split()[2]) <= 5000


def test_a_fault_at_the_end_leaves_the_recording_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be decoded is no reason to leave open what was archived."""

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_and_stop(tmp_path, lambda station: monkeypatch.setattr(station, "_take_last", fail))
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert reader.closed
