"""Viewers in real terminals: one tmux server, a session for each, all looked at again and again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

SIZES = ((60, 18), (80, 24), (120, 40), (200, 60))


class Screens:
    """A tmux server of its own; `open` adds a terminal of any size."""

    def __init__(self, folder: Path) -> None:
        tmux = shutil.which("tmux")
        assert tmux is not None, "tmux is not installed"
        self._call = [tmux, "-S", str(folder / "tmux"), "-f", os.devnull]
        self.names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run([*self._call, "kill-server"], check=False, capture_output=True)

    def open(self, name: str, size: tuple[int, int], command: str, environment: Mapping[str, str]) -> None:
        """Run a command line in a terminal; the terminal stays when the command ends."""
        width, height = map(str, size)
        line = f"{command}; echo EXIT=$?; sleep 100000"
        terminal = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        call = [*self._call, "new-session", "-d", "-s", name, "-x", width, "-y", height, line]
        subprocess.run(call, check=True, env=dict(environment) | terminal)
        self.names.append(name)

    def look(self, name: str) -> str:
        """The text of a terminal."""
        call = [*self._call, "capture-pane", "-p", "-t", f"={name}:"]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout

    def press(self, name: str, *keys: str) -> None:
        """Send keys, by tmux's names."""
        subprocess.run([*self._call, "send-keys", "-t", f"={name}:", *keys], check=True)

    def wait(self, name: str, shows: Callable[[str], bool], seconds: float = 60.0) -> str:
        """Wait until a terminal shows something.

        Raises:
            AssertionError: it did not in time.
        """
        deadline = time.monotonic() + seconds
        while not shows(screen := self.look(name)):
            assert time.monotonic() < deadline, f"{name} did not show it in {seconds:g} s:\n{screen}"
            time.sleep(0.1)
        return screen
