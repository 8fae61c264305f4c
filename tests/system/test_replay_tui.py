"""Replays in a real terminal: their keys, and what a killed station left."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.text import utc
from groundstation.recordings.reader import ArchiveReader
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests.groundstation.made_recordings import damage, record
from tests.stress.kill_station import kill_once
from tests.system.test_terminal import Terminal

pytestmark = pytest.mark.long

S = 1_000_000_000
LARGE = pytest.param((120, 40), marks=pytest.mark.long)
SIZES = pytest.mark.parametrize("size", [(80, 24), LARGE], ids=["80x24", "120x40"])


@contextmanager
def replaying(home: Path, size: tuple[int, int], path: Path, options: str, code: int = 0) -> Iterator[Terminal]:
    stage = Terminal(home, *size, f"{sys.executable} -m groundstation.cli replay {path} {options}")
    try:
        yield stage
        stage.press("q")
        assert f"Replay of {path}. Nothing was recorded." in stage.wait_for(f"EXIT={code}").replace("\n", "")
    finally:
        stage.close()


def clock(at: float) -> str:
    """The header's clock at so many seconds after entry."""
    return f" {utc(EPOCH + round(at * 10) * S // 10)} UTC"


@SIZES
def test_a_killed_station_replays_to_its_last_committed_frame(home: Path, size: tuple[int, int]) -> None:
    (home / "data").mkdir()
    killed = kill_once(home / "data", 1.5)
    assert killed.committed > 50
    receiver = Receiver(MARS6, UART, "test:")
    with ArchiveReader(killed.recording) as reader:
        assert not reader.closed
        for ert, _, data in reader.chunks():
            receiver.process(Chunk(ert, data))
    heard = [channel for channel in receiver.contact.status() if channel.last_scet is not None]
    assert heard
    with replaying(home, size, killed.recording, "--speed 20") as stage:
        last = f" {utc(max(channel.last_scet or 0 for channel in heard))} UTC"
        counts = [f"#{channel.last_vcfc:03d}" for channel in heard] + [f"{receiver.counters().frames_good} good"]
        screen = stage.wait_for("END 20x", last, *counts)
        for channel in heard:
            assert re.search(rf"{channel.name}\s+\S+\s+\S+/s #{channel.last_vcfc:03d}", screen)
        assert screen.count("REPLAY") >= 2
        assert "LIVE" not in screen


@SIZES
def test_the_keys_of_a_replay(home: Path, size: tuple[int, int]) -> None:
    path = home / "pass.sqlite"
    record(path)
    with replaying(home, size, path, "--paused") as stage:
        stage.wait_for("PAUSED 1x")
        for keys, words in _journey():
            stage.press(*keys)
            screen = stage.wait_for(words)
            assert screen.count("REPLAY") >= 2
            assert "LOSS OF SIGNAL  " not in screen
        stage.press(">", ">", ">", "Space")
        stage.wait_for("END 10x")


def test_a_replay_waits_in_the_background(home: Path) -> None:
    """Ctrl-Z gives the shell its screen back; fg goes on where it was."""
    path = home / "pass.sqlite"
    record(path)
    stage = Terminal(home, 80, 24, "bash --norc -i")
    try:
        stage.press(f"{sys.executable} -m groundstation.cli replay {path} --from 09:10:20", "Enter")
        stage.wait_for("lander LOCK")
        before = _received(stage.wait_for("PLAY 1x"))
        stage.press("C-z")
        assert "REPLAY" not in stage.wait_for("Stopped")
        time.sleep(6)
        stage.press("fg", "Enter")
        assert 0 <= _received(stage.wait_for("PLAY 1x")) - before < 5
        stage.wait_for("none missed")
        stage.press("q")
        stage.wait_for("Nothing was recorded.")
    finally:
        stage.close()


def _received(screen: str) -> float:
    """The seconds of the minute at which a replay is."""
    found = re.search(r"ERT 09:10:(\d\d\.\d)", screen)
    assert found is not None, screen
    return float(found[1])


def test_what_cannot_be_read_is_seen(home: Path) -> None:
    path = home / "pass.sqlite"
    record(path)
    damage(path, "transport")
    with replaying(home, (120, 40), path, "", code=19) as stage:
        stage.wait_for("ARCHIVE_DAMAGED")


def _journey() -> Iterator[tuple[list[str], str]]:
    """Keys, and what has to come up after them: the time of the last frame. At 247.0 s there is one of each channel."""
    yield ["g", *"09:10:00", "Enter"], clock(246.9)
    yield ["]"], clock(247.0)
    yield ["]", "]"], clock(247.1)
    yield ["["], clock(247.0)
    yield ["}"], clock(256.9)
    yield ["Right"], clock(266.9)
    yield ["{"], clock(256.9)
    yield [")"], clock(316.0)
    yield ["("], clock(256.9)
    yield ["L"], "lander LOS"
    yield ["N"], "lander LOCK"
    yield ["n"], "lander LOS"
    yield ["g", *"noon", "Enter"], "invalid time"
    yield [":"], "a recording takes no commands"
    yield ["Escape"], "CONTACT"
