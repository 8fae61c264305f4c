"""Lockstep descents: whole processes beside a bare start, and a judged run beside a bare descent in one process.

A bare descent is the least that flies in lockstep: the lander's ticks through the station's receiver into an archive.
No faults, no uplink, no oracle, no judgement, no bundle. The floor and what is measured take turns, so that a slow
moment hits both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk, Idle
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from hil.runs.find import find_scenario
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import load_scenario
from hil.verdict.oracle import fly
from protocols.lander import MARS6
from protocols.profile import UART

JUDGED = (
    ("los-091105, judged, with its bundle", "los-091105", True),
    ("random-faults, judged", "random-faults", False),
)


def process(*arguments: str) -> None:
    """One process to its end."""
    subprocess.run([sys.executable, "-m", "hil.cli", *arguments], check=True, capture_output=True)


def bare(recording: Path) -> None:
    """A descent in lockstep, and nothing else."""
    meta = {"station": "bare", "link": "none", "mission": MARS6.name, "dictionary_hash": MARS6.hash_text}
    with ArchiveWriter(recording, meta) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "none"), archive, str(recording))
        for burst in fly():
            recorder.decode(recorder.keep(Chunk(burst.scet, burst.data) if burst.data else Idle(burst.scet)))


def judged(scenario: str, bundle: Path, *, keep: bool) -> None:
    """A run as `hil run --report` flies it, with its bundle; or as `hil campaign` does, which keeps those that fail."""
    plan = Plan(load_scenario(find_scenario(scenario)), "software", "lockstep", bundle, "", keep=keep)
    assert fly_plan(plan, time.time_ns, lambda scet: None).passed


def timed(work: Callable[[], None]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def table(title: str, columns: Mapping[str, Sequence[float]]) -> None:
    """The seconds of each, and each beside the first."""
    print(f"{title:44}{'median s':>9}{'min s':>8}{'max s':>8}{'ratio':>8}")
    floor = statistics.median(next(iter(columns.values())))
    for name, seconds in columns.items():
        median = statistics.median(seconds)
        print(f"{name:44}{median:9.2f}{min(seconds):8.2f}{max(seconds):8.2f}{median / floor:8.2f}")


def main(rounds: int = 7) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        whole: dict[str, list[float]] = {"hil --help (floor: the start)": []}
        inside: dict[str, list[float]] = {"bare descent (floor)": []}
        for n in range(rounds):
            whole["hil --help (floor: the start)"].append(timed(lambda: process("--help")))
            record = str(place / f"{n}.sqlite")
            fly_it = ["fly", "--lockstep", "--record", record]
            whole.setdefault("hil fly --lockstep", []).append(timed(partial(process, *fly_it)))
            run_it = ["run", "los-091105"]
            whole.setdefault("hil run los-091105", []).append(timed(partial(process, *run_it)))
            recording = place / f"bare-{n}.sqlite"
            inside["bare descent (floor)"].append(timed(partial(bare, recording)))
            for name, scenario, keep in JUDGED:
                bundle = place / f"{name}-{n}"
                flight = timed(partial(judged, scenario, bundle, keep=keep))
                inside.setdefault(name, []).append(flight)
    table("whole processes", whole)
    table("in one process", inside)


if __name__ == "__main__":
    main()
