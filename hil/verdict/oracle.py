"""What a descent must look like: the same spacecraft, flown once more without any link in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hil.lander.spacecraft import Spacecraft
from protocols.lander import EPOCH

Script = Sequence[tuple[int, bytes]]
"""Uplink bytes in order, each with how many calls of `Spacecraft.step` came before them: the mission's tick, as long as
its clock never stood."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The bytes of one tick and its mission time in ns; empty when nothing is sent."""

    scet: int
    data: bytes


def call(craft: Spacecraft, uplink: bytes, link_drop: int | None = None) -> Burst:
    """Give the spacecraft what came, and step it once: what it answers and what it sends.

    Args:
        craft: in whatever mode.
        uplink: what came since the last call.
        link_drop: mission time in ns from which the link carries nothing, neither up nor down.
    """
    scet = craft.scet
    if link_drop is not None and scet >= link_drop:
        craft.step()
        return Burst(scet, b"")
    answer = craft.receive(uplink)
    return Burst(scet, answer + craft.step())


def fly(link_drop: int | None = None, script: Script = (), ready: bool = False) -> Iterator[Burst]:
    """A whole pass, call by call, until neither a tick nor an entry of the script is left.

    Args:
        link_drop: mission time in ns from which the link carries nothing; that instant itself is silent.
        script: what is sent up, and when.
        ready: the spacecraft waits for START instead of starting by itself.
    """
    craft = Spacecraft()
    if not ready:
        craft.start()
    calls, entries = 0, list(script)
    while craft.flies or entries:
        uplink = b""
        while entries and entries[0][0] <= calls:
            uplink += entries.pop(0)[1]
        yield call(craft, uplink, link_drop)
        calls += 1


@lru_cache(maxsize=1)
def historical_bursts() -> tuple[bytes, ...]:
    """The bytes of each tick of a pass that nothing is sent up to: flown once in a process."""
    return tuple(burst.data for burst in fly())


@dataclass(frozen=True, slots=True)
class Expectation:
    """The stream of a whole pass: its SHA-256, its length in bytes, and the end of the pass in ns."""

    sha256: str
    length: int
    end: int


def expect(link_drop: int | None = None, script: Script = (), ready: bool = False) -> Expectation:
    """Fly the oracle; the arguments are those of `fly`."""
    digest, length, end = hashlib.sha256(), 0, EPOCH
    for burst in fly(link_drop, script, ready):
        digest.update(burst.data)
        length, end = length + len(burst.data), burst.scet
    return Expectation(digest.hexdigest(), length, end)
