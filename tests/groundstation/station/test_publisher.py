import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import zmq
import zmq.asyncio

from groundstation.errors import CallerError, WorldError
from groundstation.messages.commanding import CommandRequest, RequestAccepted
from groundstation.messages.wire import Heartbeat, Refusal, Snapshot, SnapshotRequest, StopRequest, decode, encode
from groundstation.security.authorization import Principal
from groundstation.security.endpoints import Endpoints
from groundstation.station.publisher import Publisher
from tests.groundstation.samples import event, station, telemetry

TCP = "tcp://127.0.0.1:*"


@contextmanager
def open_context() -> Iterator[zmq.asyncio.Context]:
    context = zmq.asyncio.Context()
    try:
        yield context
    finally:
        context.destroy(linger=0)


@contextmanager
def open_publisher() -> Iterator[tuple[Publisher, zmq.asyncio.Context]]:
    with open_context() as context:
        publisher = Publisher(context, TCP, TCP, lambda: 42)
        try:
            yield publisher, context
        finally:
            publisher.close()


async def subscribe(context: zmq.asyncio.Context, publisher: Publisher) -> zmq.asyncio.Socket:
    sub = context.socket(zmq.SUB)
    sub.connect(publisher.telemetry_endpoint)
    sub.subscribe(b"")
    while not await sub.poll(10):
        publisher.heartbeat()
    while await sub.poll(50):
        await sub.recv()
    return sub


@pytest.mark.parametrize(
    "body",
    [
        b"what",
        b"{}",
        b"\xff\xfe",
        b'{"type":"snapshot_request","x":' + b"[" * 20_000,
        b'{"type":"drop_report","viewer":"x","missed":-1}',
        b'{"type":"drop_report","viewer":"x","missed":' + b"9" * 4300 + b"}",
        b'{"type":"drop_report","viewer":"x","missed":' + b"9" * 5000 + b"}",
        b'{"type":"arm_request","who":"x","token":"0123456789","issued":' + b"9" * 4300 + b',"seconds":1}',
    ],
)
def test_what_cannot_be_read_is_refused_and_told(body: bytes) -> None:
    async def run() -> None:
        told: list[tuple[str, str | None]] = []
        with open_publisher() as (publisher, context):
            serving = asyncio.create_task(
                publisher.serve(
                    lambda *_: pytest.fail("it was read"), lambda why, caller: told.append((why, caller.key))
                )
            )
            client = context.socket(zmq.DEALER)
            client.connect(publisher.command_endpoint)
            await client.send(body)
            answer = decode(await client.recv())
            serving.cancel()
        assert isinstance(answer, Refusal)
        assert answer.text.startswith("not understood: ")
        assert [key for _, key in told] == [None]

    asyncio.run(run())


REQUEST = {"type": "command_request", "name": "PING", "who": "é", "token": "0123456789", "issued": 10, "seq": 0}
SPELLINGS = [
    json.dumps(REQUEST),
    json.dumps(REQUEST, indent=2),
    json.dumps(REQUEST, indent="\t", separators=(" , ", " : ")),
    json.dumps(REQUEST, separators=(",", ":")),
    json.dumps(REQUEST, sort_keys=True),
    json.dumps(dict(reversed(REQUEST.items()))),
    json.dumps(REQUEST, ensure_ascii=False),
    json.dumps(REQUEST | {"of a later version": [{"a b": None}]}),
    json.dumps(REQUEST | {"issued": 10.0, "timeout_ms": 1e4}),
    json.dumps(REQUEST).replace('"PING"', '"HOLD", "name": "PING"'),
    " \r\n\t " + json.dumps(REQUEST) + "\n",
    "\ufeff" + json.dumps(REQUEST),
    "command_request " + json.dumps(REQUEST),
    "{" + " " * 100 + json.dumps(REQUEST)[1:],
]


def test_any_spelling_of_json_is_a_request() -> None:
    async def run() -> None:
        got: list[object] = []

        def take(request: object, caller: Principal) -> RequestAccepted:
            got.append(request)
            return RequestAccepted(text="taken")

        with open_publisher() as (publisher, context):
            serving = asyncio.create_task(publisher.serve(take))
            client = context.socket(zmq.DEALER)
            client.connect(publisher.command_endpoint)
            for spelling in SPELLINGS:
                await client.send(spelling.encode())
                assert decode(await client.recv()) == RequestAccepted(sent=42, text="taken"), spelling
            serving.cancel()
        wanted = CommandRequest(name="PING", who="é", token="0123456789", issued=10)
        assert got == [wanted] * len(SPELLINGS)

    asyncio.run(run())


def test_message_of_a_long_topic_comes_back() -> None:
    message = telemetry(1, packet="P" * 200)
    assert decode(encode(message)) == message


