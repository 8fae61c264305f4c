"""Flights of all sorts as lists of steps: what is written to a serial port and when, and what else is done then."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from hil.lander_io.servers import PtyServer
from hil.verdict.oracle import fly
from protocols.declare.dictionary import utc_ns
from protocols.profile import UART

SPEED = 4
"""Mission seconds a second: six viewers of 40 frames a second leave two cores some room."""
SIZE = UART.cadu_length
S = 1_000_000_000
BEGIN = utc_ns("1974-03-12T09:08:00")
END = utc_ns("1974-03-12T09:09:10")
LAST_MINUTE = utc_ns("1974-03-12T09:10:20"), utc_ns("1974-03-12T09:11:14")


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes for the port and an action beside them, ``at`` seconds after the flight's first step."""

    at: float
    data: bytes = b""
    action: str = ""


def at(clock: str) -> float:
    """Seconds after the first step at which a time of the mission is flown."""
    return (utc_ns(f"1974-03-12T{clock}") - BEGIN) / S / SPEED


def descent(begin: int = BEGIN, end: int = END) -> list[Step]:
    """A part of the descent, between two times of the mission in ns."""
    bursts = takewhile(lambda burst: burst.scet < end, fly())
    return [Step((burst.scet - begin) / S / SPEED, burst.data) for burst in bursts if burst.scet >= begin]


def _without(clock: str, seconds: float) -> list[Step]:
    """Nothing arrives for so many seconds of the mission."""
    first, last = at(clock), at(clock) + seconds / SPEED
    return [step for step in descent() if not first <= step.at < last]


def _framewise(change: Callable[[int, bytes], bytes]) -> list[Step]:
    """Each frame as ``change`` makes it, given its number in the stream."""
    numbers = iter(range(1 << 30))
    return [Step(s.at, b"".join(change(next(numbers), frame) for frame in _frames(s.data))) for s in descent()]


def _frames(data: bytes) -> Iterator[bytes]:
    for place in range(0, len(data), SIZE):
        yield data[place : place + SIZE]


def _damaged(number: int, frame: bytes) -> bytes:
    if number % 40 != 20:
        return frame
    place = random.Random(number).randrange(len(UART.asm), SIZE)
    return frame[:place] + bytes([frame[place] ^ 0x5A]) + frame[place + 1 :]


def _restarted() -> list[Step]:
    """At 09:08:30 the spacecraft starts again: counters at zero, and from the end of the blackout on."""
    now = at("09:08:30")
    before = [step for step in descent() if step.at < now]
    after = descent(utc_ns("1974-03-12T09:05:53"), utc_ns("1974-03-12T09:05:57"))
    data = descent(utc_ns("1974-03-12T09:07:20"), utc_ns("1974-03-12T09:07:50"))
    began = now + after[-1].at + 0.1 / SPEED
    return [*before, *(Step(now + s.at, s.data) for s in after), *(Step(began + s.at, s.data) for s in data)]


def _with(*actions: tuple[str, float]) -> list[Step]:
    """The descent, and something done to processes or the port, each ``(what, seconds of the mission)``."""
    begin = at("09:08:20")
    return sorted([*descent(), *(Step(begin + s / SPEED, action=what) for what, s in actions)], key=_by_time)


def _by_time(step: Step) -> float:
    return step.at


FLIGHTS: dict[str, Callable[[], list[Step]]] = {
    "history": lambda: descent(*LAST_MINUTE),
    "nothing-for-8-s": lambda: _without("09:08:20", 32.0),
    "ten-frames-missing": lambda: _without("09:08:20", 1.0),
    "frames-twice": lambda: _framewise(lambda n, frame: frame * 2 if n % 50 == 10 else frame),
    "frames-damaged": lambda: _framewise(_damaged),
    "spacecraft-restarts": _restarted,
    "port-unplugged": lambda: _with(("unplug", 0.0), ("plug", 20.0)),
    "station-killed": lambda: _with(("kill station", 0.0), ("start station", 12.0)),
    "station-stopped": lambda: _with(("stop station", 0.0), ("continue station", 20.0)),
    "slow-line": descent,
}


class Cable:
    """A serial port that goes by a lasting name, and the thread that plays a flight into it.

    Like a UART it waits for no reader: what a stopped station does not take in time is lost.

    Attributes:
        sent: what was written, each with the time just before, in ns of this host.
    """

    def __init__(self, link: Path, steps: list[Step], act: Callable[[str], None]) -> None:
        """Args: the port's name, what is flown, and what does the actions that are not the port's own."""
        self._link = link
        self._steps = steps
        self._act = act
        self._port = PtyServer(link, send_timeout=0.0)
        self.sent: list[tuple[int, bytes]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def seconds(self) -> float:
        """How long the flight takes."""
        return self._steps[-1].at

    def start(self) -> None:
        """Fly."""
        self._thread.start()

    def close(self) -> None:
        """End the flight and take the port away."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._port.hang_up()

    def _run(self) -> None:
        began = time.monotonic()
        for step in self._steps:
            if self._end.wait(max(0.0, began + step.at - time.monotonic())):
                return
            if step.action == "unplug":
                self._port.hang_up()
            elif step.action == "plug":
                self._port = PtyServer(self._link, send_timeout=0.0)
            elif step.action:
                self._act(step.action)
            self.sent.append((time.time_ns(), step.data))
            self._port.send(step.data)
