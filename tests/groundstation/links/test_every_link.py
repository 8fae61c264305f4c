"""What every link must do, over every link and the server that is its far end."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from groundstation.errors import LinkError
from groundstation.links import open_link
from groundstation.links.base import Chunk, Idle
from hil.lander_io.servers import ByteServer
from tests.groundstation.links.collect import KINDS, receive, serve, started


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str, tmp_path: Path) -> Iterator[ByteServer]:
    server = serve(kind, tmp_path)
    yield server
    server.close()


def test_a_megabyte_arrives_whole_and_in_order(server: ByteServer) -> None:
    data = random.Random(6).randbytes(1_000_000)
    with started(server.url) as (_, sink):
        assert server.wait_for_listener(5)
        for start in range(0, len(data), 1300):
            server.send(data[start : start + 1300])
        assert sink.wait_bytes(len(data)) == data
        assert (server.dropped, server.discarded) == (0, 0)
        stamps = [report.ert for report in sink.reports]
        assert all(before <= after for before, after in pairwise(stamps))
        assert all(chunk.data for chunk in sink.of(Chunk))


def test_the_last_words_before_the_end_arrive(server: ByteServer) -> None:
    with started(server.url) as (_, sink):
        assert server.wait_for_listener(5)
        for number in range(50):
            server.send(bytes([number]) * 100)
        server.close()
        sink.wait_for("DISCONNECTED")
        assert len(sink.wait_bytes(5000)) == 5000


def test_silence_is_reported_as_heard(server: ByteServer) -> None:
    with started(server.url) as (_, sink):
        assert server.wait_for_listener(5)
        sink.wait(lambda: len(sink.of(Idle)) >= 6, "silence")
        stamps = [report.ert for report in sink.of(Idle)]
        steps = sorted(after - before for before, after in pairwise(stamps))
        assert steps[len(steps) // 2] <= 50_000_000
        assert not sink.of(Chunk)


def test_a_write_reaches_the_server(server: ByteServer) -> None:
    with started(server.url) as (link, sink):
        assert server.wait_for_listener(5)
        sink.wait_for("CONNECTED")
        link.write(b"FIRE")
        link.write(b"RETROS\0\n\r\x11\x13")
        assert receive(server, 15) == b"FIRERETROS\0\n\r\x11\x13"


def test_a_write_without_connection_is_refused(kind: str, server: ByteServer) -> None:
    link = open_link(server.url, time.time_ns)
    with pytest.raises(LinkError, match="nothing was sent"):
        link.write(b"x")
    link.stop()
    with started(server.url) as (link, sink):
        assert server.wait_for_listener(5)
        server.close()
        sink.wait_for("DISCONNECTED")
        with pytest.raises(LinkError, match="nothing was sent"):
            link.write(b"x")
    with pytest.raises(LinkError):
        link.write(b"x")


def test_gone_is_told_and_it_is_found_again(kind: str, server: ByteServer, tmp_path: Path) -> None:
    with started(server.url) as (link, sink):
        assert server.wait_for_listener(5)
        server.close()
        gone = sink.wait_for("DISCONNECTED")
        assert gone.peer == (kind != "pty")
        assert "again" in gone.detail
        again = serve(kind, tmp_path, server.url)
        start = time.monotonic()
        assert again.wait_for_listener(5)
        assert time.monotonic() - start < 2
        sink.wait_for("CONNECTED", 2)
        again.send(b"back")
        assert sink.wait_bytes(4) == b"back"
        link.write(b"hello")
        assert receive(again, 5) == b"hello"
        again.close()
        sink.wait_for("DISCONNECTED", 2)


def test_absent_is_attempted_until_it_comes(kind: str, tmp_path: Path) -> None:
    first = serve(kind, tmp_path)
    first.close()
    with started(first.url) as (_, sink):
        assert sink.wait_for("ATTEMPTING").detail
        server = serve(kind, tmp_path, first.url)
        try:
            sink.wait_for("CONNECTED")
            assert len(sink.changes("ATTEMPTING")) == 1
        finally:
            server.close()


def test_an_absent_port_costs_nothing(kind: str, tmp_path: Path) -> None:
    first = serve(kind, tmp_path)
    first.close()
    with started(first.url) as (_, sink):
        sink.wait_for("ATTEMPTING")
        before = os.times()
        time.sleep(1.0)
        after = os.times()
    assert after.user + after.system - before.user - before.system < 0.15


def test_stopping_is_no_loss(server: ByteServer) -> None:
    with started(server.url) as (_, sink):
        assert server.wait_for_listener(5)
        sink.wait_for("CONNECTED")
    assert not sink.changes("DISCONNECTED")


def test_stop_is_prompt_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    with started(serve_once(kind, tmp_path)):
        pass  # whatever the libraries keep for good is there now
    threads, fds = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        server = serve(kind, tmp_path)
        link = open_link(server.url, time.time_ns)
        link.stop()  # never started
        link = open_link(server.url, time.time_ns)
        link.start(lambda _: None)
        assert server.wait_for_listener(5)
        start = time.monotonic()
        link.stop()
        link.stop()
        assert time.monotonic() - start < 0.5
        server.close()
        server.close()
    link = open_link(serve_once(kind, tmp_path), time.time_ns)
    link.start(lambda _: None)
    link.stop()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == fds


def serve_once(kind: str, tmp_path: Path) -> str:
    """The address of a server that is gone."""
    server = serve(kind, tmp_path)
    server.close()
    return server.url
