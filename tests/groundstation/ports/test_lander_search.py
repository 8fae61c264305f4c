"""The port with a lander is found among others, without a word to what may be something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from groundstation.errors import CallerError, PortAbsent
from groundstation.ports.board_lock import lock_board
from groundstation.ports.devices import boards
from groundstation.ports.lander_search import ask, find_lander, inquiry_of
from groundstation.ports.opening import closing_port, open_port
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Mission
from protocols.profile import LinkProfile
from tests.groundstation.links.usb_tree import plug
from tests.stand_ins import Program, chatter, lander, silent, talkers


@pytest.fixture
def locks(tmp_path: Path) -> list[Path]:
    """A folder for locks of the test's own: others have boards of these names, too."""
    folder = tmp_path / "lock"
    folder.mkdir()
    folder.chmod(0o1777)
    return [folder]


def plug_all(root: Path, *ports: str) -> None:
    for n, port in enumerate(ports):
        plug(root, "2341:0043", f"1-{n}", f"ttyACM{n}", f"SN{n}", node=port)


@pytest.mark.long
def test_lander_is_found_among_silent_and_other_devices(tmp_path: Path, locks: list[Path]) -> None:
    with talkers(silent, lander(), chatter) as found:
        plug_all(tmp_path, *(each.path for each in found))
        assert find_lander(root=tmp_path, folders=locks).serial == "SN1"
        assert inquiry_of().question in found[0].heard
        assert (found[1].heard, found[2].heard) == (b"", b"")  # one is known, the other may be anything


def test_lander_that_says_nothing_by_itself_answers(tmp_path: Path, locks: list[Path]) -> None:
    with talkers(lander(greets=False)) as found:
        plug_all(tmp_path, found[0].path)
        assert find_lander(root=tmp_path, folders=locks).serial == "SN0"


def test_ports_are_asked_at_the_same_time(tmp_path: Path, locks: list[Path]) -> None:
    asked: set[int] = set()

    def talk(number: int, answer: Program) -> Program:
        """A lander that answers only when all have been asked."""

        def program(came: bytes, baud: int) -> bytes:
            if came:
                asked.add(number)
            return answer(came or inquiry_of().question, baud) if len(asked) == 4 else b""

        return program

    with talkers(*(talk(n, lander(greets=False)) for n in range(4))) as found:
        plug_all(tmp_path, *(each.path for each in found))
        assert [answer.state for answer in ask(boards(tmp_path), folders=locks)] == ["lander"] * 4


def test_several_landers_are_for_the_user_to_choose(tmp_path: Path, locks: list[Path]) -> None:
    with talkers(lander(), lander()) as found:
        plug_all(tmp_path, *(each.path for each in found))
        with pytest.raises(CallerError, match=r"2 boards have a lander; choose one: serial:SN0 \(.*\), serial:SN1 "):
            find_lander(root=tmp_path, folders=locks)


@pytest.mark.long
def test_without_a_lander_every_port_is_told_with_its_reason(tmp_path: Path, locks: list[Path]) -> None:
    with talkers(silent, chatter, lander(9600), silent, silent) as found:
        plug_all(tmp_path, *(each.path for each in found))
        plug(tmp_path, "0bda:8153", "1-9", "ttyACM9", "PHONE")
        plug(tmp_path, "1a86:7523", "2-1", "ttyUSB0")
        for path in ("ttyUSB0/tty/ttyUSB0", "ttyUSB0/tty", "ttyUSB0"):
            (tmp_path / "sys/devices/usb1/2-1/2-1:1.0" / path).rmdir()
        (tmp_path / "sys/class/tty/ttyUSB0").unlink()
        held = boards(tmp_path)[4]
        with closing_port(open_port(found[3].path, 115_200)), lock_board([held], 0.0, folders=locks):
            answers = ask(boards(tmp_path), seconds=1.6, folders=locks)
            with pytest.raises(PortAbsent) as caught:
                find_lander(root=tmp_path, folders=locks)
    said = [answer.text for answer in answers]
    assert said[0] == "not a byte came"
    assert said[1].endswith("bytes came, and no frame of this mission")
    assert said[2].endswith("bytes came, and no frame of this mission")
    assert f"(pid {os.getpid()}): end it" in said[3]
    assert answers[4].state == "held"
    assert f"(pid {os.getpid()}), since" in said[4]
    text = str(caught.value)
    assert text.startswith("no lander answers at 115200 baud: ")
    assert "ttyACM9 (0bda:8153 PHONE): not a board that the udev rules know" in text
    assert "CH340 1a86:7523 at USB 2-1: no serial port" in text


def test_without_any_port_the_text_says_what_to_do(tmp_path: Path, locks: list[Path]) -> None:
    with pytest.raises(PortAbsent, match=r"no serial port on USB\. Plug a board in"):
        find_lander(root=tmp_path, folders=locks)


def test_port_that_goes_away_is_no_lander(tmp_path: Path, locks: list[Path]) -> None:
    master, slave = os.openpty()
    plug_all(tmp_path, os.ttyname(slave))
    os.close(slave)
    devices = boards(tmp_path)
    os.close(master)
    (answer,) = ask(devices, seconds=0.5, folders=locks)
    assert answer.state == "none"


def test_the_inquiry_is_the_missions() -> None:
    other = Dictionary("OTHER", 0x2A, (), (), (), ())
    profile = LinkProfile(frame_length=64)
    inquiry = inquiry_of(Mission(other, profile))
    assert (inquiry.scid, inquiry.profile, inquiry.question) == (0x2A, profile, b"")
