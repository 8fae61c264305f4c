"""Events of sockets: none is lost before there is a session, and each has the time at which it happened."""

from __future__ import annotations

import asyncio

from groundstation.messages.throttle import EventThrottle
from groundstation.messages.wire import EventMessage
from groundstation.station.monitoring.station_events import StationEvents


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_events_before_the_session_wait_with_their_time() -> None:
    clock, published = Clock(), list[EventMessage]()
    events = StationEvents(clock)
    clock.now = 5
    events.connections.note("silent", "it said nothing")
    clock.now = 7
    events.report("WARNING_LO", "REGISTRY", "files removed")
    clock.now = 9
    events.flush(published.append)
    assert [(e.ert, e.severity, e.name, e.text) for e in published] == [
        (5, "WARNING_LO", "CONNECTION_ENDED", "it said nothing"),
        (7, "WARNING_LO", "REGISTRY", "files removed"),
    ]
    events.flush(published.append)
    assert len(published) == 2


def test_an_event_is_published_as_soon_as_it_is_reported() -> None:
    async def run() -> list[str]:
        events, names = StationEvents(lambda: 0), list[str]()
        publishing = asyncio.create_task(events.publish(lambda event: names.append(event.name)))
        await asyncio.sleep(0)
        events.report("WARNING_LO", "FIRST", "")
        events.faults.note("kind", "text")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        publishing.cancel()
        return names

    assert asyncio.run(run()) == ["FIRST", "REQUEST_FAULT"]


def test_what_clients_cause_is_throttled_and_counted() -> None:
    clock, published = Clock(), list[EventMessage]()
    events = StationEvents(clock)
    throttles = (events.access, events.connections, events.unreadable, events.faults, events.slow_viewers)
    for throttle in throttles:
        for _ in range(1000):
            throttle.note("kind", "x" * 1000)
    events.flush(published.append)
    assert [(e.name, len(e.text)) for e in published] == [
        (name, 400)
        for name in ("ACCESS_REFUSED", "CONNECTION_ENDED", "REQUEST_UNREADABLE", "REQUEST_FAULT", "VIEWER_SLOW")
    ]
    clock.now = EventThrottle.EVERY
    events.tick()
    events.flush(published.append)
    assert len(published) == 2 * len(throttles)
