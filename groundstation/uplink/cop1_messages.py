"""The settings and outputs of COP-1 (`cop1`)."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.cop1 import FrameKind
from protocols.units import NS_PER_MS
from protocols.words import Severity


@dataclass(frozen=True, slots=True)
class CopSettings:
    """FOP-1's parameters and this service's own. Times in ns.

    Attributes:
        window: K; the lander lets eight commands wait.
        t1: longer than the slowest CLCW takes, which the bus sends once a second.
        limit: transmissions of a frame. At 20 % loss eight fail once in 400,000 times.
        fresh: how old a CLCW may be that the service starts with.
        contact: without a CLCW for so long the service is terminated.
    """

    vcid: int = 0
    window: int = 8
    t1: int = 1500 * NS_PER_MS
    limit: int = 8
    fresh: int = 5000 * NS_PER_MS
    contact: int = 30_000 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Transmission:
    """A CLTU to write to the link. ``transfer`` is the transfer in it; None in control commands."""

    kind: FrameKind
    cltu: bytes
    transfer: int | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A CLCW acknowledged the transfer's frame."""

    transfer: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The transfer was given up. If its frame was sent, it may have arrived.

    Attributes:
        silent: because no answer came.
        begun: its frame is being written at this moment.
    """

    transfer: int
    reason: str
    silent: bool = False
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something for the log. ``ended``: the AD service has ended with it."""

    severity: Severity
    name: str
    text: str
    ended: bool = False


CopOutput = Transmission | Delivered | Undelivered | Notice
