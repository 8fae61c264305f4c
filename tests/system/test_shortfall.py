"""Data that are lost at the end of a recording are told by all who end its station: exit code 14, and how much."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from groundstation.station.registry import Registry
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.system.conftest import Run
from tests.system.remote import GROUND, PATIENCE_S, snapshot, until

pytestmark = pytest.mark.long

HIL = [GROUND[0], "-m", "hil.cli"]
LACKS = re.compile(
    r"lacks ([\d,]+) reads?( and [\d,]+ records? about them)?, ([\d,]+) bytes, received \d{4}-\d\d-\d\d "
)


@contextmanager
def serving(feeder: Feeder, recording: Path) -> Iterator[subprocess.Popen[str]]:
    """A station that receives frames, 500 a second."""
    command = [*GROUND, "serve", f"serial:{feeder.device}", "--name", "bench", "--record", str(recording)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as station:
        try:
            wait_for(lambda: recording.exists() and recording.stat().st_size > 0)
            wait_until_connected(recording)
            feeder.start()
            wait_for(lambda: received(recording) > 50)
            yield station
        finally:
            station.kill()


@pytest.fixture
def feeder() -> Iterator[Feeder]:
    feeder = Feeder(period_s=0.002, rounds=40)
    yield feeder
    feeder.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def wait_for(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.05)


def received(recording: Path) -> int:
    with ArchiveReader(recording) as reader:
        return reader.frame_counts().get((0, "GOOD"), 0)


def amount(text: str) -> tuple[int, int]:
    """Reads and bytes that a text says are missing."""
    found = LACKS.search(text)
    assert found is not None, text
    return int(found[1].replace(",", "")), int(found[3].replace(",", ""))


def remove(recording: Path) -> None:
    for each in recording.parent.glob(recording.name + "*"):
        each.unlink()


def replace(recording: Path) -> None:
    recording.unlink()
    recording.write_bytes(b"another")


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (remove, "the recording was removed while it was written: nothing of it is left"),
        (replace, "the recording was removed while it was written, and another file is in its place"),
        (lambda recording: recording.rename(recording.with_name("moved")), "the recording was moved to "),
    ],
)
def test_a_recording_taken_away_is_told_by_stop_and_serve(
    home: Path, run: Run, feeder: Feeder, take: Callable[[Path], object], words: str
) -> None:
    recording = home / "pass.sqlite"
    with serving(feeder, recording) as station:
        take(recording)
        time.sleep(1.0)
        done = run("groundstation", "stop")
        _, said = station.communicate(timeout=PATIENCE_S)
    assert (done.returncode, station.returncode) == (14, 14)
    for text in (done.stderr, said):
        assert words in text
        reads, size = amount(text)
        assert reads > 0
        assert size >= reads
    assert "stopped" not in done.stdout


def test_a_disk_that_stays_full_is_told_by_stop_and_serve(
    small_disk: Path, home: Path, run: Run, feeder: Feeder
) -> None:
    recording = small_disk / "pass.sqlite"
    with serving(feeder, recording) as station:
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(4096))
        time.sleep(2.0)
        feeder.stop()
        until(lambda: snapshot().link.counters.bytes_in == feeder.written or None, "all that was sent")
        done = run("groundstation", "stop")
        _, said = station.communicate(timeout=PATIENCE_S)
    assert (done.returncode, station.returncode) == (14, 14)
    assert "database or disk is full" in done.stderr
    assert "it was not closed" in done.stderr
    assert amount(done.stderr) == amount(said)
    _, size = amount(said)
    with ArchiveReader(recording) as reader:
        kept = reader.bytes_total
        assert not reader.closed
    assert size > 0
    assert kept + size == feeder.written


def test_run_says_what_its_recording_lacks(home: Path) -> None:
    command = [*GROUND, "run", "zmq:ipc:///absent", "--json", "--name", "bench", "--record", str(home / "pass.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as viewer:
        try:
            assert viewer.stdout is not None
            assert viewer.stdout.readline()
            remove(home / "pass.sqlite")
            time.sleep(0.5)
            viewer.send_signal(signal.SIGINT)
            _, said = viewer.communicate(timeout=PATIENCE_S)
        finally:
            viewer.kill()
    assert viewer.returncode == 14, said
    assert "was removed while it was written" in said
    assert not Registry().running()


def test_fly_says_what_its_recording_lacks(home: Path) -> None:
    recording = home / "flight.sqlite"
    command = [*HIL, "fly", "--speed", "100", "--json", "--record", str(recording)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as flight:
        try:
            wait_for(lambda: recording.exists() and recording.stat().st_size > 0)
            wait_for(lambda: received(recording) > 50)
            remove(recording)
            said, _ = flight.communicate(timeout=60)
        finally:
            flight.kill()
    assert flight.returncode == 14, said
    assert "nothing of it is left" in json.loads(said.splitlines()[-1])["line"]
    assert amount(said)[1] > 250_000


def test_a_station_killed_before_its_end_is_told_by_run(home: Path) -> None:
    command = [*GROUND, "run", "zmq:ipc:///absent", "--json", "--name", "bench", "--record", str(home / "pass.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as viewer:
        try:
            assert viewer.stdout is not None
            assert viewer.stdout.readline()
            (info,) = Registry().running()
            os.kill(info.pid, signal.SIGKILL)
            wait_for(lambda: not Registry().running())
            viewer.send_signal(signal.SIGINT)
            _, said = viewer.communicate(timeout=PATIENCE_S)
        finally:
            viewer.kill()
    assert viewer.returncode == 14, said
    assert "was not closed: its station ended before it could" in said
