import asyncio
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
import zmq
import zmq.asyncio

from groundstation.errors import CallerError, StationError, StationGone
from groundstation.messages.base import Value
from groundstation.messages.wire import Heartbeat, Refusal, Snapshot, SnapshotRequest, StopRequest, Telemetry
from groundstation.security.endpoints import Endpoints
from groundstation.station.publisher import Publisher
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import StationBack, StationLost, Update
from tests.groundstation.samples import event, station, telemetry
from tests.zmtp import introduce, part

UpdateT = TypeVar("UpdateT", bound=Update)
QUICK = {"silence_s": 0.5, "timeout_s": 0.5, "retry_s": 0.05}


@pytest.fixture
def ends(tmp_path: Path) -> Endpoints:
    return Endpoints(telemetry=f"ipc://{tmp_path}/tm", command=f"ipc://{tmp_path}/cmd")


@asynccontextmanager
async def viewer(
    ends: Endpoints, *, timeout_s: float = 2.0, silence_s: float = 2.0, retry_s: float = 0.5
) -> AsyncIterator[StationClient]:
    client = StationClient(ends, time.time_ns, timeout_s=timeout_s, silence_s=silence_s, retry_s=retry_s)
    try:
        yield client
    finally:
        await client.close()


def play(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 20))


async def numbers_until(client: StationClient, last: int) -> tuple[list[Value | None], list[Update]]:
    """All telemetry numbers up to ``last``, and the other updates that are not heartbeats."""
    numbers: list[Value | None] = []
    others: list[Update] = []
    async for update in client.messages():
        if isinstance(update, Telemetry):
            numbers.append(update.values["number"])
            if numbers[-1] == last:
                break
        elif not isinstance(update, Heartbeat):
            others.append(update)
    return numbers, others


async def next_of(client: StationClient, kind: type[UpdateT]) -> UpdateT | None:
    async for update in client.messages():
        if isinstance(update, kind):
            return update
    return None


def test_nothing_lost_and_nothing_twice_between_snapshot_and_stream(ends: Endpoints) -> None:
    async def publish(publisher: Publisher) -> None:
        for number in range(1, 2001):
            publisher.publish(telemetry(number))
            if number % 10 == 0:
                await asyncio.sleep(0.001)

    async def follow() -> int:
        async with viewer(ends) as client:
            snapshot = await client.connect()
            known = snapshot.sequences.get("tm.DESCENT", 0)
            numbers, others = await numbers_until(client, 2000)
            assert numbers == list(range(known + 1, 2001))
            assert (others, client.missed, client.unreadable) == ([], {}, 0)
            return known

    async def run() -> None:
        async with station(ends) as publisher:
            publishing = asyncio.create_task(publish(publisher))
            followers = []
            for _ in range(5):
                await asyncio.sleep(0.02)
                followers.append(asyncio.create_task(follow()))
            known = await asyncio.gather(*followers)
            await publishing
            assert any(known)

    play(run())


def test_joining_is_quick_even_if_the_station_hardly_says_anything(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends, heartbeat_s=60), viewer(ends) as client:
            began = time.perf_counter()
            await client.connect()
            assert time.perf_counter() - began < 10

    play(run())


def test_over_tcp(tmp_path: Path) -> None:
    async def run() -> None:
        tcp = Endpoints(telemetry="tcp://127.0.0.1:*", command="tcp://127.0.0.1:*")
        async with station(tcp) as publisher:
            bound = Endpoints(telemetry=publisher.telemetry_endpoint, command=publisher.command_endpoint)
            async with viewer(bound) as client:
                await client.connect()
                publisher.publish(event())
                publisher.publish(telemetry(1))
                assert (await numbers_until(client, 1))[0] == [1]

    play(run())


def test_slow_viewer_knows_what_it_missed(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends) as publisher, viewer(ends) as client:
            await client.connect()
            for number in range(1, 30_001):
                publisher.publish(telemetry(number))
            seen = 0
            async for update in client.messages():
                seen += isinstance(update, Telemetry)
                if isinstance(update, Heartbeat) and update.sequences.get("tm.DESCENT") == 30_000:
                    break
            assert seen + client.missed["tm.DESCENT"] == 30_000
            assert seen < 30_000

    play(run())


