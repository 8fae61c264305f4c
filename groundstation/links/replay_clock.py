"""How a replay moves: its time against the host's, its speed, and where it seeks to. No clock, no thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from groundstation.errors import CallerError
from groundstation.recordings.records import FrameRecord

SLOWEST, FASTEST = 0.1, 1000.0


class PlaybackState(NamedTuple):
    """Where a replay stands, between ``first`` and ``last`` in the recording's time, and how it plays."""

    at: int
    first: int
    last: int
    speed: float
    paused: bool
    ended: bool


@dataclass(slots=True)
class ReplayClock:
    """The recording's time against the host's."""

    at: int
    since: int
    speed: float
    running: bool = True
    held: int | None = None

    def hold(self, host: int) -> None:
        """Stand still from here: the receiver does not keep up."""
        self.held = host

    def release(self, host: int) -> None:
        """Go on from where it stands."""
        if self.held is not None:
            self.since += host - self.held
            self.held = None

    def now(self, host: int) -> int:
        """The recording's time at a time of the host's."""
        host = host if self.held is None else self.held
        return self.at + (int((host - self.since) * self.speed) if self.running else 0)

    def set(self, host: int, *, at: int | None = None, speed: float | None = None, running: bool | None = None) -> None:
        """Go on from here, or from ``at``, in another way."""
        self.at, self.since = self.now(host) if at is None else at, host
        self.held = host if self.held is not None else None
        self.speed = self.speed if speed is None else speed
        self.running = self.running if running is None else running


class SeekRequest(NamedTuple):
    """Where to go on: what lies before ``ert`` is given at once.

    ``jump``: start from scratch a little before it. ``until``: stop when this frame has been given.
    """

    ert: int
    jump: bool
    until: FrameRecord | None = None


def checked_speed(speed: float) -> float:
    """The speed.

    Raises:
        CallerError: nothing plays at it.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise CallerError(f"speed {speed:g}: {SLOWEST:g} to {FASTEST:g} is possible")
    return speed
