"""The wire log: bytes both ways in hex, and nothing at all when it is off."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.errors import LinkError
from groundstation.host.logs import start_logging, stop_logging
from groundstation.links import open_link
from groundstation.links.base import Chunk, Report, TransportChange
from groundstation.links.wire_log import LINE_BYTES, with_wire_log


@pytest.fixture(autouse=True)
def _silent_again() -> Iterator[None]:
    yield
    stop_logging()


@pytest.fixture
def port() -> Iterator[tuple[int, str]]:
    main, side = os.openpty()
    path = os.ttyname(side)
    os.close(side)
    yield main, path
    os.close(main)


def wait_until(reached: object, seconds: float = 10.0) -> None:
    assert callable(reached)
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def texts(log: Path) -> list[str]:
    return [line.split(" groundstation.links: ")[1] for line in log.read_text().splitlines()]


def test_bytes_both_ways_are_in_hex_in_their_order(port: tuple[int, str], tmp_path: Path) -> None:
    main, path = port
    start_logging(2, tmp_path / "log")
    link = with_wire_log(open_link(f"serial:{path}", time.time_ns))
    reports: list[Report] = []
    link.start(reports.append)
    wait_until(lambda: any(isinstance(each, TransportChange) for each in reports))
    os.write(main, bytes.fromhex("1acffc1d 00ff"))
    wait_until(lambda: any(isinstance(each, Chunk) for each in reports))
    link.write(b"\x1b[2J")
    assert os.read(main, 100) == b"\x1b[2J"
    link.stop()
    lines = texts(tmp_path / "log")
    assert lines[0] == f"open {link.url}"
    assert "< 1a cf fc 1d 00 ff [6 bytes]" in lines
    assert lines.index("< 1a cf fc 1d 00 ff [6 bytes]") < lines.index("> 1b 5b 32 4a [4 bytes]")
    assert lines[-1] == f"close {link.url}"


def test_bytes_that_could_not_be_sent_are_not_logged_as_sent(tmp_path: Path) -> None:
    start_logging(2, tmp_path / "log")
    link = with_wire_log(open_link("serial:/dev/absent", time.time_ns))
    with pytest.raises(LinkError):
        link.write(b"abc")
    (line,) = texts(tmp_path / "log")
    assert line.startswith("3 bytes not sent: ")


def test_a_long_read_is_logged_in_lines_of_bounded_length(tmp_path: Path) -> None:
    start_logging(2, tmp_path / "log")
    sent: list[bytes] = []

    class Endless:
        url = "serial:/dev/x"

        def now(self) -> int:
            return 0

        def start(self, sink: object) -> None:
            """Nothing comes."""

        def write(self, data: bytes) -> None:
            sent.append(data)

        def stop(self) -> None:
            """Nothing to stop."""

    with_wire_log(Endless()).write(bytes(2 * LINE_BYTES + 1))
    lines = texts(tmp_path / "log")
    assert [line.rpartition("[")[2] for line in lines] == ["1024 bytes]", "1024 bytes]", "1 bytes]"]
    assert sent == [bytes(2 * LINE_BYTES + 1)]


@pytest.mark.parametrize("verbose", [0, 1])
def test_unless_bytes_are_logged_the_link_itself_is_used(verbose: int, tmp_path: Path) -> None:
    start_logging(verbose, tmp_path / "log")
    link = open_link("serial:/dev/absent", time.time_ns)
    assert with_wire_log(link) is link
