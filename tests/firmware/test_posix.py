"""The firmware as a process: its build, its loop, and the posix port. Under ASan and UBSan."""

from __future__ import annotations

import hashlib
import os
import random
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.lander.spacecraft import Spacecraft
from protocols.ccsds.cltu import encode_cltu
from protocols.profile import UART
from tests.firmware.tools import copy_of_sources, make
from tests.hil.lander.uplink import GroundDecoder, bd, command, frames, packet

SIZE = UART.cadu_length
SANITIZED = "CFLAGS=-g -fsanitize=address,undefined -fno-sanitize-recover=all"


@pytest.fixture(scope="module")
def lander(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tmp_path_factory.mktemp("posix")
    make("BOARD=posix", f"BUILD={build}", SANITIZED)
    return build / "lander"


class Wire:
    """The other end of the process's line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.heard = b""

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data[:256]) :]
            self.listen(0)

    def listen(self, seconds: float) -> bool:
        """Take what comes within a time; false if nothing did."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        self.heard += os.read(self._fd, 65536)
        return True

    def until(self, size: int, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while len(self.heard) < size:
            assert self.listen(deadline - time.monotonic()), f"{len(self.heard)} of {size} bytes"


@contextmanager
def running(lander: Path) -> Iterator[tuple[subprocess.Popen[bytes], Wire]]:
    """The process on one end of a socket pair, READY; it is to end well when the other end is closed."""
    ours, theirs = socket.socketpair()
    line = str(theirs.fileno())
    with ours, subprocess.Popen([str(lander), line], pass_fds=[int(line)], stderr=subprocess.PIPE) as process:
        theirs.close()
        try:
            wire = Wire(ours.fileno())
            wire.until(SIZE)
            yield process, wire
            ours.close()
            _, said = process.communicate(timeout=10)
            assert said == b""
            assert process.returncode == 0
        finally:
            process.kill()


def started(stream: bytes) -> bytes:
    """From where START set the counters to zero: behind greetings and its own reports."""
    cadus = [stream[at : at + SIZE] for at in range(0, len(stream), SIZE)]
    return b"".join(cadus[next(n for n, cadu in enumerate(cadus) if n and cadu[6:8] == b"\0\0") :])


START_AND_HOLD = encode_cltu(bd(packet("START")) + bd(packet("HOLD")))


@pytest.mark.long
def test_a_descent_flat_out_has_the_bytes_of_the_oracle(lander: Path) -> None:
    craft = Spacecraft()
    craft.receive(START_AND_HOLD)
    expected = craft.step() + craft.receive(command("STEP", ticks=3220)) + b"".join(craft.step() for _ in range(3220))
    with running(lander) as (_, wire):
        before = len(wire.heard)  # sending listens too
        wire.send(START_AND_HOLD)
        wire.until(before + 2 * SIZE)  # the reports of both
        wire.send(command("STEP", ticks=3220))
        wire.until(len(expected) + before)
        while wire.listen(0.3):
            pass
    assert hashlib.sha256(started(wire.heard)).digest() == hashlib.sha256(expected).digest()


def test_a_descent_by_the_clock(lander: Path) -> None:
    craft = Spacecraft()
    for each in (command("SCALE", factor=100.0), command("START")):
        craft.receive(each)
    expected = b"".join(craft.step() for _ in range(1000))
    with running(lander) as (_, wire):
        wire.send(command("SCALE", factor=100.0))
        wire.until(2 * SIZE)
        began, before = time.monotonic(), len(wire.heard)
        wire.send(command("START"))
        wire.until(before + SIZE + len(expected))
        took = time.monotonic() - began
    assert started(wire.heard)[: len(expected)] == expected
    assert 0.95 < took < 10  # 1,000 ticks of a millisecond


def test_it_greets_once_a_second_until_it_starts(lander: Path) -> None:
    with running(lander) as (_, wire):
        began = time.monotonic()
        wire.until(2 * SIZE)
        assert 0.5 < time.monotonic() - began < 8
        wire.send(command("START"))
        wire.until(5 * SIZE)
    assert all(frame.vcid == 2 for frame in frames(wire.heard[: 5 * SIZE]))
    assert wire.heard.count(b"\x00\x22\0\0\0\0\0\0\0\1") == 2


def named(number: int) -> bytes:
    """What a report about a PING names it."""
    return packet("PING", number)[:4]


def test_bad_input_neither_hangs_nor_breaks_it(lander: Path) -> None:
    rng = random.Random(4)
    names = ["PING", "START", "HOLD", "RESUME", "REQUEST_HK", "RESET", "DEPLOY_PARACHUTE"]
    with running(lander) as (process, wire):
        for _ in range(300):
            data = bytearray(command(rng.choice(names), rng.randrange(9999)) + rng.randbytes(rng.randrange(300)))
            if rng.random() < 0.5:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            wire.send(bytes(data))
        for n in range(12_000, 12_060):  # those that meet a crowd are refused, and even that may find no room
            wire.send(bytes(100) + command("PING", n))
            wire.listen(0.3)
            if named(n) in wire.heard:
                break
        assert named(n) in wire.heard
        assert process.poll() is None
    assert len(frames(wire.heard[: len(wire.heard) // SIZE * SIZE])) > 10


def test_standard_input_and_output(lander: Path) -> None:
    done = subprocess.run([str(lander)], input=command("PING"), capture_output=True, timeout=10, check=True)
    told = GroundDecoder().hear(done.stdout[-SIZE:]) if len(done.stdout) == SIZE else frames(done.stdout)
    assert told


def test_a_terminal(lander: Path) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen([str(lander), os.ttyname(theirs)]) as process:
        wire = Wire(ours)
        wire.until(SIZE)
        os.close(theirs)
        wire.send(command("PING", 0x0D0A))  # bytes that a cooked terminal would change
        wire.until(2 * SIZE)
        assert packet("PING", 0x0D0A)[:4] in wire.heard
        os.close(ours)
        assert process.wait(10) == 0


@pytest.mark.parametrize("arguments", [["99"], ["/nonexistent"], ["/dev/null"], ["1", "2"]])
def test_what_cannot_be_opened(lander: Path, arguments: list[str]) -> None:
    done = subprocess.run([str(lander), *arguments], capture_output=True, timeout=10, check=False)
    assert done.returncode == 1
    assert arguments[0].encode() in done.stderr or b"usage" in done.stderr


def test_an_unknown_board_is_told_which_there_are() -> None:
    done = make("BOARD=toaster", check=False)
    assert done.returncode != 0
    assert "toaster" in done.stderr
    assert "posix" in done.stderr


@pytest.mark.long
def test_builds_are_the_same_wherever_they_are_made(tmp_path: Path) -> None:
    hashes = set()
    for name in ("here", "there/far"):
        copy = copy_of_sources(tmp_path / name)
        make("BOARD=posix", folder=copy)
        hashes.add(hashlib.sha256((copy / "build/posix/lander").read_bytes()).hexdigest())
    assert len(hashes) == 1
