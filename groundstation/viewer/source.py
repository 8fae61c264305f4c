"""How messages reach the screen: what any source of them has to offer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from groundstation.messages.wire import AnyMessage, Snapshot


@dataclass(frozen=True, slots=True)
class StationLost:
    """The station does not answer any more, since ``since_ns`` (host nanoseconds). The source goes on trying."""

    since_ns: int


@dataclass(frozen=True, slots=True)
class StationBack:
    """The station answers again; the snapshot holds what has happened since."""

    snapshot: Snapshot


Update = AnyMessage | StationLost | StationBack


class MessageSource(Protocol):
    """Where a viewer gets its messages from. Losing the station is an update, not the end of the stream."""

    async def connect(self) -> Snapshot:
        """Join and ask for all the station knows.

        Raises:
            StationGone: no station answers.
        """
        ...

    def messages(self) -> AsyncIterator[Update]:
        """Everything that follows the snapshot, in order. The end of the iterator is the end of the station."""
        ...

    async def request(self, message: AnyMessage, timeout_s: float | None = None) -> AnyMessage:
        """Ask or order something; a `Refusal` is an answer too. ``timeout_s`` is for answers that take longer.

        Raises:
            StationGone: no answer in time.
        """
        ...

    async def clock(self) -> int | None:
        """The station's clock, asked for just now; None if it does not answer."""
        ...

    async def close(self) -> None:
        """Leave."""
        ...
