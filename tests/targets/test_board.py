"""A board on a serial port: the firmware as a process behind a pseudo-terminal stands in for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundstation.errors import PortAbsent, PortBusy
from groundstation.links.serial import close_port, open_port
from hil.lander.bus import ResetReason
from hil.scenario.scenario import SCENARIOS
from hil.targets import BoardMachine, MachineFailed, Unsupported, find_port
from hil.targets.greeting import read_greeting
from hil.targets.stepping import SteppedMachine
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import SetVr, Unlock
from protocols.lander import LANDER
from tests.hil.lander.uplink import ad, bc, command, packet
from tests.system.conftest import Run, home, run  # noqa: F401 - fixtures
from tests.targets.bench import require
from tests.targets.stand_in import StandIn

pytestmark = [pytest.mark.target, pytest.mark.long]


@pytest.fixture
def device() -> Iterator[StandIn]:
    require("posix")
    device = StandIn()
    yield device
    device.close()


class Heard:
    """The sink of a board."""

    def __init__(self) -> None:
        self.stream = b""
        self._changed = threading.Condition()

    def __call__(self, data: bytes) -> None:
        with self._changed:
            self.stream += data
            self._changed.notify_all()

    def until(self, size: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.stream) >= size, 20), len(self.stream)


def reset_farm() -> bytes:
    return encode_cltu(bc(Unlock()))


BEFORE: dict[str, Callable[[StandIn], None]] = {
    "ready": lambda device: None,
    "in flight": lambda device: device.say(command("SCALE", factor=100.0) + command("START")),
    "held, half a CLTU open": lambda device: device.say(command("START") + command("HOLD") + command("PING")[:20]),
    "V(R) is not 0": lambda device: device.say(encode_cltu(ad(0, packet("PING"))) + encode_cltu(ad(1, packet("PING")))),
    "FARM-1 in lockout": lambda device: device.say(encode_cltu(ad(100, packet("PING")))),
    "type B frames were counted": lambda device: device.say(reset_farm() * 3 + encode_cltu(bc(SetVr(7)))),
    "its output was not read": lambda device: time.sleep(2.2),
}


@pytest.mark.parametrize("before", BEFORE)
def test_whatever_was_before_it_flies_as_after_power_on(device: StandIn, before: str) -> None:
    BEFORE[before](device)
    stepped = SteppedMachine(lambda sink: BoardMachine(sink, device.path))
    stepped.begin()
    assert stepped.greeting is not None
    assert stepped.greeting.clcw.encode() == bytes.fromhex("01000000")
    bursts = [burst for _ in range(10) for burst in stepped.advance(100)]
    stepped.close()
    reference = SteppedMachine(lambda sink: BoardMachine(sink, device.path))
    reference.begin()
    assert [burst for _ in range(10) for burst in reference.advance(100)] == bursts
    reference.close()


@pytest.mark.alone
def test_it_flies_again_and_again(device: StandIn, run: Run) -> None:  # noqa: F811
    for _ in range(2):
        done = run("hil", "fly", "--target", "board", "--port", device.path, "--speed", "60", "--json")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        verdict = json.loads(done.stdout.splitlines()[-1])
        assert {row["name"]: row["state"] for row in verdict["measurements"]}["stream_equal"] == "PASS"


def test_a_cable_that_is_pulled_ends_a_flight(device: StandIn, home: Path) -> None:  # noqa: F811
    words = ["fly", "--target", "board", "--port", device.path, "--speed", "20", "--json"]
    with subprocess.Popen([sys.executable, "-m", "hil.cli", *words], stdout=subprocess.PIPE, text=True) as flight:
        assert flight.stdout is not None
        for line in flight.stdout:
            message = json.loads(line)
            if (message["type"], message.get("vcid"), message.get("state")) == ("contact", LANDER, "LOCKED"):
                break  # before the third frame in time there is no contact that could be lost
        device.unplug()
        verdict = json.loads(flight.stdout.read().splitlines()[-1])
    assert (flight.returncode, verdict["state"]) == (20, "FAIL")
    assert verdict["error"].startswith("board ended: its last frame was VC")
    (loss,) = verdict["losses"]
    assert (loss["cause"], loss["planned"]) == ("PORT", "09:11:05.000")


def test_what_a_serial_port_cannot_do_is_said(device: StandIn) -> None:
    heard = Heard()
    board = BoardMachine(heard, device.path)
    with pytest.raises(MachineFailed, match="off"):
        board.write(b"x")
    with pytest.raises(MachineFailed, match="off"):
        board.reset()
    board.power_on()
    board.power_on()
    heard.until(132)
    greeting = read_greeting(heard.stream[:132])
    assert greeting is not None
    assert greeting.reset_reason == ResetReason.POWER_ON
    assert board.running
    for lever in (board.power_off, board.hang, board.resume, board.reset):
        with pytest.raises(Unsupported, match=r"board|reset"):
            lever()
    with pytest.raises(Unsupported):
        board.peek(0, 1)
    with pytest.raises(Unsupported):
        board.poke(0, b"x")
    assert board.provenance() == {"port": device.path}
    board.close()
    board.close()
    assert not board.running


def test_unplugged_it_is_gone(device: StandIn) -> None:
    board = BoardMachine(Heard(), device.path)
    board.power_on()
    device.unplug()
    deadline = time.monotonic() + 5
    while board.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not board.running
    with pytest.raises(MachineFailed, match="gone"):
        board.write(command("PING"))
    board.close()


def test_a_port_that_is_not_there_or_not_free(device: StandIn) -> None:
    with pytest.raises(PortAbsent):
        BoardMachine(Heard(), "/dev/ttyNOWHERE").power_on()
    port = open_port(device.path, 115200)
    with pytest.raises(PortBusy):
        BoardMachine(Heard(), device.path).power_on()
    close_port(port)


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.targets.board.READY_TIMEOUT_S", 0.5)
    master, slave = os.openpty()
    board = BoardMachine(Heard(), os.ttyname(slave))
    with pytest.raises(MachineFailed, match=r"not a byte came\. Is it flashed"):
        board.power_on()
    assert not board.running
    timer = threading.Timer(0.2, os.write, (master, b"login: "))
    timer.start()
    with pytest.raises(MachineFailed, match="7 bytes came, no greeting"):
        board.power_on()
    timer.join()
    for fd in (master, slave):
        os.close(fd)


def test_the_board_that_is_plugged_in_is_found(tmp_path: Path) -> None:
    with pytest.raises(MachineFailed, match="groundstation udev install"):
        find_port(tmp_path)
    (tmp_path / "066CFF-if02").touch()
    assert find_port(tmp_path) == str(tmp_path / "066CFF-if02")
    (tmp_path / "75830-if00").touch()
    with pytest.raises(MachineFailed, match=r"2 boards .* choose one: --port .*066CFF-if02, --port"):
        find_port(tmp_path)


def test_no_board_is_one_clear_line(run: Run) -> None:  # noqa: F811
    done = run("hil", "fly", "--target", "board", "--port", "/dev/ttyNOWHERE", "--json")
    assert done.returncode == 11
    assert "/dev/ttyNOWHERE" in done.stderr
    assert done.stderr.count("\n") == 1
    done = run("hil", "fly", "--target", "qemu", "--port", "/dev/ttyACM0")
    assert done.returncode == 2


def test_a_board_without_reset_lines_skips_what_needs_them(device: StandIn, run: Run, tmp_path: Path) -> None:  # noqa: F811
    fly = ("hil", "run", "--target", "board", "--port", device.path, "--lockstep")
    done = run(*fly, "los-reset")
    words = f"los-reset: fault[0].kind: reset: {device.path} has no reset lines: use the board's button"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"hil: {words}\n")
    for name in ("los-reset", "los-091105"):
        shutil.copy(SCENARIOS / f"{name}.toml", tmp_path)
    done = run(*fly, str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"skipped {words}\n" in done.stderr
    assert "PASS     los-091105 on board" in done.stdout


class Unwired(BoardMachine):
    """A port whose lines lead nowhere: an adapter with three wires."""

    def reset(self) -> None:
        """Nothing comes of it."""


def test_a_reset_that_does_not_happen_is_told(device: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped = SteppedMachine(lambda sink: Unwired(sink, device.path))
    stepped.begin()
    list(stepped.advance(100))
    monkeypatch.setattr("hil.targets.stepping.BOOT_TIMEOUT_S", 2.0)
    with pytest.raises(MachineFailed, match="does not boot after its reset line was pulled: is it wired"):
        stepped.reset()
    stepped.close()
