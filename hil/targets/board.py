"""A board on a serial port. The rig has its port, and no more: neither its power nor its memory.

A board may be anywhere in a flight when the rig comes, and half a frame may be on the line. So `BoardMachine.power_on`
1. pulls the reset lines of the port, which a board may or may not be wired to, and sends RESET by telecommand;
2. waits for a greeting; while none comes, it sends RESET again: a boot loader swallows what comes while it runs;
3. brings FARM-1 to where it is after power on (RESET leaves it): UNLOCK and SET V(R), counted modulo four;
4. hands on everything from the first clean greeting on. What came before is stale, and counted.
So a board flies as one that was just switched on, byte for byte.

From power on to `close` the board is locked (`groundstation.ports.board_lock`): other runs wait for it.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Sequence

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from groundstation.errors import PortAbsent
from groundstation.formats.output import echo
from groundstation.ports.access import is_pty
from groundstation.ports.address import DEFAULT_BAUD
from groundstation.ports.board_lock import WAIT_S, BoardLock, lock_board
from groundstation.ports.opening import close_port, open_port
from hil.errors import MachineFailed, Unsupported
from hil.targets.base import Sink
from hil.targets.board_ports import BoardPort, find_port
from hil.targets.greeting import Greeting, find_greeting
from hil.targets.line import Line
from hil.targets.telecommands import control, order
from protocols.ccsds.clcw import Clcw
from protocols.ccsds.tc_frame import SetVr, Unlock

_LOG = logging.getLogger("hil.targets")

__all__ = ["BoardMachine", "find_port", "no_reset"]

READY_TIMEOUT_S = 15.0
_GREETING_S = 1.5
_RESET_PULSE_S = 0.1
_SETTLE_S = 0.1
_ST = 0x0483
_IDLE = b"\x55" * 16
"""Ends a CLTU that another program left open."""
_MAX_HELD = 1 << 20


def no_reset(path: str) -> str | None:
    """Why a port cannot reset the board behind it; None if it has the lines. Whether they are wired is unknown."""
    port = _usb_port(path)
    if port is not None and port.vid == _ST:
        return f"{path} is an ST-Link or an STM32's own USB, which passes no reset line on: use the board's button"
    try:
        device = os.stat(path)
    except OSError:
        return None  # opening it says what is wrong
    if stat.S_ISCHR(device.st_mode) and is_pty(device):
        return f"{path} has no reset lines: use the board's button"
    return None


def _print_stderr(text: str) -> None:
    """For the person who waits."""
    echo(text, err=True)


class BoardMachine:
    """Whatever lander answers on a serial port.

    Attributes:
        stale: bytes that were on the line from before this run, when it was switched on last.
    """

    name = "board"
    memory = False
    pid = None
    console = ""

    def __init__(
        self,
        sink: Sink,
        port: str | Sequence[BoardPort],
        baud: int = DEFAULT_BAUD,
        wait_s: float = WAIT_S,
        say: Callable[[str], None] = _print_stderr,
    ) -> None:
        """Make it.

        Args:
            sink: who takes what it sends.
            port: a device, or several boards of which any will do.
            baud: bits per second; several boards have their own.
            wait_s: how long to wait for a board that another program uses.
            say: told if one has to wait.
        """
        self._sink = sink
        self._ports = [BoardPort(port, baud)] if isinstance(port, str) else list(port)
        self._path, self._baud = self._ports[0].path, self._ports[0].baud
        self._wait_s = wait_s
        self._report = say
        self._lock: BoardLock | None = None
        self._line: Line | None = None
        self._held = bytearray()
        self._handed = False
        self._changed = threading.Condition()
        self.stale = 0

    @classmethod
    def missing(cls) -> str | None:
        """It needs nothing of this computer but a port, and `power_on` sees whether that is there."""
        return None

    @property
    def running(self) -> bool:
        """Its port is open, and there."""
        return self._line is not None and not self._line.ended

    def provenance(self) -> dict[str, str]:
        """Which board it is, as far as USB tells."""
        port = _usb_port(self._path)
        told = {} if port is None else {"board": port.description or "", "serial number": port.serial_number or ""}
        return {"port": self._path} | told

    def power_on(self) -> None:
        """Open the port and bring the board to READY, as it is after power on.

        Raises:
            PortBusy: other programs used the board for too long, or have its port open.
            LinkError: the port cannot be opened.
            MachineFailed: no lander answers there, or it is another board than the one that was chosen.
        """
        if self._line is not None:
            return
        self._lock_one()
        try:
            self._port = open_port(self._path, self._baud)
        except BaseException:
            self._unlock()
            raise
        self._handed, self.stale = False, 0
        self._held.clear()
        self._line = Line(os.dup(self._port.fileno()), self._receive, self.name)
        try:
            self._pulse()
            self._make_ready()
            _LOG.info("board at %s is ready", self._path)
        except BaseException:
            self.close()
            raise

    def power_off(self) -> None:
        """Not the rig's to take."""
        raise Unsupported("a board's power is not the rig's: unplug it, or use `reset`")

    def reset(self) -> None:
        """Pull the reset lines: DTR and RTS.

        Raises:
            Unsupported: this port has none, or they lead nowhere.
        """
        if self._line is None:
            raise MachineFailed(f"{self.name} is off")
        if (why := no_reset(self._path)) is not None:
            raise Unsupported(why)
        if not self._pulse():
            raise Unsupported(f"{self._path} has no reset lines: use the board's button")

    def hang(self) -> None:
        """Not of a board."""
        raise Unsupported("a board's clocks cannot be stopped")

    def resume(self) -> None:
        """Not of a board."""
        raise Unsupported("a board's clocks cannot be stopped")

    def write(self, data: bytes) -> None:
        """Bytes to its port."""
        if self._line is None:
            raise MachineFailed(f"{self.name} is off: nothing was sent")
        self._line.write(data)

    def peek(self, address: int, size: int) -> bytes:
        """Not through a serial port."""
        raise Unsupported(f"the memory of a {self.name} cannot be read")

    def poke(self, address: int, data: bytes) -> None:
        """Not through a serial port."""
        raise Unsupported(f"the memory of a {self.name} cannot be written")

    def close(self) -> None:
        """Give the port back; the board goes on. Idempotent."""
        line, self._line = self._line, None
        if line is not None:
            line.close()
            close_port(self._port)
        self._unlock()

    def _lock_one(self) -> None:
        """Take one of the boards, whichever is free first: those that are there.

        Raises:
            PortBusy: none was free in time.
            LinkError: none is there.
            MachineFailed: another device has the name of its port.
        """
        there: dict[str, tuple[BoardPort, str]] = {}
        devices, lack = [], None
        for port in self._ports:
            try:
                path, device = port.now()
            except PortAbsent as error:
                lack = error
                continue
            there[device.key] = port, path
            devices.append(device)
        if not devices:
            raise lack or PortAbsent("no board was chosen")
        self._lock = lock_board(devices, self._wait_s, self._report)
        chosen, self._path = there[self._lock.device.key]
        self._baud = chosen.baud

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _receive(self, data: bytes) -> None:
        with self._changed:
            if not self._handed:
                self._held += data
                cut = max(0, len(self._held) - _MAX_HELD)
                self.stale += cut
                del self._held[:cut]
                self._changed.notify_all()
                return
        self._sink(data)

    def _pulse(self) -> bool:
        """Whether the port has reset lines."""
        try:
            self._port.dtr = self._port.rts = False
            time.sleep(_RESET_PULSE_S)
            self._port.dtr = self._port.rts = True
        except OSError:  # a pseudo-terminal
            return False
        return True

    def _make_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        commands = [_IDLE + order("RESET")]
        while time.monotonic() < deadline:
            for command in commands:
                self.write(command)
                time.sleep(len(command) * 10 / self._baud)  # an Arduino takes one command at a time
            time.sleep(_SETTLE_S)
            self._forget()  # greetings from before, too
            greeting = self._await_greeting(min(_GREETING_S, deadline - time.monotonic()))
            if greeting is None:
                commands = [_IDLE + order("RESET")]
            elif not (commands := _to_power_on(greeting.clcw)):
                return
        self._forget()
        came = f"{self.stale} bytes came, no greeting" if self.stale else "not a byte came"
        raise MachineFailed(
            f"no lander answers on {self._path} at {self._baud} baud: {came}. Is it flashed (`hil firmware flash`), "
            "and is this its port?"
        )

    def _forget(self) -> None:
        with self._changed:
            self.stale += len(self._held)
            self._held.clear()

    def _await_greeting(self, seconds: float) -> Greeting | None:
        """The next greeting; if it is that of a board as after power on, it and what follows is handed on."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (found := find_greeting(bytes(self._held))) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self.running:
                    return None
                self._changed.wait(left)
            at, greeting = found
            if not _to_power_on(greeting.clcw):
                self.stale += at
                self._sink(bytes(self._held[at:]))
                self._held.clear()
                self._handed = True
            return greeting


def _to_power_on(clcw: Clcw) -> list[bytes]:
    """What brings FARM-1 to where it is after power on; nothing if it is there.

    Frames of type B are counted modulo four: as many are sent as lead to 0.
    """
    if clcw == Clcw(vcid=clcw.vcid):
        return []
    frames = 2 + (-clcw.farm_b - 2) % 4
    return [control(Unlock())] * (frames - 1) + [control(SetVr(0))]


def _usb_port(path: str) -> ListPortInfo | None:
    real = os.path.realpath(path)
    return next((port for port in list_ports.comports() if os.path.realpath(port.device) == real), None)
