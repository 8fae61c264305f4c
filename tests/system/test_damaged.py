"""Damaged and incomplete recordings through the command lines: what is left is given, the rest told; exit code 19."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from tests.groundstation.made_recordings import damage, record
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.system.conftest import Run
from tests.system.remote import GROUND
from tests.system.test_shortfall import wait_for

pytestmark = pytest.mark.long

CASES = {
    "info": ["info"],
    "info --json": ["info", "--json"],
    "export": ["export", "--to", "csv", "--force"],
    "replay": ["replay", "--json", "--speed", "1000"],
    "salvage": ["salvage"],
    "decode": ["decode"],
}
PAGE = 4096


def zero_page(path: Path) -> None:
    """The page in the middle of the reads."""
    data = bytearray(path.read_bytes())
    with ArchiveReader(path) as reader:
        reads = [data_ for _, _, data_ in reader.chunks()]
    number = data.index(reads[len(reads) // 2]) // PAGE
    data[number * PAGE : (number + 1) * PAGE] = bytes(PAGE)
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 4 // 5)


def spoil_body(path: Path) -> None:
    damage(path, "contact")


@pytest.mark.parametrize("spoil", [zero_page, cut, spoil_body])
@pytest.mark.parametrize("command", CASES)
def test_what_is_left_is_given_and_the_rest_told(
    home: Path, run: Run, command: str, spoil: Callable[[Path], None]
) -> None:
    path = home / "pass.sqlite"
    record(path, bursts=400)
    spoil(path)
    before = path.read_bytes()
    name, *options = CASES[command]
    done = run("groundstation", name, str(path), *options)
    assert done.returncode == 19, done.stderr
    assert "is damaged" in done.stderr.splitlines()[-1]
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout
    assert path.read_bytes() == before


def test_passes_lists_what_it_can(home: Path, run: Run) -> None:
    for name in ("good", "zeroed", "view", "foreign"):
        record(home / f"{name}.sqlite", bursts=100)
    zero_page(home / "zeroed.sqlite")
    (home / "foreign.sqlite").write_bytes(b"no recording at all\n" * 100)
    (home / "lost.sqlite-wal").write_bytes(b"x" * 100)
    done = run("groundstation", "passes", str(home))
    assert done.returncode == 19, done.stderr
    lines = done.stdout.splitlines()
    assert sum(line.endswith("good.sqlite") for line in lines) == 1
    assert sum("zeroed.sqlite (damaged)" in line for line in lines) == 1
    assert sum("foreign.sqlite is not a recording of this station" in line for line in lines) == 1
    assert sum("lost.sqlite: only its journal" in line for line in lines) == 1
    assert "2 of 5 recordings" in done.stderr


def test_info_says_in_json_what_is_missing(home: Path, run: Run) -> None:
    path = home / "pass.sqlite"
    record(path, bursts=400)
    zero_page(path)
    done = run("groundstation", "info", str(path), "--json")
    said = json.loads(done.stdout)
    with ArchiveReader(path) as reader:
        left = len(list(reader.chunks()))
    assert said["damage"]["reads"] == 400 - left > 0
    assert said["damage"]["pages"] == 1
    assert said["lack"].startswith("is damaged (1 page of 4,096 bytes): ")


@pytest.mark.parametrize("command", ["info", "export", "replay", "salvage", "decode"])
def test_a_recording_copied_without_its_journal_is_told(home: Path, run: Run, command: str) -> None:
    live, bare, whole = (home / f"{name}.sqlite" for name in ("live", "bare", "whole"))
    feeder = Feeder(period_s=0.005)
    station = subprocess.Popen(
        [*GROUND, "serve", f"serial:{feeder.device}", "--name", "bench", "--record", str(live)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: live.exists() and live.stat().st_size > 0)
        wait_until_connected(live)
        feeder.start()
        wait_for(lambda: frames(live) > 100)
        shutil.copy(live, bare)
        copied = run("groundstation", "copy", str(live), str(whole))
    finally:
        station.send_signal(signal.SIGKILL)
        station.wait()
        feeder.close()
    assert copied.returncode == 0, copied.stderr
    assert "as far as it was written by now" in copied.stdout
    name, *options = CASES[command]
    done = run("groundstation", name, str(whole), *options)
    assert done.returncode == 0, done.stderr
    assert frames(whole) > 100
    done = run("groundstation", name, str(bare), *options)
    assert done.returncode in (14, 16, 19)
    assert "was not closed and its journal bare.sqlite-wal is missing" in done.stdout + done.stderr
    done = run("groundstation", name, str(live), *options)  # a killed station's, with its journal
    assert done.returncode == 0, done.stderr
    live.with_name("live.sqlite-wal").unlink()
    done = run("groundstation", name, str(live), *options)
    assert done.returncode in (14, 16, 19)
    assert "its journal live.sqlite-wal is missing" in done.stdout + done.stderr


def frames(path: Path) -> int:
    with ArchiveReader(path) as reader:
        return reader.frame_counts().get((0, "GOOD"), 0)
