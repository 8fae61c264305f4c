"""A station with two links, on real ports: one is lost in mid-flight, and nothing of the lander is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.errors import CallerError
from groundstation.links.base import NamedLink
from groundstation.links.replay import ReplayLink
from groundstation.messages.wire import ContactChange, EventMessage, LinkStatus, Telemetry
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.config import StationConfig
from groundstation.viewer.client import StationClient
from groundstation.viewer.requests import RequestFactory
from hil.channel.relayed import RelayedFrames
from hil.lander_io.servers import PtyServer, ZmqServer
from protocols.lander import EPOCH, LANDER, MISSION
from protocols.profile import UART
from protocols.units import NS_PER_S
from tests import descent
from tests.groundstation.links.collect import Sink
from tests.groundstation.station.running import registry_in, running

FRAMES = [burst.data[: UART.cadu_length] for burst in descent.bursts() if burst.scet >= EPOCH + 90 * NS_PER_S][:60]
"""Of the lander alone."""

CUT = 30
Port = PtyServer | ZmqServer


@pytest.fixture(params=["serial", "zmq"])
def ports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Port]]:
    """The bus's port and Mars 5's: two of a kind, or one of each."""
    second = PtyServer(tmp_path / "mars5") if request.param == "serial" else ZmqServer(f"ipc://{tmp_path}/mars5")
    servers: list[Port] = [PtyServer(tmp_path / "bus"), second]
    yield servers
    for server in servers:
        server.close()


def config_of(ports: list[Port], folder: Path, **more: str) -> StationConfig:
    links = tuple(NamedLink(name, port.url) for name, port in zip(("bus", "mars5"), ports, strict=True))
    return StationConfig("bench", "two links", folder / "pass.sqlite", MISSION, links=links, **more)


async def fly(ports: list[Port], folder: Path) -> list[object]:
    """Send each frame over both links, the bus's until it is unplugged; all messages of the station."""
    registry = registry_in(folder)
    heard: list[object] = []
    async with asyncio.timeout(30), running(config_of(ports, folder), registry):
        client = StationClient(registry.find("bench"), time.time_ns)
        heard.append(await client.connect())
        for port in ports:
            assert await asyncio.to_thread(port.wait_for_listener, 10)
        relay = RelayedFrames(UART, (LANDER,), 77)

        async def listen() -> None:
            async for message in client.messages():
                heard.append(message)

        listening = asyncio.create_task(listen())
        for number, frame in enumerate(FRAMES):
            if number == CUT:
                ports[0].close()
            elif number < CUT:
                ports[0].send(frame)
            ports[1].send(b"".join(relay.relay(frame)))
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.7)
        listening.cancel()
        await client.close()
    return heard


def test_a_link_that_is_unplugged_costs_no_frame_of_the_lander(ports: list[Port], tmp_path: Path) -> None:
    heard = asyncio.run(fly(ports, tmp_path))
    statuses = [message for message in heard if isinstance(message, LinkStatus)]
    bus, mars5 = statuses[-1].links
    lander = next(channel for channel in statuses[-1].channels if channel.vcid == LANDER)
    assert (lander.frames, lander.lost, lander.duplicates) == (len(FRAMES), 0, 0)
    assert bus.first + mars5.first == len(FRAMES) and bus.duplicates + mars5.duplicates == CUT
    assert mars5.only == len(FRAMES) - CUT and bus.transport != "CONNECTED" and bus.commands
    events = [message for message in heard if isinstance(message, EventMessage)]
    assert any(e.name == "LINK_LOS" and e.text.startswith("bus lost lander: PORT") for e in events)
    losses = [m for m in heard if isinstance(m, ContactChange) and m.state == "LOS" and m.ert < _last_frame(heard)]
    assert losses == []


def _last_frame(heard: list[object]) -> int:
    return max(message.ert for message in heard if isinstance(message, Telemetry))


def test_the_recording_has_both_links_and_says_the_same_again(ports: list[Port], tmp_path: Path) -> None:
    heard = asyncio.run(fly(ports, tmp_path))
    path = tmp_path / "pass.sqlite"
    with ArchiveReader(path) as reader:
        assert [link.name for link in reader.named_links()] == ["bus", "mars5"]
        counts = reader.link_counts()
        assert sum(count.first for count in counts) == len(FRAMES) and sum(count.copies for count in counts) == CUT
        assert sum(count.bytes for count in counts) == (len(FRAMES) + CUT) * UART.cadu_length
        whole = [reader.frame_bytes(frame) for frame in reader.frames()]
        assert all(data[:4] == UART.asm and len(data) == UART.cadu_length for data in whole)
    link, sink = ReplayLink(path, speed=100.0), Sink()
    link.start(sink)
    sink.wait(lambda: any(type(report).__name__ == "EndOfStream" for report in sink.reports), "end")
    link.stop()
    again = receiver_of(MISSION, link.url, link.links)
    said = [outcome for report in sink.reports for outcome in again.process(report)] + again.finish()
    live = [m for m in heard if isinstance(m, Telemetry)]
    replayed = [m for m in said if isinstance(m, Telemetry)]
    assert [(m.packet, m.scet, m.ert, m.values) for m in replayed] == [
        (m.packet, m.scet, m.ert, m.values) for m in live
    ]
    assert again.status(EPOCH, None, True).links[1].only == len(FRAMES) - CUT


@pytest.mark.parametrize(("name", "place"), [("", 0), ("mars5", 1)])
def test_commands_go_out_over_the_named_link(ports: list[Port], tmp_path: Path, name: str, place: int) -> None:
    """PING as a bypass frame: COP-1 need not be initialised before."""
    registry = registry_in(tmp_path)

    async def command() -> list[bytes]:
        async with asyncio.timeout(20), running(config_of(ports, tmp_path, commands=name), registry):
            client = StationClient(registry.find("bench"), time.time_ns)
            await client.connect()
            for port in ports:
                assert await asyncio.to_thread(port.wait_for_listener, 10)
            await asyncio.sleep(0.3)
            await client.request(RequestFactory("test", time.time_ns).command("PING", {}, bypass=True))
            await asyncio.sleep(0.5)
            await client.close()
            return [port.receive() for port in ports]

    sent = asyncio.run(command())
    assert [bool(data) for data in sent] == [place == 0, place == 1]


def test_a_link_for_commands_that_is_not_there_is_refused(ports: list[Port], tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="no link is named 'mars4'; did you mean 'mars5'"):
        config_of(ports, tmp_path, commands="mars4")


def test_links_of_one_name_or_url_are_refused(ports: list[Port], tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="two links have the URL"):
        config_of([ports[0], ports[0]], tmp_path)
