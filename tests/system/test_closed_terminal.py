"""Terminals that end at any moment: no viewer survives, nor what it started; a station that records goes on."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from groundstation.station.registry import Registry
from tests.groundstation.made_recordings import record
from tests.stress.close_terminals import close_all, draw
from tests.stress.windows import Window, living
from tests.system.remote import GROUND, PATIENCE_S, until

pytestmark = pytest.mark.long

LINK = "zmq:ipc:///absent/endpoint"
THREADS_THAT_DRAW = 4
EXIT_HANGUP = 128 + signal.SIGHUP
EXIT_TERMINATED = 128 + signal.SIGTERM
HELD_UP = """
import sys, threading
from groundstation.tui import descent
sound = descent.DescentScreen.paint
def held_up(screen):
    sound(screen)
    if screen.app.painter.paintings > 20:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
descent.DescentScreen.paint = held_up
from groundstation.cli import main
main()
"""


@pytest.fixture
def left(home: Path) -> Iterator[None]:
    """Whatever a failed test leaves running is stopped."""
    yield
    for info in Registry().running():
        os.kill(info.pid, signal.SIGTERM)


def open_window(command: Sequence[str], *, stalled: bool = False) -> Window:
    return Window(command, {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}, stalled=stalled)


def names(home: Path) -> list[str]:
    """What runs of this test, without the station."""
    return [line for line in living(f"XDG_RUNTIME_DIR={home / 'run'}\0").values() if " serve " not in line]


def gone(home: Path) -> None:
    until(lambda: not names(home) or None, "the end of the viewer")


def closings(folder: Path, count: int, moment_max_s: float) -> None:
    for closed in close_all(draw(count, count, moment_max_s), folder):
        assert closed.clean, closed


def test_eight_terminals_closed_at_random_leave_nothing(tmp_path: Path) -> None:
    closings(tmp_path, 8, 5.0)


@pytest.mark.timeout(1800)
def test_two_hundred_terminals_closed_at_random_leave_nothing(tmp_path: Path) -> None:
    closings(tmp_path, 200, 8.0)


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("suspended", [False, True], ids=["watching", "suspended"])
@pytest.mark.parametrize("command", ["run", "watch"])
def test_a_station_goes_on_without_the_terminal_of_its_viewer(home: Path, command: str, suspended: bool) -> None:
    window = open_window([*GROUND, "run", LINK, "--name", "bench"])
    window.wait_for("CONTACT")
    if command == "watch":
        second = open_window([*GROUND, "watch", "bench"])
        second.wait_for("CONTACT")
        window.close()
        window.reap()
        window = second
    if suspended:
        window.type(b"\x1a")
        window.wait_for("\x1b[?1049l")
    window.close()
    assert window.reap() in (EXIT_HANGUP, -signal.SIGHUP)
    gone(home)
    assert [info.name for info in Registry().running()] == ["bench"]


def test_a_replay_ends_with_the_terminal_of_its_viewer(home: Path) -> None:
    path = home / "pass.sqlite"
    record(path)
    window = open_window([*GROUND, "replay", str(path)])
    window.wait_for("REPLAY")
    window.close()
    assert window.reap() in (EXIT_HANGUP, -signal.SIGHUP)
    gone(home)
    until(lambda: not Registry().running() or None, "the end of the replay")


@pytest.mark.usefixtures("left")
def test_a_viewer_that_is_held_up_still_ends_by_sigterm(home: Path) -> None:
    window = open_window([sys.executable, "-c", HELD_UP, "run", LINK, "--name", "bench"])
    window.wait_for("CONTACT")
    until(lambda: _is_asleep(window.pid), "a viewer that hangs")
    window.process.terminate()
    assert window.process.wait(PATIENCE_S) == EXIT_TERMINATED
    window.wait_for("\x1b[?1049l")  # the terminal can be used again
    window.close()


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_viewer_ends_by_signals_while_its_terminal_takes_nothing(home: Path, number: signal.Signals) -> None:
    window = open_window([*GROUND, "run", LINK, "--name", "bench"], stalled=True)
    until(lambda: Registry().running() or None, "a station")
    until(lambda: threads(window.pid) > THREADS_THAT_DRAW or None, "a viewer that draws")
    window.process.send_signal(number)
    assert window.process.wait(PATIENCE_S) == 128 + number
    window.close()


@pytest.mark.usefixtures("left")
def test_continued_viewers_read_their_keys_once(home: Path) -> None:
    window = open_window([*GROUND, "run", LINK, "--name", "bench"])
    window.wait_for("CONTACT")
    before = threads(window.pid)
    for _ in range(3):
        window.process.send_signal(signal.SIGSTOP)
        window.process.send_signal(signal.SIGCONT)
    window.type(b"?")
    window.wait_for("HELP")
    until(lambda: threads(window.pid) == before or None, "the threads of before")
    window.type(b"qq")
    assert window.process.wait(PATIENCE_S) == 0
    window.close()


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _is_asleep(pid: int) -> bool | None:
    """The main thread has not run for a while."""
    before = Path(f"/proc/{pid}/schedstat").read_text()
    time.sleep(1.0)
    return Path(f"/proc/{pid}/schedstat").read_text() == before or None
