"""``groundstation udev``: what it shows, writes, takes away and finds, in a file system of the test's own."""

from __future__ import annotations

import grp
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundstation.cli.udev import udev
from groundstation.errors import RulesError, RulesForbidden
from groundstation.host import udev as system
from groundstation.host.udev import NAME, destination, may_write, membership, membership_fault

OWN_GROUP = grp.getgrgid(os.getegid()).gr_name


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file system. Only root may give files to dialout: the test's own group stands for it."""
    monkeypatch.setattr("groundstation.cli.udev.GROUP", OWN_GROUP)
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def udevadm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A udevadm that writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tool = folder / "udevadm"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return tool


def invoke(*arguments: str, root: Path, answer: str | None = None) -> Result:
    return CliRunner().invoke(udev, [*arguments, "--root", str(root)], input=answer)


def plug_in(root: Path, usb_id: str, socket: str, tty: str, serial: str = "", interface: str = "00") -> Path:
    """A board as sysfs and /dev show it; the port."""
    device = root / f"sys/devices/usb1/{socket}"
    below = f"{tty}/tty/{tty}" if tty.startswith("ttyUSB") else f"tty/{tty}"
    (device / f"{socket}:1.0" / below).mkdir(parents=True)
    (device / "idVendor").write_text(usb_id[:4] + "\n")
    (device / "idProduct").write_text(usb_id[5:] + "\n")
    if serial:
        (device / "serial").write_text(serial + "\n")
    (device / f"{socket}:1.0/bInterfaceNumber").write_text(interface + "\n")
    listing = root / "sys/bus/usb/devices"
    listing.mkdir(parents=True, exist_ok=True)
    for path in (device, device / f"{socket}:1.0"):
        (listing / path.name).symlink_to(path)
    port = root / "dev" / tty
    port.parent.mkdir(exist_ok=True)
    port.touch()
    os.chown(port, -1, os.getegid())
    port.chmod(0o660)
    return port


def link(root: Path, name: str, port: Path) -> None:
    path = root / "dev/lander" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(os.path.relpath(port, path.parent))


def test_install_shows_asks_and_writes(root: Path) -> None:
    path = destination(root)
    assert path == root / "etc/udev/rules.d" / NAME
    result = invoke("install", root=root, answer="y\n")
    assert result.exit_code == 0
    assert system.rules() in result.output
    assert f"{path} will hold" in result.output
    assert path.read_text() == system.rules()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [other.name for other in path.parent.iterdir()] == [NAME]


def test_install_makes_the_file_system_of_a_package(root: Path) -> None:
    package = root / "build" / "package"
    assert invoke("check", root=package).exit_code == 2
    assert invoke("install", "--yes", root=package).exit_code == 0
    assert destination(package).read_text() == system.rules()


def test_install_takes_no_for_an_answer(root: Path) -> None:
    result = invoke("install", root=root, answer="n\n")
    assert result.exit_code == 1
    assert not destination(root).exists()


def test_install_replaces_another_version_and_leaves_its_own(root: Path) -> None:
    path = destination(root)
    path.parent.mkdir(parents=True)
    path.write_text("# of last year\n")
    assert "will be replaced" in invoke("install", "--yes", root=root).output
    assert path.read_text() == system.rules()
    assert "is in place" in invoke("install", root=root).output


def test_remove_asks_and_removes(root: Path) -> None:
    invoke("install", "--yes", root=root)
    assert invoke("remove", root=root, answer="n\n").exit_code == 1
    assert destination(root).exists()
    assert "removed" in invoke("remove", root=root, answer="y\n").output
    assert not destination(root).exists()
    assert "there is no" in invoke("remove", "--yes", root=root).output


def test_remove_leaves_what_a_package_brought(root: Path) -> None:
    path = root / "usr/lib/udev/rules.d" / NAME
    path.parent.mkdir(parents=True)
    path.write_text(system.rules())
    assert f"{path} came with a package" in invoke("remove", "--yes", root=root).output
    assert path.exists()


