"""Which device is behind a name, and which device a name means."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.errors import CallerError, PortAbsent
from groundstation.ports.devices import boards, describe, find_again, find_device, usb_devices
from tests.groundstation.links.usb_tree import name_port, plug, unplug


@pytest.fixture
def pty() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_all_names_of_a_board_are_one_device(tmp_path: Path, pty: str) -> None:
    port = plug(tmp_path, "0483:374b", "1-4", "ttyACM0", "066CFF51", "02", node=pty)
    link = name_port(tmp_path, "by-serial/066CFF51-if02", port)
    (tmp_path / "mine").symlink_to(link)
    (device,) = usb_devices(tmp_path)
    assert (device.path, device.usb_id, device.serial, device.board) == (
        str(port),
        "0483:374b",
        "066CFF51",
        "ST-Link",
    )
    assert device.links == (str(link),)
    assert [describe(str(path), tmp_path) for path in (port, link, tmp_path / "mine")] == [device] * 3
    assert str(device) == f"{port} (ST-Link 066CFF51)"


def test_board_is_the_same_in_another_socket(tmp_path: Path) -> None:
    (before,) = [describe(str(plug(tmp_path, "2341:0043", "1-4", "ttyACM0", "UNO")), tmp_path)]
    unplug(tmp_path, "1-4", "ttyACM0")
    assert find_again(before, tmp_path) is None
    after = describe(str(plug(tmp_path, "2341:0043", "1-2", "ttyACM7", "UNO")), tmp_path)
    assert after.is_same(before)
    assert find_again(before, tmp_path) == after


def test_another_board_under_the_same_name_is_another(tmp_path: Path) -> None:
    before = describe(str(plug(tmp_path, "2341:0043", "1-4", "ttyACM0", "ONE")), tmp_path)
    unplug(tmp_path, "1-4", "ttyACM0")
    after = describe(str(plug(tmp_path, "2341:0043", "1-4", "ttyACM0", "TWO")), tmp_path)
    assert after.path == before.path
    assert not after.is_same(before)


@pytest.mark.parametrize("serial", ["", "0001", "ÿÿÿ"])
def test_without_serial_number_the_socket_tells_boards_apart(tmp_path: Path, serial: str) -> None:
    first = describe(str(plug(tmp_path, "1a86:7523", "1-4", "ttyUSB0", serial)), tmp_path)
    other = describe(str(plug(tmp_path, "1a86:7523", "1-5", "ttyUSB1", serial)), tmp_path)
    assert not other.is_same(first)
    unplug(tmp_path, "1-4", "ttyUSB0")
    again = describe(str(plug(tmp_path, "1a86:7523", "1-4", "ttyUSB4", serial)), tmp_path)
    assert again.is_same(first)
    assert again.serial == ""


def test_pseudo_terminal_that_got_the_number_of_another_is_another() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    before = describe(path)
    os.write(slave, b"x")
    assert describe(path).is_same(before)
    os.close(master)
    os.close(slave)
    time.sleep(0.02)  # the kernel's stamps of files have ticks of some milliseconds
    held: list[int] = []
    while not os.path.exists(path):  # others on this machine may take numbers, too
        held += os.openpty()
    after = describe(path)
    assert after.key == before.key
    assert not after.is_same(before)
    for fd in held:
        os.close(fd)


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(PortAbsent, match="is not there"):
        describe(str(tmp_path / "ttyACM0"), tmp_path)


def test_boards_are_what_the_rules_know_or_name(tmp_path: Path) -> None:
    uno = plug(tmp_path, "2341:0043", "1-4", "ttyACM0", "UNO")
    plug(tmp_path, "0bda:8153", "1-5", "ttyACM1", "A-PHONE")
    own = plug(tmp_path, "cafe:4001", "1-6", "ttyACM2", "MINE")
    name_port(tmp_path, "by-serial/MINE-if00", own)
    assert [device.path for device in boards(tmp_path)] == [str(uno), str(own)]
    assert len(usb_devices(tmp_path)) == 3


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    plug(tmp_path, "0483:374b", "1-1", "ttyACM0", "066CFF51", "02")
    plug(tmp_path, "2341:0043", "1-2", "ttyACM1", "75830333", "00")
    blank = plug(tmp_path, "1a86:7523", "1-3", "ttyUSB0")
    name_port(tmp_path, "by-path/pci-0000:00:14.0-usb-0:3:1.0", blank)
    plug(tmp_path, "0403:6011", "1-4", "ttyUSB1", "FT4")
    place = tmp_path / "sys/devices/usb1/1-4/1-4:1.3"
    (place / "ttyUSB2/tty/ttyUSB2").mkdir(parents=True)
    (place / "bInterfaceNumber").write_text("03\n")
    (tmp_path / "sys/class/tty/ttyUSB2").symlink_to(place / "ttyUSB2/tty/ttyUSB2")
    for name, tty in (("FT4-if00", "ttyUSB1"), ("FT4-if03", "ttyUSB2")):
        (tmp_path / "dev" / tty).touch()
        name_port(tmp_path, f"by-serial/{name}", tmp_path / "dev" / tty)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "tty"),
    [
        ("066CFF51", "ttyACM0"),
        ("066C", "ttyACM0"),
        ("75830333", "ttyACM1"),
        ("ttyUSB0", "ttyUSB0"),
        ("pci-0000:00:14.0-usb-0:3:1.0", "ttyUSB0"),
        ("FT4-if03", "ttyUSB2"),
        ("arduino uno", "ttyACM1"),
        ("CH340", "ttyUSB0"),
    ],
)
def test_name_means_one_device(bench: Path, name: str, tty: str) -> None:
    assert find_device(name, bench).path == str(bench / "dev" / tty)


def test_name_of_several_says_how_to_choose(bench: Path) -> None:
    with pytest.raises(CallerError, match=r"serial:FT4 means 2 ports; choose one: serial:FT4-if00 .*serial:FT4-if03"):
        find_device("FT4", bench)


@pytest.mark.parametrize("name", ["066", "066CFF52", "ttyACM9", "Teensy"])
def test_name_of_none_lists_what_is_plugged_in(bench: Path, name: str) -> None:
    with pytest.raises(PortAbsent, match=r"is not plugged in: serial ports on USB: .*ttyACM0 \(ST-Link 066CFF51\)"):
        find_device(name, bench)
