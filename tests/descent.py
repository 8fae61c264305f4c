"""The historical descent as the software lander flies it, flown once in a process."""

from functools import cache

from hil.verdict.oracle import Burst
from hil.verdict.oracle import fly as _fly


@cache
def bursts() -> tuple[Burst, ...]:
    """All ticks, those without bytes too."""
    return tuple(_fly())


@cache
def stream() -> bytes:
    """All bytes."""
    return b"".join(burst.data for burst in bursts())