@pytest.mark.parametrize("command", ["install", "remove"])
def test_without_permission_it_names_the_command_and_does_not_ask(
    root: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    if command == "remove":
        invoke("install", "--yes", root=root)
    monkeypatch.setattr("groundstation.cli.udev.may_write", lambda path: False)
    result = invoke(command, root=root)
    assert isinstance(result.exception, RulesForbidden)
    assert result.exception.exit_code == 18
    assert f"-m groundstation.cli udev {command} --root {root}" in str(result.exception)
    assert destination(root).exists() == (command == "remove")


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may do everything: become an unprivileged user for the test."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_permission_is_that_of_the_nearest_folder(unprivileged: None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        closed = Path(folder) / "closed"
        closed.mkdir(mode=0o555)
        assert may_write(Path(folder) / "etc/udev/rules.d" / NAME)
        assert not may_write(closed / "etc/udev/rules.d" / NAME)


def test_a_disk_that_says_no_is_told(root: Path) -> None:
    (root / "etc").write_text("no folder")
    result = invoke("install", "--yes", root=root)
    assert isinstance(result.exception, RulesError)
    assert "cannot be written" in str(result.exception)


def test_on_the_running_system_udev_is_told(
    root: Path, udevadm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundstation.cli.udev.SYSTEM", root)
    told = ["control --reload", "trigger --action=change --subsystem-match=usb --subsystem-match=tty --settle"]
    result = invoke("install", "--yes", root=root)
    assert f"udevadm {told[0]} && udevadm {told[1]}" in result.output
    assert (tmp_path / "calls").read_text().splitlines() == told
    invoke("remove", "--yes", root=root)
    assert (tmp_path / "calls").read_text().splitlines() == told * 2


def test_a_udev_that_refuses_is_told_with_its_words(root: Path, udevadm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    udevadm.write_text("#!/bin/sh\necho Failed to send reload request >&2\nexit 1\n")
    with pytest.raises(RulesError, match=r"`udevadm control --reload`: Failed to send reload request; it takes it"):
        system.reload_rules()
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(RulesError, match="No such file"):
        system.reload_rules()


def test_check_of_a_board_that_is_right(root: Path) -> None:
    invoke("install", "--yes", root=root)
    link(root, "by-serial/066AFF-if02", plug_in(root, "0483:374b", "1-4", "ttyACM0", "066AFF", "02"))
    link(root, "by-path/pci-0000:00:14.0-usb-0:5:1.0", plug_in(root, "1a86:7523", "1-5", "ttyUSB0"))
    plug_in(root, "0403:6017", "1-6", "ttyUSB7")  # not ours
    result = invoke("check", root=root)
    assert result.exit_code == 0, result.output
    assert [line.split()[:2] for line in result.output.splitlines()] == [
        *[["rules", "ok"], ["user", "ok"], ["ttyACM0", "ok"], ["ttyUSB0", "ok"]]
    ]
    assert "ST-Link 0483:374b 066AFF, USB 1-4" in result.output
    assert "CH340 1a86:7523 without serial number, USB 1-5" in result.output


def test_check_without_a_board(root: Path) -> None:
    invoke("install", "--yes", root=root)
    result = invoke("check", root=root)
    assert result.exit_code == 0
    assert "none that the rules know is plugged in" in result.output


def faults(root: Path) -> str:
    """The check must find something; its lines that say so."""
    result = invoke("check", root=root)
    assert isinstance(result.exception, RulesError)
    assert result.exception.exit_code == 17
    wrong = [line for line in result.output.splitlines() if " WRONG " in line]
    assert str(result.exception).startswith(f"{len(wrong)} of ")
    return "\n".join(wrong)


def test_check_finds_rules_that_are_absent_or_old(root: Path) -> None:
    assert f"no {NAME}" in faults(root)
    destination(root).parent.mkdir(parents=True)
    destination(root).write_text("# of last year\n")
    assert "is of another version" in faults(root)


def test_check_finds_every_fault_of_a_port(root: Path) -> None:
    invoke("install", "--yes", root=root)
    port = plug_in(root, "2341:0043", "1-4", "ttyACM0", "UNO")
    assert f"no link {root}/dev/lander/by-serial/UNO-if00" in faults(root)
    link(root, "by-path/somewhere", port)
    assert "no link" in faults(root)
    link(root, "by-serial/UNO-if00", port)
    assert invoke("check", root=root).exit_code == 0
    port.chmod(0o666)
    assert "its mode is 0666 instead of 0660" in faults(root)
    port.unlink()
    assert f"there is no {port}" in faults(root)


def test_check_finds_a_wrong_group(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("install", "--yes", root=root)
    link(root, "by-serial/UNO-if00", plug_in(root, "2341:0043", "1-4", "ttyACM0", "UNO"))
    monkeypatch.setattr("groundstation.cli.udev.GROUP", "no-such-group")
    assert f"its group is {OWN_GROUP} instead of no-such-group" in faults(root)


def test_check_finds_two_boards_with_one_serial_number(root: Path) -> None:
    invoke("install", "--yes", root=root)
    link(root, "by-serial/SAME-if00", plug_in(root, "2341:0043", "1-4", "ttyACM0", "SAME"))
    plug_in(root, "2341:0043", "1-5", "ttyACM1", "SAME")
    found = faults(root)
    assert found.startswith("ttyACM1")
    assert "is ttyACM0: two boards with one serial number" in found


def test_check_finds_a_missing_driver(root: Path) -> None:
    invoke("install", "--yes", root=root)
    port = plug_in(root, "10c4:ea60", "1-4", "ttyUSB0", "A1")
    tty = root / "sys/devices/usb1/1-4/1-4:1.0/ttyUSB0"
    for folder in (tty / "tty/ttyUSB0", tty / "tty", tty):
        folder.rmdir()
    port.unlink()
    assert "no serial port: its driver is not loaded (CP210x 10c4:ea60 A1, USB 1-4)" in faults(root)


def test_debug_probe_without_serial_port_is_no_fault(root: Path) -> None:
    invoke("install", "--yes", root=root)
    port = plug_in(root, "1366:0101", "1-4", "ttyACM0", "000683")
    for folder in ("tty/ttyACM0", "tty"):
        (root / "sys/devices/usb1/1-4/1-4:1.0" / folder).rmdir()
    port.unlink()
    checked = invoke("check", root=root)
    assert "WRONG board" not in checked.output
    assert "none that the rules know" in checked.output


def test_membership() -> None:
    assert membership(OWN_GROUP) == "joined"
    assert membership("no-such-group") == "no group"
    assert membership_fault("joined", "dialout", "ada") is None
    assert "sudo usermod -aG dialout ada" in str(membership_fault("outside", "dialout", "ada"))
    assert "log out and in again" in str(membership_fault("listed", "dialout", "ada"))
    assert "no group dialout" in str(membership_fault("no group", "dialout", "ada"))


def test_who_is_in_no_group_is_told_unless_the_seat_lets_them_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("install", "--yes", root=root)
    monkeypatch.setattr("groundstation.cli.udev.membership", lambda group: "outside")
    assert "is not in the group" in faults(root)
    link(root, "by-serial/UNO-if00", plug_in(root, "2341:0043", "1-4", "ttyACM0", "UNO"))
    assert invoke("check", root=root).exit_code == 0
