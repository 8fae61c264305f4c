"""Viewers that are stopped, slow or killed: the station, its recording and the other viewers never notice."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from groundstation.messages.wire import Heartbeat
from groundstation.recordings.reader import ArchiveReader
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.system.remote import GROUND, PATIENCE_S, event, local, snapshot, until

pytestmark = pytest.mark.long

RESULT_S = 60.0
VIEWER = """
import asyncio, json, select, sys, time
from groundstation.viewer.client import StationClient
from groundstation.messages.wire import Heartbeat, LinkStatus, topic_of
from groundstation.station.registry import Registry
from groundstation.viewer.source import StationBack, StationLost

async def watch(frames, pause_s):
    client = StationClient(Registry().find("bench"), time.time_ns, timeout_s=20)
    got, lost, complete, said = {}, 0, False, False
    begin = (await client.connect()).sequences
    print("joined", flush=True)
    async for update in client.messages():
        if isinstance(update, StationLost | StationBack):
            lost += 1
            continue
        got[topic_of(update)] = got.get(topic_of(update), 0) + 1
        if isinstance(update, LinkStatus) and update.counters.frames_good >= frames:
            complete = True
        if complete and not said and isinstance(update, Heartbeat):
            last = {**update.sequences, "heartbeat": update.seq}
            told = {topic: last[topic] - begin.get(topic, 0) for topic in last}
            print(json.dumps({"got": got, "told": told, "missed": client.missed, "lost": lost}), flush=True)
            said = True
        if pause_s and not select.select([sys.stdin], [], [], pause_s)[0]:
            continue  # slow until it is told to hurry
        pause_s = 0

asyncio.run(watch(int(sys.argv[1]), float(sys.argv[2])))
"""


class Viewer:
    """A viewer in a process of its own, ``pause_s`` slow for each message."""

    def __init__(self, frames: int, pause_s: float = 0.0) -> None:
        command = [sys.executable, "-c", VIEWER, str(frames), str(pause_s)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "joined\n"

    def result(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        guard = threading.Timer(RESULT_S, self.process.kill)
        guard.start()
        line = self.process.stdout.readline()
        guard.cancel()
        return dict(json.loads(line))

    def read_fast(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def missed_at_station() -> int:
    """What the station has heard of missed messages, by its next heartbeat."""

    async def run() -> int:
        client = local()
        try:
            await client.connect()
            async for update in client.messages():
                if isinstance(update, Heartbeat):
                    return update.missed
        finally:
            await client.close()
        raise AssertionError("the station ended")

    return asyncio.run(run())


def test_a_stopped_a_slow_and_a_killed_viewer_change_nothing(home: Path) -> None:
    feeder = Feeder(period_s=0.001, rounds=2)
    frames, recording = len(feeder.frames), home / "bench.sqlite"
    command = [*GROUND, "serve", f"serial:{feeder.device}", "--name", "bench", "--record", str(recording), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as station, ExitStack() as cleaning:
        cleaning.callback(feeder.close)
        cleaning.callback(station.wait, PATIENCE_S)
        cleaning.callback(station.terminate)
        assert station.stdout is not None
        assert station.stdout.readline()
        wait_until_connected(recording)
        good, stopped, killed, slow = Viewer(frames), Viewer(frames), Viewer(frames), Viewer(frames, pause_s=0.01)
        for viewer in (good, stopped, killed, slow):
            cleaning.callback(viewer.close)
        stopped.process.send_signal(signal.SIGSTOP)
        feeder.start()
        until(lambda: snapshot().link.counters.frames_good > 1000 or None, "1000 frames")
        killed.process.kill()
        until(lambda: snapshot().link.counters.frames_good == frames or None, "all frames")
        assert event("VIEWER_SLOW", "a viewer does not keep up").severity == "WARNING_LO"
        stopped.process.send_signal(signal.SIGCONT)
        slow.read_fast()
        results = {name: v.result() for name, v in (("good", good), ("stopped", stopped), ("slow", slow))}
        missed = {name: sum(result["missed"].values()) for name, result in results.items()}
        until(lambda: missed_at_station() == sum(missed.values()) or None, "count at the station")
        counters = snapshot().link.counters
    for name, result in results.items():
        for topic, told_of in result["told"].items():
            counted = result["got"].get(topic, 0) + result["missed"].get(topic, 0)
            assert counted == told_of, (name, topic)
    assert missed["good"] == 0
    assert missed["stopped"] > 0
    assert missed["slow"] > 0
    assert not any(result["lost"] for result in results.values())
    assert (counters.frames_good, counters.dropped) == (frames, 0)
    assert counters.bytes_in == sum(map(len, feeder.frames))
    with ArchiveReader(recording) as archive:
        assert b"".join(data for _, _, data in archive.chunks()) == b"".join(feeder.frames)
        told = [json.loads(each.body)["text"] for each in archive.events("event")]
    assert any("messages so far" in text for text in told)
