"""What a station does differently while it replays: it obeys orders about time, and marks all it says."""

from __future__ import annotations

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
    ReplayControl,
    Snapshot,
    Telemetry,
)

M = TypeVar("M", bound=AnyMessage)
T = TypeVar("T")
REPLAY_END = "REPLAY_END"
"""Name of the event that says that a replay has come to the end of its recording."""

_MARKED = (Telemetry, ContactChange, EventMessage, Snapshot)


class ReplayDesk:
    """A replay under orders."""

    def __init__(self, link: ReplayLink) -> None:
        self._link = link

    def obey(self, order: ReplayControl) -> None:
        """Carry out an order.

        Raises:
            ArchiveError: the recording has no index of frames to step by.
            CallerError: the order lacks something, or the recording does not reach so far.
        """
        if order.action == "seek":
            self._link.seek(_given(order.to, "a time to seek"))
        elif order.action == "step":
            if not order.frames:
                raise CallerError("a step goes at least one frame, on or back")
            self._link.step(order.frames)
        elif order.action == "speed":
            self._link.set_speed(_given(order.speed, "a speed"))
        else:
            self._link.play(order.action == "play")

    def mark(self, message: M) -> M:
        """The message as one of a replay."""
        if isinstance(message, LinkStatus):
            return msgspec.structs.replace(message, replay=True, detail=self._link.describe())
        if isinstance(message, _MARKED):
            return msgspec.structs.replace(message, replay=True)
        return message


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


def _given(value: T | None, what: str) -> T:
    if value is None:
        raise CallerError(f"the order lacks {what}")
    return value