def test_no_station(ends: Endpoints) -> None:
    async def run() -> None:
        async with viewer(ends, timeout_s=0.1) as client:
            with pytest.raises(StationGone, match="no station answers at ipc"):
                await client.connect()

    play(run())


def test_endpoint_without_telemetry(ends: Endpoints, tmp_path: Path) -> None:
    async def run() -> None:
        deaf = Endpoints(telemetry=f"ipc://{tmp_path}/absent", command=ends.command)
        async with station(ends), viewer(deaf, timeout_s=0.2) as client:
            with pytest.raises(StationGone):
                await client.connect()

    play(run())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"garbage", StationGone),
        (b'{"type":"snapshot_request"}', StationGone),
        (b'{"type":"refusal","text":"no"}', CallerError),
    ],
)
def test_something_else_answers(ends: Endpoints, answer: bytes, error: type[StationError]) -> None:
    async def echo(router: zmq.asyncio.Socket) -> None:
        identity, _ = await router.recv_multipart()
        await router.send_multipart([identity, answer])

    async def run() -> None:
        with zmq.asyncio.Context() as context, context.socket(zmq.ROUTER) as router:
            router.bind(ends.command)
            echoing = asyncio.create_task(echo(router))
            async with viewer(ends) as client:
                with pytest.raises(error):
                    await client.connect()
            await echoing

    play(run())


def test_requests_while_following(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends), viewer(ends) as client:
            await client.connect()
            following = asyncio.create_task(next_of(client, StationLost))
            answers = await asyncio.gather(*(client.request(StopRequest(reason="x")) for _ in range(20)))
            assert all(isinstance(answer, Refusal) for answer in answers)
            assert not following.done()
            following.cancel()
            with pytest.raises(asyncio.CancelledError):
                await following

    play(run())


def test_an_unanswered_request_is_never_delivered_late(ends: Endpoints) -> None:
    async def run() -> None:
        heard = []
        async with viewer(ends, timeout_s=0.1) as client:
            with pytest.raises(StationGone):
                await client.request(StopRequest(reason="too late"))
            await asyncio.sleep(0.2)  # libzmq closes what was given up in a thread of its own
            with zmq.asyncio.Context() as context, context.socket(zmq.ROUTER) as router:
                router.bind(ends.command)
                if await router.poll(500):
                    heard.append(await router.recv_multipart())
        assert heard == []

    play(run())


def test_closing_ends_what_waits(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends, heartbeat_s=60), viewer(ends) as client:
            await client.connect()
            following = asyncio.create_task(next_of(client, StationLost))
            await asyncio.sleep(0.1)
            await client.close()
            assert (await following) is None
            with pytest.raises(StationGone, match="closed"):
                await client.request(SnapshotRequest())

    play(run())


def test_closing_while_the_station_is_lost(ends: Endpoints) -> None:
    async def run() -> None:
        async with viewer(ends, **QUICK) as client:
            async with station(ends):
                await client.connect()
            messages = client.messages()
            while not isinstance(await anext(messages), StationLost):
                pass
            waiting = asyncio.create_task(anext(messages, None))
            await asyncio.sleep(0.2)
            await client.close()
            assert await waiting is None

    play(run())


def test_restarted_station_is_lost_and_back_even_without_a_silence(ends: Endpoints) -> None:
    async def run() -> None:
        async with viewer(ends) as client:
            async with station(ends) as publisher:
                await client.connect()
                for number in range(1, 11):
                    publisher.publish(telemetry(number))
                assert (await numbers_until(client, 10))[0] == list(range(1, 11))
            async with station(ends, started=2) as publisher:
                messages = client.messages()
                updates = [await anext(messages)]
                while not isinstance(updates[-1], StationBack):
                    updates.append(await anext(messages))
                kinds = [type(update) for update in updates if not isinstance(update, Heartbeat)]
                assert kinds == [StationLost, StationBack]
                assert isinstance(updates[-1], StationBack)
                assert updates[-1].snapshot.started == 2
                publisher.publish(telemetry(11))
                assert (await numbers_until(client, 11))[0] == [11]
                assert client.missed == {}

    play(run())


