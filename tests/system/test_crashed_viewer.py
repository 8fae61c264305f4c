"""A viewer that gets noise goes on; one that crashes says so, and its station goes on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.station.registry import Registry
from tests.groundstation.made_recordings import record
from tests.stress.windows import Window
from tests.system.remote import until

pytestmark = pytest.mark.long

LINK = "zmq:ipc:///absent/endpoint"
EXIT_CRASHED = 70
NOISE = (b"\xff", b"\x1b[M\x20\xff\xff", b"\x1b[1114112u", b"\x1b[97:65u", b"\x80" * 300, b"\x1b[200~\xff\x1b[201~")
CRASHES = {
    "painting": "groundstation.tui.descent:DescentScreen.paint",
    "an arrival": "groundstation.viewer.model:PassModel.apply",
    "the keyboard": "groundstation.tui.terminal.keyboard:KeyReader.tick",
    "a key": "groundstation.tui.descent:DescentScreen.scroll_telemetry",
}
BROKEN = """
import os, sys, importlib
module, _, names = sys.argv.pop(1).partition(":")
flag, program = sys.argv.pop(1), sys.argv.pop(1)
kind, name = names.split(".")
owner = getattr(importlib.import_module(module), kind)
sound = getattr(owner, name)
def broken(*args, **more):
    if os.path.exists(flag):
        raise ZeroDivisionError("a fault of the viewer")
    return sound(*args, **more)
setattr(owner, name, broken)
importlib.import_module(program + ".cli").main()
"""

CONTINUED = """
import os, signal, sys
from groundstation.cli import main
from groundstation.tui.terminal.driver import TerminalDriver
name = sys.argv.pop(1)
sound = getattr(TerminalDriver, name)
def continued(driver):
    sound(driver)
    os.kill(os.getpid(), signal.SIGCONT)
setattr(TerminalDriver, name, continued)
main()
"""


@pytest.fixture
def left(home: Path) -> Iterator[None]:
    """Whatever a failed test leaves running is stopped."""
    yield
    for info in Registry().running():
        os.kill(info.pid, signal.SIGTERM)


class Broken:
    """A program whose viewer has a fault that shows when it is told to."""

    def __init__(self, home: Path, crash: str, program: str, *arguments: str) -> None:
        self._flag = home / "crash"
        command = [sys.executable, "-c", BROKEN, CRASHES[crash], str(self._flag), program, *arguments]
        self.window = Window(command, {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}, size=(120, 40))

    def crash(self, seconds: float = 30.0) -> int:
        self._flag.touch()
        self.window.type(b"j")
        code = self.window.process.wait(seconds)
        self.window.wait_for("ZeroDivisionError")
        return code


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("crash", CRASHES)
def test_a_station_goes_on_when_its_viewer_crashes(home: Path, crash: str) -> None:
    broken = Broken(home, crash, "groundstation", "run", LINK, "--name", "bench")
    broken.window.wait_for("CONTACT")
    assert broken.crash() == EXIT_CRASHED
    broken.window.wait_for("station bench goes on: groundstation watch bench")
    assert "Stopping station" not in broken.window.text
    assert [info.name for info in Registry().running()] == ["bench"]
    broken.window.close()


def test_a_flight_goes_on_in_lines_when_its_viewer_crashes(home: Path) -> None:
    broken = Broken(home, "painting", "hil", "fly", "--speed", "60")
    broken.window.wait_for("CONTACT")
    assert broken.crash(60.0) == EXIT_CRASHED
    broken.window.wait_for("the flight goes on until Ctrl-C: groundstation watch fly-")
    broken.window.wait_for("LOS lander LANDER_ONLY planned 09:11:05.000 observed 09:11:05.000")
    broken.window.close()


def test_a_replay_says_how_to_go_on_when_its_viewer_crashes(home: Path) -> None:
    path = home / "pass.sqlite"
    record(path)
    broken = Broken(home, "painting", "groundstation", "replay", str(path), "--paused")
    broken.window.wait_for("PAUSED")
    assert broken.crash() == EXIT_CRASHED
    broken.window.wait_for(f"to go on: groundstation replay {path} --from ")
    until(lambda: not Registry().running() or None, "end of the replay")
    broken.window.close()


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("step", ["disable_input", "stop_application_mode", "close"])
def test_a_viewer_continued_while_it_ends_does_end(home: Path, step: str) -> None:
    command = [sys.executable, "-c", CONTINUED, step, "run", LINK, "--name", "bench"]
    window = Window(command, {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
    window.wait_for("CONTACT")
    window.type(b"qq")
    try:
        assert window.process.wait(20.0) == 0
    finally:
        window.process.kill()
    window.close()


@pytest.mark.usefixtures("left")
def test_noise_on_the_terminal_ends_nothing(home: Path) -> None:
    command = [sys.executable, "-m", "groundstation.cli", "run", LINK, "--name", "bench"]
    window = Window(command, {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
    window.wait_for("CONTACT")
    for noise in NOISE:
        window.type(noise)
    window.type(b"?")
    window.wait_for("HELP")
    window.type(b"qq")
    assert window.process.wait(30.0) == 0
    assert "Traceback" not in window.text
    window.close()
