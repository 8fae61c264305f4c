"""Kills a station with SIGKILL at random moments while frames come at 100 a second, and looks at what it left.

    python -m tests.stress.kill_station 100

Each recording must open and be sound, hold every frame that was committed before, in order and without a hole, and lack
at most what came in the last 100 ms. Delays of the disk itself are not the station's: the longest fsync of a bare
file in the same folder, in the same seconds, is measured beside it and allowed on top.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from groundstation.ports.access import holders
from groundstation.recordings.reader import ArchiveReader
from hil.verdict.oracle import fly
from protocols.profile import UART

SIZE = UART.cadu_length
PERIOD_S = 0.01
START_TIMEOUT_S = 20.0
LIMIT_MS = 100.0


@dataclass(frozen=True, slots=True)
class Killed:
    """What one killed station left. ``missing_ms`` is the age, at the kill, of the oldest frame that is not kept."""

    recording: Path
    committed: int
    kept: int
    indexed: int
    missing_ms: float


class DiskProbe:
    """Writes a page and calls fsync every 20 ms, as any program might; ``longest_ms`` is the longest that took."""

    def __init__(self, folder: Path) -> None:
        self.longest_ms = 0.0
        self._path = folder / "probe"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            while not self._end.wait(0.02):
                began = time.monotonic()
                file.write(bytes(4096))
                os.fsync(file.fileno())
                self.longest_ms = max(self.longest_ms, (time.monotonic() - began) * 1000)

    def close(self) -> None:
        self._end.set()
        self._thread.join()


class Feeder:
    """Writes frames of the descent, or others, into a pseudo-terminal, by default a hundred a second."""

    def __init__(self, period_s: float = PERIOD_S, rounds: int = 1, source: Iterable[bytes] | None = None) -> None:
        """Args: seconds from frame to frame, how often the descent is repeated, and other frames in its place."""
        self._period_s = period_s
        self._unused: list[int] = []
        self._master, self._slave = os.openpty()
        while len(holders(os.ttyname(self._slave))) > 1:  # another station waits for this very name
            self._unused += [self._master, self._slave]
            self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        stream = b"".join(burst.data for burst in fly())
        self.frames = [stream[at : at + SIZE] for at in range(0, len(stream), SIZE)] * rounds
        self._source = self.frames if source is None else source
        self.sent: list[int] = []
        self.written = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        for frame in self._source:
            if self._end.wait(max(0.0, due - time.monotonic())):
                return
            due += self._period_s
            self.write(memoryview(frame))
            self.sent.append(time.time_ns())

    def write(self, data: memoryview) -> None:
        """Write all of it, waiting for room."""
        while data and not self._end.is_set():
            try:
                written = os.write(self._master, data)
                data = data[written:]
                self.written += written
            except BlockingIOError:
                self._end.wait(0.001)

    def stop(self) -> None:
        """Write no more; ``written`` bytes are on their way, or came."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    def close(self) -> None:
        self.stop()
        for fd in (self._master, self._slave, *self._unused):
            os.close(fd)


def kill_once(folder: Path, after_s: float) -> Killed:
    """Start a station, feed it, kill it after so many seconds, and look."""
    recording = folder / "pass.sqlite"
    (folder / "run").mkdir(mode=0o700)
    environment = dict(os.environ) | {"XDG_RUNTIME_DIR": str(folder / "run")}
    feeder = Feeder()
    command = [sys.executable, "-m", "groundstation.cli", "serve", f"serial:{feeder.device}", "--announce"]
    command += ["--name", "victim", "--record", str(recording)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as station:
        assert station.stdout is not None
        timer = threading.Timer(START_TIMEOUT_S, station.kill)
        timer.start()
        assert station.stdout.readline(), "the station did not start"
        timer.cancel()
        wait_until_connected(recording)
        feeder.start()
        time.sleep(after_s)
        with ArchiveReader(recording) as reader:
            committed = reader.bytes_total
        station.send_signal(signal.SIGKILL)
        killed = time.time_ns()
    feeder.close()
    return look(recording, feeder, committed, killed)


def wait_until_connected(recording: Path) -> None:
    """A port is flushed when it is opened: what is sent before is not received.

    The recording is opened each time: a file without a journal, as it is for a moment, is taken for one that stays.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _has_connected(recording):
        assert time.monotonic() < deadline, "the station did not open its port"
        time.sleep(0.01)


def _has_connected(recording: Path) -> bool:
    with ArchiveReader(recording) as reader:
        return reader.last_event("transport", 1 << 62) is not None


def look(recording: Path, feeder: Feeder, committed: int, killed: int) -> Killed:
    """Judge a recording whose station was killed."""
    with ArchiveReader(recording) as reader:
        data = b"".join(chunk for _, _, chunk in reader.chunks())
        indexed = list(reader.frames())
        assert [reader.frame_bytes(frame) for frame in indexed] == feeder.frames[: len(indexed)]
    assert data == b"".join(feeder.frames)[: len(data)], "a hole, or bytes that were not sent"
    assert len(data) >= committed, "what was committed is gone"
    kept = len(data) // SIZE
    first_missing = feeder.sent[kept] if kept < len(feeder.sent) else killed
    with closing(sqlite3.connect(recording)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return Killed(recording, committed // SIZE, kept, len(indexed), max(0.0, (killed - first_missing) / 1e6))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    chance = random.Random(6)
    missing = []
    late = 0
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            probe = DiskProbe(Path(folder))
            result = kill_once(Path(folder), chance.uniform(0.05, 3.0))
            probe.close()
        missing.append(result.missing_ms)
        late += result.missing_ms > LIMIT_MS + probe.longest_ms
        words = (
            f"{result.kept} frames kept, {result.missing_ms:.1f} ms missing, longest fsync {probe.longest_ms:.1f} ms"
        )
        print(f"{number + 1:4}: {words}", flush=True)
    over = sum(ms > LIMIT_MS for ms in missing)
    print(
        f"{rounds} kills: every recording opens; missing median {statistics.median(missing):.0f} ms, "
        f"most {max(missing):.0f} ms, {over} over {LIMIT_MS:.0f} ms, {late} of them not for the disk's sake"
    )
    sys.exit(late > 0)


if __name__ == "__main__":
    main()
