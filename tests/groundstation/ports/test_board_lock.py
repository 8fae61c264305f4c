"""One program at a time has a board: held by real processes, of two users."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.errors import LockRefused, PortBusy
from groundstation.ports.board_lock import FOLDERS, lock_board, lock_holder
from groundstation.ports.devices import Device

ONE = Device("/dev/ttyACM0", "usb-2341:0043-serial-ONE-if00", serial="ONE", board="Arduino Uno")
TWO = Device("/dev/ttyACM1", "usb-2341:0043-serial-TWO-if00", serial="TWO", board="Arduino Uno")
RENAMED = Device("/dev/ttyACM9", ONE.key, serial="ONE")
HOLD = """
import sys
from pathlib import Path
from groundstation.ports.board_lock import lock_board
from groundstation.ports.devices import Device
lock = lock_board([Device("/dev/ttyACM0", sys.argv[1])], 0, folders=[Path(sys.argv[2])])
print("held", flush=True)
sys.stdin.read()
"""
UNPRIVILEGED = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
WORK = """
import sys, time
from pathlib import Path
from groundstation.ports.board_lock import lock_board
from groundstation.ports.devices import Device
for _ in range(20):
    lock = lock_board([Device("/dev/ttyACM0", sys.argv[1])], 60, folders=[Path(sys.argv[2])])
    with open(sys.argv[3], "a") as log:
        log.write("begin\\n")
    time.sleep(0.005)
    with open(sys.argv[3], "a") as log:
        log.write("end\\n")
    lock.release()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As /run/lock is."""
    folder = tmp_path / "lock"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@contextmanager
def held(folder: Path, device: Device = ONE, before: str = "") -> Iterator[subprocess.Popen[str]]:
    """A board that another process has."""
    with subprocess.Popen(
        [sys.executable, "-c", before + HOLD, device.key, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_program_is_refused_with_the_holders_name_and_time(folder: Path) -> None:
    with held(folder) as process:
        with pytest.raises(PortBusy) as caught:
            lock_board([RENAMED], 0.0, folders=[folder])
        holder = lock_holder(RENAMED, [folder])
    assert "/dev/ttyACM9 (ONE) is in use by -c import sys" in str(caught.value)
    assert f"(pid {process.pid}), since " in str(caught.value)
    assert holder is not None
    assert holder.pid == process.pid
    assert abs(holder.since / 1e9 - time.time()) < 60


def test_board_is_free_when_its_holder_was_killed(folder: Path) -> None:
    with held(folder) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        lock_board([ONE], 0.0, folders=[folder]).release()
    assert lock_holder(ONE, [folder]) is None


def test_who_waits_is_told_once_and_gets_the_board(folder: Path) -> None:
    said: list[str] = []
    first = lock_board([ONE], 0.0, folders=[folder])
    with subprocess.Popen([sys.executable, "-c", WORK, ONE.key, str(folder), str(folder / "log")]) as worker:
        time.sleep(0.3)
        assert not (folder / "log").exists()
        first.release()
        assert worker.wait(60) == 0
    with held(folder) as process:
        with pytest.raises(PortBusy, match=r"waited 0\.8 s"):
            lock_board([ONE], 0.8, said.append, [folder])
        (line,) = said
    assert f"(pid {process.pid})" in line
    assert line.endswith("waiting for up to 0.8 s")


def test_any_free_board_of_several_will_do(folder: Path) -> None:
    with held(folder, ONE):
        lock = lock_board([ONE, TWO], 0.0, folders=[folder])
        assert lock.device is TWO
        with pytest.raises(PortBusy, match=r"ttyACM0 .* in use by .*; /dev/ttyACM1 .* in use by"):
            lock_board([ONE, TWO], 0.0, folders=[folder])
        lock.release()
        lock.release()
        assert lock_holder(TWO, [folder]) is None


def test_workers_never_have_a_board_at_once(folder: Path) -> None:
    log = folder / "log"
    words = [sys.executable, "-c", WORK, ONE.key, str(folder), str(log)]
    workers = [subprocess.Popen(words) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert log.read_text() == "begin\nend\n" * 60


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which only root can")
def test_users_of_one_host_share_the_lock() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # where pytest's own folders are no other user comes
        folder = Path(name)
        folder.chmod(0o1777)
        share_lock(folder)


def share_lock(folder: Path) -> None:
    lock_board([ONE], 0.0, folders=[folder]).release()  # root's file, which the other user locks
    before = "import groundstation.ports.board_lock\n" + UNPRIVILEGED
    with held(folder, ONE, before) as process, pytest.raises(PortBusy, match=rf"\(pid {process.pid}\)"):
        lock_board([ONE], 0.0, folders=[folder])
    with held(folder, TWO, before), pytest.raises(PortBusy):  # a file of the other user's
        lock_board([TWO], 0.0, folders=[folder])
    lock_board([TWO], 0.0, folders=[folder]).release()


def lock_path(folder: Path) -> Path:
    lock_board([ONE], 0.0, folders=[folder]).release()
    (path,) = folder.iterdir()
    path.unlink()
    return path


@pytest.mark.parametrize("kind", ["symlink", "hard link", "folder", "pipe", "dangling"])
def test_strangers_file_is_refused_and_what_it_leads_to_untouched(folder: Path, tmp_path: Path, kind: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    os.utime(precious, (1, 1))
    path = lock_path(folder)
    if kind == "symlink":
        path.symlink_to(precious)
    elif kind == "dangling":
        path.symlink_to(tmp_path / "made-by-following")
    elif kind == "hard link":
        path.hardlink_to(precious)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(LockRefused, match=f"{path.name}, cannot be used"):
        lock_board([ONE], 0.0, folders=[folder])
    assert (precious.read_text(), precious.stat().st_mtime) == ("mine", 1.0)
    assert not (tmp_path / "made-by-following").exists()


def test_file_that_was_removed_under_its_holder_is_made_again(folder: Path) -> None:
    path = lock_path(folder)
    lock = lock_board([ONE], 0.0, folders=[folder])
    assert path.exists()
    lock.release()


def test_folder_that_only_one_user_may_use_is_passed_over(folder: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    lock_board([ONE], 0.0, folders=[tmp_path / "none", private, folder]).release()
    assert not list(private.iterdir())
    with pytest.raises(LockRefused, match="no folder for the locks"):
        lock_board([ONE], 0.0, folders=[private])


def test_this_host_has_a_folder_for_locks() -> None:
    key = f"test-{os.getpid()}"
    lock = lock_board([Device("/dev/ttyNONE", key)], 0.0)
    (path,) = [path for folder in FOLDERS for path in folder.glob(f"*{key}*")]
    lock.release()
    path.unlink()
