"""From a byte at a port to a subscriber in another process, beside the floor: a bare os.read and ZeroMQ PUB/SUB.

    python benchmarks/latency.py [frames [frames a second]]

Frames of 132 bytes are written to two pseudo-terminals, 50 to the one, 50 to the other, about a hundredth of a second
apart:

    floor     a process that does nothing but os.read and send what came over ipc
    station   `groundstation serve`: read, archived, decoded, judged, published as JSON over ipc

One more process has subscribed to both and stamps what arrives. A time is from before the write to after the receive;
both ways use the same clock, the same subscriber and the same moments of the same machine. Rates are of this machine;
only the ratio travels.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from groundstation.ports.access import holders
from groundstation.station.registry import Registry
from hil.verdict.oracle import fly
from protocols.profile import UART
from protocols.sync.frames import decode_frame

FRAMES = 2000
RATE = 100.0
BLOCK = 50
WARM = 50
QUIET = 0.7
"""Blocks during which so much of the machine was idle are told apart: beside other work both ways run out of cold
caches, and the longer one suffers more."""

WANTED = 1.5
SIZE = UART.cadu_length
FLOOR = """
import os, sys, tty, zmq
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
tty.setraw(fd)
pub = zmq.Context().socket(zmq.PUB)
pub.bind(sys.argv[2])
print("ready", flush=True)
while True:
    pub.send(os.read(fd, 4096), zmq.NOBLOCK)
"""

SUBSCRIBER = """
import os, sys, time, zmq
context = zmq.Context()
poller = zmq.Poller()
names = {}
for name, endpoint, topic in zip(("floor", "station"), sys.argv[1:3], (b"", b"tm.DESCENT ")):
    socket = context.socket(zmq.SUB)
    socket.subscribe(topic)
    socket.connect(endpoint)
    poller.register(socket, zmq.POLLIN)
    names[socket] = name
stop = os.fdopen(0)
poller.register(stop, zmq.POLLIN)
got = []
print("ready", flush=True)
while True:
    ready = [found for found, _ in poller.poll()]
    for socket in ready:
        if socket == 0:
            for name, at, data in got:
                print(name, at, data.hex())
            sys.exit()
        data = socket.recv()
        if names[socket] not in [name for name, _, _ in got]:
            print("heard", names[socket], flush=True)
        got.append((names[socket], time.monotonic_ns(), data))
