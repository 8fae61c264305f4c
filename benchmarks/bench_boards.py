"""Emulated boards: how fast they start and fly, how well they keep time, and what they cost.

python benchmarks/bench_boards.py [--seconds 60] [--boards 16] [TARGET...]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np

from hil.targets import MACHINES, UNPACED, Machine
from hil.targets.greeting import SIZE, find_greeting
from hil.targets.stepping import SteppedMachine
from hil.targets.telecommands import order
from protocols.ccsds.crc import crc16

PATIENCE_S = 60.0
LEAD_TICKS = 880
"""Before it the lander does not send."""


class Listener:
    """All that a machine sends, with the time at which it came."""

    def __init__(self, target: str) -> None:
        self.stream = bytearray()
        self.times: list[tuple[int, float]] = []
        self._changed = threading.Condition()
        self.machine: Machine = MACHINES[target](self._receive)

    def _receive(self, data: bytes) -> None:
        now = time.monotonic()
        with self._changed:
            self.times.append((len(self.stream), now))
            self.stream += data
            self._changed.notify_all()

    def until(self, size: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.stream) >= size, PATIENCE_S):
                raise SystemExit(f"{self.machine.name}: {len(self.stream)} of {size} bytes, {self.machine.console}")

    def boot(self) -> float:
        """Seconds from power on to the first byte; comes back with the greeting."""
        began = time.monotonic()
        self.machine.power_on()
        self.until(SIZE)
        while find_greeting(bytes(self.stream)) is None:
            self.until(len(self.stream) + 1)
        return self.times[0][1] - began

    def frames(self, since: int) -> list[tuple[int, int, float]]:
        """VCID, VCFC and the arrival of its last piece, of each good frame."""
        found = []
        pieces = iter([*self.times[1:], (len(self.stream), self.times[-1][1])])
        end, at = next(pieces), self.times[0][1]
        for place in range(since, len(self.stream) - SIZE + 1, SIZE):
            while end[0] < place + SIZE:
                at = end[1]
                end = next(pieces)
            cadu = bytes(self.stream[place : place + SIZE])
            if not crc16(cadu[4:]):
                found.append((cadu[5] >> 1 & 7, cadu[7], at))
        return found


@contextmanager
def listener(target: str) -> Iterator[Listener]:
    made = Listener(target)
    try:
        yield made
    finally:
        made.machine.close()


def cpu_s(pid: int | None) -> float:
    """CPU time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_byte(target: str) -> str:
    times = []
    for _ in range(10):
        with listener(target) as each:
            times.append(each.boot())
    return f"median {1000 * statistics.median(times):.0f} ms, most {1000 * max(times):.0f} ms"


def flat_out(target: str) -> str:
    times, cost = [], []
    for _ in range(5):
        stepped = SteppedMachine(UNPACED[target])
        try:
            stepped.begin()
            began = time.monotonic()
            while not stepped.over:
                for _burst in stepped.advance(100):
                    pass
            times.append(time.monotonic() - began)
            cost.append(cpu_s(stepped.machine.pid))
        finally:
            stepped.close()
    return f"median {statistics.median(times):.2f} s, most {max(times):.2f} s; CPU {statistics.median(cost):.2f} s"


def idle(target: str) -> str:
    with listener(target) as each:
        each.boot()
        time.sleep(1)
        before = cpu_s(each.machine.pid)
        time.sleep(20)
        return f"{100 * (cpu_s(each.machine.pid) - before) / 20:.1f} % of a core"


def real_time(target: str, count: int, seconds: float) -> str:
    """So many at once by their clocks, ten frames a second each."""
    boards = [Listener(target) for _ in range(count)]
    try:
        for each in boards:
            each.boot()
        for each in boards:
            each.machine.write(order("START"))
            time.sleep(0.2)
            each.machine.write(order("HOLD"))
            time.sleep(0.2)
            each.machine.write(order("STEP", ticks=LEAD_TICKS))
        time.sleep(3)
        since = [len(each.stream) for each in boards]
        used, load = [cpu_s(each.machine.pid) for each in boards], os.getloadavg()[0]
        for each in boards:
            each.machine.write(order("RESUME"))
        time.sleep(seconds + 1)
        cost = [cpu_s(each.machine.pid) - before for each, before in zip(boards, used, strict=True)]
    finally:
        for each in boards:
            each.machine.close()
    slopes, late, lost = [], [], 0
    for each, place in zip(boards, since, strict=True):
        frames = [frame for frame in each.frames(place) if frame[0] == 0][: round(seconds * 10)]
        lost += round(seconds * 10) - len(frames)
        lost += sum((then[1] - now[1]) % 256 != 1 for now, then in pairwise(frames))
        arrivals = np.array([frame[2] for frame in frames])
        slope, offset = np.polyfit(np.arange(len(frames)) * 0.1, arrivals, 1)
        slopes.append(slope - 1)
        late.append(np.abs(arrivals - (np.arange(len(frames)) * 0.1 * slope + offset)).max())
    worst, busy = max(slopes, key=abs), 100 * statistics.mean(cost) / (seconds + 1)
    return (
        f"frames lost {lost} of {count * round(seconds * 10)}, slope off by {worst:+.1e} at most, "
        f"{1000 * max(late):.0f} ms off the line at most, CPU {busy:.1f} % each (load before: {load:.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=["qemu"], choices=[[], *sorted(MACHINES)], metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--boards", type=int, default=16)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    for target in options.targets or ["qemu"]:
        if (lack := MACHINES[target].missing()) is not None:
            print(f"{target}: {lack}")
            continue
        told = {
            "first byte after power on": first_byte(target),
            "a pass of 322 s flat out": flat_out(target),
            "CPU in READY": idle(target),
            f"one, {options.seconds:g} s by its clock": real_time(target, 1, options.seconds),
            f"{options.boards}, {options.seconds:g} s by their clocks": real_time(
                target, options.boards, options.seconds
            ),
        }
        for name, value in told.items():
            print(f"{target}: {name:28}{value}")


if __name__ == "__main__":
    main()