STATION = """
import asyncio, sys
from tests.groundstation.samples import station, telemetry
from groundstation.station.registry import Endpoints

async def run():
    async with station(Endpoints(telemetry=sys.argv[1], command=sys.argv[2])) as publisher:
        print("ready", flush=True)
        number = 0
        while True:
            number += 1
            publisher.publish(telemetry(number))
            await asyncio.sleep(0.01)

asyncio.run(run())
"""


@asynccontextmanager
async def station_process(ends: Endpoints) -> AsyncIterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", STATION, ends.telemetry, ends.command]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()


async def assert_flows(client: StationClient, snapshot: Snapshot) -> None:
    expected = snapshot.sequences["tm.DESCENT"] + 1
    assert (await numbers_until(client, expected + 20))[0] == list(range(expected, expected + 21))


def test_stopped_station_is_lost_once_then_back(ends: Endpoints) -> None:
    async def run() -> None:
        async with station_process(ends) as process, viewer(ends, **QUICK) as client:
            await assert_flows(client, await client.connect())
            before_ns = time.time_ns()
            process.send_signal(signal.SIGSTOP)
            lost = await next_of(client, StationLost)
            lost_ns = time.time_ns()
            assert lost is not None
            assert before_ns - 0.3e9 < lost.since_ns < lost_ns - 0.4e9
            asyncio.get_running_loop().call_later(1.2, process.send_signal, signal.SIGCONT)

    play(run())


def test_stopped_station_comes_back(ends: Endpoints) -> None:
    async def run() -> None:
        async with station_process(ends) as process, viewer(ends, **QUICK) as client:
            await client.connect()
            process.send_signal(signal.SIGSTOP)
            asyncio.get_running_loop().call_later(1.5, process.send_signal, signal.SIGCONT)
            updates = []
            async for update in client.messages():
                if isinstance(update, StationLost | StationBack):
                    updates.append(update)
                if isinstance(update, StationBack):
                    break
            assert [type(update) for update in updates] == [StationLost, StationBack]
            assert isinstance(updates[-1], StationBack)
            await assert_flows(client, updates[-1].snapshot)

    play(run())


def test_killed_station_comes_back_as_a_new_one(ends: Endpoints) -> None:
    async def run() -> None:
        async with viewer(ends, **QUICK) as client:
            async with station_process(ends):
                await assert_flows(client, await client.connect())
            assert await next_of(client, StationLost)
            with pytest.raises(StationError):
                await client.request(SnapshotRequest())
            async with station_process(ends):
                back = await next_of(client, StationBack)
                assert back is not None
                await assert_flows(client, back.snapshot)
            assert client.missed == {}

    play(run())


@pytest.mark.parametrize("kind", ["message", "parts"])
def test_an_answer_without_end_is_cut_off(kind: str) -> None:
    """Whatever answers there, it takes no memory and no time of a viewer's."""

    def answer(listening: socket.socket) -> None:
        while True:
            try:
                own, _ = listening.accept()
            except OSError:
                return
            with own, suppress(OSError, AssertionError):
                introduce(own, b"ROUTER")
                own.recv(4096)
                if kind == "message":
                    own.sendall(part(bytes(1 << 20), size=1 << 40))
                while True:
                    own.sendall(part(bytes(1 << 20), more=True))

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            answering = asyncio.create_task(asyncio.to_thread(answer, listening))
            place = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
            async with viewer(Endpoints(telemetry=place, command=place), timeout_s=3) as client:
                said = ""
                while "was cut off: it sent " not in said:  # on a busy machine a connection may end before it is seen
                    with pytest.raises(StationGone) as gone:
                        await client.request(SnapshotRequest())
                    said = str(gone.value)
            assert re.search("more than (67,108,864|75,497,472) bytes", said)
            listening.shutdown(socket.SHUT_RDWR)
            await answering

    play(run())


async def every_moment(publisher: Publisher) -> None:
    while True:
        publisher.publish(telemetry(7))
        await asyncio.sleep(0.02)


def test_a_message_without_end_is_cut_off_and_counted(ends: Endpoints) -> None:
    async def run() -> None:
        async with station(ends) as publisher, viewer(ends) as client:
            await client.connect()
            assert client.cut_off == 0
            publisher.publish(event("x" * (17 << 20)))
            async for _ in client.messages():
                if client.cut_off:
                    break
            publishing = asyncio.create_task(every_moment(publisher))
            assert await next_of(client, Telemetry) is not None
            publishing.cancel()

    play(run())
