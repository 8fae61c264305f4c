"""A link stays with the device that it began with: another one that gets the name is not taken."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.errors import CallerError, PortAbsent
from groundstation.links.base import Chunk
from groundstation.links.serial import SerialLink
from groundstation.ports.device_finder import DeviceFinder
from tests.groundstation.links.collect import Sink
from tests.groundstation.links.usb_tree import name_port, plug, unplug

UNO, OTHER = "75830333835351F0C1A1", "066CFF515150898367151742"


class Terminal:
    """A pseudo-terminal that is a board's port."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def say(self, data: bytes) -> None:
        os.write(self._master, data)

    def hang_up(self) -> None:
        for fd in (self._master, self._slave):
            os.close(fd)


def terminal_at(path: str) -> Terminal:
    """Another terminal of that name: the kernel gives the lowest free number to the first that asks."""
    deadline = time.monotonic() + 20
    while (made := Terminal()).path != path:
        made.hang_up()
        assert time.monotonic() < deadline, f"{path} was not free again"
        time.sleep(0.01)
    return made


@contextmanager
def linked(address: str, root: Path) -> Iterator[Sink]:
    link, sink = SerialLink(address, time.time_ns, root=root), Sink()
    link.start(sink)
    try:
        yield sink
    finally:
        link.stop()


@pytest.fixture
def first() -> Terminal:
    return Terminal()


def bytes_of(sink: Sink) -> bytes:
    return b"".join(chunk.data for chunk in sink.of(Chunk))


def test_a_bare_terminal_that_others_got_is_not_taken(first: Terminal) -> None:
    """The kernel gives the number of a terminal that is gone to the next one."""
    with linked(first.path, Path("/")) as sink:
        sink.wait_for("CONNECTED")
        first.hang_up()
        second = terminal_at(first.path)
        sink.wait(lambda: "is another device now" in sink.reports[-1].detail, "refusal")  # type: ignore[union-attr]
        second.say(b"of another program")
        told = sink.changes("ATTEMPTING")[-1].detail
        time.sleep(1.2)  # longer than the longest wait between two tries
        assert (len(sink.changes("CONNECTED")), bytes_of(sink)) == (1, b"")
        assert "a terminal made at" in told
        second.hang_up()


def test_a_symbolic_link_means_whatever_it_leads_to(first: Terminal, tmp_path: Path) -> None:
    link = tmp_path / "lander"
    link.symlink_to(first.path)
    with linked(str(link), Path("/")) as sink:
        sink.wait_for("CONNECTED")
        first.hang_up()
        second = terminal_at(first.path)
        sink.wait_for("CONNECTED", 2)
        second.say(b"it")
        assert sink.wait_bytes(2) == b"it"
        second.hang_up()


class PortHarness:
    """Boards on USB whose ports are device nodes: only what looks a node up can tell them apart."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, finder: DeviceFinder) -> str:
        path, device = finder.find()
        finder.keep(device)
        return path


@pytest.fixture
def bench(tmp_path: Path) -> PortHarness:
    return PortHarness(tmp_path)


def test_another_board_on_the_name_of_the_first_is_refused(bench: PortHarness) -> None:
    port = plug(bench.root, "2341:0043", "1-1", "ttyACM0", UNO)
    finder = DeviceFinder(str(port), 115200, bench.root)
    assert bench.find(finder) == str(port)
    unplug(bench.root, "1-1", "ttyACM0")
    with pytest.raises(PortAbsent, match="is not there"):
        finder.find()
    plug(bench.root, "2341:0043", "1-1", "ttyACM0", OTHER)
    with pytest.raises(PortAbsent, match=f"another device now .*{OTHER}.* began with .*{UNO}.*: plug that in again"):
        finder.find()
    unplug(bench.root, "1-1", "ttyACM0")
    plug(bench.root, "2341:0043", "1-4", "ttyACM0", UNO)
    assert bench.find(finder) == str(port)


def test_boards_without_serial_number_are_told_by_their_sockets(bench: PortHarness) -> None:
    port = plug(bench.root, "1a86:7523", "1-1", "ttyUSB0")
    finder = DeviceFinder(str(port), 115200, bench.root)
    bench.find(finder)
    unplug(bench.root, "1-1", "ttyUSB0")
    plug(bench.root, "1a86:7523", "1-2", "ttyUSB0")
    with pytest.raises(PortAbsent, match="no serial number"):
        finder.find()


@pytest.mark.parametrize("address", [UNO, UNO[:6], "Arduino Uno", "ttyACM0"])
def test_a_board_by_its_number_is_found_at_its_new_port(bench: PortHarness, address: str) -> None:
    plug(bench.root, "2341:0043", "1-1", "ttyACM0", UNO)
    finder = DeviceFinder(address, 115200, bench.root)
    bench.find(finder)
    unplug(bench.root, "1-1", "ttyACM0")
    plug(bench.root, "2341:0043", "1-1", "ttyACM0", OTHER)
    with pytest.raises(PortAbsent, match=f"{UNO}.* is not plugged in any more"):
        finder.find()
    port = plug(bench.root, "2341:0043", "1-2", "ttyACM1", UNO)
    assert bench.find(finder) == str(port)


def test_a_name_of_udev_means_what_it_leads_to(bench: PortHarness) -> None:
    port = plug(bench.root, "2341:0043", "1-1", "ttyACM0", UNO)
    link = name_port(bench.root, "bench", port)
    finder = DeviceFinder(str(link), 115200, bench.root)
    bench.find(finder)
    link.unlink()
    name_port(bench.root, "bench", plug(bench.root, "2341:0043", "1-2", "ttyACM1", OTHER))
    assert bench.find(finder) == str(link)


def test_several_ports_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="a station receives one port"):
        DeviceFinder("all", 115200, tmp_path)