"""


def lander_frames(count: int) -> list[bytes]:
    """Frames of the descent that carry a DESCENT packet, over and over."""
    stream = b"".join(burst.data for burst in fly())
    cadus = [stream[at : at + SIZE] for at in range(0, len(stream), SIZE)]
    found = [cadu for cadu in cadus if decode_frame(cadu[len(UART.asm) :], UART).vcid == 0]
    return (found * (count // len(found) + 1))[:count]


@contextmanager
def process(*command: str, **more: object) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that has said that it is ready, ended at the end."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more) as child:  # type: ignore[call-overload]
        try:
            assert child.stdout.readline(), f"{command[0]} did not start"
            yield child
        finally:
            child.terminate()


def open_port() -> tuple[int, str]:
    """A pseudo-terminal that no other process waits for: its master end and its name. Others tried stay open."""
    while True:
        master, slave = os.openpty()
        tty.setraw(slave)
        time.sleep(1.2)  # a station that waits for this very name looks once a second
        if len(holders(os.ttyname(slave))) == 1:
            return master, os.ttyname(slave)


def prime(masters: dict[str, int], frame: bytes, heard: IO[str]) -> None:
    """Write until both ways are open: subscriptions take a moment, and a port is flushed when it is opened."""
    waiting = set(masters)
    os.set_blocking(heard.fileno(), False)
    deadline = time.monotonic() + 30
    while waiting:
        assert time.monotonic() < deadline, f"nothing is heard from {waiting}"
        for name in waiting:
            os.write(masters[name], frame)
        time.sleep(0.1)
        waiting -= set(heard.readline().split())
    os.set_blocking(heard.fileno(), True)
    time.sleep(1.0)


def processor_times() -> tuple[int, int]:
    """Idle and all time of all processors so far, in ticks."""
    times = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return times[3] + times[4], sum(times)


def write_in_turn(
    masters: dict[str, int], frames: list[bytes], rate: float
) -> tuple[dict[str, list[int]], list[float]]:
    """Write every frame to both, in blocks in turn, at about that rate.

    Returns:
        When each was written, and how idle the machine was while its block was, as a share.
    """
    chance = random.Random(6)
    written: dict[str, list[int]] = {name: [] for name in masters}
    idle: list[float] = []
    for start in range(0, len(frames), BLOCK):
        before, block = processor_times(), frames[start : start + BLOCK]
        for name, master in masters.items():
            for frame in block:
                time.sleep(chance.uniform(0.5, 1.5) / rate)
                written[name].append(time.monotonic_ns())
                assert os.write(master, frame) == SIZE
        after = processor_times()
        idle += [(after[0] - before[0]) / max(1, after[1] - before[1])] * len(block)
    time.sleep(0.5)
    return written, idle


def arrivals(said: str) -> dict[str, list[int]]:
    """When each frame was whole at the subscriber. What the floor read at once may be less than a frame, or more."""
    arrived: dict[str, list[int]] = {"floor": [], "station": []}
    size = 0
    for line in said.splitlines():
        name, at, data = line.split()
        if name == "station":
            assert json.loads(bytes.fromhex(data).partition(b" ")[2])["packet"] == "DESCENT"
            arrived[name].append(int(at))
        else:
            size += len(data) // 2
            arrived[name] += [int(at)] * (size // SIZE - len(arrived[name]))
    return arrived


def latencies(written: list[int], arrived: list[int]) -> list[float]:
    """Milliseconds of each, after warming up."""
    arrived = [at for at in arrived if at > written[0]]
    assert len(arrived) == len(written), f"{len(arrived)} of {len(written)} arrived"
    return [(b - a) / 1e6 for a, b in zip(written, arrived, strict=True)][WARM:]


def measure(frames: list[bytes], rate: float) -> tuple[dict[str, list[float]], list[float]]:
    """Milliseconds by way, and how idle the machine was at each.

    The first frame opens both ways: one that comes twice in a row is decoded once.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        masters, ports = {}, {}
        for name in ("floor", "station"):
            masters[name], ports[name] = open_port()
        floor = f"ipc://{folder}/floor"
        stack.enter_context(process(sys.executable, "-c", FLOOR, ports["floor"], floor))
        ground = [sys.executable, "-m", "groundstation.cli", "serve", f"serial:{ports['station']}", "--announce"]
        ground += ["--name", "bench", "--record", str(folder / "pass.sqlite")]
        stack.enter_context(process(*ground))
        endpoint = Registry().find("bench").telemetry
        subscriber = stack.enter_context(process(sys.executable, "-c", SUBSCRIBER, floor, endpoint))
        assert subscriber.stdout is not None
        prime(masters, frames[0], subscriber.stdout)
        written, idle = write_in_turn(masters, frames[1:], rate)
        said, _ = subscriber.communicate("\n")
    arrived = arrivals(said)
    return {name: latencies(written[name], arrived[name]) for name in arrived}, idle[WARM:]


def report(found: dict[str, list[float]], what: str) -> None:
    """Both ways and their ratio."""
    print(f"{len(found['floor'])} frames each, {what:<28}   p50 ms    p90 ms    p99 ms   longest")
    for name, times in found.items():
        cuts = statistics.quantiles(times, n=100)
        print(f"  {name:<42}{cuts[49]:>9.3f} {cuts[89]:>9.3f} {cuts[98]:>9.3f} {max(times):>9.3f}")
    ratio = statistics.median(found["station"]) / statistics.median(found["floor"])
    print(f"  p50 of the station over the floor: {ratio:.2f}; wanted: at most {WANTED}")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    found, idle = measure(lander_frames(1 + count + WARM), rate)
    report(found, f"machine {statistics.mean(idle):.0%} idle")
    quiet = [place for place, share in enumerate(idle) if share >= QUIET]
    if BLOCK <= len(quiet) < len(idle):
        report(
            {name: [times[place] for place in quiet] for name, times in found.items()}, f"those when {QUIET:.0%} idle"
        )


if __name__ == "__main__":
    main()
