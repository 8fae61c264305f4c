"""Ends `hil run --jobs 2` at random moments by SIGINT, SIGTERM and SIGKILL, and looks at what it left.

    python -m tests.stress.end_runs 100
    python -m tests.stress.end_runs 20 software

By turns in lockstep and in real time. Five seconds after the signal there may be no process of it, no
socket and no temporary file; after SIGINT and SIGTERM it has written its report, and its exit code says which it was.
The moment lies between the first one at which the program can take a signal and some flights later: workers start,
emulators and stations start, fly and end, bundles and reports are written.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

LIMIT_S = 5.0
PATIENCE_S = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
WORDS = {
    "lockstep": ["run", "los-091105", "noisy-descent", "--lockstep", "--repeat", "50"],
    "realtime": ["run", "reacquisition", "--realtime", "--repeat", "50"],
}


@dataclass(frozen=True, slots=True)
class Ended:
    """One program that was ended. ``gone_s`` is how long after the signal nothing was left of it."""

    kind: str
    number: signal.Signals
    after_s: float
    runs: int
    gone_s: float
    faults: list[str]

    @property
    def text(self) -> str:
        told = f"{self.kind} ended by {self.number.name} after {self.after_s:.2f} s, {self.runs} runs in its report"
        return f"{told}; all gone after {self.gone_s:.2f} s" + "".join(f"; {fault}" for fault in self.faults)


def processes(mark: str) -> list[int]:
    """Processes that have a word in their environment; a zombie has none any more."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def left_behind(folder: Path) -> list[str]:
    """What of a program is still there."""
    out = [f"process {pid}: {words(pid)}" for pid in processes(str(folder))]
    out += [f"temporary file {path.name}" for path in (folder / "tmp").iterdir()]
    return out + [f"socket {path}" for path in walk(folder / "run") if stat.S_ISSOCK(path.lstat().st_mode)]


def walk(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if path.exists():
                yield path


def words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def takes(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal, or keeps it until it has one."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigCgt", "SigBlk"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


def end_once(folder: Path, kind: str, number: signal.Signals, after_s: float, target: str = "qemu") -> Ended:
    """Start a program, end it so many seconds after it can take a signal, and look."""
    for name in ("tmp", "run"):
        (folder / name).mkdir(mode=0o700)
    home = {
        "TMPDIR": str(folder / "tmp"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    command = [sys.executable, "-m", "hil.cli", *WORDS[kind], "--target", target, "--jobs", "2"]
    command += ["--report", str(folder / "out")]
    with open(folder / "said", "wb") as said:
        program = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | home, start_new_session=True)
    deadline = time.monotonic() + PATIENCE_S
    while not takes(program.pid, signal.SIGTERM) and program.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(after_s)
    program.send_signal(number)
    began, faults = time.monotonic(), []
    try:
        program.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        faults.append(f"it did not end in {PATIENCE_S:g} s")
    while (left := left_behind(folder)) and time.monotonic() - began < LIMIT_S:
        time.sleep(0.02)
    gone_s = time.monotonic() - began
    faults += left
    runs = 0
    if number != signal.SIGKILL:
        faults += report_faults(folder, 128 + number, program.returncode)
        runs = len(cases(folder)) if not faults else 0
    for pid in processes(str(folder)):
        os.kill(pid, signal.SIGKILL)
    return Ended(kind, number, after_s, runs, gone_s, faults)


def report_faults(folder: Path, code: int, returned: int) -> list[str]:
    """What is wrong with the report of a program that was asked to end."""
    faults = [] if returned == code else [f"exit code {returned}, not {code}"]
    faults += [
        f"no {name}" for name in ("report.html", "junit.xml", "report.json") if not (folder / "out" / name).exists()
    ]
    said = (folder / "said").read_text(errors="replace")
    return faults + (["a traceback"] if "Traceback" in said else [])


def cases(folder: Path) -> list[ET.Element]:
    """The runs in the report."""
    return list(ET.parse(folder / "out" / "junit.xml").getroot().iter("testcase"))


def end_many(rounds: int, target: str = "qemu", seed: int = 6) -> Iterator[Ended]:
    """End so many, each kind and signal in turn, at random moments. What was wrong stays, in a folder that is told."""
    chance = random.Random(seed)
    for number in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="end-runs-"))
        kind = list(WORDS)[number // len(SIGNALS) % len(WORDS)]
        ended = end_once(folder, kind, SIGNALS[number % len(SIGNALS)], chance.uniform(0, 6), target)
        if ended.faults:
            print(f"      {(folder / 'said').read_text(errors='replace')[-2000:]}\n      kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder)
        yield ended


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    target = sys.argv[2] if len(sys.argv) > 2 else "qemu"
    all_ended = []
    for number, ended in enumerate(end_many(rounds, target), 1):
        print(f"{number:4}: {ended.text}", flush=True)
        all_ended.append(ended)
    bad = sum(bool(ended.faults) for ended in all_ended)
    slowest = max(ended.gone_s for ended in all_ended)
    print(f"{rounds} programs ended: all gone after {slowest:.2f} s at most, {bad} left something or lacked something")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
