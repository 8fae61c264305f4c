"""The command lines as a user meets them: whole flights in real time, and everything that can go wrong at a port."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from groundstation.recordings.reader import ArchiveReader
from hil.verdict.oracle import expect
from tests import descent
from tests.system.conftest import Run


@pytest.mark.alone
@pytest.mark.parametrize(
    ("link", "drop", "cause"),
    [
        ("pty", (), "LANDER_ONLY"),
        ("zmq", ("--link-drop", "09:11:05"), "SILENCE"),
        pytest.param("zmq", (), "LANDER_ONLY", marks=pytest.mark.long),
        pytest.param("pty", ("--link-drop", "09:11:05"), "SILENCE", marks=pytest.mark.long),
    ],
)
def test_a_flight_in_real_time_ends_with_its_verdict(run: Run, link: str, drop: tuple[str, ...], cause: str) -> None:
    result = run("hil", "fly", "--json", "--speed", "100", "--link", link, *drop)
    lines = result.stdout.splitlines()
    verdict = json.loads(lines[-1])
    assert result.returncode == 0, verdict
    assert (verdict["type"], verdict["version"], verdict["state"]) == ("verdict", 2, "PASS")
    (loss,) = verdict["losses"]
    assert (loss["cause"], loss["planned"], loss["observed"]) == (cause, "09:11:05.000", "09:11:05.000")
    assert 0 <= loss["declared_late_ms"] <= 50
    assert verdict["lander_frames"] == 2240
    assert verdict["replay"] == " ".join(["hil fly --target software", *drop, f"--speed 100 --link {link}"])
    types = {json.loads(line)["type"] for line in lines}
    assert {"snapshot", "telemetry", "contact", "event", "link", "heartbeat"} <= types


def test_lockstep_says_its_verdict(run: Run, home: Path) -> None:
    result = run("hil", "fly", "--lockstep", "--record", str(home / "pass.sqlite"))
    assert result.returncode == 0
    assert result.stdout.startswith("PASS     los-lander-only on software, lockstep, seed 6: ")
    assert (
        "  LOS lander LANDER_ONLY planned 09:11:05.000 observed 09:11:05.000 error 0 ms, declared 0.0 ms"
        in result.stdout
    )
    again = run("hil", "fly", "--lockstep", "--record", str(home / "pass.sqlite"))
    assert again.returncode == 14
    assert again.stderr.count("\n") == 1


@pytest.mark.alone
def test_without_a_terminal_the_output_is_plain(run: Run) -> None:
    result = run("hil", "fly", "--speed", "100")
    assert result.returncode == 0
    assert "LANDER DROGUE drogue parachute" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stdout.splitlines()[-2].startswith("  LOS lander LANDER_ONLY planned 09:11:05.000")


@pytest.mark.parametrize(
    ("link", "code", "words"),
    [
        ("serial:/dev/ttyNOWHERE", 11, "/dev/ttyNOWHERE"),
        ("serial:/etc/hostname", 10, "is not a serial port"),
        ("serial:/dev/null", 10, "is not a serial port"),
        ("serial:/dev/tty", 10, "is not a serial port"),
        ("serial:/dev/ptmx", 10, "is not a serial port"),
        ("seriall:/dev/ttyACM0", 2, "did you mean 'serial'?"),
        ("serial:/dev/ttyACM0?boud=9600", 2, "did you mean 'baud'?"),
        ("serial:/dev/ttyACM0?baud=fast", 2, "baud=fast"),
        ("ttyACM0", 2, "known: replay, serial, zmq"),
        ("/dev/ttyACM0", 2, "did you mean 'serial:/dev/ttyACM0'?"),
        ("/dev/serial/by-path/pci-0000:00:14.0", 2, "did you mean 'serial:/dev/serial/by-path/pci-0000:00:14.0'?"),
    ],
)
def test_a_link_that_cannot_be_is_one_clear_line(run: Run, link: str, code: int, words: str) -> None:
    result = run("groundstation", "serve", link)
    assert result.returncode == code
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_a_busy_port_names_who_has_it(run: Run) -> None:
    master, slave = pty.openpty()
    try:
        path = os.ttyname(slave)
        holder = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import fcntl,os,time; f=os.open({path!r}, os.O_RDWR); "
                "fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); time.sleep(60)",
            ],
            stdout=subprocess.PIPE,
        )
        with holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            result = run("groundstation", "serve", f"serial:{path}")
            holder.kill()
        assert result.returncode == 12
        assert str(holder.pid) in result.stderr
    finally:
        os.close(master)
        os.close(slave)


def test_watch_without_a_station_says_how_to_start_one(run: Run) -> None:
    result = run("groundstation", "watch")
    assert result.returncode == 15
    assert "groundstation serve LINK" in result.stderr


def test_wrong_options_are_usage_errors(run: Run) -> None:
    assert run("hil", "fly", "--plain", "--json").returncode == 2
    assert run("hil", "lander").returncode == 2
    assert run("hil", "fly", "--link-drop", "25:00").returncode == 2
    assert run("hil", "fly", "--speed", "0").returncode == 2


def test_stepped_lander(run: Run) -> None:
    lander = subprocess.Popen(
        [sys.executable, "-m", "hil.cli", "lander", "--pty", "--stepped"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with lander:
        assert lander.stdin is not None
        assert lander.stdout is not None
        path = lander.stdout.readline().split("serial:")[1].split("?")[0].strip()
        port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(port)
        termios.tcflush(port, termios.TCIFLUSH)
        lander.stdin.write("881\n")
        lander.stdin.flush()
        data = b""
        want = b"".join(b.data for _, b in zip(range(881), descent.bursts(), strict=False))
        while len(data) < len(want):
            data += os.read(port, 4096)
        assert data == want
        lander.stdin.close()
        lander.terminate()
        os.close(port)


class CommandHarness:
    """A station on a PTY whose other end is the test's."""

    def __init__(self, home: Path) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.recording = home / "bench.sqlite"
        link = f"serial:{os.ttyname(self.slave)}"
        arguments = [sys.executable, "-m", "groundstation.cli", "serve", link, "--name", "bench"]
        self.process = subprocess.Popen(
            [*arguments, "--record", str(self.recording), "--announce"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        time.sleep(0.3)  # pyserial flushes the port when it opens it

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.master, data[:1024]) :]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        with contextlib.suppress(OSError):
            os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def bench(home: Path) -> Iterator[CommandHarness]:
    station = CommandHarness(home)
    yield station
    station.close()


