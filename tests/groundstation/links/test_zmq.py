from __future__ import annotations

import contextlib
import signal
import socket as sockets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from groundstation.errors import CallerError, LinkError
from groundstation.links import open_link
from groundstation.links.base import Chunk, Idle, RelayGap
from groundstation.links.relay_protocol import HEADER_SIZE, RELAY_HEADER, RelayMessage, pack, unpack
from groundstation.links.zmq import ZmqLink
from hil.lander_io.servers import ZmqServer
from protocols.errors import DecodeError, EncodeError
from tests.groundstation.links.collect import PATIENCE_S, Sink, receive, started
from tests.zmtp import introduce, part


@given(st.integers(1, 2**64 - 1), st.integers(-(2**62), 2**62), st.binary(max_size=64))
def test_the_header_is_what_construct_says(seq: int, ert: int, data: bytes) -> None:
    message = pack(seq, ert, data)
    assert message == RELAY_HEADER.build({"seq": seq, "ert": ert}) + data
    assert unpack(message) == RelayMessage(seq, ert, data)


def test_a_message_that_is_none() -> None:
    assert HEADER_SIZE == 16
    for bad in (b"", bytes(15), bytes(16)):
        with pytest.raises(DecodeError):
            unpack(bad)
    with pytest.raises(EncodeError):
        pack(2**64, 0, b"")


