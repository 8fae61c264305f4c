"""The viewer that a replay is played for: the replay starts when it has joined, and waits when it is slow."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

from groundstation.errors import ArchiveError, PartlyRead, StationError, StationGone
from groundstation.messages.wire import AnyMessage, EventMessage, Heartbeat, ReplayAck, ReplayControl, Snapshot
from groundstation.security.endpoints import Endpoints
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import Update

REPLAY_END = "REPLAY_END"
"""Name of the event that says that a replay has come to the end of its recording."""

REPLAY_BROKEN = "REPLAY_BROKEN"
"""Name of the event that says that a replay ends because its recording cannot be read on."""

REPLAY_INCOMPLETE = "REPLAY_INCOMPLETE"
"""Name of the event in place of `REPLAY_END` if something was missing on the way."""

ACK_EVERY = 125
"""Messages after which a viewer says again how many it has got; it does so at every heartbeat, too."""

_ENDS: dict[str, type[StationError] | None] = {
    REPLAY_END: None,
    REPLAY_INCOMPLETE: PartlyRead,
    REPLAY_BROKEN: ArchiveError,
}
"""What each of a replay's last events means to a program that follows it."""


class ReplayClient(StationClient):
    """A client that acknowledges what it got."""

    waited_for: ClassVar[bool] = True

    def __init__(self, station: Endpoints, clock: Callable[[], int], *, paused: bool = False) -> None:
        """Prepare; ``paused``: start paused."""
        super().__init__(station, clock)
        self._paused = paused
        self._acknowledged = 0

    async def connect(self) -> Snapshot:
        """Join the station, then let it play."""
        snapshot = await super().connect()
        await self._acknowledge()
        if not self._paused:
            await self.request(ReplayControl(action="play"))
            self._paused = True  # a viewer that comes back after a silence finds it as it left it
        return snapshot

    async def messages(self) -> AsyncIterator[Update]:
        """As of every viewer; that the last one was dealt with shows in that the next is asked for."""
        async for update in super().messages():
            yield update
            if self.heard - self._acknowledged >= ACK_EVERY or isinstance(update, Heartbeat):
                await self._acknowledge()

    async def _acknowledge(self) -> None:
        heard = self.heard
        with contextlib.suppress(StationGone):  # `messages` finds a lost station by itself
            await self.request(ReplayAck(messages=heard))
            self._acknowledged = heard


def replay_is_over(message: AnyMessage) -> bool:
    """Whether this is a replay's last message, or a status after it.

    Raises:
        ArchiveError: it is over because its recording cannot be read on.
        PartlyRead: something was missing on the way.
    """
    events = message.events if isinstance(message, Snapshot) else [message]
    last = next((e for e in events if isinstance(e, EventMessage) and e.name in _ENDS), None)
    if last is not None and (error := _ENDS[last.name]) is not None:
        raise error(last.text)
    return last is not None
