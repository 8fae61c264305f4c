"""Messages and a small station for the tests of the sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import zmq.asyncio

from groundstation.messages.base import PROTOCOL
from groundstation.messages.wire import (
    AnyMessage,
    Counters,
    EventMessage,
    LinkStatus,
    Refusal,
    Snapshot,
    SnapshotRequest,
    Telemetry,
)
from groundstation.security.authorization import Principal
from groundstation.security.endpoints import Endpoints
from groundstation.station.publisher import Publisher

START = 1_000_000_000


def telemetry(number: int, packet: str = "DESCENT") -> Telemetry:
    return Telemetry(packet=packet, apid=1, vcid=0, scet=number, ert=number, values={"number": number})


def event(text: str = "hello") -> EventMessage:
    return EventMessage(severity="ACTIVITY_LO", source="STATION", name="TEST", text=text, ert=1)


def snapshot(publisher: Publisher, started: int = START, pid: int = 1) -> Snapshot:
    link = LinkStatus(
        ert=0,
        url="replay:x",
        transport="CONNECTED",
        detail="",
        state="LOCKED",
        channels=[],
        counters=Counters(),
        recording=None,
    )
    return Snapshot(
        protocol=PROTOCOL,
        station="bench",
        pid=pid,
        started=started,
        mission="Mars 6",
        dictionary_hash="0",
        parameters=[],
        timeline=[],
        link=link,
        telemetry=[],
        contacts=[],
        events=[],
        sequences=publisher.sequences,
    )


@asynccontextmanager
async def station(ends: Endpoints, started: int = START, heartbeat_s: float = 0.05) -> AsyncIterator[Publisher]:
    """A station that answers snapshots and beats; it ends without a word."""
    context = zmq.asyncio.Context()
    publisher = Publisher(context, ends.telemetry, ends.command, time.time_ns)
    tasks = [
        asyncio.create_task(publisher.serve(answerer(publisher, started))),
        asyncio.create_task(_beat(publisher, heartbeat_s)),
    ]
    try:
        yield publisher
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        publisher.close()
        context.term()


def answerer(publisher: Publisher, started: int) -> Callable[[AnyMessage, Principal], AnyMessage]:
    def answer(request: AnyMessage, _: Principal) -> AnyMessage:
        if isinstance(request, SnapshotRequest):
            return snapshot(publisher, started)
        return Refusal(text="only snapshots here")

    return answer


async def _beat(publisher: Publisher, period_s: float) -> None:
    while True:
        publisher.heartbeat()
        await asyncio.sleep(period_s)
