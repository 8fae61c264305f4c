"""A machine on the bench: all that it sends, and waiting for it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from hil.lander.spacecraft import Spacecraft
from hil.targets import MACHINES, UNPACED, Machine
from protocols.ccsds.cltu import encode_cltu
from protocols.profile import UART
from tests.hil.lander.uplink import SIZE, bd, command, packet, started

PATIENCE_S = 20.0
BYTES_PER_S = 11_520
BOOT = b"\x00\x22"
"""The number of the event BOOT, where a greeting has it."""
START, HOLD = packet("START", 1234)[:4], packet("HOLD", 1235)[:4]
"""What their reports name them."""
START_AND_HOLD = encode_cltu(bd(packet("START", 1234)) + bd(packet("HOLD", 1235)))


def require(name: str) -> None:
    """Skip what this computer cannot do; in CI that is a failure."""
    lack = MACHINES[name].missing()
    if lack is not None:
        if os.environ.get("MARS6_REQUIRE_ALL"):
            pytest.fail(f"{name}: {lack}")
        pytest.skip(lack)


class Bench:
    """One machine, switched on when a test says so."""

    def __init__(self, name: str, real_time: bool = False) -> None:
        require(name)
        self.stream = b""
        self.first_byte = 0.0
        self._changed = threading.Condition()
        self._heard = 0
        self.machine: Machine = (MACHINES if real_time else UNPACED)[name](self._receive)

    def _receive(self, data: bytes) -> None:
        with self._changed:
            self.first_byte = self.first_byte or time.monotonic()
            self.stream += data
            self._changed.notify_all()

    def until(self, wanted: Callable[[bytes], bool], what: str, seconds: float = PATIENCE_S) -> bytes:
        """Wait until what came since the last `until` is enough; it is taken."""
        with self._changed:
            start = self._heard
            if not self._changed.wait_for(lambda: wanted(self.stream[start:]), seconds):
                pytest.fail(f"no {what}; {len(self.stream) - start} bytes came, {self.machine.console!r}")
            self._heard = len(self.stream)
            return self.stream[start:]

    def take(self, count: int, what: str = "bytes") -> bytes:
        return self.until(lambda data: len(data) >= count, f"{count} {what}")

    def forget(self, before: bytes = b"") -> None:
        """Begin a new stream with what came last from ``before`` on; without it with nothing."""
        with self._changed:
            self.stream = self.stream[self.stream.find(before) :] if before else b""
            self._heard = 0

    def quiet(self, seconds: float = 0.3) -> bytes:
        """Wait until nothing came for some time."""
        with self._changed:
            start = self._heard
            while self._changed.wait(seconds):
                pass
            self._heard = len(self.stream)
            return self.stream[start:]

    def boot(self) -> None:
        """Switch it on and wait until it is READY."""
        self.machine.power_on()
        self.await_boot()

    def await_boot(self) -> None:
        self.until(lambda data: bool(greetings(data)), "greeting")

    def ask(self) -> None:
        """PING until it is answered: a command that meets a crowd is refused, and even that may find no room."""
        for number in range(12_000, 12_100):
            for data in (bytes(100), command("PING", number)):  # an Arduino's ring takes 64 bytes
                self.machine.write(data)
                time.sleep(0.05)
            if packet("PING", number)[:4] in self.stream:
                return
        pytest.fail(f"no PING was answered; {self.machine.console!r}")

    def flood(self, seconds: float, make: Callable[[], bytes]) -> None:
        """Send without a pause, as fast as a line of 115200 baud goes."""
        began, sent = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            while sent < now * BYTES_PER_S:
                data = make()
                self.machine.write(data)
                sent += len(data)
            time.sleep(0.002)

    def start_and_hold(self) -> None:
        self.machine.write(START_AND_HOLD)
        self.until(lambda data: HOLD in started(aligned(data), START), "report of HOLD")

    def descend(self, ticks: int) -> bytes:
        """START, HOLD and STEP; the stream from START on."""
        expected = len(flown(ticks))
        before = len(self.stream)

        def flight() -> bytes:
            return started(aligned(self.stream[before:]), START)

        self.start_and_hold()
        self.machine.write(command("STEP", ticks=ticks))
        self.until(lambda _: len(flight()) >= expected, f"{expected} bytes of a descent", 6 * PATIENCE_S)
        self.quiet()
        return flight()


def aligned(data: bytes) -> bytes:
    """From its first whole frame on: what was taken before may have ended within one."""
    return data[data.find(UART.asm) :]


def greetings(stream: bytes) -> list[bytes]:
    """Frames with the event BOOT, wherever they are in the stream: a reset may have cut a frame before it."""
    found, at = [], stream.find(UART.asm)
    while 0 <= at <= len(stream) - SIZE:
        cadu = stream[at : at + SIZE]
        if cadu[4:6] == b"\x00\x65" and BOOT + bytes(7) in cadu:
            found.append(cadu)
        at = stream.find(UART.asm, at + SIZE)
    return found


def flown(ticks: int) -> bytes:
    """What a lander sends that got START and HOLD, then STEP, from START on."""
    craft = Spacecraft()
    craft.receive(START_AND_HOLD)
    sent = craft.step() + craft.receive(command("STEP", ticks=ticks))
    return sent + b"".join(craft.step() for _ in range(ticks))