@pytest.fixture
def relay() -> Iterator[tuple[zmq.Socket[bytes], str]]:
    """A bound DEALER that says what a test wants."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 5000)
        socket.bind("tcp://127.0.0.1:*")
        yield socket, f"zmq:{socket.getsockopt_string(zmq.LAST_ENDPOINT)}"


def test_the_station_says_hello_first(relay: tuple[zmq.Socket[bytes], str]) -> None:
    socket, url = relay
    with started(url) as (link, _):
        hello = unpack(socket.recv())
        assert (hello.seq, hello.data) == (1, b"")
        assert abs(hello.ert - time.time_ns()) < 10e9
        link.write(b"command")
        assert unpack(socket.recv()).seq == 2


def test_gaps_are_counted_and_reported(relay: tuple[zmq.Socket[bytes], str]) -> None:
    socket, url = relay
    with started(url) as (link, sink):
        socket.recv()
        for seq in (7, 8, 11, 12, 1, 2, 4):  # joined late; two lost; started again; one lost
            socket.send(pack(seq, 0, b"x"))
        sink.wait_bytes(7)
        assert [gap.missed for gap in sink.of(RelayGap)] == [2, 1]
        assert isinstance(link, ZmqLink) and link.missed == 3


def test_noise_is_counted_and_does_no_harm(relay: tuple[zmq.Socket[bytes], str]) -> None:
    socket, url = relay
    with started(url) as (link, sink):
        socket.recv()
        socket.send(b"noise")
        socket.send(bytes(40))
        socket.send(pack(1, 0, b"good"))
        assert sink.wait_bytes(4) == b"good"
        assert isinstance(link, ZmqLink) and link.malformed == 2


def test_a_far_stamp_is_kept_and_sets_the_time_of_silence(relay: tuple[zmq.Socket[bytes], str]) -> None:
    socket, url = relay
    far = time.time_ns() - 3_600_000_000_000
    with started(url) as (_, sink):
        socket.recv()
        socket.send(pack(1, far, b"a"))
        socket.send(pack(2, far + 5, b"b"))
        socket.send(pack(3, far + 2, b"c"))
        sink.wait_bytes(3)
        first = sink.reports.index(sink.of(Chunk)[0])
        sink.wait(lambda: any(isinstance(r, Idle) for r in sink.reports[first:]), "silence")
        stamps = [report.ert for report in sink.reports[first:]]
        assert stamps[:3] == [far, far + 5, far + 5]
        assert stamps == sorted(stamps)
        assert stamps[-1] < far + 60_000_000_000


def test_signs_of_life_are_silence(relay: tuple[zmq.Socket[bytes], str]) -> None:
    socket, url = relay
    with started(url) as (_, sink):
        socket.recv()
        for seq in range(1, 200):
            socket.send(pack(seq, 0, b""))
        sink.wait(lambda: len(sink.of(Idle)) >= 199, "silence")
        assert not sink.of(Chunk)


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1", "udp://127.0.0.1:1", "127.0.0.1:5570", "ipc://", "tcp://:x"])
def test_endpoints_that_cannot_be(endpoint: str) -> None:
    with pytest.raises(CallerError, match="expected zmq:tcp"):
        open_link(f"zmq:{endpoint}", time.time_ns)


def test_an_endpoint_that_zeromq_refuses(tmp_path: Path) -> None:
    with started(f"zmq:ipc://{tmp_path}/{'x' * 200}") as (_, sink):
        assert "cannot be connected to" in sink.wait_for("ATTEMPTING").detail


def test_a_station_that_reads_nothing_does_not_stall_for_ever() -> None:
    server = ZmqServer("tcp://127.0.0.1:*", send_timeout=0.05)
    with zmq.Context() as context, context.socket(zmq.DEALER) as deaf:
        deaf.setsockopt(zmq.RCVHWM, 1)
        deaf.setsockopt(zmq.LINGER, 0)
        deaf.connect(server.url.removeprefix("zmq:"))
        deaf.send(pack(1, 0, b""))
        assert server.wait_for_listener(5)
        for _ in range(5000):
            server.send(bytes(10_000))
            if server.dropped:
                break
    assert server.dropped == 10_000
    server.close()


FREEZE = """
import sys, time
from hil.lander_io.servers import ZmqServer
server = ZmqServer("tcp://127.0.0.1:*")
print(server.url, flush=True)
server.wait_for_listener(10)
server.send(b"alive")
time.sleep(30)
"""


def test_a_relay_that_freezes_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", FREEZE], stdout=subprocess.PIPE, text=True) as relay:
        assert relay.stdout is not None
        with started(relay.stdout.readline().strip()) as (_, sink):
            sink.wait_bytes(5)
            relay.send_signal(signal.SIGSTOP)
            assert sink.wait_for("DISCONNECTED").peer
        relay.kill()


def test_a_command_that_was_not_sent_does_not_reach_the_next_lander() -> None:
    first = ZmqServer("tcp://127.0.0.1:*")
    with started(first.url) as (link, sink):
        assert first.wait_for_listener(5)
        link.write(b"A")
        first.close()
        with contextlib.suppress(LinkError):
            while True:
                link.write(b"stale")
        sink.wait_for("DISCONNECTED")
        second = ZmqServer(first.url.removeprefix("zmq:"))
        assert second.wait_for_listener(5)
        sink.wait_for("CONNECTED", 2)
        link.write(b"new")
        assert receive(second, 3) == b"new"
        second.close()


def test_a_stopped_link_refuses_what_waits() -> None:
    server = ZmqServer("tcp://127.0.0.1:*")
    link, sink = open_link(server.url, time.time_ns), Sink()
    link.start(sink)
    assert server.wait_for_listener(5)
    link.stop()
    with pytest.raises(LinkError):
        link.write(b"late")
    server.close()


def test_who_wants_a_key_and_who_hangs_up_look_the_same_and_are_tried_again() -> None:
    """libzmq itself gives up after one of the two, and which it is depends on who is faster."""
    with sockets.create_server(("127.0.0.1", 0)) as listener, ExitStack() as there:
        endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with started(f"zmq:{endpoint}") as (_, sink):
            words = f"{endpoint} needs a key, or is not a lander or relay: zmq:{endpoint}?key=NAME&server_key=KEY"
            listener.accept()[0].close()
            sink.wait(lambda: words in str(sink.changes("ATTEMPTING")), words)
            told = len(sink.reports)
            listener.close()
            with zmq.Context() as context, context.socket(zmq.DEALER) as keyed:
                keyed.curve_server, (_, keyed.curve_secretkey) = True, zmq.curve_keypair()
                keyed.bind(endpoint)
                time.sleep(1.5)  # both kinds of refusals, over and over
            assert not [report for report in sink.reports[told:] if not isinstance(report, Idle)]
            there.callback(ZmqServer(endpoint).close)
            sink.wait_for("CONNECTED")


def accepted(listening: sockets.socket) -> sockets.socket:
    """The next connection that lasts: libzmq may have begun one before it was told to begin again."""
    while True:
        relay = listening.accept()[0]
        try:
            introduce(relay, b"DEALER")
        except (AssertionError, OSError):
            relay.close()
        else:
            return relay


@pytest.mark.parametrize("kind", ["one message", "parts without an end"])
def test_a_relay_that_sends_too_much_is_cut_off_and_found_again(kind: str) -> None:
    """200 MB in one message held the station up for 50 s."""
    with sockets.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_S)
        with started(f"zmq:tcp://127.0.0.1:{listening.getsockname()[1]}") as (link, sink):
            with accepted(listening) as relay:
                relay.sendall(part(pack(1, 0, b"before")))
                sink.wait_bytes(6)
                with contextlib.suppress(OSError):
                    if kind == "one message":
                        relay.sendall(part(bytes(200_000_000)))
                    for _ in range(3000):
                        relay.sendall(part(bytes(10_000), more=True))
                detail = sink.wait_for("DISCONNECTED").detail
            assert "was cut off, it sent " in detail
            assert (
                "a message of more than 1,048,576 bytes" if kind == "one message" else "9,437,184 bytes of one message"
            ) in detail
            with accepted(listening) as relay:
                relay.sendall(part(pack(2, 0, b"behind")))
                assert sink.wait_bytes(12) == b"beforebehind"
            assert isinstance(link, ZmqLink)


def test_a_long_message_is_decoded_in_pieces(relay: tuple[zmq.Socket[bytes], str]) -> None:
    socket, url = relay
    data = bytes(range(256)) * 4095
    with started(url) as (_, sink):
        socket.recv()
        socket.send(pack(1, 7, data))
        assert sink.wait_bytes(len(data)) == data
        assert max(len(chunk.data) for chunk in sink.of(Chunk)) == 1 << 16
        assert {chunk.ert for chunk in sink.of(Chunk)} == {7}
