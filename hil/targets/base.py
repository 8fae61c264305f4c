"""The contract of what lies on the bench: `Machine`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.images.image import Image

Sink = Callable[[bytes], None]
"""Takes what a machine sends, on its own thread. Must be quick: a machine stalls until its bytes are taken."""


BOOT_TIMEOUT_S = 10.0
"""How long a machine may take from power on to its first greeting."""


class Machine(Protocol):
    """A computer that flies the lander, with the levers of a bench.

    It is made switched off. Once it is on, the lander waits in READY, and greets. Its line outlives its power: what is
    sent comes to the sink that it was made with. All time-outs end in `MachineFailed`.
    """

    name: str
    memory: bool
    """Its memory can be read and written."""

    def __init__(self, sink: Sink, image: Image | None = None) -> None:
        """Args: who takes what it sends, and what it runs; None: the image that the rule of `hil.images.image` chooses.

        Raises:
            ImageRefused: there is no image to use.
        """

    @classmethod
    def missing(cls) -> str | None:
        """What this computer lacks to have such a machine, and how to get it; None if it has all."""
        ...

    @property
    def running(self) -> bool:
        """It has power and has not ended by itself. One that hangs runs."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process, if it is one and runs."""
        ...

    @property
    def console(self) -> str:
        """What it, or the program that emulates it, had to say for people since power on."""
        ...

    def provenance(self) -> dict[str, str]:
        """What it runs and what runs it: hashes and versions, by their names in a report."""
        ...

    def power_on(self) -> None:
        """Switch it on. Nothing happens if it is."""
        ...

    def power_off(self) -> None:
        """Take its power, without warning. Idempotent."""
        ...

    def reset(self) -> None:
        """Pull its reset pin."""
        ...

    def hang(self) -> None:
        """Let it stand: neither bytes nor time pass in it."""
        ...

    def resume(self) -> None:
        """End `hang`."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes to it."""
        ...

    def peek(self, address: int, size: int) -> bytes:
        """Read its memory.

        Raises:
            Unsupported: this machine's cannot be read.
        """
        ...

    def poke(self, address: int, data: bytes) -> None:
        """Write its memory while it runs.

        Raises:
            Unsupported: this machine's cannot be written.
        """
        ...

    def close(self) -> None:
        """Switch it off and give everything back. Idempotent."""
        ...
