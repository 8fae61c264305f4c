"""The TUI in a real terminal: a whole flight in tmux at both sizes, its keys, and how it leaves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.station.registry import Registry
from tests.system.remote import until

TMUX = shutil.which("tmux")
if TMUX is None and not os.environ.get("MARS6_REQUIRE_ALL"):
    pytest.skip("tmux is not installed: the TUI is not tried in a real terminal", allow_module_level=True)


class Terminal:
    """A tmux server of its own with one pane."""

    def __init__(self, home: Path, width: int, height: int, command: str) -> None:
        assert TMUX is not None
        self._call = [TMUX, "-S", str(home / "tmux"), "-f", os.devnull]
        size = ["-x", str(width), "-y", str(height)]
        environment = dict(os.environ) | {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        # The shell stays, so that what is printed after the TUI can be read.
        line = f"{command}; echo EXIT=$?; sleep 60"
        subprocess.run([*self._call, "new-session", "-d", *size, line], check=True, env=environment)

    def screen(self) -> str:
        call = [*self._call, "capture-pane", "-p", "-J"]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout

    def press(self, *keys: str) -> None:
        subprocess.run([*self._call, "send-keys", *keys], check=True)

    def wait_for(self, *texts: str, seconds: float = 25) -> str:
        """The screen with all of these on it: its parts are drawn one after the other."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            screen = self.screen()
            if all(text in screen for text in texts):
                time.sleep(0.05)  # it may have been seen half drawn
                whole = self.screen()
                return whole if all(text in whole for text in texts) else screen
            time.sleep(0.1)
        pytest.fail(f"{' and '.join(texts)} did not come up in {seconds:g} s; the screen was:\n{self.screen()}")

    def close(self) -> None:
        subprocess.run([*self._call, "kill-server"], check=False)


@pytest.fixture(params=[(80, 24), pytest.param((120, 40), marks=pytest.mark.long)], ids=["80x24", "120x40"])
def terminal(request: pytest.FixtureRequest, home: Path) -> Iterator[Terminal]:
    width, height = request.param
    stage = Terminal(home, width, height, f"{sys.executable} -m hil.cli fly --speed 60")
    yield stage
    stage.close()


@pytest.mark.alone
def test_a_flight_from_entry_to_loss_of_signal(terminal: Terminal) -> None:
    terminal.wait_for("bus LOCK")
    terminal.wait_for("lander LOCK")
    terminal.wait_for("LOSS OF SIGNAL", "CRC ✓ → lander ✗", "bus still heard", "09:11:04.9 UTC", "09:11:05.0")
    terminal.wait_for("Recording goes on", "lander LOS", "exact", "none missed")
    terminal.press("a")
    time.sleep(0.5)
    screen = terminal.wait_for("lander LOS")
    assert "LOSS OF SIGNAL" not in screen
    terminal.press("q")
    screen = terminal.wait_for("EXIT=0")
    assert "PASS     los-lander-only on software, realtime" in screen
    assert "LOS lander LANDER_ONLY planned 09:11:05.000 observed 09:11:05.000" in screen
    assert "Recording: " in screen


def test_an_exported_size_does_not_override_the_terminal(home: Path) -> None:
    stage = Terminal(home, 60, 18, f"COLUMNS=200 LINES=60 {sys.executable} -m hil.cli fly --speed 20")
    try:
        rows = stage.wait_for("? Help").splitlines()
    finally:
        stage.close()
    assert "? Help" in rows[17]
    assert "LIVE" in rows[0] or "LOCK" in rows[0] or "MARS" in rows[0] or "UTC" in rows[0], rows[0]


@pytest.mark.long
def test_leaving_early_keeps_what_was_received(home: Path) -> None:
    stage = Terminal(home, 80, 24, f"{sys.executable} -m hil.cli fly --speed 20")
    try:
        stage.wait_for("lander LOCK")
        stage.press("q")
        screen = stage.wait_for("EXIT=21")
        assert "INCOMPLETE los-lander-only on software" in screen
        assert "the viewer was closed at 09:" in screen
        assert "recording: " in screen
    finally:
        stage.close()
    (recording,) = (home / "data").rglob("*.sqlite")
    assert recording.stat().st_size > 0


@pytest.mark.alone
def test_a_flight_to_a_part_says_so_before_the_interface(home: Path) -> None:
    command = f"{sys.executable} -m hil.cli fly --span encounter --from 08:50:00"
    stage = Terminal(home, 80, 24, command)
    try:
        screen = stage.wait_for("flying flat out to 08:50:00; the station listens from then on")
        until(lambda: Registry().running(), "station")
        assert "lander" not in stage.screen() and "LIVE" not in screen
        stage.press("C-c")
        until(lambda: not Registry().running(), "end of the station")
    finally:
        stage.close()


@pytest.mark.alone
def test_the_interface_opens_with_the_part(home: Path) -> None:
    stage = Terminal(home, 80, 24, f"{sys.executable} -m hil.cli fly --from 09:10:50")
    try:
        stage.wait_for("flying flat out to 09:10:50")
        stage.wait_for("lander LOCK")
        stage.press("q")
        assert "INCOMPLETE" in stage.wait_for("EXIT=21")
    finally:
        stage.close()
