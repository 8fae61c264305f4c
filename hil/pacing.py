"""Serves the software lander's bytes: in real time, at a speed factor, or stepped by its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from hil.oracle import Burst

TICK_NS = 100_000_000


class Sender(Protocol):
    """Where the bytes go; `serve.PtyServer` and `serve.ZmqServer` are such."""

    def send(self, data: bytes) -> None:
        """Put bytes on the wire."""


def send_paced(
    bursts: Iterator[Burst],
    sender: Sender,
    speed: float,
    clock: Callable[[], int],
    sleep: Callable[[float], None],
) -> Iterator[Burst]:
    """Send every burst at its time and yield it once it is sent.

    A burst's time is counted from the start, not from the burst before: no error adds up. After a hold-up the
    bursts that are late go out at once.

    Args:
        bursts: a pass, one burst a tick.
        sender: the wire.
        speed: mission seconds a second of ``clock``.
        clock: integer nanoseconds, monotonic.
        sleep: waits so many seconds.
    """
    start = clock()
    for tick, burst in enumerate(bursts):
        wait = start + round(tick * TICK_NS / speed) - clock()
        if wait > 0:
            sleep(wait / 1e9)
        if burst.data:
            sender.send(burst.data)
        yield burst


def send_stepped(bursts: Iterator[Burst], sender: Sender, commands: Iterator[str]) -> Iterator[Burst]:
    """Send as many ticks as each command line says: a number, or an empty line for one.

    Raises:
        ValueError: a line that is no number of ticks.
    """
    for line in commands:
        text = line.strip()
        count = int(text) if text else 1
        if count < 1:
            raise ValueError(f"{count} is no number of ticks")
        for _ in range(count):
            burst = next(bursts, None)
            if burst is None:
                return
            if burst.data:
                sender.send(burst.data)
            yield burst
