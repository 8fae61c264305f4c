"""What may be behind a serial port: programs behind pseudo-terminals, from a lander to a device that only chatters."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.lander.bus import ResetReason
from hil.lander.spacecraft import Spacecraft

Program = Callable[[bytes, int], bytes]
"""What a device says down, given what came up and the baud rate of its port."""
_TCGETS2 = 0x802C542A


class Talker:
    """A device whose program is a function: called every 20 ms with what came up, it says what goes down.

    Attributes:
        path: of its port.
        heard: all that came up.
    """

    def __init__(self, talk: Program) -> None:
        """Args: the program; its second argument is the baud rate of the port now."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.heard = b""
        self._talk = talk
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def baud(self) -> int:
        """As the port is set now."""
        found = bytearray(44)
        fcntl.ioctl(self._slave, _TCGETS2, found)
        return int(struct.unpack_from("I", found, 40)[0])

    def close(self) -> None:
        """Take it away."""
        self._stop.set()
        self._thread.join()
        for fd in (self._master, self._slave):
            os.close(fd)

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            came = os.read(self._master, 4096) if select.select([self._master], [], [], 0)[0] else b""
            self.heard += came
            if said := self._talk(came, self.baud):
                os.write(self._master, said)


def lander(baud: int | None = None, *, greets: bool = True) -> Program:
    """A lander in READY. Of another ``baud`` than the port's only noise arrives; without ``greets`` it only answers."""
    craft, last = Spacecraft(), 0.0

    def talk(came: bytes, port_baud: int) -> bytes:
        nonlocal last
        noise = baud is not None and port_baud != baud
        said = b"" if noise or not came else craft.receive(came) + craft.step()
        if greets and time.monotonic() - last >= 1.0:
            last = time.monotonic()
            said += craft.hello(ResetReason.POWER_ON, 0)
        return bytes(byte ^ 0x95 for byte in said[::2]) if noise else said

    return talk


def silent(came: bytes, baud: int) -> bytes:
    """A device that says nothing."""
    return b""


def chatter(came: bytes, baud: int) -> bytes:
    """A device that says something else."""
    return b"ok T:21.3 /0.0\r\n"


@contextmanager
def talkers(*programs: Program) -> Iterator[list[Talker]]:
    """A device for each program."""
    found = [Talker(program) for program in programs]
    try:
        yield found
    finally:
        for each in found:
            each.close()
