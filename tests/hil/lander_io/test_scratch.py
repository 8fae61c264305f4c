"""Temporary folders go with the process that made them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil.lander_io.scratch import Scratch

OWNER = """
import sys
from hil.lander_io.scratch import Scratch
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


def test_what_is_written_during_the_close_goes_too(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Scratch("x-"):
        monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # as if a file came after it had looked
    assert not any(temporary.iterdir())


def abandoned(temporary: Path, age_s: float) -> Path:
    """The folder of a process that was killed together with what was to remove the folder."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        path = Path(os.fsdecode(owner.stdout.readline().strip()))
        (sweeper,) = Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text().split()
        os.kill(int(sweeper), signal.SIGKILL)
        owner.kill()
    (lock,) = (each for each in path.iterdir() if each.name != "file")
    os.utime(lock, (lock.stat().st_atime, lock.stat().st_mtime - age_s))
    assert path.parent == temporary
    return path


def test_an_abandoned_folder_goes_with_the_next_of_its_kind(temporary: Path) -> None:
    path = abandoned(temporary, 60)
    with Scratch("x-"):
        assert path.exists()
    with Scratch("owner-"):
        assert not path.exists()


def test_a_folder_whose_owner_is_just_beginning_stays(temporary: Path) -> None:
    path = abandoned(temporary, 0)
    with Scratch("owner-"):
        assert path.exists()


def test_folders_in_use_and_kept_ones_stay(temporary: Path) -> None:
    with Scratch("x-") as kept, Scratch("x-") as used:
        for path in (*kept.path.iterdir(), *used.path.iterdir()):
            os.utime(path, (0, 0))
        kept.keep()
        with Scratch("x-"):
            assert kept.path.exists()
            assert used.path.exists()
    assert list(temporary.iterdir()) == [kept.path]


def test_a_folder_that_cannot_be_made_is_an_error(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "nowhere"))
    with pytest.raises(FileNotFoundError):
        Scratch("x-")
