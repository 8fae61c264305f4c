"""Recordings end to end: killed stations, full disks, and replays with their viewers."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from groundstation.links.replay import replay_url
from groundstation.messages.commanding import CommandRequest
from groundstation.messages.wire import (
    AnyMessage,
    ContactChange,
    EventMessage,
    LinkStatus,
    Refusal,
    ReplayControl,
    Snapshot,
    Telemetry,
)
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.registry import Registry
from groundstation.viewer.client import StationClient
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import SCENARIOS, load_scenario
from protocols.lander import EPOCH
from protocols.profile import UART
from protocols.sync.deframer import Deframer, Frame
from tests.groundstation.made_recordings import damage, record
from tests.stress.kill_station import Feeder, kill_once, wait_until_connected
from tests.system.conftest import Run
from tests.system.test_terminal import Terminal

pytestmark = pytest.mark.long

S = 1_000_000_000
PATIENCE_S = 60.0


@contextmanager
def serving(link: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A station process that serves."""
    command = [sys.executable, "-m", "groundstation.cli", "serve", link, "--name", "bench", "--announce", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as station:
        try:
            assert station.stdout is not None
            assert station.stdout.readline(), "the station did not start"
            yield station
        finally:
            station.send_signal(signal.SIGTERM)
            try:
                station.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                station.kill()


async def until(client: StationClient, wanted: Callable[[AnyMessage], bool]) -> list[AnyMessage]:
    """All messages up to the wanted one."""
    seen: list[AnyMessage] = []
    async with asyncio.timeout(PATIENCE_S):
        async for message in client.messages():
            seen.append(message)  # type: ignore[arg-type]
            if wanted(message):  # type: ignore[arg-type]
                return seen
    raise AssertionError("the station ended")


def viewer() -> StationClient:
    return StationClient(Registry().find("bench"), time.time_ns)


def is_event(name: str, text: str = "") -> Callable[[AnyMessage], bool]:
    return lambda m: isinstance(m, EventMessage) and m.name == name and text in m.text


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_station_leaves_all_but_the_last_moment(tmp_path: Path, seed: int) -> None:
    killed = kill_once(tmp_path, random.Random(seed).uniform(0.3, 1.5))
    assert killed.kept >= killed.committed
    assert killed.missing_ms < 400  # 100 ms, and what a busy disk adds; the stress test holds the 100 ms


def test_a_recording_of_a_killed_station_replays_to_its_last_frame(home: Path, run: Run) -> None:
    (home / "data").mkdir()
    killed = kill_once(home / "data", 1.5)
    with ArchiveReader(killed.recording) as reader:
        stream = b"".join(data for _, _, data in reader.chunks())
    frames = sum(isinstance(found, Frame) for found in Deframer(UART).feed(stream))
    done = run("groundstation", "replay", str(killed.recording), "--speed", "20", "--json")
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert messages[-1]["name"] == "REPLAY_END"
    links = [m for m in messages if m["type"] == "link"]
    assert links[-1]["counters"]["frames_good"] == frames > 50
    assert all(m["replay"] for m in messages if m["type"] != "heartbeat")
    assert "uplink" not in {m["type"] for m in messages}  # a replay has no way up
    assert messages[0]["uplink"] is None
    assert list((home / "run" / "groundstation").iterdir()) == []
    assert "not closed" in run("groundstation", "info", str(killed.recording)).stdout
    with ArchiveReader(killed.recording) as reader:
        told = Counter(_words(json.loads(event.body)) for event in reader.events("event"))
    own = [m["text"] for m in messages if m.get("name") == "REPLAY_END"] + ["recording to nothing: this is a replay"]
    news = [m for m in messages if m["type"] == "event"] + messages[0]["events"]
    assert Counter(_words(m) for m in news if m["text"] not in own) == told
    assert {name for _, name, *_ in told} >= {"'STATION_START'", "'CONNECTED'"}


def test_a_replay_tells_what_the_station_told(home: Path, run: Run) -> None:
    """Commands, armings and all other events, once each and marked; only the replay's own words are new."""
    scenario = load_scenario(SCENARIOS / "commands-during-descent.toml")
    fly_plan(Plan(scenario, "software", "lockstep", home / "flight", "test"), lambda: 0, lambda scet: None)
    (path,) = (home / "flight").rglob("*.sqlite")
    with ArchiveReader(path) as reader:
        told = Counter(_words(json.loads(e.body)) for e in reader.events() if e.kind in ("event", "command"))
    done = run("groundstation", "replay", str(path), "--speed", "1000", "--json")
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(m["replay"] for m in messages if m["type"] != "heartbeat")
    news = [m for m in messages if m["type"] in ("event", "command")] + messages[0]["events"]
    own = ("STATION_START", "REPLAY_END")
    assert Counter(_words(m) for m in news if m.get("name") not in own) == told
    assert any(kind == "command" for kind, *_ in told)


def _words(message: dict[str, Any]) -> tuple[str, ...]:
    return message["type"], *(repr(message.get(name)) for name in ("name", "text", "ert", "state", "detail"))


@pytest.mark.parametrize("kind", ["transport", "event"])
@pytest.mark.parametrize("style", ["--json", "--plain"])
def test_a_replay_passes_over_a_damaged_event_and_says_so(home: Path, run: Run, kind: str, style: str) -> None:
    path = home / "pass.sqlite"
    record(path)
    number = damage(path, kind)
    done = run("groundstation", "replay", str(path), "--speed", "1000", style)
    assert done.returncode == 19, done.stderr
    assert "the recording ends here; it is damaged" in done.stderr.splitlines()[-1]
    assert f"record {number}, kind '{kind}'" in done.stdout
    assert "REPLAY_INCOMPLETE" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_damaged_event_is_a_listed_reason(home: Path, run: Run) -> None:
    record(home / "good.sqlite")
    record(home / "bad.sqlite")
    damage(home / "bad.sqlite", "contact")
    done = run("groundstation", "passes", str(home))
    assert done.returncode == 19, done.stderr
    assert "bad.sqlite (damaged)" in done.stdout
    assert str(home / "good.sqlite") in done.stdout
    assert "1 of 2 recordings" in done.stderr
    done = run("groundstation", "info", str(home / "bad.sqlite"))
    assert done.returncode == 19
    assert "kind 'contact'" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_full_disk_stops_the_recording_and_nothing_else(home: Path) -> None:
    recording = home / "pass.sqlite"
    feeder = Feeder(period_s=0.0003, rounds=40)
    try:
        with serving(f"serial:{feeder.device}", "--record", str(recording)) as station:
            wait_until_connected(recording)
            resource.prlimit(station.pid, resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
            feeder.start()
            asyncio.run(_fill_and_clear(station.pid))
    finally:
        feeder.close()
    with ArchiveReader(recording) as reader:
        gaps = [json.loads(event.body) for event in reader.events("gap")]
        assert gaps
        assert gaps[0]["records"] > 0
        last = reader.last_event("event", 1 << 62)
        assert last is not None
        assert b"STATION_STOP" in last.body


def test_a_recording_that_is_moved_away_stops_and_nothing_else(home: Path) -> None:
    recording = home / "pass.sqlite"
    feeder = Feeder(period_s=0.002, rounds=40)
    try:
        with serving(f"serial:{feeder.device}", "--record", str(recording)):
            wait_until_connected(recording)
            feeder.start()
            asyncio.run(_move_and_bring_back(recording))
    finally:
        feeder.close()
    with ArchiveReader(recording) as reader:
        assert reader.closed
        data = b"".join(chunk for _, _, chunk in reader.chunks())
        assert data == b"".join(feeder.frames)[: len(data)]  # what waited for its return is there too
        texts = [json.loads(event.body)["text"] for event in reader.events("event")]
    assert any("moved or removed" in text for text in texts)


async def _move_and_bring_back(recording: Path) -> None:
    client, away = viewer(), recording.with_name("elsewhere")
    try:
        await client.connect()
        recording.rename(away)
        seen = await until(client, is_event("ARCHIVE", "not recording"))
        assert "moved or removed" in seen[-1].text  # type: ignore[union-attr]
        seen = await until(client, lambda m: isinstance(m, LinkStatus) and not m.recording_ok)
        seen = await until(client, lambda m: isinstance(m, Telemetry))  # reception and display go on
        away.rename(recording)
        await until(client, is_event("ARCHIVE", "goes on"))
        await until(client, lambda m: isinstance(m, LinkStatus) and m.recording_ok)
    finally:
        await client.close()


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda data: b"no recording at all\n" * 100,
    "empty": lambda data: b"",
    "noise": lambda data: random.Random(6).randbytes(50_000),
    "cut": lambda data: data[:4000],
    "damaged": lambda data: data[:4096] + random.Random(6).randbytes(len(data) - 4096),
}
COMMANDS = (["info"], ["replay", "--json"], ["export", "--to", "csv"], ["salvage"])


@pytest.mark.parametrize("how", SPOILT)
def test_a_foreign_or_damaged_file_is_a_clear_error(home: Path, run: Run, how: str) -> None:
    good, path = home / "good.sqlite", home / "bad.sqlite"
    record(good)
    path.write_bytes(SPOILT[how](good.read_bytes()))
    before = path.read_bytes()
    for command, *options in COMMANDS:
        done = run("groundstation", command, str(path), *options)
        assert done.returncode == 14, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert "bad.sqlite" in done.stderr.splitlines()[-1]
    assert path.read_bytes() == before
    assert sorted(file.name for file in home.glob("*.sqlite*")) == ["bad.sqlite", "good.sqlite"]


async def _fill_and_clear(pid: int) -> None:
    client = viewer()
    try:
        await client.connect()
        await until(client, is_event("ARCHIVE", "not recording"))
        seen = await until(client, lambda m: isinstance(m, LinkStatus) and m.counters.frames_good > 25_000)
        status = seen[-1]
        assert isinstance(status, LinkStatus)
        assert not status.recording_ok
        assert any(isinstance(message, Telemetry) for message in seen)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(client, is_event("ARCHIVE", "goes on"))
    finally:
        await client.close()


def test_a_recording_that_cannot_be_made_is_a_clear_error(home: Path, run: Run) -> None:
    (home / "file").touch()
    done = run("groundstation", "serve", "zmq:ipc:///absent", "--record", str(home / "file" / "pass.sqlite"))
    assert done.returncode == 14
    assert "cannot record to" in done.stderr
    done = run("groundstation", "serve", "zmq:ipc:///absent", "--record", "/sys/pass.sqlite")  # not even root may
    assert done.returncode == 14
    assert "cannot record to /sys/pass.sqlite: " in done.stderr
    (home / "old.sqlite").write_text("precious")
    done = run("groundstation", "serve", "zmq:ipc:///absent", "--record", str(home / "old.sqlite"))
    assert done.returncode == 14
    assert (home / "old.sqlite").read_text() == "precious"


def test_orders_to_a_replay(home: Path) -> None:
    path = home / "pass.sqlite"
    record(path)
    with serving(replay_url(path, speed=100, paused=True)):
        asyncio.run(_order_about())
    assert [file.name for file in home.rglob("*.sqlite")] == ["pass.sqlite"]


async def _order_about() -> None:
    client = viewer()
    try:
        joined = await client.connect()
        assert joined.replay
        assert joined.link.recording is None
        answer = await client.request(ReplayControl(action="seek", to="09:11:04.5"))
        assert isinstance(answer, Snapshot)
        assert "paused" in answer.link.detail
        await until(client, lambda m: isinstance(m, Telemetry) and m.scet == EPOCH + 311_400_000_000)
        await client.request(ReplayControl(action="step"))
        await until(client, lambda m: isinstance(m, Telemetry) and m.scet == EPOCH + 311_500_000_000)
        await client.request(ReplayControl(action="speed", speed=10))
        await client.request(ReplayControl(action="play"))
        seen = await until(client, is_event("REPLAY_END"))
        (loss,) = [m for m in seen if isinstance(m, ContactChange) and m.state == "LOS"]
        assert loss.replay
        assert loss.verdict is not None
        assert loss.verdict.cause == "LANDER_ONLY"
        assert loss.ert == EPOCH + 312_200_000_000
        orders: list[tuple[AnyMessage, str]] = [
            (ReplayControl(action="seek", to="noon"), "invalid time"),
            (ReplayControl(action="seek"), "lacks"),
            (ReplayControl(action="step", frames=0), "at least one frame"),
            (ReplayControl(action="speed", speed=1e9), "is possible"),
            (CommandRequest(name="PING", who="test", token="t" * 16, issued=time.time_ns()), "takes no commands"),
        ]
        for order, words in orders:
            refused = await client.request(order)
            assert isinstance(refused, Refusal)
            assert words in refused.text
    finally:
        await client.close()


def test_a_live_station_takes_no_orders_about_time(home: Path) -> None:
    with serving("zmq:ipc:///absent", "--record", str(home / "pass.sqlite")):

        async def ask() -> AnyMessage:
            client = viewer()
            try:
                return await client.request(ReplayControl(action="pause"))
            finally:
                await client.close()

        refused = asyncio.run(ask())
    assert isinstance(refused, Refusal)
    assert "only a replay" in refused.text


def test_the_tui_shows_a_replay_as_one_and_raises_no_alarm(home: Path) -> None:
    path = home / "pass.sqlite"
    record(path)
    command = f"{sys.executable} -m groundstation.cli replay {path} --speed 4 --from 09:11:02"
    stage = Terminal(home, 120, 40, command)
    try:
        stage.wait_for("REPLAY")
        stage.wait_for("REPLAY_END")
        screen = stage.wait_for("lander LOS")
        assert "LOSS OF SIGNAL  " not in screen
        assert "LIVE" not in screen
        stage.press("q")
        assert "Nothing was recorded." in stage.wait_for("EXIT=0")
    finally:
        stage.close()
