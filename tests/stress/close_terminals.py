"""Closes terminals at random moments while data flow, and looks for what is left.

    python -m tests.stress.close_terminals 200

Each time a program shows a live descent in a window, or in a pane of tmux, and loses it: while it starts, in the middle
of data, suspended, while it quits, with a terminal that takes nothing, with SIGHUP and SIGCONT together, below parents
that ignore SIGHUP. No process may be left after `LIMIT_S`, no recording that was not closed, and no temporary file.
"""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.stress.windows import Window, living

LIMIT_S = 2.0
"""What a viewer and all that it started may take from the close to their end."""
PATIENCE_S = 30.0
"""When to give up: what is still there then is there for good."""
MOMENT_MAX_S = 8.0
JOBS = 2
ROOT = Path(__file__).parents[2]

_HIL = f"{shlex.quote(sys.executable)} -m hil.cli"
_FLY = f"{_HIL} fly --speed 20"
PROGRAMS = {
    "fly": f"exec {_FLY}",
    "over": f"exec {_HIL} fly --speed 100",
    "zmq": f"exec {_FLY} --link zmq",
    "make": "exec make -s run ARGS='--speed 20'",
    "shells": "sh -c \"make -s run ARGS='--speed 20'; true\"; true",
    "deaf": f"trap '' HUP; {_FLY}; true",
    "deaf make": "trap '' HUP; make -s run ARGS='--speed 20'; true",
}
"""As a shell is told. One is over within some seconds. The deaf ones ignore SIGHUP, and so does what they start."""
WAYS = ("plain", "suspended", "quitting", "noise", "hup and cont", "stalled")
TERMINALS = ("window", "window", "kill-pane", "kill-session", "kill-server")


class Terminal(Protocol):
    """Something to close that a program runs in."""

    @property
    def pid(self) -> int:
        """The process that leads its session."""
        ...

    def type(self, data: bytes) -> None:
        """Press keys; or send what is none."""
        ...

    def close(self) -> None:
        """End it, and let the kernel do the rest."""
        ...

    def reap(self) -> object:
        """What led its session has ended."""
        ...


class Pane:
    """A pane of a tmux server of its own."""

    def __init__(self, command: str, environment: Mapping[str, str], folder: Path, end: str) -> None:
        self._call = [shutil.which("tmux") or "tmux", "-S", str(folder / "tmux"), "-f", os.devnull]
        self._end = end
        start = ["new-session", "-d", "-x", "80", "-y", "24", command]
        subprocess.run([*self._call, *start], check=True, env=dict(environment), cwd=ROOT)

    @property
    def pid(self) -> int:
        call = [*self._call, "display-message", "-p", "#{pane_pid}"]
        return int(subprocess.run(call, capture_output=True, text=True, check=True).stdout)

    def type(self, data: bytes) -> None:
        subprocess.run([*self._call, "send-keys", "-H", *(f"{byte:02x}" for byte in data)], check=True)

    def close(self) -> None:
        subprocess.run([*self._call, self._end], check=False, capture_output=True)

    def reap(self) -> None:
        """It was tmux's to reap."""


@dataclass(frozen=True, slots=True)
class Closing:
    """One closing: of which program, in what, how, and when."""

    program: str
    terminal: str
    way: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of it: how long it took, what was still there after `PATIENCE_S`: processes, open recordings, and
    temporary files."""

    closing: Closing
    took_s: float
    left: dict[int, str]
    unclosed: list[str]
    temporary: list[str]

    @property
    def clean(self) -> bool:
        """Nothing is left."""
        return not self.left and not self.unclosed and not self.temporary


def draw(count: int, seed: int, moment_max_s: float = MOMENT_MAX_S) -> list[Closing]:
    """So many closings; programs, terminals and ways are each drawn as often as the others."""
    chance = random.Random(seed)
    terminals = TERMINALS if shutil.which("tmux") else ("window",)
    programs, where, ways = (_shuffled(chance, kind, count) for kind in (tuple(PROGRAMS), terminals, WAYS))
    return [Closing(*each, chance.uniform(0, moment_max_s)) for each in zip(programs, where, ways, strict=True)]


def _shuffled(chance: random.Random, kind: tuple[str, ...], count: int) -> list[str]:
    drawn = [kind[index % len(kind)] for index in range(count)]
    chance.shuffle(drawn)
    return drawn


def close_all(closings: list[Closing], folder: Path, jobs: int = JOBS) -> list[Closed]:
    """Close them, so many at once."""
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(close, closings, (folder / str(number) for number in range(len(closings)))))


def close(closing: Closing, home: Path) -> Closed:
    """Start a program in a terminal, close that, and wait until nothing of it is left."""
    (home / "run").mkdir(parents=True, mode=0o700)
    (home / "tmp").mkdir()
    folders = {"XDG_RUNTIME_DIR": "run", "XDG_DATA_HOME": "data", "TMPDIR": "tmp"}
    folders = {name: str(home / folder) for name, folder in folders.items()}
    environment = {**os.environ, **folders, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    command = PROGRAMS[closing.program]
    terminal: Terminal
    if closing.terminal == "window":
        stalled = closing.way == "stalled"
        terminal = Window(["sh", "-c", command], environment, folder=ROOT, stalled=stalled)
    else:
        terminal = Pane(command, environment, home, closing.terminal)
    try:
        time.sleep(closing.after_s)
        with contextlib.suppress(OSError, ValueError, subprocess.CalledProcessError):  # it may have ended already
            _before(closing.way, terminal)
    finally:
        terminal.close()
    closed = _aftermath(closing, home)
    terminal.reap()
    return closed


def _before(way: str, terminal: Terminal) -> None:
    """What happens at the last moment."""
    if way == "suspended":
        terminal.type(b"\x1a")
        time.sleep(0.3)
    elif way == "quitting":
        terminal.type(b"q")
        time.sleep(random.random())
    elif way == "noise":
        terminal.type(bytes(set(random.randbytes(64)) - set(b"qs\x11")))
    elif way == "hup and cont":  # as some terminals and shells do it
        for number in (signal.SIGHUP, signal.SIGCONT):
            os.killpg(terminal.pid, number)


def _aftermath(closing: Closing, home: Path) -> Closed:
    closed = time.monotonic()
    mark = f"XDG_RUNTIME_DIR={home / 'run'}\0"
    while (left := living(mark)) and time.monotonic() < closed + PATIENCE_S:
        time.sleep(0.02)
    while (temporary := _temporary(home)) and time.monotonic() < closed + PATIENCE_S:
        time.sleep(0.02)  # what removes a folder ends after those that it is of
    took = time.monotonic() - closed
    for number in left:
        os.kill(number, signal.SIGKILL)
    return Closed(closing, took, left, [path.name for path in home.rglob("*-wal")], temporary)


def _temporary(home: Path) -> list[str]:
    return [path.name for path in (home / "tmp").iterdir() if not path.name.startswith("pip-")]


def main() -> int:
    """Close as many as the first argument says; the exit code says whether all was clean and in time."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        all_closed = close_all(draw(count, seed), Path(folder))
    for closed in all_closed:
        if not closed.clean or closed.took_s > LIMIT_S:
            print(closed)
    times = sorted(closed.took_s for closed in all_closed)
    late, dirty = sum(time > LIMIT_S for time in times), sum(not closed.clean for closed in all_closed)
    print(f"{count} closings: median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s")
    print(f"{late} took longer than {LIMIT_S:g} s, {dirty} left something")
    return bool(late or dirty)


if __name__ == "__main__":
    sys.exit(main())
