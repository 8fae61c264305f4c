"""The end of a terminal: noticed without a signal, and nothing survives it for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from groundstation.host.hangup import EXIT_HANGUP, Deadline, EndSignals, has_hung_up
from tests.stress.windows import Window

PATIENCE_S = 20.0
WATCHING = "from groundstation.host.hangup import end_with_terminal; end_with_terminal(drawing={drawing})\n"
READY = "import os; os.write(2 if {err} else 1, b'ready'); "
STUCK = {
    "asleep": "import time; time.sleep(60)",
    "spinning": "exec('while True: pass')",
    "deaf to SIGHUP": "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); time.sleep(60)",
    "handling it for ever": "import signal, time; signal.signal(1, lambda *_: time.sleep(60)); time.sleep(60)",
    "waiting for a lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "waiting for a full queue": "import queue; q = queue.Queue(1); q.put(1); q.put(1)",
}


def start(code: str, *, drawing: bool = True, deaf: bool = False) -> Window:
    """A program in a window; ``deaf``: its parent ignores SIGHUP."""
    command = [sys.executable, "-c", WATCHING.format(drawing=drawing) + READY.format(err=False) + code]
    if deaf:
        command = ["sh", "-c", 'trap "" HUP; "$@" & wait; exit 1', "sh", *command]
    window = Window(command, {**os.environ, "WINDOW": str(id(code))})
    window.wait_for("ready")
    return window


@pytest.mark.parametrize("deaf", [False, True], ids=["SIGHUP comes", "a parent ignores SIGHUP"])
@pytest.mark.parametrize("code", STUCK.values(), ids=STUCK)
def test_whatever_a_program_does_it_ends_with_its_terminal(code: str, deaf: bool) -> None:
    window = start(code, deaf=deaf)
    window.close()
    window.process.wait(PATIENCE_S)


def test_a_program_that_writes_into_a_file_does_not_end_with_its_terminal(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); time.sleep(1.5); print('done')"
    out = tmp_path / "out"
    program = f'exec "{sys.executable}" -c "{WATCHING.format(drawing=False)}{READY.format(err=True)}{code}" > {out}'
    window = Window(["sh", "-c", program], os.environ)
    window.wait_for("ready")
    window.close()
    assert window.process.wait(PATIENCE_S) == 0
    assert out.read_text() == "done\n"


def test_a_deadline_ends_a_process_with_its_code() -> None:
    code = "import time; from groundstation.host.hangup import Deadline; Deadline().start(143, 0.1); time.sleep(60)"
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=False).returncode == 143


def test_a_deadline_that_is_called_off_ends_nothing() -> None:
    ended: list[int] = []
    deadline = Deadline(ended.append)
    deadline.start(1, 0.05)
    deadline.call_off()
    threads_gone()
    assert ended == []


def test_of_two_deadlines_the_sooner_counts() -> None:
    ended: list[int] = []

    def end(code: int) -> None:
        ended.append(code)
        deadline.call_off()

    deadline = Deadline(end)
    deadline.start(143, PATIENCE_S)
    deadline.start(129, 0.0)
    deadline.start(130, 0.1)
    threads_gone()
    assert ended == [129]


@pytest.mark.parametrize(
    ("number", "calls_off"), [(signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGHUP, False)]
)
def test_signals_end_it_and_only_a_lost_terminal_keeps_the_deadline(number: signal.Signals, calls_off: bool) -> None:
    asked: list[int] = []
    ended: list[int] = []
    before = signal.getsignal(number)
    with EndSignals(asked.append, Deadline(ended.append)):
        os.kill(os.getpid(), number)
    threads_gone()
    assert asked == [128 + number]
    assert ended == ([EXIT_HANGUP] if number == signal.SIGHUP else [])
    assert signal.getsignal(number) is before


def test_a_terminal_hangs_up_when_its_window_closes() -> None:
    master, slave = os.openpty()
    assert not has_hung_up(slave)
    os.close(master)
    assert has_hung_up(slave)
    os.close(slave)
    with open(os.devnull, "rb") as device:
        assert not has_hung_up(device.fileno())


def threads_gone() -> None:
    for thread in threading.enumerate():
        if thread.name == "deadline":
            thread.join(PATIENCE_S)
