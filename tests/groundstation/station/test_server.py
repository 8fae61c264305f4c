"""What a station's server answers when something is wrong with a request, a port or the station itself."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import zmq.asyncio

from groundstation.errors import StationError
from groundstation.messages.wire import AnyMessage, DropReport, EventMessage, LinkStatus, Refusal, Snapshot
from groundstation.security.authorization import Principal
from groundstation.station.command_server import UplinkMessage
from groundstation.station.monitoring.presence import Presence
from groundstation.station.monitoring.station_events import StationEvents
from groundstation.station.monitoring.viewer_stats import Viewers
from groundstation.station.publisher import Publisher
from groundstation.station.registry import StationInfo
from groundstation.station.server import StationServer
from groundstation.station.session import Session
from groundstation.station.shutdown import GracefulShutdown
from groundstation.station.snapshot import SnapshotCache
from groundstation.station.station import open_station
from groundstation.viewer.client import StationClient
from hil.lander_io.servers import PtyServer
from protocols.lander import MISSION
from tests.groundstation.station.running import config_in, registry_in, running
from tests.groundstation.tui.scripted import link


def test_a_fault_in_answering_costs_one_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, registry = PtyServer(tmp_path / "tty"), registry_in(tmp_path)

    def fail(viewers: Viewers, report: DropReport, caller: Principal) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(Viewers, "report", fail)

    async def run() -> list[AnyMessage]:
        async with asyncio.timeout(20), running(config_in(tmp_path, server.url), registry):
            client = StationClient(registry.find("bench"), time.time_ns)
            try:
                await client.connect()
                return [await client.request(DropReport(viewer="x", missed=1)), await client.connect()]
            finally:
                await client.close()

    try:
        refusal, snapshot = asyncio.run(run())
    finally:
        server.close()
    assert isinstance(refusal, Refusal)
    assert "a fault of the station itself (ZeroDivisionError)" in refusal.text
    assert isinstance(snapshot, Snapshot)
    (event,) = [event for event in snapshot.events if event.name == "REQUEST_FAULT"]
    assert (event.severity, event.text) == (
        "WARNING_HI",
        "ZeroDivisionError while drop_report was answered: planted",
    )
    assert "planted" in capsys.readouterr().err


def test_a_port_in_use_leaves_neither_recording_nor_name(tmp_path: Path) -> None:
    registry = registry_in(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        config = replace(config_in(tmp_path, "serial:/dev/none"), bind=bind)

        async def run() -> None:
            async with open_station(config, time.time_ns, registry):
                pass

        with pytest.raises(StationError, match="cannot bind"):
            asyncio.run(run())
    assert registry.running() == []
    assert not (tmp_path / "pass.sqlite").exists()


class SessionOfOneEvent(Session):
    """Something happens at the sockets while it starts, and a stop is requested at once."""

    def __init__(self, publisher: Publisher, events: StationEvents, shutdown: GracefulShutdown) -> None:
        snapshot = SnapshotCache(MISSION, "bench", 1, 1)
        super().__init__(publisher, snapshot, time.time_ns, time.time_ns)
        self.calls: list[str] = []
        self._events = events
        self._shutdown = shutdown

    def start(self) -> None:
        self.calls.append("start")
        self._events.access.note("key", "an unknown key")
        self._shutdown.stop.set()

    async def run(self) -> None:
        await asyncio.sleep(20)

    def stop(self) -> None:
        self.calls.append("stop")

    async def close(self, shutdown: GracefulShutdown) -> str | None:
        return None

    def execute(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        return request

    def refused(self, request: AnyMessage) -> None:
        self.calls.append("refused")

    def record_and_publish(self, message: UplinkMessage) -> None:
        assert isinstance(message, EventMessage)
        self.calls.append(message.name)

    def status(self) -> LinkStatus:
        return link(0.0, "LOCKED")


def test_events_of_the_last_moment_are_recorded_before_the_end(tmp_path: Path) -> None:
    registry = registry_in(tmp_path)

    async def run() -> list[str]:
        with zmq.asyncio.Context() as context:
            ends = registry.endpoints("bench")
            info = StationInfo(
                telemetry=ends.telemetry, command=ends.command, name="bench", pid=1, link="scripted:x", started=1
            )
            shutdown, events = GracefulShutdown(), StationEvents(time.time_ns)
            with closing(Publisher(context, ends.telemetry, ends.command, time.time_ns)) as publisher:
                session = SessionOfOneEvent(publisher, events, shutdown)
                presence = Presence(registry, info, publisher, events.report)
                async with asyncio.timeout(10):
                    await StationServer(info, session, publisher, None, presence, events, shutdown).serve()
                return session.calls

    assert asyncio.run(run()) == ["start", "ACCESS_REFUSED", "stop"]
