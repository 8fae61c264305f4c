"""Events of a station's sockets and files, on their way to its session.

The sockets are bound, and watched, before there is a recording (a port that is taken must not leave an empty one), so
their events wait here until the session can record them. Clients can cause most of them as often as they like: those
are throttled, which bounds what waits, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from groundstation.messages.throttle import EventThrottle
from groundstation.messages.wire import EventMessage
from protocols.words import Severity

_TEXT_MAX = 400
"""Characters of an event about what a client sent."""


class StationEvents:
    """Collects events, with the time at which they happened. To be used inside one event loop.

    Attributes:
        access: clients and requests that were refused for lack of rights.
        connections: connections that were ended because they passed a bound.
        unreadable: requests that cannot be decoded.
        faults: requests that met a fault of the station.
        slow_viewers: viewers that do not keep up.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        """Args: the session's time."""
        self._clock = clock
        self._waiting: asyncio.Queue[EventMessage] = asyncio.Queue()
        self.access = self._throttle("WARNING_LO", "ACCESS_REFUSED")
        self.connections = self._throttle("WARNING_LO", "CONNECTION_ENDED")
        self.unreadable = self._throttle("WARNING_LO", "REQUEST_UNREADABLE")
        self.faults = self._throttle("WARNING_HI", "REQUEST_FAULT")
        self.slow_viewers = self._throttle("WARNING_LO", "VIEWER_SLOW")

    def report(self, severity: Severity, name: str, text: str) -> None:
        """An event happened."""
        self._waiting.put_nowait(
            EventMessage(severity=severity, source="STATION", name=name, text=text, ert=self._clock())
        )

    def tick(self) -> None:
        """Report what the throttles have counted; to be called twice a second."""
        for throttle in (self.access, self.connections, self.unreadable, self.faults, self.slow_viewers):
            throttle.tick()

    async def publish(self, publish: Callable[[EventMessage], None]) -> None:
        """Give each event to ``publish`` as soon as it is reported, until cancelled."""
        while True:
            publish(await self._waiting.get())

    def flush(self, publish: Callable[[EventMessage], None]) -> None:
        """Give what waits to ``publish``."""
        while not self._waiting.empty():
            publish(self._waiting.get_nowait())

    def _throttle(self, severity: Severity, name: str) -> EventThrottle:
        return EventThrottle(lambda text: self.report(severity, name, text[:_TEXT_MAX]), self._clock)
