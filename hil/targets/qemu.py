"""The STM32F4 firmware in QEMU, as ``-M netduinoplus2``. The same ELF runs on the boards.

Its serial line and its monitor are socket pairs: no port and no name that another run could meet. Its debugger's stub
is a socket in a folder of this run alone.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
from pathlib import Path

from hil.targets.base import MachineFailed, Sink
from hil.targets.child import Child
from hil.targets.firmware import STM32_ELF
from hil.targets.line import Line
from hil.targets.qmp import Debugger, Qmp

PROGRAM = "qemu-system-arm"
_MACHINE = ["-M", "netduinoplus2", "-display", "none", "-nodefaults", "-S"]


class QemuMachine:
    """An STM32F4 on a desk of software."""

    name = "qemu"

    def __init__(self, sink: Sink, elf: Path = STM32_ELF) -> None:
        """Args: who takes what it sends, and what is in its flash."""
        self._sink = sink
        self._elf = elf
        self._folder = tempfile.TemporaryDirectory(prefix="mars6-qemu-")
        self._debugger = Debugger(Path(self._folder.name) / "gdb")
        self._child: Child | None = None
        self._line: Line | None = None
        self._qmp: Qmp | None = None
        self._console = ""

    @classmethod
    def missing(cls) -> str | None:
        """What this computer lacks."""
        if shutil.which(PROGRAM) is None:
            return f"there is no {PROGRAM}: apt-get install qemu-system-arm"
        return None if STM32_ELF.is_file() else f"{STM32_ELF} is not there: `make prebuilt` builds it"

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

    def power_on(self) -> None:
        """Start QEMU, halted, connect, and let it run: no byte can be lost."""
        if self._child is not None:
            return
        if (lack := self.missing()) is not None:
            raise MachineFailed(lack)
        uart, far_uart = socket.socketpair()
        monitor, far_monitor = socket.socketpair()
        with far_uart, far_monitor:
            fds = far_uart.fileno(), far_monitor.fileno()
            try:
                self._child = Child([PROGRAM, *_MACHINE, *self._devices(*fds)], fds)
            except MachineFailed:
                uart.close()
                monitor.close()
                raise
        self._line = Line(uart.detach(), self._sink, self.name)
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
        self._monitor()
        return self._debugger.peek(address, size)

    def poke(self, address: int, data: bytes) -> None:
        """Write its memory, through the debugger's stub."""
        self._monitor()
        self._debugger.poke(address, data)

    def close(self) -> None:
        """Switch it off and take away its folder."""
        self.power_off()
        with contextlib.suppress(OSError):
            self._folder.cleanup()

    def _devices(self, uart: int, monitor: int) -> list[str]:
        """USART2 is the second serial line."""
        return [
            *("-kernel", str(self._elf)),
            *(
                "-chardev",
                f"socket,id=uart,fd={uart}",
                "-serial",
                "null",
                "-serial",
                "chardev:uart",
            ),  # USART2: the second
            *("-chardev", f"socket,id=qmp,fd={monitor}", "-mon", "chardev=qmp,mode=control"),
            *("-chardev", f"socket,id=gdb,path={self._folder.name}/gdb,server=on,wait=off", "-gdb", "chardev:gdb"),
        ]

    def _monitor(self) -> Qmp:
        if self._qmp is None:
            raise MachineFailed(f"{self.name} is off")
        return self._qmp
