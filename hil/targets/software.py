"""The software lander as a process of its own, behind a PTY or a ZeroMQ endpoint."""

from __future__ import annotations

import os
import signal
import termios
import tty
from types import TracebackType
from typing import Self

from hil.oracle import Script
from hil.process import Helper, ProcessFailed
from hil.targets.base import MachineFailed, Sink, TargetOptions, Unsupported
from hil.targets.line import Line


class SoftwareTarget:
    """``hil lander``, started, read and ended."""

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self._helper: Helper | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """The link URL for the station."""
        return self._url

    @property
    def script(self) -> Script:
        """It starts by itself."""
        return ()

    def wait_finished(self) -> bool:
        """Wait for the end of the pass. False if the lander ended before it."""
        assert self._helper is not None
        try:
            return self._helper.read().get("state") == "finished"
        except (ProcessFailed, ValueError):  # ValueError: its pipe was closed because the flight was called off
            return False

    def __enter__(self) -> Self:
        options = self._options
        arguments = ["hil.cli", "lander", "--announce", "--speed", repr(options.speed)]
        arguments += ["--pty"] if options.link == "pty" else ["--zmq", "tcp://127.0.0.1:*"]
        if options.link_drop is not None:
            arguments += ["--link-drop-ns", str(options.link_drop)]
        self._helper = Helper(arguments)
        try:
            self._url = str(self._helper.read()["url"])
        except BaseException:
            self._helper.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._helper is not None:
            self._helper.stop()


class SoftwareMachine:
    """``hil lander --ready`` with the levers of a machine; in READY it is silent."""

    name = "software"
    greets = False

    def __init__(self, sink: Sink) -> None:
        """Args: who takes what it sends."""
        self._sink = sink
        self._helper: Helper | None = None
        self._line: Line | None = None

    @classmethod
    def missing(cls) -> str | None:
        """It needs nothing."""
        return None

    @property
    def running(self) -> bool:
        """It has power and has not ended by itself."""
        return self._helper is not None and self._helper.running

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._helper.pid if self._helper is not None and self._helper.running else None

    @property
    def console(self) -> str:
        """It says nothing to people."""
        return ""

    def power_on(self) -> None:
        """Start the process and open its port."""
        if self._helper is not None:
            return
        self._helper = Helper(["hil.cli", "lander", "--announce", "--ready", "--pty"])
        path = str(self._helper.read()["url"]).removeprefix("serial:")
        port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(port)
        termios.tcflush(port, termios.TCIFLUSH)  # its server waits for that: it is what pyserial does
        self._line = Line(port, self._sink, self.name)

    def power_off(self) -> None:
        """Kill it."""
        if self._line is not None:
            self._line.close()
        if self._helper is not None:
            self._helper.kill()
        self._helper = self._line = None

    def reset(self) -> None:
        """A process has no reset pin: off and on."""
        self.power_off()
        self.power_on()

    def hang(self) -> None:
        """Stop the process."""
        os.kill(self._pid(), signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self._pid(), signal.SIGCONT)

    def write(self, data: bytes) -> None:
        """Bytes to its port."""
        if self._line is None:
            raise MachineFailed(f"{self.name} is off: nothing was sent")
        self._line.write(data)

    def peek(self, address: int, size: int) -> bytes:
        """Not of a process."""
        raise Unsupported(f"the memory of {self.name} cannot be read")

    def poke(self, address: int, data: bytes) -> None:
        """Not of a process."""
        raise Unsupported(f"the memory of {self.name} cannot be written")

    def close(self) -> None:
        """Kill it."""
        self.power_off()

    def _pid(self) -> int:
        if self.pid is None:
            raise MachineFailed(f"{self.name} is off")
        return self.pid