Messages = list[dict[str, object]]


def follow_json(enough: Callable[[Messages], bool]) -> Messages:
    """What a viewer gets until it is enough (20 s at most); it is killed then."""
    arguments = [sys.executable, "-m", "groundstation.cli", "watch", "--json"]
    messages: Messages = []
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as viewer:
        limit = threading.Timer(20, viewer.kill)
        limit.start()
        assert viewer.stdout is not None
        for line in viewer.stdout:
            messages.append(json.loads(line))
            if enough(messages):
                break
        limit.cancel()
        viewer.kill()
    return messages


def good_frames(wanted: int) -> Callable[[Messages], bool]:
    """Enough is when the station has counted so many good frames."""
    return lambda messages: messages[-1]["type"] == "link" and counters(messages)["frames_good"] >= wanted


def counters(messages: Messages) -> dict[str, int]:
    status = [m for m in messages if m["type"] == "link"][-1]
    found = status["counters"]
    assert isinstance(found, dict)
    return found


@pytest.mark.long
def test_garbage_half_frames_and_a_killed_viewer_cost_nothing(bench: CommandHarness) -> None:
    stream = descent.stream()
    noise = bytes(range(256)) * 20
    bench.write(noise + stream[:13200] + noise + stream[13200:20000])
    found = counters(follow_json(good_frames(20000 // 132)))
    assert found["bytes_in"] == len(noise) * 2 + 20000
    assert found["frames_good"] == 20000 // 132
    kept = found["good"] + found["corrected"] + found["rejected"] + found["skipped"] + found["pending"]
    assert kept == found["bytes_in"]
    # The viewer was killed; the station does not care.
    bench.write(stream[20000:])
    found = counters(follow_json(good_frames(len(stream) // 132)))
    assert found["frames_good"] == len(stream) // 132
    bench.process.send_signal(signal.SIGTERM)
    assert bench.process.wait(10) == 0
    with ArchiveReader(bench.recording) as archive:
        assert archive.bytes_total == len(noise) * 2 + len(stream)


def test_a_killed_station_leaves_what_it_committed(bench: CommandHarness) -> None:
    stream = descent.stream()
    bench.write(stream)
    time.sleep(0.6)
    bench.process.kill()
    bench.process.wait(10)
    with ArchiveReader(bench.recording) as archive:
        assert archive.sha256() == expect().sha256


def test_stop_ends_the_station_and_closes_the_recording(bench: CommandHarness, run: Run) -> None:
    result = run("groundstation", "stop")
    assert result.returncode == 0
    assert str(bench.recording) in result.stdout
    assert bench.process.wait(10) == 0


def lander_losses(messages: Messages) -> list[dict[str, Any]]:
    """Losses of the lander, those in the snapshot included."""
    contacts: list[dict[str, Any]] = [m for m in messages if m["type"] == "contact"]
    for snapshot in (m for m in messages if m["type"] == "snapshot"):
        contacts += cast("list[dict[str, Any]]", snapshot["contacts"])
    return [c for c in contacts if c["state"] == "LOS" and c["vcid"] == 0]


def lost_by_now(messages: Messages) -> bool:
    """Enough is when the lander is lost."""
    return bool(lander_losses(messages))


def test_a_port_that_goes_is_told_with_its_cause(bench: CommandHarness) -> None:
    stream = descent.stream()
    bench.write(stream[: 132 * 200])
    time.sleep(0.2)
    os.close(bench.master)
    messages = follow_json(lost_by_now)
    losses = lander_losses(messages)
    assert [c["verdict"]["cause"] for c in losses] == ["PORT"]


def test_ports_lists_or_says_that_there_are_none(run: Run) -> None:
    result = run("groundstation", "ports")
    assert result.returncode == 0
    assert result.stdout.strip()


def test_flock_is_not_left_behind(bench: CommandHarness) -> None:
    """A killed station must not lock the next one out."""
    path = os.ttyname(bench.slave)
    bench.process.kill()
    bench.process.wait(10)
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(fd)


@pytest.mark.long
def test_a_killed_flight_leaves_no_process_and_a_whole_recording(home: Path) -> None:
    recording = home / "pass.sqlite"
    arguments = [sys.executable, "-m", "hil.cli", "fly", "--json", "--speed", "20", "--record", str(recording)]
    flight = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    with flight:
        assert flight.stdout is not None
        pid = json.loads(flight.stdout.readline())["pid"]
        for line in flight.stdout:
            if '"packet":"DESCENT"' in line:
                break
        flight.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    with ArchiveReader(recording) as archive:
        events = [json.loads(e.body)["name"] for e in archive.events("event")]
        assert archive.bytes_total > 0
    assert events[-1] == "STATION_STOP"


def test_a_killed_viewer_leaves_its_station_receiving(home: Path, run: Run) -> None:
    """``groundstation run``: the viewer is killed, the station goes on, a new viewer finds everything."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    link = f"serial:{os.ttyname(slave)}"
    recording = home / "run.sqlite"
    stream = descent.stream()
    arguments = [sys.executable, "-m", "groundstation.cli", "run", link, "--json", "--record", str(recording)]
    try:
        viewer = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        with viewer:
            assert viewer.stdout is not None
            assert json.loads(viewer.stdout.readline())["type"] == "snapshot"
            time.sleep(0.3)
            os.write(master, stream[:1320])
            viewer.kill()
        os.write(master, stream[1320:2640])
        assert counters(follow_json(good_frames(20)))["frames_good"] == 20
    finally:
        stopped = run("groundstation", "stop")  # also if the test fails: the station would outlive it
        os.close(master)
        os.close(slave)
    assert stopped.returncode == 0
    with ArchiveReader(recording) as archive:
        assert archive.bytes_total == 2640
