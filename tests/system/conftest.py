"""What system tests share: a private home for recordings and running stations, and the command lines."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forked_commands import ForkedCommands

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recordings and runtime files of this test alone; short, for the sake of socket paths."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return tmp_path


@pytest.fixture
def run(home: Path, commands: ForkedCommands) -> Run:
    """Run ``hil`` or ``groundstation`` to its end, without a terminal."""
    return commands.run
