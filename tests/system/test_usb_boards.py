"""Boards on USB, as whole commands see them: found by a lander that answers, by their numbers, by their sockets."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.groundstation.links.usb_tree import name_port, plug
from tests.stand_ins import Talker, lander, silent
from tests.targets import bench
from tests.targets.stand_in import StandIn
from tests.usb_host import on_host, require

pytestmark = pytest.mark.long

FLY = ("run", "los-091105", "--target", "board", "--lockstep")
UNO, NUCLEO = "75830333835351F0C1A1", "066CFF515150898367151742"


class Host:
    """A host with a Nucleo, a nameless CH340 and a silent Uno."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.boards = [StandIn(), StandIn()]
        self.mute = Talker(silent)
        self.nucleo, self.blank = (board.path for board in self.boards)
        plug(root, "2341:0043", "1-1", "ttyACM0", UNO, node=self.mute.path)

    def plug_nucleo(self) -> None:
        port = plug(self.root, "0483:374b", "1-2", "ttyACM1", NUCLEO, "02", node=self.nucleo)
        name_port(self.root, f"by-serial/{NUCLEO}-if02", port)

    def plug_blank(self) -> None:
        port = plug(self.root, "1a86:7523", "1-3", "ttyUSB0", node=self.blank)
        name_port(self.root, "by-path/pci-0000:00:14.0-usb-0:3:1.0", port)

    def close(self) -> None:
        for board in self.boards:
            board.close()
        self.mute.close()


@pytest.fixture
def host(home: Path) -> Iterator[Host]:
    require()
    bench.require("posix")
    host = Host(home / "root")
    yield host
    host.close()


@pytest.mark.parametrize("port", [[], ["--port", "auto", "--baud", "115200"]])
def test_board_with_a_lander_is_found_and_its_bundle_names_it(host: Host, home: Path, port: list[str]) -> None:
    host.plug_nucleo()
    done = on_host(host.root, "hil", *FLY, *port, "--report", str(home / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((home / "out/runs/los-091105-board/result.json").read_text())
    assert result["port"] == f"serial:{NUCLEO}?baud=115200"
    if not port:
        again = on_host(host.root, "hil", "replay", str(home / "out/runs/los-091105-board"))
        assert again.returncode == 0, again.stdout + again.stderr


def test_board_without_serial_number_is_found_by_its_socket(host: Host) -> None:
    host.plug_blank()
    done = on_host(host.root, "hil", *FLY, "--port", "serial:pci-0000:00:14.0-usb-0:3:1.0")
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_boards_with_a_lander_fly(host: Host, home: Path) -> None:
    host.plug_nucleo()
    host.plug_blank()
    several = on_host(host.root, "hil", *FLY)
    assert several.returncode == 2
    assert f"2 boards have a lander; choose one: serial:{NUCLEO}" in several.stderr
    done = on_host(host.root, "hil", *FLY, "--port", "all", "--repeat", "3", "--report", str(home / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads(path.read_text()) for path in (home / "out/runs").glob("*/result.json")]
    assert {result["port"].partition("?")[0] for result in results} == {
        f"serial:{NUCLEO}",
        "serial:pci-0000:00:14.0-usb-0:3:1.0",
    }


def test_without_a_lander_nothing_flies_and_every_port_is_named(host: Host) -> None:
    done = on_host(host.root, "hil", *FLY)
    assert done.returncode == 20
    assert f"no lander answers at 115200 baud: /dev/ttyACM0 (Arduino Uno {UNO}): not a byte came" in done.stderr
    assert done.stdout == ""


def test_list_says_whether_a_board_is_plugged_in(host: Host) -> None:
    here = on_host(host.root, "hil", "list")
    assert "board                      lockstep, realtime" in here.stdout
    shutil.rmtree(host.root / "sys/class")
    gone = on_host(host.root, "hil", "list")
    assert "board                      not here: no board: nothing is in /dev/lander" in gone.stdout


def test_flashing_takes_the_only_board_and_asks_for_no_lander(host: Host) -> None:
    done = on_host(host.root, "hil", "firmware", "flash", "uno", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "-P /dev/ttyACM0" in done.stdout
    assert host.mute.heard == b""
    host.plug_nucleo()
    several = on_host(host.root, "hil", "firmware", "flash", "uno", "--dry-run")
    assert several.returncode == 20
    assert f"2 boards are plugged in; choose one: --port {UNO}" in several.stderr
    chosen = on_host(host.root, "hil", "firmware", "flash", "uno", "--dry-run", "--port", f"serial:{UNO}?baud=57600")
    assert "-b 57600 -P /dev/ttyACM0" in chosen.stdout


def test_info_finds_the_rate_at_which_a_lander_speaks(home: Path) -> None:
    require()
    slow = Talker(lander(57_600))
    try:
        plug(home / "root", "2341:0043", "1-1", "ttyACM0", UNO, node=slow.path)
        done = on_host(home / "root", "hil", "firmware", "info", "--json")
        assert "/dev/ttyACM0 answers at 57600 baud" in done.stderr
        assert json.loads(done.stdout)["build"] == "00000000"
        wrong = on_host(home / "root", "hil", "firmware", "info", "--baud", "9600")
        assert wrong.returncode == 20
        assert "no lander answers on /dev/ttyACM0 at 9600 baud" in wrong.stderr
    finally:
        slow.close()
