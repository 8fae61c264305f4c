"""Viewers of real stations that come late, outlive their station, or see the lander flown again."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from groundstation.messages.wire import History, HistoryRequest, Snapshot
from groundstation.recordings.reader import ArchiveReader
from groundstation.viewer.model import PassModel
from groundstation.viewer.source import StationBack, StationLost
from tests.groundstation.made_recordings import record
from tests.shown import ALTITUDE, PLOTTED
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.system.conftest import Run
from tests.system.remote import GROUND, PATIENCE_S, local, until
from tests.system.remote import snapshot as snapshot_of_the_station

pytestmark = pytest.mark.long


@contextmanager
def station(feeder: Feeder, recording: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A station named ``bench`` at the feeder's port."""
    command = [*GROUND, "serve", f"serial:{feeder.device}", "--name", "bench", "--record", str(recording), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline()
            wait_until_connected(recording)
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_S)


class Watching:
    """A viewer's model, kept up to date."""

    def __init__(self) -> None:
        self.model = PassModel()
        self.client = local()

    async def join(self) -> Snapshot:
        snapshot = await self.client.connect()
        self.model.apply(snapshot, host_clock())
        history = await self.client.request(HistoryRequest(parameters=list(PLOTTED)))
        assert isinstance(history, History)
        self.model.flight.load(history)
        return snapshot

    async def until(self, reached: Callable[[PassModel], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            async for update in self.client.messages():
                if isinstance(update, StationLost):
                    self.model.station_lost(update.since_ns)
                else:
                    self.model.apply(update.snapshot if isinstance(update, StationBack) else update, host_clock())
                if reached(self.model):
                    return


@asynccontextmanager
async def watching() -> AsyncIterator[Watching]:
    viewer = Watching()
    try:
        yield viewer
    finally:
        await viewer.client.close()


def decoded(recording: Path, run: Run) -> dict[int, float]:
    """The altitude over SCET, as the recording has it."""
    lines = run("groundstation", "replay", str(recording), "--json", "--speed", "1000").stdout.splitlines()
    packets = [each for each in map(json.loads, lines) if each.get("packet") == ALTITUDE[0]]
    return {packet["scet"]: packet["values"]["altitude"] for packet in packets}


def test_late_viewer_shows_the_curve_that_was_recorded(home: Path, run: Run) -> None:
    feeder, recording = Feeder(period_s=0.0005), home / "bench.sqlite"

    async def look() -> PassModel:
        async with watching() as viewer:
            await viewer.join()
            return viewer.model

    with station(feeder, recording):
        feeder.start()
        until(lambda: snapshot_of_the_station().link.counters.frames_good == len(feeder.frames) or None, "frames")
        until(lambda: snapshot_of_the_station().losses or None, "loss")
        model = asyncio.run(look())
    feeder.close()
    true = decoded(recording, run)
    curve = model.flight.series[ALTITUDE].samples
    assert (curve[0][0], curve[-1][0]) == (min(true), max(true))
    assert len(curve) > 400
    assert all(abs(value - true[scet]) <= 0.06 for scet, value in curve)
    assert model.clock is not None and model.clock >= max(true)
    assert model.banner_loss() is not None and model.log.entries
    with ArchiveReader(recording) as archive:
        told = [json.loads(each.body) for each in archive.events("event")]
    kept = {(entry.name, entry.ert) for entry in model.log.entries}
    assert {(each["name"], each["ert"]) for each in told} <= kept


def test_a_lander_flown_again_leaves_nothing_of_the_flight_before(home: Path) -> None:
    feeder, recording = Feeder(period_s=0.002, rounds=2), home / "bench.sqlite"

    async def play() -> None:
        async with watching() as early:
            await early.join()
            feeder.start()
            await early.until(lambda model: len(model.flight.series[ALTITUDE].samples) > 1000)
            await early.until(lambda model: 0 < len(model.flight.series[ALTITUDE].samples) < 100)
            await early.until(lambda model: len(model.flight.series[ALTITUDE].samples) > 300)
            async with watching() as late:
                await late.join()
                for viewer, ahead_s in ((early, 1), (late, 60)):  # the curve is a little newer than the snapshot
                    flight = viewer.model.flight
                    assert flight.clock is not None
                    latest = flight.clock + ahead_s * 10**9
                    assert flight.series[ALTITUDE].samples
                    assert all(scet <= latest for scet, _ in flight.series[ALTITUDE].samples)
                    assert all(mark <= latest for _, mark in flight.loss_marks)

    with station(feeder, recording):
        asyncio.run(play())
    feeder.close()


def test_a_station_killed_and_started_again_is_said_and_mixes_with_nothing(home: Path) -> None:
    feeder = Feeder(period_s=0.005)

    async def play(first: subprocess.Popen[bytes]) -> None:
        async with watching() as viewer:
            model = viewer.model
            await viewer.join()
            feeder.start()
            await viewer.until(lambda model: len(model.flight.series[ALTITUDE].samples) > 300)
            first.kill()
            await viewer.until(lambda model: model.gone_ns(host_clock()) is not None)
            before, now = model.flight.clock, host_clock()
            assert before is not None
            assert not model.is_live(now) and model.signal(0, now) == "UNKNOWN"
            assert model.reading(ALTITUDE, now).freshness == "STALE"
            with station(feeder, home / "second.sqlite"):
                await viewer.until(lambda model: model.restarted_at is not None)
                await viewer.until(lambda model: len(model.flight.series[ALTITUDE].samples) < 300)
                await viewer.until(lambda model: len(model.flight.series[ALTITUDE].samples) > 50)
                assert min(scet for scet, _ in model.flight.series[ALTITUDE].samples) > before
                assert "STATION_RESTARTED" in [entry.name for entry in model.log.entries]
                assert model.is_live(host_clock())

    with station(feeder, home / "first.sqlite") as first:
        asyncio.run(play(first))
    feeder.close()


def test_a_replay_says_from_where_it_counts(home: Path, run: Run) -> None:
    path = home / "pass.sqlite"
    record(path)
    whole = run("groundstation", "replay", str(path), "--json", "--speed", "1000").stdout.splitlines()
    part = run("groundstation", "replay", str(path), "--json", "--speed", "1000", "--from", "09:10:55").stdout
    for lines, jumped in ((whole, False), (part.splitlines(), True)):
        links = [each for each in map(json.loads, lines) if each["type"] == "link" and each["playback"]["jumps"]]
        playback = links[-1]["playback"]
        with ArchiveReader(path) as archive:
            counted = sum(len(data) for ert, _, data in archive.chunks() if ert >= playback["counted_from"])
        assert links[-1]["counters"]["bytes_in"] == counted
        assert (playback["counted_from"] > playback["first"]) == jumped


def test_any_listener_may_ask_for_curves_and_not_for_too_many(home: Path) -> None:
    feeder = Feeder()

    async def ask() -> list[object]:
        async with watching() as viewer:
            await viewer.client.connect()
            too_many = HistoryRequest(parameters=[("X", str(number)) for number in range(65)])
            answers = [await viewer.client.request(HistoryRequest(parameters=[("NO", "such")]))]
            return [*answers, await viewer.client.request(too_many)]

    with station(feeder, home / "bench.sqlite"):
        history, refused = asyncio.run(ask())
    feeder.close()
    assert isinstance(history, History) and history.curves == []
    assert "not understood" in str(refused)
