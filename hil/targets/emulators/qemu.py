"""The STM32F4 firmware in QEMU, as ``-M netduinoplus2``. The same ELF runs on the boards.

Its monitor is a socket pair; its serial line is two pipes, where a write of one byte costs half of what it does on a
socket; its debugger's stub is a socket. All are this run's own: no port and no name that another run could meet.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator

from hil.errors import MachineFailed
from hil.images.image import Image, choose_image
from hil.lander_io.scratch import Scratch
from hil.targets.base import Sink
from hil.targets.child import Child
from hil.targets.emulators.qmp import Debugger, Qmp
from hil.targets.firmware import first_line
from hil.targets.line import Line

PROGRAM = "qemu-system-arm"
_MACHINE = ["-M", "netduinoplus2", "-display", "none", "-nodefaults", "-S"]


class QemuMachine:
    """An STM32F4 on a desk of software."""

    name = "qemu"
    memory = True

    def __init__(self, sink: Sink, image: Image | None = None) -> None:
        """Args: who takes what it sends, and what is in its flash; None: the image that the rule chooses.

        Raises:
            ImageRefused: there is no image to use.
        """
        self._sink = sink
        self._image = image or choose_image("stm32f4")
        self._folder = Scratch("mars6-qemu-")
        self._debugger = Debugger(self._folder.path / "gdb")
        self._child: Child | None = None
        self._line: Line | None = None
        self._qmp: Qmp | None = None
        self._console = ""

    @classmethod
    def missing(cls) -> str | None:
        """What this computer lacks."""
        if shutil.which(PROGRAM) is None:
            return f"{PROGRAM} not found: apt-get install qemu-system-arm"
        return None

    @property
    def running(self) -> bool:
        """It has power and has not ended by itself."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int | None:
        """QEMU's process."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def console(self) -> str:
        """What QEMU said."""
        return self._console if self._child is None else self._child.words()

    def provenance(self) -> dict[str, str]:
        """Which image it runs, and QEMU's version."""
        return self._image.facts() | {"emulator": first_line(PROGRAM, "--version")}

    def power_on(self) -> None:
        """Start QEMU, halted, connect, and let it run: no byte can be lost."""
        if self._child is not None:
            return
        if (lack := self.missing()) is not None:
            raise MachineFailed(lack)
        down, up = (self._pipe(end) for end in ("out", "in"))
        self._line = Line(down, self._sink, self.name, up)
        monitor, far_monitor = socket.socketpair()
        fds = far_monitor.fileno(), self._image.open_copy()
        try:
            self._child = Child([PROGRAM, *_MACHINE, *self._devices(*fds)], fds)
        except MachineFailed:
            monitor.close()
            self._line.close()
            self._line = None
            raise
        finally:
            far_monitor.close()
            os.close(fds[1])
        try:
            self._qmp = Qmp(monitor)
            self._qmp.execute("cont")
        except MachineFailed as error:
            monitor.close()
            self.power_off()
            raise MachineFailed(self._console or str(error)) from error

    def power_off(self) -> None:
        """End QEMU."""
        child, self._child = self._child, None
        if child is not None:
            self._console = child.end()
        if self._line is not None:
            self._line.close()
        if self._qmp is not None:
            self._qmp.close()
        self._line = self._qmp = None

    def reset(self) -> None:
        """What the reset pin does; the RAM stays as it is."""
        self._monitor().execute("system_reset")

    def hang(self) -> None:
        """Stop the clocks of the machine."""
        self._monitor().execute("stop")

    def resume(self) -> None:
        """Let them go on, without catching up."""
        self._monitor().execute("cont")

    def write(self, data: bytes) -> None:
        """Bytes to PA3."""
        if self._line is None:
            raise MachineFailed(f"{self.name} is off: nothing was sent")
        self._line.write(data)

    def peek(self, address: int, size: int) -> bytes:
        """Read its memory, through the debugger's stub."""
        with self._as_it_was():
            return self._debugger.peek(address, size)

    def poke(self, address: int, data: bytes) -> None:
        """Write its memory, through the debugger's stub."""
        with self._as_it_was():
            self._debugger.poke(address, data)

    def close(self) -> None:
        """Switch it off and take away its folder."""
        self.power_off()
        self._folder.close()

    def _pipe(self, end: str) -> int:
        """Our end of a pipe that is new and empty; as QEMU wants them named."""
        path = self._folder.path / f"uart.{end}"
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)  # both ways: so it opens, and does not end, without the other

    def _devices(self, monitor: int, image: int) -> list[str]:
        """USART2 is the second serial line."""
        folder, flash = self._folder.path, f"/proc/self/fd/{image}"
        return [
            *(("-kernel", flash) if self._image.suffix == ".elf" else ("-device", f"loader,file={flash}")),
            *("-chardev", f"pipe,id=uart,path={folder}/uart", "-serial", "null", "-serial", "chardev:uart"),
            *("-chardev", f"socket,id=qmp,fd={monitor}", "-mon", "chardev=qmp,mode=control"),
            *("-chardev", f"socket,id=gdb,path={folder}/gdb,server=on,wait=off", "-gdb", "chardev:gdb"),
        ]

    @contextlib.contextmanager
    def _as_it_was(self) -> Iterator[None]:
        """A debugger that leaves lets the machine run, whatever it did before."""
        stood = not self._monitor().execute("query-status")["running"]
        try:
            yield
        finally:
            if stood:
                self.hang()

    def _monitor(self) -> Qmp:
        if self._qmp is None:
            raise MachineFailed(f"{self.name} is off")
        return self._qmp
