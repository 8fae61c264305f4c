"""Receives at 300 kB/s for ten minutes: nothing is lost, and the station's memory does not grow.

    python -m tests.stress.steady_reception 600

The descent's frames are written over and over into a pseudo-terminal at that rate. Afterwards every byte must have been
read, decoded as a good frame, published in the counters and be in the recording. The resident memory of the station
(RSS) is read from /proc every few seconds; what counts is the most and the least after the first tenth of the time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from groundstation.messages.wire import Counters
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.registry import Registry
from groundstation.viewer.client import StationClient
from hil.verdict.oracle import fly
from protocols.ccsds.tm_frame import TmFrame, decode_frame, encode_frame
from protocols.profile import UART
from tests.stress.kill_station import Feeder, wait_until_connected

RATE = 300_000
"""Bytes a second."""

AT_ONCE = 4
"""Frames a write: about what a USB port gives at once."""

FLAT = 0.05
PATIENCE_S = 60.0
SIZE = UART.cadu_length


@dataclass(slots=True)
class Steady:
    """What came of it. ``rss`` in bytes, one for each sample; ``cpu_s`` is the station's processor time."""

    seconds: float = 0.0
    bytes_sent: int = 0
    counters: Counters = field(default_factory=Counters)
    archived: int = 0
    gaps: int = 0
    rss: list[int] = field(default_factory=list)
    cpu_s: float = 0.0

    @property
    def lost(self) -> int:
        """Bytes that were sent and are in no good frame, or not in the recording."""
        return self.bytes_sent - min(self.counters.good, self.archived)

    @property
    def growth(self) -> float:
        """How far the memory moved after the first tenth of the time, as a share."""
        steady = self.rss[len(self.rss) // 10 :]
        return max(steady) / min(steady) - 1


def rss(pid: int) -> int:
    """Resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Pump:
    """Writes frames at a rate until told to stop. Their counts go on from round to round: none is missing."""

    def __init__(self, feeder: Feeder) -> None:
        self.sent = 0
        self._feeder = feeder
        self._data = memoryview(b"".join(endless_frames()))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._end.is_set():
            at = self.sent % len(self._data)
            piece = self._data[at : at + AT_ONCE * SIZE]
            self._feeder.write(piece)
            self.sent += len(piece)
            self._end.wait(max(0.0, began + self.sent / RATE - time.monotonic()))


def endless_frames() -> list[bytes]:
    """Frames of the lander, as many as the frame count has numbers, or a multiple of that."""
    stream = b"".join(burst.data for burst in fly())
    cadus = [stream[at : at + SIZE] for at in range(0, len(stream), SIZE)]
    frames = [decode_frame(cadu[len(UART.asm) :], UART) for cadu in cadus]
    lander = [frame for frame in frames if frame.vcid == 0][:2048]
    return [
        encode_frame(TmFrame(f.scid, 0, n & 0xFF, n & 0xFF, f.first_header_pointer, f.data, f.ocf), UART)
        for n, f in enumerate(lander)
    ]


def receive(folder: Path, seconds: float, sample_s: float) -> Steady:
    """Let a station in ``folder`` receive for so long, and look."""
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    recording, result = folder / "steady.sqlite", Steady()
    feeder = Feeder()
    pump = Pump(feeder)
    command = [sys.executable, "-m", "groundstation.cli", "serve", f"serial:{feeder.device}", "--announce"]
    command += ["--name", "steady", "--record", str(recording)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as station:
        try:
            assert station.stdout is not None
            assert station.stdout.readline(), "the station did not start"
            wait_until_connected(recording)
            began = time.monotonic()
            pump.start()
            while (left := began + seconds - time.monotonic()) > 0:
                time.sleep(min(sample_s, left))
                result.rss.append(rss(station.pid))
            pump.stop()
            result.seconds, result.bytes_sent = time.monotonic() - began, pump.sent
            result.counters = asyncio.run(_when_all_came(pump.sent))
            result.cpu_s = cpu_s(station.pid)
        finally:
            pump.stop()
            station.send_signal(signal.SIGTERM)
    feeder.close()
    with ArchiveReader(recording) as reader:
        result.archived = reader.bytes_total
        result.gaps = reader.event_counts().get("gap", 0)
    return result


async def _when_all_came(sent: int) -> Counters:
    """The counters once all bytes were decoded, or when patience is over."""
    deadline = time.monotonic() + PATIENCE_S
    client = StationClient(Registry().find("steady"), time.time_ns, timeout_s=PATIENCE_S)
    try:
        while True:
            counters = (await client.connect()).link.counters
            if counters.bytes_in >= sent or time.monotonic() > deadline:
                return counters
            await asyncio.sleep(0.2)
    finally:
        await client.close()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    with tempfile.TemporaryDirectory() as folder:
        result = receive(Path(folder), seconds, sample_s=max(0.5, seconds / 120))
    counters, megabytes = result.counters, [size / 2**20 for size in result.rss]
    rate = result.bytes_sent / result.seconds / 1000
    print(f"{result.bytes_sent:,} bytes in {result.seconds:.0f} s ({rate:.0f} kB/s), {counters.frames_good:,} frames")
    print(
        f"lost: {result.lost} bytes, {counters.frames_lost} frames by their count, "
        f"{counters.dropped} reads not decoded, {result.gaps} gaps in the recording"
    )
    steady = megabytes[len(megabytes) // 10 :]
    print(
        f"RSS after the first tenth of the time {min(steady):.1f} to {max(steady):.1f} MiB ({result.growth:.1%}), "
        f"first {megabytes[0]:.1f}, last {megabytes[-1]:.1f}; processor {result.cpu_s / result.seconds:.0%} of a core"
    )
    sys.exit(result.lost > 0 or counters.frames_lost > 0 or result.growth > FLAT)


if __name__ == "__main__":
    main()
