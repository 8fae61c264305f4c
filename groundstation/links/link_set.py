"""The links of one station: started and stopped together, each report marked with the place of its link.

Commands go out over one of them. Where there are several, their clocks are compared: what a far port stamps is by the
clock over there, and frames of two links are merged by one clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from groundstation.links.base import (
    Chunk,
    Clock,
    EndOfStream,
    Link,
    ReplayedMessage,
    ReplayJump,
    Report,
    TransportChange,
)
from protocols.units import NS_PER_MS

AHEAD_STEP = 50 * NS_PER_MS
"""A link's clock is compared again when it is off by so much more; the delay of a network is less."""


class LinkSet:
    """One link or several, which carry the same spacecraft."""

    def __init__(self, links: Sequence[Link], clock: Clock, commands: int = 0) -> None:
        """Args: the links, the station's clock, and the place of the link for commands."""
        self._links = links
        self._clock = clock
        self._commands = commands

    def __len__(self) -> int:
        return len(self._links)

    def now(self, link: int = 0) -> int:
        """The time by the clock that stamps a link's reports, in ns."""
        return self._links[link].now()

    def start(self, sink: Callable[[Report], None]) -> None:
        """Start all links; each calls ``sink`` from its own thread, one at a time."""
        if len(self._links) == 1:
            self._links[0].start(sink)
            return
        turn = threading.Lock()
        for place, link in enumerate(self._links):
            link.start(_Marked(place, link, self._clock, sink, turn))

    def write(self, data: bytes) -> None:
        """Send bytes up, over the link for commands.

        Raises:
            LinkError: that link is not connected or cannot take them.
        """
        self._links[self._commands].write(data)

    def is_for_commands(self, report: Report) -> bool:
        """Whether a change of the transport is one of the link for commands."""
        return isinstance(report, TransportChange) and report.link == self._commands

    def stop(self) -> None:
        """Stop all links. Idempotent."""
        for link in self._links:
            link.stop()


class _Marked:
    """Marks one link's reports with its place, and tells how far its clock is ahead.

    Reports of several links are handed on one by one: what is archived first is decoded first, as in a replay.
    """

    def __init__(
        self, place: int, link: Link, clock: Clock, sink: Callable[[Report], None], turn: threading.Lock
    ) -> None:
        self._place = place
        self._link = link
        self._clock = clock
        self._sink = sink
        self._turn = turn
        self._transport: TransportChange | None = None
        self._ahead = 0

    def __call__(self, report: Report) -> None:
        """Hand a report on."""
        ahead = self._link.now() - self._clock()
        moved = abs(ahead - self._ahead) >= AHEAD_STEP
        if moved:
            self._ahead = ahead
        with self._turn:
            if isinstance(report, TransportChange):
                report = self._transport = replace(report, link=self._place, ahead=self._ahead)
            elif moved and self._transport is not None:
                self._transport = replace(self._transport, ahead=ahead, disturbance="")
                self._sink(replace(self._transport, ert=report.ert))
            self._sink(_marked(report, self._place))


def _marked(report: Report, place: int) -> Report:
    if not place or isinstance(report, EndOfStream | ReplayJump | ReplayedMessage):
        return report
    return Chunk(report.ert, report.data, place) if isinstance(report, Chunk) else replace(report, link=place)
