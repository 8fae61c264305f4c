"""The ATmega328P firmware in simavr, run by ``tools/simavr-runner``. The same .hex runs on an Arduino Uno.

Its serial line and the orders to the runner are socket pairs: no port and no name that another run could meet.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from hil.errors import BuildFailed, MachineFailed
from hil.images.boards import FIRMWARE
from hil.images.build import make
from hil.images.image import Image, choose_image
from hil.targets.base import Sink
from hil.targets.child import Child
from hil.targets.line import Line

RUNNER = FIRMWARE.parents[1] / "tools" / "simavr-runner"
_HEADERS = [Path(prefix) / "include" / "simavr" / "sim_avr.h" for prefix in ("/usr", "/usr/local")]
_RESET_PIN = 2
"""As the chip's register MCUSR has it."""
_RAM = 0x800000
"""Where the tools for the AVR see its data addresses begin."""
_TIMEOUT_S = 5.0
_ANSWER_MAX = 8192


class SimavrMachine:
    """An ATmega328P on a desk of software, at the baud rate of a real one."""

    name = "simavr"
    memory = True

    def __init__(self, sink: Sink, image: Image | None = None, fast: bool = False) -> None:
        """Prepare.

        Args:
            sink: takes what it sends.
            image: what is in its flash; None: the image that the rule chooses.
            fast: only idle time is to pass as on the wall.

        Raises:
            ImageRefused: there is no image to use.
        """
        self._sink = sink
        self._image = image or choose_image("uno")
        self._options = ["--fast"] if fast else []
        self._child: Child | None = None
        self._line: Line | None = None
        self._control: socket.socket | None = None
        self._console = ""

    @classmethod
    def missing(cls) -> str | None:
        """What this computer lacks."""
        if not (RUNNER / "Makefile").is_file():
            return "simavr runner not found: use a checkout (the wheel does not include it)"
        absent = [tool for tool in ("make", "gcc") if shutil.which(tool) is None]
        if not any(header.is_file() for header in _HEADERS):
            absent.append("libsimavr-dev")
        return f"{' and '.join(absent)} not found: apt-get install {' '.join(absent)}" if absent else None

    @property
    def running(self) -> bool:
        """It has power and has not ended by itself."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int | None:
        """The runner's process."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def console(self) -> str:
        """What the runner said."""
        return self._console if self._child is None else self._child.words()

    def provenance(self) -> dict[str, str]:
        """Which image it runs."""
        return self._image.facts() | {"emulator": "simavr"}

    def power_on(self) -> None:
        """Build the runner if it is not up to date, and start it."""
        if self._child is not None:
            return
        if (lack := self.missing()) is not None:
            raise MachineFailed(lack)
        try:
            make(RUNNER)
        except BuildFailed as error:
            raise MachineFailed(str(error)) from error
        uart, far_uart = socket.socketpair()
        control, far_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.settimeout(_TIMEOUT_S)
        with far_uart, far_control:
            fds = far_uart.fileno(), far_control.fileno(), self._image.open_hex()
            arguments = ["--fd", str(fds[0]), "--control", str(fds[1]), *self._options, f"/proc/self/fd/{fds[2]}"]
            try:
                self._child = Child([str(RUNNER / "build" / "simavr-runner"), *arguments], fds)
            except MachineFailed:
                uart.close()
                control.close()
                raise
            finally:
                os.close(fds[2])
        self._control = control
        self._line = Line(uart.detach(), self._sink, self.name)

    def power_off(self) -> None:
        """End the runner."""
        child, self._child = self._child, None
        if child is not None:
            self._console = child.end()
        if self._line is not None:
            self._line.close()
        if self._control is not None:
            self._control.close()
        self._line = self._control = None

    def reset(self) -> None:
        """What the reset pin does; the RAM stays as it is."""
        self._order(f"reset {_RESET_PIN}")

    def hang(self) -> None:
        """Let the chip's time stand."""
        self._order("halt")

    def resume(self) -> None:
        """Let it go on, without catching up."""
        self._order("go")

    def write(self, data: bytes) -> None:
        """Bytes to RXD."""
        if self._line is None:
            raise MachineFailed(f"{self.name} is off: nothing was sent")
        self._line.write(data)

    def peek(self, address: int, size: int) -> bytes:
        """Read its RAM; addresses as the chip or as its tools count them."""
        return bytes.fromhex(self._order(f"read {address % _RAM:x} {size}"))

    def poke(self, address: int, data: bytes) -> None:
        """Write its RAM; addresses as the chip or as its tools count them."""
        self._order(f"write {address % _RAM:x} {data.hex()}")

    def close(self) -> None:
        """Switch it off."""
        self.power_off()

    def _order(self, text: str) -> str:
        if self._control is None:
            raise MachineFailed(f"{self.name} is off")
        try:
            self._control.send(text.encode())
            answer = self._control.recv(_ANSWER_MAX).decode()
        except OSError as error:
            raise MachineFailed(f"{self.name} does not answer: {error}") from error
        if answer in ("", "error"):
            raise MachineFailed(f"{self.name} refuses {text[:40]!r}: {self.console or 'no reason given'}")
        return answer
