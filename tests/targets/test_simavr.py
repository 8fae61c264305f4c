"""The runner by itself: a pseudo-terminal for any program that opens a serial port, and the pace of a real chip."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest
import serial

from hil.images.build import make
from hil.images.image import choose_image
from hil.targets.emulators.simavr import RUNNER
from tests.hil.lander.uplink import SIZE, GroundDecoder, command, frames
from tests.targets.bench import greetings, require

PROGRAM = RUNNER / "build" / "simavr-runner"


@pytest.fixture
def port() -> Iterator[str]:
    require("simavr")
    make(RUNNER)
    with subprocess.Popen([PROGRAM, "--pty", choose_image("uno").path], stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        yield runner.stdout.readline().strip()
        assert runner.poll() is None
        runner.kill()


def test_who_opens_the_port_resets_the_chip(port: str) -> None:
    with serial.Serial(port, 115200, timeout=10) as line:
        heard = line.read(SIZE)
        assert GroundDecoder().hear(greetings(heard)[0])[-1].values["a"] == 2  # pin
        line.write(command("START"))
        heard += line.read(SIZE)
        assert frames(heard)[1].mcfc == 1  # the report of START is what comes next


def test_ticks_come_at_their_time(port: str) -> None:
    with serial.Serial(port, 115200, timeout=10) as line:
        line.read(SIZE)
        line.write(command("SCALE", factor=4.0) + command("START"))
        line.read(3 * SIZE)  # their reports, and the frame of tick 0
        began = time.monotonic()
        line.read(20 * SIZE)
        took = time.monotonic() - began
    assert took == pytest.approx(20 / 4.0, abs=0.5)


@pytest.mark.parametrize(
    "arguments", [[], ["--pty"], ["--fd", "1", "--pty", "x"], ["--pty", "/nonexistent"], ["--what"]]
)
def test_what_it_is_not_told_or_cannot_open(arguments: list[str]) -> None:
    require("simavr")
    make(RUNNER)
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert "usage" in done.stderr or "No such file" in done.stderr


def test_what_is_no_firmware() -> None:
    require("simavr")
    make(RUNNER)
    done = subprocess.run([PROGRAM, "--pty", __file__], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert "no .hex file" in done.stderr
