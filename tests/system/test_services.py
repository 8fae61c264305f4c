"""How a station ends when whoever started it goes away."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from groundstation.archive.reader import ArchiveReader
from groundstation.registry import Registry

SERVE = [sys.executable, "-m", "groundstation.cli", "serve", "zmq:ipc:///nobody", "--wait", "--name", "bench"]
PATIENCE_S = 20.0


def read_until(master: int, words: str) -> None:
    text, deadline = b"", time.monotonic() + PATIENCE_S
    while words.encode() not in text:
        assert time.monotonic() < deadline, text
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 4096)


def test_a_terminal_that_closes_ends_its_station_in_good_order(home: Path) -> None:
    """As when ssh loses its connection: the recording is closed, nobody is left in the list of stations."""
    child, master = pty.fork()
    if child == 0:
        try:
            os.execv(sys.executable, [*SERVE, "--record", str(home / "pass.sqlite")])
        finally:
            os._exit(127)
    try:
        read_until(master, "watch it with")
    finally:
        os.close(master)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with ArchiveReader(home / "pass.sqlite") as reader:
        assert reader.closed
    assert Registry().running() == []


def test_under_nohup_a_station_goes_on(home: Path) -> None:
    command = ["nohup", *SERVE, "--record", str(home / "pass.sqlite"), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ)) as station:
        assert station.stdout is not None
        assert station.stdout.readline()
        station.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert station.poll() is None
        assert [found.name for found in Registry().running()] == ["bench"]
        station.send_signal(signal.SIGTERM)
        assert station.wait(PATIENCE_S) == 0
