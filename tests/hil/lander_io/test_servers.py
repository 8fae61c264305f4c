"""The far ends: who listens, what is lost and counted. What they share with links is tested there."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from groundstation.errors import CallerError, LinkError
from groundstation.links.serial import close_port, open_port
from hil.lander_io.servers import PtyServer, ZmqServer
from tests.groundstation.links.collect import serve, started


@pytest.mark.parametrize("kind", ["pty", "tcp", "ipc"])
def test_without_listener_bytes_are_discarded_and_counted(kind: str, tmp_path: Path) -> None:
    server = serve(kind, tmp_path)
    assert not server.wait_for_listener(0)
    assert not server.wait_for_listener(0.02)
    start = time.monotonic()
    for _ in range(100):
        server.send(bytes(1000))
    assert time.monotonic() - start < 0.5
    assert (server.discarded, server.dropped) == (100_000, 0)
    assert server.receive() == b""
    with started(server.url) as (_, sink):
        assert server.wait_for_listener(5)
        server.send(b"now")
        assert sink.wait_bytes(3) == b"now"
    server.close()
    server.send(b"late")
    assert server.discarded == 100_004
    assert server.receive() == b""
    assert not server.wait_for_listener(0)


@pytest.mark.parametrize("kind", ["pty", "tcp", "ipc"])
def test_a_listener_that_left_is_noticed(kind: str, tmp_path: Path) -> None:
    server = serve(kind, tmp_path)
    for _ in range(2):
        with started(server.url):
            assert server.wait_for_listener(5)
        deadline = time.monotonic() + 5
        while server.wait_for_listener(0) and time.monotonic() < deadline:
            time.sleep(0.002)
        server.send(b"lost")
    assert server.discarded == 8
    server.close()


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_waiting_without_end_ends_with_a_listener(kind: str, tmp_path: Path) -> None:
    server = serve(kind, tmp_path)
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(server.wait_for_listener(None)))
    waiting.start()
    with started(server.url):
        waiting.join(5)
    assert heard == [True]
    server.close()


def test_a_listener_that_never_flushes_is_heard_after_a_while() -> None:
    server = PtyServer()
    fd = os.open(server.path, os.O_RDWR | os.O_NOCTTY)
    assert not server.wait_for_listener(0)
    assert server.wait_for_listener(5)
    server.send(b"\r\n\x11\x13\xff\0")
    assert os.read(fd, 100) == b"\r\n\x11\x13\xff\0"
    os.close(fd)
    server.close()


def test_a_listener_that_reads_nothing_costs_the_time_out_and_is_counted() -> None:
    server = PtyServer(send_timeout=0.05)
    port = open_port(server.path, 115200)
    assert server.wait_for_listener(5)
    start = time.monotonic()
    server.send(bytes(200_000))
    assert 0 < server.dropped < 200_000
    assert time.monotonic() - start < 1
    close_port(port)
    server.close()


def test_no_byte_is_lost_between_opening_and_reading() -> None:
    server = PtyServer()
    for number in range(20):
        with started(server.url) as (_, sink):
            while not server.wait_for_listener(0.001):
                pass
            server.send(bytes([number] * 64))
            assert sink.wait_bytes(64) == bytes([number] * 64)
        while server.wait_for_listener(0):
            pass
    server.close()


def test_the_symlink_goes_with_the_port(tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    server = PtyServer(link)
    assert server.url == f"serial:{link}"
    assert os.path.realpath(link) == server.path
    with pytest.raises(CallerError, match="ttyLander exists: remove it, or choose another --symlink"):
        PtyServer(link)
    server.hang_up()
    server.hang_up()
    assert not link.is_symlink()


def test_the_symlink_of_a_lander_that_was_killed_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    gone = PtyServer()
    link.symlink_to(gone.path)
    gone.close()  # the next terminal may get its number
    server = PtyServer(link)
    assert os.path.realpath(link) == server.path
    server.close()


def test_what_cannot_be_the_symlink_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(CallerError, match="file exists: remove it"):
        PtyServer(file)
    assert file.read_text() == "mine"
    for place in (tmp_path / "none" / "link", file / "link"):
        with pytest.raises(LinkError, match="link cannot be made: No"):
            PtyServer(place)


def test_endpoints_that_others_could_reach_are_refused() -> None:
    for endpoint in ("tcp://0.0.0.0:*", "tcp://*:5570", "tcp://192.168.0.1:5570", "udp://127.0.0.1:1"):
        with pytest.raises(CallerError, match="private"):
            ZmqServer(endpoint)


def test_an_endpoint_in_use_is_a_link_error() -> None:
    server = ZmqServer("tcp://127.0.0.1:*")
    with pytest.raises(LinkError, match="cannot be bound"):
        ZmqServer(server.url.removeprefix("zmq:"))
    server.close()
