"""A byte from a pseudo-terminal to a link: straight over a serial link, and over a bridge with CURVE keys."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from groundstation.links import open_link
from groundstation.links.base import Chunk, Report
from groundstation.security.keys import KeyStore
from hil.lander_io.servers import PtyServer

FRAME = bytes(132)
BLOCK = os.urandom(4000)


class Counter:
    """Counts bytes, and says when the last ones came."""

    def __init__(self) -> None:
        self.bytes, self.at = 0, 0
        self.arrived = threading.Event()

    def __call__(self, report: Report) -> None:
        if isinstance(report, Chunk):
            self.bytes += len(report.data)
            self.at = time.perf_counter_ns()
            self.arrived.set()

    def wait(self, count: int) -> None:
        while self.bytes < count:
            time.sleep(0.005)


def latency(wire: PtyServer, counter: Counter) -> tuple[float, float]:
    """Median and 95th percentile in µs, one frame every 10 ms."""
    times = []
    for _ in range(500):
        counter.arrived.clear()
        begin = time.perf_counter_ns()
        wire.send(FRAME)
        counter.arrived.wait(5)
        times.append((counter.at - begin) / 1000)
        time.sleep(0.01)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def rate(wire: PtyServer, counter: Counter, count: int = 20_000_000) -> float:
    """MB/s of as many bytes as come."""
    goal, begin = counter.bytes + count, time.perf_counter()
    for _ in range(count // len(BLOCK)):
        wire.send(BLOCK)
    counter.wait(goal)
    return count / (time.perf_counter() - begin) / 1e6


def seconds_of(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def load(wire: PtyServer, counter: Counter, pid: int, bytes_per_s: float, seconds: float = 20.0) -> tuple[float, int]:
    """Share of a core that the bridge takes at such a rate, in frames; and bytes lost."""
    before, sent, used, begin = counter.bytes, 0, seconds_of(pid), time.perf_counter()
    while time.perf_counter() - begin < seconds:
        if bytes_per_s:
            wire.send(FRAME)
            sent += len(FRAME)
        time.sleep(max(0.0, begin + sent / bytes_per_s - time.perf_counter()) if bytes_per_s else seconds)
    time.sleep(0.5)
    return (seconds_of(pid) - used) / seconds, sent - (counter.bytes - before)


def straight() -> None:
    wire, counter = PtyServer(), Counter()
    link = open_link(wire.url, time.time_ns)
    link.start(counter)
    assert wire.wait_for_listener(10)
    p50, p95 = latency(wire, counter)
    print(f"{'serial link (floor)':28}{p50:8.0f}{p95:8.0f}{rate(wire, counter):8.1f}")
    link.stop()
    wire.close()


def bridged(store: KeyStore) -> None:
    store.new("bench")
    store.allow("station", store.new("station").public, "command", 0)
    wire, counter = PtyServer(), Counter()
    command = [sys.executable, "-m", "groundstation.cli", "bridge", wire.path, "--bind", "tcp://127.0.0.1:*"]
    with subprocess.Popen([*command, "--key", "bench", "--announce"], stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        about = json.loads(bridge.stdout.readline())
        link = open_link(f"zmq:{about['endpoint']}?key=station&server_key={about['public_key']}", time.time_ns)
        link.start(counter)
        assert wire.wait_for_listener(10)
        p50, p95 = latency(wire, counter)
        print(f"{'bridge with CURVE':28}{p50:8.0f}{p95:8.0f}{rate(wire, counter):8.1f}")
        for label, bytes_per_s in (("idle", 0.0), ("11.5 kB/s", 11_500.0), ("300 kB/s", 300_000.0)):
            share, lost = load(wire, counter, bridge.pid, bytes_per_s)
            print(f"bridge at {label:18}{share:8.1%} of a core, {lost} bytes lost")
        link.stop()
        bridge.terminate()
    wire.close()


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        print(f"{'from the far end of a PTY':28}{'p50 µs':>8}{'p95 µs':>8}{'MB/s':>8}")
        straight()
        bridged(KeyStore())


if __name__ == "__main__":
    main()
