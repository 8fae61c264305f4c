"""Other programs at an open port: readers that come and go, and settings that are changed, are noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from groundstation.links.base import TransportChange
from groundstation.links.port_watch import Meddling, PortWatch
from hil.lander_io.servers import PtyServer
from tests.groundstation.links.collect import PATIENCE_S, Sink, started

READER = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[PtyServer]:
    server = PtyServer(tmp_path / "ttyLander")
    yield server
    server.close()


def stty(path: str, *words: str) -> None:
    """It looks at what it set, and fails if that was set back already."""
    command = [shutil.which("stty") or "stty", "-F", path, *words]
    done = subprocess.run(command, check=False, timeout=20, capture_output=True, text=True)
    assert done.returncode == 0 or "unable to perform all" in done.stderr


def disturbed(sink: Sink, kind: str, count: int = 1) -> TransportChange:
    """The ``count``-th disturbance of a kind."""

    def found() -> list[TransportChange]:
        return [change for change in sink.of(TransportChange) if change.disturbance == kind]

    sink.wait(lambda: len(found()) >= count, f"{kind} disturbance")
    return found()[count - 1]


def settings(path: str) -> list[object]:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        return termios.tcgetattr(fd)
    finally:
        os.close(fd)


def test_a_reader_that_comes_later_is_named_and_its_going_told(pty: PtyServer) -> None:
    with started(pty.url) as (_, sink):
        sink.wait_for("CONNECTED")
        with subprocess.Popen(
            [sys.executable, "-c", READER, pty.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as reader:
            change = disturbed(sink, "lasting")
            assert change.state == "CONNECTED"
            assert f"(pid {reader.pid}) has it open too and may take bytes" in change.detail
            reader.communicate()
        sink.wait(lambda: "left it" in sink.changes("CONNECTED")[-1].detail, "leaving")
        left = sink.changes("CONNECTED")[-1]
        assert (left.disturbance, f"(pid {reader.pid}) left it" in left.detail) == ("", True)


def test_a_reader_that_came_before_the_watch_is_named(pty: PtyServer) -> None:
    """It opened the port after its holders were asked for, and before inotify was there."""
    fd, found = os.open(pty.path, os.O_RDWR | os.O_NOCTTY), SimpleQueue[Meddling]()
    reader = subprocess.Popen(["sleep", "60"], stdin=fd)
    watch = PortWatch(fd, pty.path, [], found.put)
    try:
        told = found.get(timeout=PATIENCE_S)
        assert (told.kind, f"sleep (pid {reader.pid}) has it open too" in told.text) == ("lasting", True)
    finally:
        watch.close()
        os.close(fd)
        reader.kill()
        reader.wait()


@pytest.mark.parametrize(
    ("words", "told"),
    [(["9600"], "9600 baud"), (["sane"], "line mode, echo"), (["crtscts", "ixon"], "flow control by lines, flow")],
)
def test_settings_that_another_program_changes_are_set_back(pty: PtyServer, words: list[str], told: str) -> None:
    with started(pty.url) as (_, sink):
        sink.wait_for("CONNECTED")
        assert pty.wait_for_listener(5)
        before = settings(pty.path)
        stty(pty.path, *words)
        change = disturbed(sink, "moment")
        assert change.detail.startswith(f"another program set {pty.url.removeprefix('serial:')} to {told}")
        assert "it was set back" in change.detail
        assert settings(pty.path) == before
        pty.send(b"\x04\x03\r\n\x00\xff")  # what a terminal in line mode would keep or change
        assert sink.wait_bytes(6) == b"\x04\x03\r\n\x00\xff"
        assert not sink.changes("DISCONNECTED")


def test_settings_that_are_only_looked_at_disturb_nothing(pty: PtyServer) -> None:
    with started(pty.url) as (_, sink):
        sink.wait_for("CONNECTED")
        stty(pty.path, "-a")
        time.sleep(0.3)
        assert [change.disturbance for change in sink.of(TransportChange)] == [""]


def test_settings_that_are_fought_over_are_told_as_a_state(pty: PtyServer) -> None:
    with started(pty.url) as (_, sink):
        sink.wait_for("CONNECTED")
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not any(c.disturbance == "lasting" for c in sink.of(TransportChange)):
            stty(pty.path, "9600")
        assert "sets it to 9600 baud again and again" in disturbed(sink, "lasting").detail
        sink.wait(lambda: "left alone" in sink.changes("CONNECTED")[-1].detail, "end of the fight")
        assert len(sink.of(TransportChange)) == 4, sink.of(TransportChange)


def test_a_port_is_watched_again_after_it_came_back(pty: PtyServer, tmp_path: Path) -> None:
    with started(pty.url) as (_, sink):
        sink.wait_for("CONNECTED")
        threads = len(os.listdir("/proc/self/task"))
        pty.hang_up()
        sink.wait_for("DISCONNECTED")
        again = PtyServer(tmp_path / "ttyLander")
        sink.wait_for("CONNECTED", 2)
        stty(again.path, "9600")
        assert "9600 baud" in disturbed(sink, "moment").detail
        assert len(os.listdir("/proc/self/task")) == threads
        again.close()
