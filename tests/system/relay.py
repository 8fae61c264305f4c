"""A bad cable: between a lander's port and a station's it loses whole frames, both ways."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import threading
import tty
from random import Random

from protocols.ccsds.cltu import START, TAIL
from protocols.profile import UART


class LossyCable:
    """Reads the lander's port, writes to a port of its own for the station, and back. Starts at the first frame.

    Attributes:
        url: what the station opens.
        lost: frames lost, down and up.
        passed: frames that came through, down and up.
    """

    def __init__(self, lander: str, loss: float, seed: int = 1) -> None:
        self.lost, self.passed = [0, 0], [0, 0]
        self._loss, self._random = loss, Random(seed)
        self._lander = os.open(lander, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._lander)
        self._station, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._station, False)
        self.url = f"serial:{os.ttyname(self._slave)}"
        self._down, self._up = b"", b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to listen: a lander begins its descent then. To be called once the station has its port."""
        termios.tcflush(self._lander, termios.TCIFLUSH)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        for end in (self._lander, self._station, self._slave):
            os.close(end)

    def _run(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([self._lander, self._station], [], [], 0.05)
            for end in ready:
                with contextlib.suppress(OSError):
                    self._process(end, os.read(end, 4096))

    def _process(self, end: int, data: bytes) -> None:
        if end == self._lander:
            self._down += data
            while len(self._down) >= UART.cadu_length:
                frame, self._down = self._down[: UART.cadu_length], self._down[UART.cadu_length :]
                self._pass(0, self._station, frame)
            return
        self._up += data
        while TAIL in self._up:
            cltu, _, self._up = self._up.partition(TAIL)
            assert cltu.startswith(START)
            self._pass(1, self._lander, cltu + TAIL)

    def _pass(self, way: int, end: int, frame: bytes) -> None:
        if self._random.random() < self._loss:
            self.lost[way] += 1
            return
        os.write(end, frame)
        self.passed[way] += 1
