"""How far a replay runs ahead of the viewer that began it: that one misses nothing, however slow it is.

A live station never waits: what a viewer misses is counted, and the spacecraft does not wait either. A recording
does. Its viewer says twice a second or more what it has got (`ReplayAck`). When that is too far behind, or when it says
nothing (Ctrl-Z), decoding waits, the recording's time stands still, and nothing is dropped. Other viewers of
the same replay are not waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from groundstation.errors import CallerError
from groundstation.links.base import Chunk
from groundstation.station.ingest_queue import IngestQueue
from groundstation.station.recorder import ArchivedReport
from groundstation.viewer.replay_client import ACK_EVERY

AHEAD = 4 * ACK_EVERY
"""Messages published that the viewer has not got: fewer than a socket holds, with what one piece brings on top."""

SILENCE_S = 1.5
"""How long the viewer may say nothing: three heartbeats."""

PIECE = 4096
"""Bytes of a read that are decoded at once."""


class ReplayFlowControl:
    """Lets reports through. To be used inside one event loop."""

    def __init__(self, published: Callable[[], int], clock: Callable[[], float], *, waiting: bool = False) -> None:
        """Prepare.

        Args:
            published: how many messages were published so far, over all topics.
            clock: now, in seconds.
            waiting: for a first word of a viewer: what comes before it is there shall miss nothing either.
        """
        self._published = published
        self._waiting = waiting
        self._clock = clock
        self._heard: int | None = None
        self._heard_at = 0.0
        self._moved = asyncio.Event()

    def heard(self, messages: int) -> None:
        """The viewer has got so many messages, counted from the station's start over all topics.

        Raises:
            CallerError: so many were never published.
        """
        if messages > self._published():
            raise CallerError(f"{messages} messages heard, but {self._published()} published")
        self._heard, self._heard_at = max(messages, self._heard or 0), self._clock()
        self.go()

    def go(self) -> None:
        """A viewer is there, or wants it to move."""
        self._waiting = False
        self._moved.set()

    @property
    def has_room(self) -> bool:
        """Whether the viewer keeps up; without a viewer that acknowledges, it does not wait."""
        if self._heard is None:
            return not self._waiting
        return self._published() - self._heard < AHEAD and self._clock() - self._heard_at < SILENCE_S

    async def play(self, queue: IngestQueue, process: Callable[[ArchivedReport], None]) -> None:
        """Process all reports that wait, piece by piece, each as soon as there is room for what comes of it."""
        while (kept := queue.take()) is not None:
            for piece in _pieces(kept):
                while not self.has_room:
                    queue.held = True
                    self._moved.clear()
                    await self._moved.wait()
                queue.held = False
                process(piece)
                await asyncio.sleep(0)  # requests are answered between two pieces


def _pieces(kept: ArchivedReport) -> Iterator[ArchivedReport]:
    """One read may bring more messages than a socket holds."""
    report = kept.report
    if not isinstance(report, Chunk) or len(report.data) <= PIECE:
        yield kept
        return
    for at in range(0, len(report.data), PIECE):
        yield kept._replace(report=report._replace(data=report.data[at : at + PIECE]))
