"""What a station does differently while it replays: it obeys orders about time, and marks all it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from groundstation.client import StationClient
from groundstation.errors import CallerError
from groundstation.links.replay import ReplayLink
from groundstation.messages import (
    AnyMessage,
    ContactChange,
    EventMessage,
    LinkStatus,
    PlaybackStatus,
    ReplayControl,
    Snapshot,
    Telemetry,
)

M = TypeVar("M", bound=AnyMessage)
T = TypeVar("T")
REPLAY_END = "REPLAY_END"
"""Name of the event that says that a replay has come to the end of its recording."""

_SKIP_MAX_S = 1e9
_MARKED = (Telemetry, ContactChange, EventMessage, Snapshot)


class ReplayDesk:
    """A replay under orders."""

    def __init__(self, link: ReplayLink) -> None:
        self._link = link
        self._jumps = 0

    def jumped(self) -> None:
        """From here on everything is of another place in the recording."""
        self._jumps += 1

    def obey(self, order: ReplayControl) -> None:
        """Carry out an order.

        Raises:
            ArchiveError: the recording has no index of frames to step by.
            CallerError: the order lacks something, or the recording does not reach so far.
        """
        link = self._link
        orders: dict[str, Callable[[], None]] = {
            "play": lambda: link.play(True),
            "pause": lambda: link.play(False),
            "seek": lambda: link.seek(_given(order.to, "a time to seek")),
            "skip": lambda: link.skip(_nanoseconds(_given(order.seconds, "how many seconds to skip"))),
            "step": lambda: link.step(_some(order.frames)),
            "next": link.next_event,
            "previous": lambda: link.next_event(back=True),
            "loss": link.next_loss,
            "speed": lambda: link.set_speed(_given(order.speed, "a speed")),
        }
        orders[order.action]()

    def mark(self, message: M) -> M:
        """The message as one of a replay."""
        if isinstance(message, LinkStatus):
            return msgspec.structs.replace(
                message, replay=True, detail=self._link.describe(), playback=self._playback()
            )
        if isinstance(message, _MARKED):
            return msgspec.structs.replace(message, replay=True)
        return message

    def _playback(self) -> PlaybackStatus:
        state = self._link.state()
        return PlaybackStatus(recording=str(self._link.path), jumps=self._jumps, **state._asdict())


class PlayingClient(StationClient):
    """A viewer that lets a waiting replay begin when it is there, so that it misses nothing."""

    async def connect(self) -> Snapshot:
        """Join the station, then let it play."""
        snapshot = await super().connect()
        await self.request(ReplayControl(action="play"))
        return snapshot


def replay_is_over(message: AnyMessage) -> bool:
    """Whether this is the last that a replay has to say."""
    return isinstance(message, EventMessage) and message.name == REPLAY_END


def _nanoseconds(seconds: float) -> int:
    if not abs(seconds) <= _SKIP_MAX_S:
        raise CallerError(f"{seconds:g} s is no way to skip: up to {_SKIP_MAX_S:g} s, on or back")
    return round(seconds * 1e9)


def _some(frames: int) -> int:
    if not frames:
        raise CallerError("a step goes at least one frame, on or back")
    return frames


def _given(value: T | None, what: str) -> T:
    if value is None:
        raise CallerError(f"the order lacks {what}")
    return value
