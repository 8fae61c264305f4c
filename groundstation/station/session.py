"""What a `StationServer` serves: a session turns the reports of one link into messages.

    link's reader thread ──report──▶ queue ──decode──▶ publish ─▶ viewers, snapshot, log
                                               └──── record_and_publish ─▶ recording, then the same

There are two: `LiveSession` receives, records and commands; `ReplaySession` plays a recording. A session is complete
when it is made: link, receiver and publisher are given to it. Its messages leave by two verbs: `publish` for what is
recorded already, or never is, and `record_and_publish` for all else.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from groundstation.links.base import Clock
from groundstation.messages.wire import AnyMessage, EventMessage, History, HistoryRequest, LinkStatus, Snapshot
from groundstation.security.authorization import Principal
from groundstation.station.command_server import UplinkMessage
from groundstation.station.ingest_queue import DecodeLock
from groundstation.station.monitoring.log import log_message
from groundstation.station.monitoring.status_timing import StatusTiming
from groundstation.station.publisher import Publisher
from groundstation.station.shutdown import GracefulShutdown
from groundstation.station.snapshot import SnapshotCache
from protocols.words import Severity

M = TypeVar("M", bound=AnyMessage)

STATUS_LOOK_S = 0.05
"""How often it checks whether the link's status is to be published."""


class Session(ABC):
    """One link, from its reports to what viewers get. To be used inside one event loop, but for the link's reader.

    Attributes:
        lock: to be held while something is decoded, published or answered.
    """

    def __init__(self, publisher: Publisher, snapshot: SnapshotCache, clock: Clock, steady: Clock) -> None:
        """Args: where to publish, what late viewers get, the session's time, and a time that is never set or held."""
        self.lock = DecodeLock()
        self._publisher = publisher
        self._snapshot = snapshot
        self._clock = clock
        self._steady = steady
        self._timing = StatusTiming()

    @abstractmethod
    def start(self) -> None:
        """Start the link."""

    @abstractmethod
    async def run(self) -> None:
        """Decode and publish what the link reports, until cancelled."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the link, publish what is left, and that the session ends."""

    @abstractmethod
    async def close(self, shutdown: GracefulShutdown) -> str | None:
        """Close the recording; what it lacks, None if nothing.

        Raises:
            ArchiveError: it was not closed.
        """

    @abstractmethod
    def execute(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        """Execute a request of a client that may make it.

        Raises:
            StationError: this session does not take it, or refuses it.
        """

    @abstractmethod
    def status(self) -> LinkStatus:
        """The link as it stands now, as it is published."""

    @abstractmethod
    def refused(self, request: AnyMessage) -> None:
        """Count a request that its client may not make."""

    @abstractmethod
    def record_and_publish(self, message: UplinkMessage) -> None:
        """Record a message of the station itself, then publish it. Takes the lock."""

    def history(self, request: HistoryRequest) -> History:
        """The curves that a viewer asks for."""
        return self._snapshot.history(request)

    def snapshot(self) -> Snapshot:
        """What a viewer gets that joins now."""
        return self._mark(self._snapshot.snapshot(self.status(), self._publisher.sequences))

    def publish(self, message: AnyMessage) -> None:
        """Publish a message, then keep it for viewers that join later, and log it. For the holder of the lock."""
        marked = self._mark(message)
        self._publisher.publish(marked)
        self._snapshot.put(marked)
        log_message(marked)

    def report(self, severity: Severity, name: str, text: str) -> None:
        """Record and publish an event of the station."""
        self.record_and_publish(
            EventMessage(severity=severity, source="STATION", name=name, text=text, ert=self._clock())
        )

    def publish_status(self, status: LinkStatus | None = None) -> None:
        """Publish the status of the link."""
        status = status or self.status()
        self._timing.published(status, self._steady())
        self.publish(status)

    def publish_status_if_due(self) -> None:
        """To be called every `STATUS_LOOK_S`."""
        status = self.status()
        if self._timing.is_due(status, self._steady()):
            self.publish_status(status)

    def _mark(self, message: M) -> M:
        """The message as this session publishes it."""
        return message


async def every(seconds: float, lock: AbstractContextManager[None], action: Callable[[], None]) -> None:
    """Call ``action`` with the lock held, again and again until cancelled."""
    while True:
        with lock:
            action()
        await asyncio.sleep(seconds)
