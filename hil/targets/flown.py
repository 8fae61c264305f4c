"""A machine as a target: the rig switches it on, waits for its greeting, and starts it when a station listens.

    machine ──line──▶ thread of the line ──queue──▶ conductor ──PTY or ZeroMQ──▶ station
       ▲                                              │  ▲
       └──────── START, SCALE, telecommands ──────────┘  └── telecommands

What the machine says before START stays with the rig: START sets the stream's counters to zero, and to a station that
would look like a loss. So the station receives exactly what the oracle sends that got the same script.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from groundstation.links.base import Chunk
from groundstation.messages import EventMessage
from groundstation.receiver import Receiver
from hil.oracle import Script
from hil.serve import ByteServer, PtyServer, ZmqServer
from hil.targets.base import Machine, MachineFailed, Sink, TargetOptions
from hil.targets.telecommands import order
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART

TICK_NS = 100_000_000
SCALES = (0.1, 100.0)
"""What the command SCALE can ask for."""
BOOT_TIMEOUT_S = 10.0
START_TIMEOUT_S = 10.0
_LAST_HK = EPOCH + 3210 * TICK_NS
"""What is sent last in a historical pass; it ends a second later."""
_LOOK_S = 0.004
_SLICE_S = 0.1


def start_script(speed: float) -> Script:
    """What makes a lander in READY fly at a speed. It asks for no reports, so that none comes down before tick 0."""
    return [(0, order("SCALE", factor=round(speed, 2)) + order("START"))]


class FlownMachine:
    """A `Target` around any `Machine`.

    Attributes:
        machine: with its levers, for faults.
        boot: what its last greeting said: reset reason and build.
    """

    def __init__(self, make: Callable[[Sink], Machine], options: TargetOptions) -> None:
        """Args: what makes the machine, given its sink; and how to fly."""
        self._options = options
        self._came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.machine = make(self._came.put)
        self.boot = ""
        self._server: ByteServer | None = None
        self._script = start_script(options.speed)
        self._receiver = Receiver(MARS6, UART, "machine:")
        self._rest = b""
        self._dropped = False
        self._stop = threading.Event()
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"conductor of {self.machine.name}", daemon=True)
        self._error: MachineFailed | None = None

    @property
    def url(self) -> str:
        """The link URL for the station."""
        assert self._server is not None
        return self._server.url

    @property
    def script(self) -> Script:
        """SCALE and START."""
        return self._script

    def wait_finished(self) -> bool:
        """Wait for the end of the pass. False if the machine ended before it, or the flight was called off."""
        while not self._finished.wait(_SLICE_S):
            if self._stop.is_set() or self._error is not None or not self._thread.is_alive():
                return False
        return True

    def __enter__(self) -> Self:
        low, high = SCALES
        if not low <= self._options.speed <= high:
            raise MachineFailed(f"{self.machine.name} flies at a speed of {low:g} to {high:g}")
        if (lack := self.machine.missing()) is not None:
            raise MachineFailed(lack)
        try:
            self.machine.power_on()
            self._await_greeting()
            self._server = PtyServer() if self._options.link == "pty" else ZmqServer("tcp://127.0.0.1:*")
            self._thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.machine.close()
        if self._server is not None:
            self._server.close()

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        while not self.boot:
            if not self.machine.running or time.monotonic() > deadline:
                raise MachineFailed(f"{self.machine.name} does not boot: {self.machine.console or 'it says nothing'}")
            for piece in self._pieces(_SLICE_S):
                self._hear(piece)

    def _run(self) -> None:
        assert self._server is not None
        try:
            while not self._server.wait_for_listener(_SLICE_S):
                for piece in self._pieces(0):  # greetings: nobody wants them, but the line must run
                    self._hear(piece)
                if self._stop.is_set():
                    return
            self._start(self._server)
            self._relay(self._server)
        except MachineFailed as error:
            self._error = error

    def _start(self, server: ByteServer) -> None:
        """Send the script; the first frame that is no greeting is the flight's."""
        server.receive()
        for _, data in self._script:
            self.machine.write(data)
        deadline = time.monotonic() + START_TIMEOUT_S / min(self._options.speed, 1)
        while not self._stop.is_set():
            started = False
            for piece in self._pieces(_LOOK_S):
                started = started or not self._hear(piece)
                if started:
                    self._send(server, piece)
            if started:
                return
            if time.monotonic() > deadline:
                raise MachineFailed(f"{self.machine.name} does not start")

    def _relay(self, server: ByteServer) -> None:
        ends = None
        while not self._stop.is_set():
            for piece in self._pieces(_LOOK_S, self._options.link_drop is None):
                self._hear(piece)
                self._send(server, piece)
            data = server.receive()
            if data and not self._dropped:
                self.machine.write(data)
            if ends is None and any(self._last_scets(_LAST_HK)):
                ends = time.monotonic() + 1 / self._options.speed
            if ends is not None and time.monotonic() >= ends:
                self._finished.set()

    def _pieces(self, wait: float, to_the_end: bool = False) -> list[bytes]:
        """What came within a time, cut into frames: a line without faults is aligned from power on.

        With ``to_the_end`` what is left of a frame, after a reset for instance, does not wait for the next one.
        """
        try:
            self._rest += self._came.get(timeout=wait) if wait else self._came.get_nowait()
            while not self._came.empty():
                self._rest += self._came.get_nowait()
        except queue.Empty:
            whole = len(self._rest) if to_the_end else 0
        else:
            whole = len(self._rest) // UART.cadu_length * UART.cadu_length
        data, self._rest = self._rest[:whole], self._rest[whole:]
        return [data[at : at + UART.cadu_length] for at in range(0, whole, UART.cadu_length)]

    def _hear(self, piece: bytes) -> bool:
        """Decode one frame; whether it was a greeting."""
        greeted = False
        for outcome in self._receiver.take(Chunk(time.time_ns(), piece)):
            if isinstance(outcome, EventMessage) and outcome.name == "BOOT":
                self.boot, greeted = outcome.text, True
        return greeted

    def _last_scets(self, since: int) -> list[bool]:
        return [note.scet is not None and note.scet >= since for note in self._receiver.frames]

    def _send(self, server: ByteServer, piece: bytes) -> None:
        drop = self._options.link_drop
        self._dropped = self._dropped or (drop is not None and any(self._last_scets(drop)))
        if not self._dropped:
            server.send(piece)
