"""A replay waits for the viewer that began it, and for no other."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundstation.links.replay import replay_url
from groundstation.messages.wire import ReplayControl, Snapshot
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.registry import Registry
from groundstation.viewer.replay_client import ReplayClient
from groundstation.viewer.source import StationBack, StationLost
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import SCENARIOS, load_scenario
from tests.system.conftest import Run
from tests.system.test_recording import serving

pytestmark = pytest.mark.long

PATIENCE_S = 30.0
FAST = ("--speed", "1000", "--json")


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a descent: nearly 3,000 messages, more than the sockets between hold."""
    folder = tmp_path_factory.mktemp("flown") / "flight"
    scenario = load_scenario(SCENARIOS / "los-091105.toml")
    fly_plan(Plan(scenario, "software", "lockstep", folder, "test"), lambda: 0, lambda scet: None)
    (path,) = folder.rglob("*.sqlite")
    return path


def began(command: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "groundstation.cli", command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)


def sequences(messages: list[dict[str, Any]]) -> dict[str, list[int]]:
    by_topic = defaultdict(list)
    for message in messages[1:]:
        by_topic[f"{message['type']} {message.get('packet')}"].append(message["seq"])
    return by_topic


def whole(output: str) -> bool:
    """It ends with the recording, and no number is missing between a topic's first and last."""
    messages = [json.loads(line) for line in output.splitlines()]
    rows = sequences(messages).values()
    return messages[-1]["name"] == "REPLAY_END" and all(row == list(range(row[0], row[-1] + 1)) for row in rows)


def test_a_reader_that_does_not_read_misses_nothing(home: Path, flight: Path) -> None:
    """The pipe is full and not read, so the replay waits; if messages were dropped it would never end."""
    with began("replay", str(flight), *FAST) as replay:
        time.sleep(3)
        output, error = replay.communicate(timeout=PATIENCE_S)
    assert (replay.returncode, error) == (0, "")
    assert len(output.splitlines()) > 2500
    assert whole(output)


def test_a_stopped_viewer_stops_its_replay(home: Path, flight: Path) -> None:
    """Ctrl-Z and fg: as if no time had passed."""
    with began("replay", str(flight), *FAST) as replay:
        assert replay.stdout is not None
        first = [replay.stdout.readline() for _ in range(200)]
        replay.send_signal(signal.SIGSTOP)
        time.sleep(3)
        replay.send_signal(signal.SIGCONT)
        rest = replay.stdout.read()  # communicate() would miss what readline() has read ahead
        assert replay.stderr is not None
        error = replay.stderr.read()
    assert (replay.returncode, error) == (0, "")
    assert whole("".join(first) + rest)


def test_another_viewer_is_not_waited_for(home: Path, flight: Path) -> None:
    with began("replay", str(flight), "--from", "09:10:55", "--speed", "5", "--json") as replay:
        until(lambda: bool(Registry().running()), "a station")
        with began("watch", Registry().running()[0].name, "--json") as other:
            assert other.stdout is not None
            assert other.stdout.readline()
            other.send_signal(signal.SIGSTOP)
            output, error = replay.communicate(timeout=PATIENCE_S)
            other.kill()
    assert (replay.returncode, error) == (0, "")
    assert whole(output)


def test_a_replay_dies_with_its_viewer(home: Path, flight: Path) -> None:
    """It records nothing, so it is not needed any more, and no viewer could find it."""
    with began("replay", str(flight), "--paused", "--json") as replay:
        assert replay.stdout is not None
        assert replay.stdout.readline()
        assert len(Registry().running()) == 1
        replay.kill()
    until(lambda: not Registry().running(), "the station's end")


def test_a_replay_that_was_paused_stays_so_when_its_viewer_comes_back(home: Path, flight: Path) -> None:
    """The station hung for a while, or the machine slept: the viewer joins again, but gives no orders."""
    with serving(replay_url(flight, paused=True)) as station:
        back = asyncio.run(_stop_and_go_on(station))
    assert back.snapshot.link.playback is not None
    assert back.snapshot.link.playback.paused


async def _stop_and_go_on(station: subprocess.Popen[bytes]) -> StationBack:
    client = ReplayClient(Registry().find("bench"), time.time_ns)
    try:
        joined = await client.connect()
        answer = await client.request(ReplayControl(action="pause"))
        assert joined.replay and isinstance(answer, Snapshot)
        station.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE_S):
            async for update in client.messages():
                if isinstance(update, StationLost):
                    station.send_signal(signal.SIGCONT)
                elif isinstance(update, StationBack):
                    return update
        raise AssertionError("the station ended")
    finally:
        station.send_signal(signal.SIGCONT)
        await client.close()


def test_a_replay_from_a_time_is_the_same_each_time_and_invents_nothing(home: Path, run: Run, flight: Path) -> None:
    """Decoding needs some seconds before the place; what it makes of them is nothing that happened."""
    played = [_told(run, flight, "--from", "09:10:55") for _ in range(3)]
    with ArchiveReader(flight) as reader:
        records = [json.loads(e.body) for e in reader.events() if e.kind in ("event", "contact", "command")]
    happened = Counter(words(record) for record in records)
    begin = min(record["ert"] for record in records) + 302 * 10**9  # 09:10:55
    for told in played:
        assert told == played[0]
        assert not told - happened
        assert not Counter({each: n for each, n in happened.items() if each[0] >= begin}) - told
    assert any("LOS" in each for each in played[0])


def _told(run: Run, path: Path, *options: str) -> Counter[tuple[Any, ...]]:
    done = run("groundstation", "replay", str(path), "--json", "--speed", "100", *options)
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    own = ("STATION_START", "REPLAY_END", "CONNECTION_ENDED")
    news = [m for m in messages if m["type"] in ("event", "contact", "command") and m.get("name") not in own]
    return Counter(words(message) for message in news)


def words(message: dict[str, Any]) -> tuple[Any, ...]:
    """What of a message is of the pass, not of the replay."""
    keys = ("name", "text", "channel", "state", "previous", "command", "detail", "revised")
    return message["ert"], *(message.get(key) for key in keys)