def test_topics_count_apart() -> None:
    async def run() -> None:
        with open_publisher() as (publisher, context):
            sub = await subscribe(context, publisher)
            for message in (telemetry(1), telemetry(2), event(), telemetry(3, "BUS"), telemetry(4)):
                publisher.publish(message)
            parts = [await sub.recv() for _ in range(5)]
            assert [(part.split(b" ")[0], decode(part).seq) for part in parts] == [
                (b"tm.DESCENT", 1),
                (b"tm.DESCENT", 2),
                (b"event", 1),
                (b"tm.BUS", 1),
                (b"tm.DESCENT", 3),
            ]
            assert decode(parts[1]) == msgspec.structs.replace(telemetry(2), seq=2, sent=42)
            beats = publisher.sequences["heartbeat"]
            publisher.heartbeat()
            beat = decode(await sub.recv())
            expected = {"tm.DESCENT": 3, "event": 1, "tm.BUS": 1, "heartbeat": beats}
            assert beat == Heartbeat(seq=beats + 1, sent=42, ert=42, sequences=expected)

    asyncio.run(run())


def test_a_heartbeat_never_tells_of_less_than_was_published_before_it() -> None:
    """To a viewer such a station would have started again. The reader thread publishes too."""

    async def run() -> None:
        with open_publisher() as (publisher, context):
            sub = await subscribe(context, publisher)

            def publish() -> None:
                for number in range(3000):
                    publisher.publish(telemetry(number))

            reader = threading.Thread(target=publish)
            reader.start()
            last = beats = 0
            while reader.is_alive() or await sub.poll(50):
                publisher.heartbeat()
                while await sub.poll(0):
                    message = decode(await sub.recv())
                    if isinstance(message, Heartbeat):
                        beats += 1
                        assert message.sequences.get("tm.DESCENT", 0) >= last
                    else:
                        assert message.seq > last
                        last = message.seq
                if not reader.is_alive():
                    break
            reader.join()
            assert beats
            assert last

    asyncio.run(run())


def test_publish_never_waits() -> None:
    async def run() -> None:
        with open_publisher() as (publisher, context):
            await subscribe(context, publisher)
            began = time.perf_counter()
            for number in range(20_000):
                publisher.publish(telemetry(number))
            assert time.perf_counter() - began < 20

    asyncio.run(run())


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://*:5555",
        "tcp://0.0.0.0:5555",
        "tcp://192.168.1.1:5555",
        "tcp://[::]:5555",
        "tcp://eth0:5555",
        "tcp://127.0.0.1.example.org:5555",
        "tcp://[",
        "inproc://x",
        "ipc://relative",
        "ipc://@abstract",
        "ipc://*",
        "pgm://127.0.0.1:1",
        "",
    ],
)
def test_binds_nothing_that_others_could_reach(endpoint: str) -> None:
    with open_context() as context:
        for ends in ((endpoint, TCP), (TCP, endpoint)):
            with pytest.raises(CallerError, match=r"is not private|a private ipc:"):
                Publisher(context, *ends, lambda: 0)


def test_never_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.touch()
    with open_context() as context, pytest.raises(CallerError, match="not a socket"):
        Publisher(context, f"ipc://{path}", TCP, lambda: 0)
    assert path.exists()


def test_address_in_use() -> None:
    async def run() -> None:
        with (
            open_publisher() as (publisher, context),
            pytest.raises(WorldError, match=r"cannot bind .*in use"),
        ):
            Publisher(context, TCP, publisher.command_endpoint, lambda: 0)

    asyncio.run(run())


def test_plain_context_will_do(tmp_path: Path) -> None:
    async def run() -> None:
        context = zmq.Context()
        publisher = Publisher(context, f"ipc://{tmp_path}/tm", f"ipc://{tmp_path}/cmd", lambda: 0)
        publisher.publish(event())
        publisher.close()
        publisher.close()
        context.term()

    asyncio.run(run())


BAD_REQUESTS = [
    b"",
    b" ",
    b"\xff\xfe",
    b"{}",
    b"[" * 100_000,
    b'{"type":"nonsense"}',
    b'{"type":"stop_request"}',
    b'{"type":"stop_request","reason":"\xff"}',
    b"stop_request {",
    encode(StopRequest(reason="not allowed here")),
]


@pytest.mark.parametrize("kind", [zmq.DEALER, zmq.REQ])
def test_bad_requests_get_refusals(tmp_path: Path, kind: int) -> None:
    async def run() -> None:
        ends = Endpoints(telemetry=f"ipc://{tmp_path}/tm", command=f"ipc://{tmp_path}/cmd")
        with open_context() as context:
            async with station(ends):
                socket = context.socket(kind)
                socket.connect(ends.command)
                for request in BAD_REQUESTS:
                    await socket.send(request)
                    assert isinstance(decode(await socket.recv()), Refusal), request[:40]
                await socket.send(encode(SnapshotRequest()))
                assert isinstance(decode(await socket.recv()), Snapshot)

    asyncio.run(asyncio.wait_for(run(), 10))


def test_last_reply_is_delivered_after_close(tmp_path: Path) -> None:
    async def run() -> None:
        ends = Endpoints(telemetry=f"ipc://{tmp_path}/tm", command=f"ipc://{tmp_path}/cmd")
        with open_context() as context:
            socket = context.socket(zmq.DEALER)
            socket.connect(ends.command)
            async with station(ends):
                await socket.send(encode(SnapshotRequest()))
                while not await socket.poll(1):
                    pass
            assert isinstance(decode(await socket.recv()), Snapshot)

    asyncio.run(asyncio.wait_for(run(), 10))
