"""A station and a client of different versions: they say so, and protocol 1 is still understood."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.asyncio

from groundstation.errors import OtherProtocol
from groundstation.messages.base import PROTOCOL
from groundstation.messages.commanding import RequestAccepted
from groundstation.messages.wire import AnyMessage, DropReport, ReplayAck, SnapshotRequest, Telemetry, decode, encode
from groundstation.security.authorization import Principal
from groundstation.security.endpoints import Endpoints
from groundstation.station.publisher import Publisher
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import StationLost
from tests.groundstation.samples import snapshot, telemetry

ARM = {"type": "arm_request", "who": "x", "token": "0123456789abcdef", "issued": 1, "seconds": 1}


@asynccontextmanager
async def station(ends: Endpoints, protocol: int = PROTOCOL, started: int = 1) -> AsyncIterator[Publisher]:
    """One that accepts everything."""
    context = zmq.asyncio.Context()
    publisher = Publisher(context, ends.telemetry, ends.command, time.time_ns)

    def answer(request: AnyMessage, _: Principal) -> AnyMessage:
        if isinstance(request, SnapshotRequest):
            return msgspec.structs.replace(snapshot(publisher, started), protocol=protocol)
        return RequestAccepted(text="armed")

    async def beat() -> None:
        while True:
            publisher.heartbeat()
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(publisher.serve(answer)), asyncio.create_task(beat())]
    try:
        yield publisher
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        publisher.close()
        context.term()


@pytest.fixture
def ends(tmp_path: Path) -> Endpoints:
    return Endpoints(telemetry=f"ipc://{tmp_path}/tm", command=f"ipc://{tmp_path}/cmd")


def play(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 20))


async def asked(ends: Endpoints, request: dict[str, Any]) -> dict[str, Any]:
    """The JSON that a station answers to a client in any language."""
    with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.set(zmq.LINGER, 0)
        socket.connect(ends.command)
        await socket.send(json.dumps(request).encode())
        part: bytes = await socket.recv()
    topic, _, body = part.partition(b" ")
    answer: dict[str, Any] = json.loads(body)
    assert topic.decode() == answer["type"]
    return answer


@pytest.mark.parametrize("theirs", [1, 3])
def test_a_client_refuses_a_station_of_another_protocol(ends: Endpoints, theirs: int) -> None:
    async def run() -> None:
        async with station(ends, theirs):
            client = StationClient(ends, time.time_ns)
            words = rf"station bench \(pid 1\) speaks protocol {theirs}, this client 2: install the same version"
            with pytest.raises(OtherProtocol, match=words):
                await client.connect()
            await client.close()

    play(run())


def test_a_snapshot_that_states_no_protocol_is_of_protocol_1(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends):
            answer = await asked(ends, {"type": "snapshot_request"})
        assert answer.pop("protocol") == PROTOCOL
        assert getattr(decode(json.dumps(answer).encode()), "protocol", None) == 1

    play(run())


def test_a_viewer_ends_when_its_station_comes_back_as_another_version(ends: Endpoints) -> None:
    async def run() -> None:
        client = StationClient(ends, time.time_ns, silence_s=0.5, timeout_s=1.0, retry_s=0.05)
        async with station(ends) as publisher:
            await client.connect()
            publisher.publish(telemetry(1))
            async for update in client.messages():
                if isinstance(update, Telemetry):
                    break
        async with station(ends, protocol=3, started=2):
            updates: list[object] = []
            with pytest.raises(OtherProtocol, match="speaks protocol 3, this client 2"):
                async for update in client.messages():
                    updates.append(update)
        assert isinstance(updates[-1], StationLost)
        await client.close()

    play(run())


def test_a_station_refuses_a_client_of_a_later_protocol(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends):
            for request in (ARM, {"type": "snapshot_request"}):
                answer = await asked(ends, {**request, "protocol": 3})
                assert answer["type"] == "refusal"
                assert answer["text"] == (
                    "this client speaks protocol 3, the station 2: install the same version of groundstation on both"
                )

    play(run())


@pytest.mark.parametrize(
    ("stated", "tag"),
    [({}, "order_accepted"), ({"protocol": 1}, "order_accepted"), ({"protocol": 2}, "request_accepted")],
)
def test_a_client_is_answered_in_its_own_protocol(ends: Endpoints, stated: dict[str, int], tag: str) -> None:
    async def run() -> None:
        async with station(ends):
            assert await asked(ends, {**ARM, **stated}) | {"sent": 0} == {
                "type": tag, "seq": 0, "sent": 0, "text": "armed", "command": None
            }  # fmt: skip

    play(run())


@pytest.mark.parametrize(
    ("part", "meant"),
    [
        (b'heard {"type":"heard","messages":7}', ReplayAck(messages=7)),
        (b'{"type":"missed_report","viewer":"x","missed":2}', DropReport(viewer="x", missed=2)),
        (b'order_accepted {"type":"order_accepted","text":"t","command":4}', RequestAccepted(text="t", command=4)),
    ],
)
def test_names_of_protocol_1_are_understood(part: bytes, meant: AnyMessage) -> None:
    assert decode(part) == meant
    assert part.split(b'"')[3] not in encode(meant)
    assert decode(encode(meant)) == meant
