"""Bytes over a serial port or a pseudo-terminal: ``serial:/dev/ttyACM0?baud=115200``.

Rules:
1. pyserial opens and configures; ``poll`` and one ``os.read`` take the bytes, stamped right after it.
   Anything slower moves the stamps.
2. Gone is OSError, termios.error or an empty read; which of them it is depends on the driver and the moment.
3. After any failure there is a wait, and only bytes end the back-off: a port that opens and hangs up at once
   does not make a busy loop.
4. What other programs do to the port is reported between the bytes (`port_watch`); which device it has to be when it
   comes back, `device_finder` knows.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue

import serial

from groundstation.errors import CallerError, LinkError, PortAbsent
from groundstation.links.base import Chunk, Clock, Disturbance, Idle, Report, TransportChange
from groundstation.links.port_watch import Meddling, PortWatch, others_at, shared_text
from groundstation.links.reader import LISTEN_MS, Backoff, ReaderThread
from groundstation.messages.wire import Transport
from groundstation.ports.access import Holder
from groundstation.ports.address import DEFAULT_BAUD, checked_baud
from groundstation.ports.device_finder import DeviceFinder
from groundstation.ports.devices import ROOT
from groundstation.ports.opening import close_port, open_port, probe
from protocols.declare.mission import Mission
from protocols.tuples import maker

__all__ = ["SerialLink", "close_port", "open_port", "probe"]

READ_SIZE = 4096
WRITE_TIMEOUT_S = 0.5
_make_chunk = maker(Chunk)


class SerialLink:
    """A serial port that comes back when it is plugged in again."""

    OPTIONS = ("baud",)

    def __init__(
        self, path: str, clock: Clock, baud: int = DEFAULT_BAUD, root: Path = ROOT, mission: Mission | None = None
    ) -> None:
        """Make it; nothing is opened yet.

        Args:
            path: the device, or what else `parse_port` takes: a serial number, a name, ``auto``.
            clock: stamps what is read.
            baud: bits per second (a pseudo-terminal has none).
            root: of the file system in which devices are looked for.
            mission: whose lander ``auto`` looks for; the default one's by default.
        """
        self.url = f"serial:{path}?baud={baud}"
        self._where = DeviceFinder(path, baud, root, mission)
        self._baud = baud
        self._clock = clock
        self._last = 0
        self._sink: Callable[[Report], None] = _discard
        self._reader = ReaderThread(self._run, f"serial {path}")
        self._lock = threading.Lock()
        self._port: serial.Serial | None = None
        self._path = path
        self._meddling: SimpleQueue[Meddling] = SimpleQueue()

    @classmethod
    def from_url(
        cls, address: str, options: Mapping[str, str], clock: Clock, mission: Mission | None = None
    ) -> SerialLink:
        """The link of a URL.

        Raises:
            CallerError: the baud rate is not a positive whole number, or the address means several ports.
        """
        baud = checked_baud(options["baud"]) if "baud" in options else DEFAULT_BAUD
        return cls(address, clock, baud, mission=mission)

    def now(self) -> int:
        """This host's time."""
        return self._clock()

    def probe(self) -> None:
        """Say now whether the port could be opened; see `probe`.

        Raises:
            LinkError: it could not.
            CallerError: a name means several ports, or several boards have a lander.
        """
        probe(self._where.find()[0])

    def start(self, sink: Callable[[Report], None]) -> None:
        """Open in the background and report to ``sink``, from the reader thread."""
        self._sink = sink
        self._reader.start()

    def stop(self) -> None:
        """Close and join the reader thread. Idempotent."""
        self._reader.stop()

    def write(self, data: bytes) -> None:
        """Send bytes up; they are with the kernel when this returns.

        Raises:
            LinkError: not connected, gone, or the port took no more for half a second.
        """
        with self._lock:
            if self._port is None:
                raise LinkError(f"{self._path} is not connected: nothing was sent")
            _write_all(self._port.fileno(), data, self._path)

    def _run(self) -> None:
        backoff = Backoff()
        told = ""
        while not self._reader.stopping:
            try:
                self._path, device = self._where.find()
                others = others_at(self._path)
                port = open_port(self._path, self._baud)
            except (LinkError, CallerError) as error:
                if str(error) != told:
                    told = str(error)
                    self._change("ATTEMPTING", told)
            else:
                told = ""
                self._where.keep(device)
                self._use(port, others, backoff)
            self._reader.pause(backoff.next())

    def _use(self, port: serial.Serial, others: list[Holder], backoff: Backoff) -> None:
        """Read an open port to its end."""
        with self._lock:
            self._port = port
        self._meddling = SimpleQueue()
        shared = f"; {shared_text(others)}" if others else ""
        watch = PortWatch(port.fileno(), self._path, others, self._queue_meddling)
        try:
            self._change("CONNECTED", f"{self._where} is open{shared}", "lasting" if others else "")
            lost = self._read(port.fileno(), backoff)
        finally:
            watch.close()
            with self._lock:
                self._port = None
                close_port(port)
        if lost is not None:
            self._change("DISCONNECTED", lost)

    def _queue_meddling(self, meddling: Meddling) -> None:
        """In the thread that watches: reports come from the reader alone."""
        self._meddling.put(meddling)
        self._reader.wake()

    def _read(self, fd: int, backoff: Backoff) -> str | None:
        """Read until the port is lost (and say how) or the link is stopped."""
        ports = select.poll()
        ports.register(fd, select.POLLIN)
        ports.register(self._reader.wake_fd, select.POLLIN)
        heard = False
        while not self._reader.stopping:
            ready = ports.poll(LISTEN_MS)
            if not ready:
                self._sink(Idle(self._stamp()))
                continue
            if fd not in dict(ready):  # woken: a read would return nothing, as from a port that is gone
                self._report_meddling()
                continue
            try:
                data = os.read(fd, READ_SIZE)
            except BlockingIOError:
                continue
            except (OSError, termios.error) as error:
                return self._lost(error.strerror if isinstance(error, OSError) else str(error))
            ert = self._stamp()
            if not data:
                return self._lost("end of file")
            if not heard:
                heard = True
                backoff.reset()
            self._sink(_make_chunk((ert, data, 0)))
        return None

    def _report_meddling(self) -> None:
        self._reader.clear()
        while not self._meddling.empty():
            meddling = self._meddling.get()
            self._change("CONNECTED", meddling.text, meddling.kind)

    def _lost(self, reason: str | None) -> str:
        if os.path.exists(self._path):
            return f"{self._path} hung up ({reason}): trying again"
        return f"{self._path} was unplugged ({reason}): plug it in again"

    def _change(self, state: Transport, detail: str, disturbance: Disturbance = "") -> None:
        self._sink(TransportChange(self._stamp(), state, detail, disturbance=disturbance))

    def _stamp(self) -> int:
        """The time now; a clock that is set back does not turn reports around."""
        self._last = max(self._last, self._clock())
        return self._last


def _write_all(fd: int, data: bytes, path: str) -> None:
    rest = memoryview(data)
    deadline = time.monotonic() + WRITE_TIMEOUT_S
    room = select.poll()
    room.register(fd, select.POLLOUT)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LinkError(f"{path} takes no more: {len(rest)} of {len(data)} bytes not sent") from error
            room.poll(left * 1000)
        except OSError as error:
            raise PortAbsent(f"{path} is gone: {error.strerror}") from error


def _discard(_: Report) -> None:
    """The sink before `SerialLink.start`."""
