"""What a station's server answers when something is wrong with a request, a port or the station itself."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from groundstation.errors import StationError
from groundstation.messages.wire import AnyMessage, DropReport, Refusal, Snapshot
from groundstation.security.authorization import Principal
from groundstation.station.monitoring.viewer_stats import Viewers
from groundstation.station.station import open_station
from groundstation.viewer.client import StationClient
from hil.lander_io.servers import PtyServer
from tests.groundstation.station.running import config_in, registry_in, running


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
