"""Text for a terminal that is slow, takes nothing, or goes away: the writer never waits."""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Iterator

import pytest

from groundstation.tui.terminal.output import ROOM, TerminalOutput

PATIENCE_S = 20.0


class Stage:
    """A terminal, and the output that writes to it."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.gone = threading.Event()
        self.ends = 0
        self.output = TerminalOutput(self._slave, "utf-8", self._count)

    def _count(self) -> None:
        self.ends += 1
        self.gone.set()

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self.master, size - len(data))
        return data

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.master >= 0:
            self.hang_up()
        self.output.stop(PATIENCE_S)
        os.close(self._slave)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def idle(output: TerminalOutput) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not output.idle:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_text_is_written_whole_and_in_order(stage: Stage) -> None:
    for number in range(1000):
        stage.output.write(f"{number:04d}")
    assert stage.read(4000) == "".join(f"{number:04d}" for number in range(1000)).encode()
    idle(stage.output)
    assert not stage.output.mend()


def test_a_terminal_that_takes_nothing_delays_no_writer(stage: Stage) -> None:
    piece = "x" * 4096
    for _ in range(3 * ROOM // len(piece)):
        stage.output.write(piece)
    assert not stage.output.idle
    assert stage.output.dropped > ROOM
    stage.output.stop(0.05)


def test_what_was_dropped_makes_the_screen_torn_once(stage: Stage) -> None:
    piece = "x" * 4096
    for _ in range(3 * ROOM // len(piece)):
        stage.output.write(piece)
    written = 3 * ROOM // len(piece) * len(piece) - stage.output.dropped
    assert stage.read(written) == b"x" * written
    idle(stage.output)
    assert stage.output.mend()
    assert not stage.output.mend()


def test_a_terminal_that_goes_is_told_of_once_and_takes_everything_else_in_silence(stage: Stage) -> None:
    stage.hang_up()
    for _ in range(10):
        stage.output.write("anybody?")
        time.sleep(0.005)
    assert stage.gone.wait(PATIENCE_S)
    stage.output.write("too late")
    stage.output.stop(PATIENCE_S)
    assert stage.ends == 1
    assert stage.output.gone and stage.output.idle


def test_what_waits_is_written_before_the_stop_and_nothing_after(stage: Stage) -> None:
    stage.output.write("last words")
    stage.output.stop(PATIENCE_S)
    stage.output.write("too late")
    assert stage.read(10) == b"last words"
    assert stage.output.dropped == len("too late")


def test_what_the_terminal_cannot_show_is_spelled_out() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    output = TerminalOutput(slave, "latin-1", lambda: None)
    output.write("µ→\ud800")
    output.stop(PATIENCE_S)
    assert os.read(master, 100) == b"\xb5\\u2192\\ud800"
    for number in (master, slave):
        os.close(number)
