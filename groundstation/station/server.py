"""Serves viewers: endpoints, requests and heartbeats of a station, around the session that it is given.

Rules:
1. A fault of the station costs one answer, never the reception.
2. Every request is checked against its client's rights; refused ones are reported, throttled.
3. The server stops by a signal, by a client's request or by `StationServer.stop`, each in the same good order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from groundstation.errors import AccessRefused, StationError
from groundstation.formats.output import show_fault
from groundstation.messages.commanding import CommandingRequest, RequestAccepted
from groundstation.messages.wire import AnyMessage, DropReport, HistoryRequest, SnapshotRequest, StopRequest
from groundstation.security.authorization import Principal
from groundstation.security.remote_access import RemoteAccess
from groundstation.station.command_server import describe
from groundstation.station.monitoring.presence import LOOK_EVERY_S, Presence
from groundstation.station.monitoring.station_events import StationEvents
from groundstation.station.monitoring.viewer_stats import Viewers
from groundstation.station.publisher import LAST_MESSAGES_S, Publisher
from groundstation.station.registry import StationInfo
from groundstation.station.session import Session, every
from groundstation.station.shutdown import GracefulShutdown

_HEARTBEAT_S = 0.5
_WHO_MAX = 64
"""Characters of the name that a refused client states, in the event about it."""


class StationServer:
    """A session and its viewers. To be used inside one event loop.

    Attributes:
        info: where viewers find it.
    """

    def __init__(
        self,
        info: StationInfo,
        session: Session,
        publisher: Publisher,
        remote: RemoteAccess | None,
        presence: Presence,
        events: StationEvents,
        shutdown: GracefulShutdown,
    ) -> None:
        """Prepare.

        Args:
            info: where viewers find it.
            session: what is served.
            publisher: the sockets, bound; the session publishes there.
            remote: the access of remote clients, if they have any.
            presence: keeps the station findable.
            events: what happened at the sockets.
            shutdown: requested by signals.
        """
        self.info = info
        self._session = session
        self._publisher = publisher
        self._remote = remote
        self._presence = presence
        self._events = events
        self._shutdown = shutdown
        self._viewers = Viewers(events.slow_viewers)

    def stop(self) -> None:
        """Stop in good order: `serve` returns when the last messages are published."""
        self._shutdown.stop.set()

    async def serve(self, ready: Callable[[StationInfo], None] | None = None) -> None:
        """Serve until a stop is requested.

        Args:
            ready: called once viewers can connect.
        """
        try:
            self._session.start()
            if ready is not None:
                ready(self.info)
            await self._run_tasks()
        finally:
            self._shutdown.stop.set()
            self._events.flush(self._session.record_and_publish)
            self._session.stop()
            await asyncio.sleep(LAST_MESSAGES_S)

    async def _run_tasks(self) -> None:
        lock = self._session.lock
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._publisher.serve(self._answer, self._cannot_read)),
                tasks.create_task(self._session.run()),
                tasks.create_task(self._events.publish(self._session.record_and_publish)),
                tasks.create_task(every(_HEARTBEAT_S, lock, self._publisher.heartbeat)),
                tasks.create_task(every(_HEARTBEAT_S, lock, self._look_after_viewers)),
                tasks.create_task(every(LOOK_EVERY_S, lock, self._presence.look)),
            ]
            if self._remote is not None:
                running.append(tasks.create_task(self._remote.serve()))
            await self._shutdown.stop.wait()
            for task in running:
                task.cancel()

    def _look_after_viewers(self) -> None:
        self._viewers.stalls(self._publisher.stalls)
        self._events.tick()

    def _answer(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        """Answer one request of a viewer."""
        try:
            with self._session.lock:
                return self._execute(request, caller)
        except StationError:
            raise
        except Exception as error:
            show_fault(error)
            kind = type(error).__name__
            self._events.faults.note(kind, f"{kind} while {describe(request)} was answered: {error}")
            raise StationError(f"a fault of the station itself ({kind}): it may have been carried out") from error

    def _execute(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        try:
            caller.check(request)
        except AccessRefused as error:
            self._refuse(request, caller, error)
            raise
        if isinstance(request, SnapshotRequest):
            return self._session.snapshot()
        if isinstance(request, HistoryRequest):
            return self._session.history(request)
        if isinstance(request, DropReport):
            self._viewers.report(request, caller)
            self._publisher.missed = self._viewers.missed
            return RequestAccepted(text="noted")
        if isinstance(request, StopRequest):
            self._session.report("ACTIVITY_HI", "STOP_REQUEST", caller.label(request.reason))
            self.stop()
            return self._session.snapshot()
        return self._session.execute(request, caller)

    def _refuse(self, request: AnyMessage, caller: Principal, error: AccessRefused) -> None:
        """Count and report a request that its client may not make."""
        self._session.refused(request)
        stated = request.who[:_WHO_MAX] if isinstance(request, CommandingRequest) else ""
        text = f"{describe(request)} of {caller.label(stated)!r}: {error}"
        self._events.access.note(f"request {caller.key}", text)

    def _cannot_read(self, why: str, caller: Principal) -> None:
        self._events.unreadable.note(f"{caller.key}", f"a request of {caller.label('a client')} cannot be read: {why}")
