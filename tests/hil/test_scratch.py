"""Temporary folders go with the process that made them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil.scratch import Scratch

OWNER = """
import sys
from hil.scratch import Scratch
scratch = Scratch("owner-")
(scratch.path / "file").write_text("x")
print(scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_closed_folder_is_gone(temporary: Path) -> None:
    with Scratch("x-") as scratch:
        (scratch.path / "deep").mkdir()
        (scratch.path / "deep" / "file").write_text("x")
        assert scratch.path.stat().st_mode & 0o777 == 0o700
    scratch.close()
    assert not any(temporary.iterdir())


def test_a_kept_folder_stays(temporary: Path) -> None:
    with Scratch("x-") as scratch:
        scratch.keep()
    assert list(temporary.iterdir()) == [scratch.path]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_folder_of_a_killed_group_is_gone(temporary: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as owner:
        assert owner.stdout is not None
        path = Path(owner.stdout.readline().strip())
        assert (path / "file").exists()
        os.killpg(owner.pid, number)
        owner.wait(10)
    deadline = time.monotonic() + 5
    while any(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(temporary.iterdir())


def test_a_folder_that_cannot_be_made_is_an_error(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "nowhere"))
    with pytest.raises(FileNotFoundError):
        Scratch("x-")
