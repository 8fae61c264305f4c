"""Bounds on a connection's resources: a client beyond one is disconnected and reported; others are not affected."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zmq
import zmq.asyncio

from groundstation.security.endpoints import Endpoints
from groundstation.security.listeners import DetachedListeners, Listeners
from groundstation.security.server_sockets import ServerSockets
from groundstation.security.zap import NoAuthentication
from tests.zmtp import connected, heartbeat, part

PATIENCE_S = 20.0
LOCAL = "tcp://127.0.0.1:*"


@dataclass(slots=True)
class SocketHarness:
    """Sockets that answer everything, and what they refused."""

    sockets: ServerSockets
    context: zmq.asyncio.Context
    told: list[str] = field(default_factory=list)
    answered: int = 0
    made: list[zmq.asyncio.Socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.sockets.ends.command.rpartition(":")[2])

    def dealer(self) -> zmq.asyncio.Socket:
        made = self.socket(zmq.DEALER)
        made.connect(self.sockets.ends.command)
        return made

    def sub(self, *topics: bytes) -> zmq.asyncio.Socket:
        made = self.socket(zmq.SUB)
        made.connect(self.sockets.ends.telemetry)
        for topic in topics:
            made.subscribe(topic)
        return made

    def socket(self, kind: int) -> zmq.asyncio.Socket:
        self.made.append(self.context.socket(kind))
        self.made[-1].set(zmq.LINGER, 0)
        return self.made[-1]

    async def ask(self, body: bytes = b"?") -> bytes:
        with self.dealer() as dealer:
            await dealer.send(body)
            return await asyncio.wait_for(dealer.recv(), PATIENCE_S)

    async def serve(self) -> None:
        while True:
            request = await self.sockets.receive()
            self.answered += 1
            await self.sockets.reply(request, b"answer")


@asynccontextmanager
async def opened(ends: Endpoints | None = None, detached: bool = True) -> AsyncIterator[SocketHarness]:
    with zmq.asyncio.Context() as context, zmq.asyncio.Context() as elsewhere:
        told: list[str] = []
        ends = ends or Endpoints(telemetry=LOCAL, command=LOCAL)
        sockets = ServerSockets(context, ends, refuse=lambda kind, text: told.append(text), detached=detached)
        bench = SocketHarness(sockets, elsewhere, told)
        tasks = [asyncio.create_task(sockets.mind()), asyncio.create_task(bench.serve())]
        try:
            yield bench
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            sockets.close()
            for made in bench.made:
                made.close()
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not look():
            await asyncio.sleep(0.01)


async def heard(bench: SocketHarness, sub: zmq.asyncio.Socket, part: bytes = b"tm.x {}") -> bytes:
    """What a listener gets of what is published again and again."""
    async with asyncio.timeout(PATIENCE_S):
        while not await sub.poll(20):
            bench.sockets.publish(part)
        return await sub.recv()


def run(test: Callable[[SocketHarness], Awaitable[None]], **how: object) -> None:
    async def inside() -> None:
        async with opened(**how) as bench:  # type: ignore[arg-type]
            await test(bench)

    asyncio.run(inside())


def ends_of(own: socket.socket) -> bool:
    """Whether the other side ended the connection."""
    own.settimeout(PATIENCE_S)
    with suppress(ConnectionError):
        while own.recv(4096):
            pass
    return True


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("where", ["tcp", "ipc"])
def test_connections_that_come_and_go_are_left_alone(tmp_path: Path, where: str, detached: bool) -> None:
    """Hundreds in a moment have the same few descriptors, one after the other."""

    async def test(bench: SocketHarness) -> None:
        for _ in range(60):
            assert await asyncio.gather(*(bench.ask(b"x" * 50_000) for _ in range(5))) == [b"answer"] * 5
        assert bench.told == []

    ends = Endpoints(telemetry=f"ipc://{tmp_path}/t", command=f"ipc://{tmp_path}/c") if where == "ipc" else None
    run(test, ends=ends, detached=detached)


@pytest.mark.long
@pytest.mark.parametrize("kind", [zmq.SUB, zmq.DEALER], ids=["sub", "dealer"])
def test_connections_that_end_unseen_are_not_called_offenders(kind: int) -> None:
    """The event loop is held up while viewers come and close at once."""

    async def test(bench: SocketHarness) -> None:
        for _ in range(100):
            for _ in range(3):
                with bench.socket(kind) as made:
                    made.connect(bench.sockets.ends.telemetry if kind == zmq.SUB else bench.sockets.ends.command)
                    time.sleep(0.005)  # blocks the loop that looks
            await asyncio.sleep(0.03)
        assert all("its other side closed it, or" in told for told in bench.told), bench.told

    run(test)


def test_a_message_that_is_too_long_ends_its_connection() -> None:
    async def test(bench: SocketHarness) -> None:
        with bench.dealer() as dealer:
            await dealer.send(bytes((1 << 20) + 1))
            await until(lambda: bench.told)
            assert "a message of more than 1,048,576 bytes" in bench.told[0]
            assert await bench.ask(bytes(1 << 20)) == b"answer"
        assert bench.answered == 1

    run(test)


@pytest.mark.parametrize("parts", [part(bytes(10_000), more=True), part(b"", more=True) * 1000], ids=["large", "empty"])
def test_parts_without_an_end_end_their_connection(parts: bytes) -> None:
    async def test(bench: SocketHarness) -> None:
        with await asyncio.to_thread(connected, bench.port, b"DEALER") as own:

            def send() -> None:
                for _ in range(100_000):
                    own.sendall(parts)

            with suppress(ConnectionError, TimeoutError):
                await asyncio.to_thread(send)
            await until(lambda: bench.told)
            assert "more than 2,097,152 bytes of an incomplete message" in bench.told[0]
            assert await asyncio.to_thread(ends_of, own)
        assert await bench.ask() == b"answer"
        assert bench.answered == 1

    run(test)


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("kind", [b"DEALER", b"SUB"])
def test_a_reset_behind_a_flood_with_heartbeats_ends_no_station(kind: bytes, detached: bool) -> None:
    """With a full queue libzmq would abort this process."""

    async def test(bench: SocketHarness) -> None:
        port = bench.port if kind == b"DEALER" else int(bench.sockets.ends.telemetry.rpartition(":")[2])
        message = part(b"?" if kind == b"DEALER" else b"\1tm.") + heartbeat()
        for _ in range(30):
            with await asyncio.to_thread(connected, port, kind) as own, suppress(ConnectionError):
                own.sendall(message * 300)
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert await bench.ask() == b"answer"

    run(test, detached=detached)


def test_an_envelope_of_many_parts_is_refused() -> None:
    async def test(bench: SocketHarness) -> None:
        with bench.dealer() as dealer:
            await dealer.send_multipart([b""] * 20)
            await until(lambda: bench.told)
            assert bench.told == ["a client sent a request of more than 9 parts: not answered"]
            assert await bench.ask() == b"answer"
        assert bench.answered == 1

    run(test)


def test_answers_that_are_not_read_are_dropped_and_told() -> None:
    async def test(bench: SocketHarness) -> None:
        with await asyncio.to_thread(connected, bench.port, b"DEALER") as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            while not bench.told:
                with suppress(ConnectionError):
                    await asyncio.to_thread(own.sendall, part(b"?") * 1000)
                await asyncio.sleep(0.01)
            assert bench.told[0] == "a client does not read its answers: one was dropped, 4 wait"
        assert await bench.ask() == b"answer"

    run(test)


def test_the_silent_yield_and_who_has_spoken_stays() -> None:
    async def test(bench: SocketHarness) -> None:
        with bench.dealer() as dealer:
            await dealer.send(b"?")
            await dealer.recv()
            strangers = []
            for _ in range(300):
                strangers.append(await asyncio.to_thread(socket.create_connection, ("127.0.0.1", bench.port)))
                await asyncio.sleep(0)
            await until(lambda: len(bench.told) >= 300 - 64)
            assert {text.rpartition(": ")[2] for text in bench.told} == {
                "it said nothing; 64 may, and none if others have no room"
            }
            assert await bench.ask() == b"answer"
            await dealer.send(b"?")
            assert await asyncio.wait_for(dealer.recv(), PATIENCE_S) == b"answer"
            for stranger in strangers:
                stranger.close()

    run(test)


def test_there_is_room_for_so_many_who_speak() -> None:
    async def test(bench: SocketHarness) -> None:
        dealers = []
        for _ in range(200):
            dealers.append(bench.dealer())
            await dealers[-1].send(b"?")
            assert await asyncio.wait_for(dealers[-1].recv(), PATIENCE_S) == b"answer"
        assert bench.told == []
        late = bench.dealer()
        await late.send(b"?")
        await until(lambda: bench.told)
        assert bench.told[0].endswith("there are 200 already")
        await dealers[0].send(b"?")
        assert await asyncio.wait_for(dealers[0].recv(), PATIENCE_S) == b"answer"
        dealers.pop().close()
        async with asyncio.timeout(PATIENCE_S):
            while not await late.poll(100):  # it comes again by itself; what it asked before is lost
                await late.send(b"?")

    run(test)


@pytest.mark.parametrize("detached", [False, True])
def test_subscriptions_within_bounds_are_left_alone(detached: bool) -> None:
    async def test(bench: SocketHarness) -> None:
        with bench.sub(*(b"tm.%0190d." % n for n in range(15))) as sub:
            assert await heard(bench, sub, b"tm.%0190d. {}" % 7)
            for n in range(15):
                sub.unsubscribe(b"tm.%0190d." % n)
            sub.subscribe(b"link")
            assert await heard(bench, sub, b"link {}") == b"link {}"
        assert bench.told == []

    run(test, detached=detached)


@pytest.mark.parametrize("detached", [False, True])
def test_subscriptions_beyond_bounds_end_their_connection(detached: bool) -> None:
    async def test(bench: SocketHarness) -> None:
        with bench.sub(b"tm.") as well_behaved, bench.sub(*(b"tm.%0190d." % n for n in range(1000))):
            await until(lambda: bench.told)
            assert bench.told[0].endswith("more than 8,192 bytes of an incomplete message, or too many")
            assert await heard(bench, well_behaved)

    run(test, detached=detached)


@pytest.mark.parametrize("detached", [False, True])
def test_a_subscription_of_20_mb_takes_no_memory(detached: bool) -> None:
    async def test(bench: SocketHarness) -> None:
        before = resident()
        port = int(bench.sockets.ends.telemetry.rpartition(":")[2])
        with bench.sub(b"tm.") as well_behaved, connected(port, b"SUB") as own:
            with suppress(ConnectionError):
                await asyncio.to_thread(own.sendall, part(b"\1" + bytes(20_000_000)))
            await until(lambda: bench.told)
            assert "a message of more than 1,024 bytes" in bench.told[0] or "more than 8,192 bytes" in bench.told[0]
            assert await heard(bench, well_behaved)
        assert resident() - before < 100 << 20

    run(test, detached=detached)


def test_all_listeners_together_may_say_so_much() -> None:
    async def test(bench: SocketHarness) -> None:
        subs = [bench.sub(*(b"%d.%0190d" % (n, m) for m in range(30))) for n in range(12)]
        await until(lambda: bench.told)
        assert bench.told[0].endswith("subscriptions have more than 65,536 bytes in all, most from there")
        one_more = bench.sub(b"tm.")
        assert await heard(bench, one_more)
        for sub in subs:
            sub.close()

    run(test)


def test_a_flood_of_subscriptions_takes_no_memory_or_time() -> None:
    async def test(bench: SocketHarness) -> None:
        before = resident()
        port = int(bench.sockets.ends.telemetry.rpartition(":")[2])
        flood = b"".join(part(b"\1" + os.urandom(199)) for _ in range(1000))
        with bench.sub(b"tm.") as well_behaved:
            while len(bench.told) < 3:  # one that ends between two looks is not reported
                with connected(port, b"SUB") as own, suppress(ConnectionError):
                    for _ in range(500):  # 100 MB, which would take some 10 GB
                        await asyncio.to_thread(own.sendall, flood)
                await asyncio.sleep(0.1)
            assert "more than 8,192 bytes of an incomplete message" in bench.told[0]
            assert await heard(bench, well_behaved)
        assert resident() - before < 300 << 20

    run(test)


def test_who_sends_too_much_again_and_again_has_to_wait() -> None:
    async def test(bench: SocketHarness) -> None:
        port = int(bench.sockets.ends.telemetry.rpartition(":")[2])
        while not any("5 from there were ended in 5 s" in text for text in bench.told):
            with suppress(OSError, AssertionError), await asyncio.to_thread(connected, port, b"SUB") as own:
                await asyncio.to_thread(own.sendall, part(b"\1" + bytes(199)) * 1000)
                await asyncio.to_thread(ends_of, own)
        assert await bench.ask() == b"answer"

    run(test)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.long
@pytest.mark.parametrize("kind", [Listeners, DetachedListeners])
def test_listeners_end_in_the_middle_of_a_flood(kind: type[Listeners] | type[DetachedListeners]) -> None:
    async def inside() -> None:
        with zmq.asyncio.Context() as context:
            listeners = kind(context, LOCAL, NoAuthentication(), lambda _, text: None)
            with connected(int(listeners.endpoint.rpartition(":")[2]), b"SUB") as own:
                own.settimeout(0.2)
                with suppress(OSError):
                    for _ in range(100):
                        own.sendall(b"".join(part(b"\1" + os.urandom(199)) for _ in range(500)))
                listeners.close()
                listeners.close()
                listeners.publish(b"after the end")
                listeners.look()

    asyncio.run(inside())
