"""A lander that is a process of this computer, on a pseudo-terminal of the rig: the levers of a bench by signals."""

from __future__ import annotations

import os
import signal
import termios
import tty
from abc import ABC, abstractmethod

from hil.errors import MachineFailed, Unsupported
from hil.targets.base import Sink
from hil.targets.child import Child
from hil.targets.line import Line


class ProcessMachine(ABC):
    """A process; its power is its life."""

    name: str
    memory = False

    def __init__(self, sink: Sink) -> None:
        """Args: who takes what it sends."""
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._line = Line(master, sink, self.name)
        self._child: Child | None = None
        self._console = ""

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """What this computer lacks."""

    @abstractmethod
    def _start(self, terminal: str) -> Child:
        """Start the program; the path is that of its serial line."""

    @property
    def running(self) -> bool:
        """It has power and has not ended by itself."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def console(self) -> str:
        """What it said."""
        return self._console if self._child is None else self._child.words()

    def provenance(self) -> dict[str, str]:
        """It is what the sources are."""
        return {}

    def power_on(self) -> None:
        """Start the process; what was sent while it was off is lost, as in a UART without power."""
        if self._child is None:
            termios.tcflush(self._slave, termios.TCIFLUSH)
            self._child = self._start(os.ttyname(self._slave))

    def power_off(self) -> None:
        """Kill it."""
        child, self._child = self._child, None
        if child is not None:
            self._console = child.end()

    def reset(self) -> None:
        """A process has no reset pin: off and on."""
        self._running().signal(signal.SIGKILL)
        self.power_off()
        self.power_on()

    def hang(self) -> None:
        """Stop the process."""
        self._running().signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._running().signal(signal.SIGCONT)

    def write(self, data: bytes) -> None:
        """Bytes to its terminal."""
        self._running()
        self._line.write(data)

    def peek(self, address: int, size: int) -> bytes:
        """Not of a process."""
        raise Unsupported(f"the memory of {self.name} cannot be read")

    def poke(self, address: int, data: bytes) -> None:
        """Not of a process."""
        raise Unsupported(f"the memory of {self.name} cannot be written")

    def close(self) -> None:
        """Kill it and give the terminal back."""
        self.power_off()
        self._line.close()
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    def _running(self) -> Child:
        if self._child is None:
            raise MachineFailed(f"{self.name} is off")
        return self._child
