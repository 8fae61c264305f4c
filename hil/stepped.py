"""Targets that are stepped: no clock runs, so a flight is exact and as fast as the target."""

from __future__ import annotations

from typing import Protocol

from hil.lander.spacecraft import Spacecraft
from hil.oracle import call
from hil.targets.base import Unsupported

Capabilities = frozenset[str]


class Stepped(Protocol):
    """A lander whose ticks the rig lets fly."""

    name: str
    can: Capabilities
    """Kinds of target faults that it can have."""
    ready: bool
    """It waited for START, so the oracle has to."""

    def begin(self) -> bytes:
        """Switch it on and bring it to tick 0; the uplink that did so, for the oracle.

        Raises:
            MachineFailed: it does not start.
        """

    def advance(self, ticks: int, uplink: bytes) -> list[bytes]:
        """Give it what came up, and let so many ticks fly: the bytes of each, with its answers in the first.

        Raises:
            MachineFailed: it does not answer.
        """

    @property
    def over(self) -> bool:
        """The pass is over: no tick will send anything more."""

    def reset(self) -> None:
        """Pull its reset pin, or switch it off and on: it waits in READY, and its greetings are not heard."""

    def flip(self, address: int, mask: int) -> None:
        """Turn over bits of a byte of its memory."""

    def provenance(self) -> dict[str, str]:
        """What it is: build, hash, emulator."""

    @property
    def console(self) -> str:
        """What it had to say for people."""

    def close(self) -> None:
        """Switch it off. Idempotent."""


class SteppedSoftware:
    """The Python lander, in this process."""

    name = "software"
    can: Capabilities = frozenset({"reset", "hang", "power_off"})
    ready = False
    console = ""

    def __init__(self) -> None:
        self._craft = Spacecraft()

    def begin(self) -> bytes:
        """It starts by itself."""
        self._craft.start()
        return b""

    def advance(self, ticks: int, uplink: bytes) -> list[bytes]:
        """Let so many ticks fly."""
        first = call(self._craft, uplink).data
        return [first, *(call(self._craft, b"").data for _ in range(ticks - 1))]

    @property
    def over(self) -> bool:
        """The pass is over."""
        return self._craft.finished

    def reset(self) -> None:
        """A new one."""
        self._craft = Spacecraft()

    def flip(self, address: int, mask: int) -> None:
        """Not of Python's objects."""
        raise Unsupported("the memory of the software lander cannot be written")

    def provenance(self) -> dict[str, str]:
        """It is what the package is."""
        return {}

    def close(self) -> None:
        """Nothing to give back."""


STEPPED: dict[str, type[SteppedSoftware]] = {"software": SteppedSoftware}
"""Targets that can be flown in lockstep. To add one: a class that follows `Stepped`, and a line here."""
