"""Serves the software lander in real time, at a speed factor and the pace SCALE asks for, or stepped by its caller.

The uplink is listened to before every tick, and often while the mission clock stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from hil.lander.bus import ResetReason
from hil.lander.modes import Mode
from hil.lander.physics.dynamics import TICK_NS
from hil.lander.spacecraft import Spacecraft
from hil.lander.telecommands import REAL_TIME
from hil.verdict.oracle import Burst, call
from protocols.units import NS_PER_S

HELLO_NS = NS_PER_S
"""From one greeting to the next, in READY."""
LATE_LIMIT_NS = NS_PER_S
"""A lander that was stopped for longer goes on without catching up."""
NO_BUILD = 0
"""The software lander is not built."""
_PIECE = 16
LISTEN_S = 0.01
"""How long a command may wait for its answer while no tick is flown."""


class Port(Protocol):
    """The lander's end of a link; `servers.PtyServer` and `servers.ZmqServer` are such."""

    def send(self, data: bytes) -> None:
        """Put bytes on the wire."""

    def receive(self) -> bytes:
        """The uplink's bytes so far, without waiting."""


def fly_paced(
    craft: Spacecraft,
    port: Port,
    speed: float,
    clock: Callable[[], int],
    sleep: Callable[[float], None],
    link_drop: int | None = None,
) -> Iterator[Burst]:
    """Fly for ever, every tick at its time; each burst is yielded once it is sent, empty ones too.

    While the mode is RUNNING a tick's time is counted from the last START, RESUME or SCALE, not from the tick before:
    no error adds up. After a short hold-up the ticks that are late are flown at once, and so are those of STEP. In
    READY the lander greets: at once, then once a second.

    Args:
        craft: started, or READY.
        port: the wire.
        speed: mission seconds a second of ``clock``, when SCALE is 1.
        clock: integer nanoseconds, monotonic.
        sleep: waits so many seconds.
        link_drop: mission time in ns from which the link carries nothing.
    """
    begin, first = clock(), craft.tick
    greeter, uplink = _Greeter(begin), _Uplink(port)
    while True:
        tick, scale = craft.tick, craft.scale
        paced = craft.flies and craft.mode is Mode.RUNNING
        if paced:
            wait = begin + round((tick - first) * TICK_NS * REAL_TIME / (speed * scale)) - clock()
            if wait > 0:
                sleep(wait / NS_PER_S)
            paced = wait >= -LATE_LIMIT_NS
        burst = call(craft, uplink.take(craft), link_drop)
        burst = Burst(burst.scet, burst.data + greeter.greet(craft, clock()))
        if burst.data:
            port.send(burst.data)
        yield burst
        if not paced or (craft.tick, craft.scale) != (tick + 1, scale):
            begin, first = clock(), craft.tick - 1
        if not craft.flies and not uplink.waits:
            sleep(LISTEN_S)


class _Uplink:
    """What came up, in pieces as firmware takes them: one that holds a STEP holds no command behind it."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._came = b""

    @property
    def waits(self) -> bool:
        """There is more."""
        return bool(self._came)

    def take(self, craft: Spacecraft) -> bytes:
        """The next piece. Nothing while STEP flies: what was sent behind it finds it done."""
        if craft.flies and craft.mode is not Mode.RUNNING:
            return b""
        self._came += self._port.receive()
        size = len(self._came) if craft.mode is Mode.RUNNING else _PIECE
        piece, self._came = self._came[:size], self._came[size:]
        return piece


class _Greeter:
    """When a greeting is due."""

    def __init__(self, now: int) -> None:
        self._due = now

    def greet(self, craft: Spacecraft, now: int) -> bytes:
        """A greeting, or nothing."""
        if craft.mode is not Mode.READY:
            self._due = now  # at once after a RESET, however long the flight was
        elif now >= self._due:
            self._due = now + HELLO_NS
            return craft.hello(ResetReason.POWER_ON, NO_BUILD)
        return b""


def fly_stepped(
    craft: Spacecraft, port: Port, commands: Iterator[str], link_drop: int | None = None
) -> Iterator[Burst]:
    """Step as often as each command line says: a number, or an empty line for one. Ends with the pass.

    Without a clock the lander does not greet.

    Raises:
        ValueError: a line that is not a number of ticks.
    """
    for line in commands:
        text = line.strip()
        count = int(text) if text else 1
        if count < 1:
            raise ValueError(f"invalid number of ticks: {count}")
        for _ in range(count):
            if craft.finished:
                return
            burst = call(craft, port.receive(), link_drop)
            if burst.data:
                port.send(burst.data)
            yield burst
