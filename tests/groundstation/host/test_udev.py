"""The rules in udev/, run for real: udev itself reads them and applies them to a mocked USB tree.

All of it happens in a namespace of its own with a /dev, a /run and rules folders of its own, so that neither root is
needed nor anything of this machine is touched, and no package's rules have a say but udev's.
"""

from __future__ import annotations

import grp
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from groundstation.host.udev import NAME, board_name, known_boards, rules, wanted_link

RULES = Path(__file__).parents[3] / "udev" / NAME
HOST = "/devices/pci0000:00/0000:00:14.0"

BOARDS = [
    *[f"0483:{product}" for product in ("374b", "3752", "374d", "374e", "374f", "3753", "3754")],
    *["0483:5740", "1366:0105", "1366:1015", "0d28:0204"],
    *[f"2341:{product}" for product in ("0043", "0001", "0243", "0042", "0010", "0242", "0058", "0069", "1002")],
    *[f"{vendor}:{product}" for vendor in ("2341", "2a03") for product in ("0036", "8036", "0037", "8037")],
    *["2a03:0043", "2a03:0042", "10c4:ea60", "10c4:ea70"],
    *[f"1a86:{product}" for product in ("7523", "7522", "5523", "55d3", "55d4")],
    *[f"067b:{product}" for product in ("2303", "23a3", "23b3", "23c3", "23d3", "23e3", "23f3")],
    *[f"16c0:{product}" for product in ("0483", "0487", "0489", "048b", "048c")],
    *[f"0403:{product}" for product in ("6001", "6010", "6011", "6014", "6015")],
    *["303a:1001", "303a:1002", "2e8a:000a", "2e8a:000c", "2e8a:0009"],
]
FOREIGN = ["2341:0369", "16c0:0478", "0403:6017", "0483:df11", "2a03:374b", "10c4:ea71", "2e8a:0003", "1d6b:0002"]
BRIDGES = ("10c4:ea60", "10c4:ea70", "1a86:7523", "1a86:7522", "1a86:5523", "067b:", "0403:")
"""Chips whose driver names its ports ttyUSB; those of all others are ttyACM."""

OWN_RULES = Path("/lib/udev/rules.d")
OWN = {"50-udev-default.rules", "60-serial.rules", "70-uaccess.rules", "73-seat-late.rules", "80-drivers.rules"}
"""Of udev itself. Other packages bring rules too (openocd, avrdude, stlink), which tag boards of their own accord."""

# The devices are nodes of the real /dev: a user namespace may bind them but not make any.
IN_NAMESPACE = """
set -e
mkdir "$1/dev"
mount -t tmpfs none "$1/dev"
for node in null zero full random urandom; do touch "$1/dev/$node"; mount --bind "/dev/$node" "$1/dev/$node"; done
mount --rbind "$1/dev" /dev
mount --bind "$1/rules" /etc/udev/rules.d
mount --bind "$1/own" /lib/udev/rules.d
mount -t tmpfs none /run
export out="$1/out"
umockdev-run -d "$1/tree.umockdev" -- xargs -a "$1/paths" -n 2 -P 2 \
    bash -c 'udevadm test --action=add "/sys$2" >"$out/$1" 2>&1 </dev/null' bash
"""


@dataclass(frozen=True)
class Plug:
    """A board in a socket; ``tty`` is what the kernel calls its port."""

    usb_id: str
    socket: str
    tty: str
    serial: str | None = None
    interface: str = "00"

    @property
    def device(self) -> str:
        hubs = "/".join(self.socket[: at.start()] for at in re.finditer(r"\.", self.socket))
        return "/".join(filter(None, [f"{HOST}/usb1", hubs, self.socket]))

    @property
    def interface_path(self) -> str:
        return f"{self.device}/{self.socket}:1.{int(self.interface, 16)}"

    @property
    def path(self) -> str:
        below = f"{self.tty}/tty" if self.tty.startswith("ttyUSB") else "tty"
        return f"{self.interface_path}/{below}/{self.tty}"


@dataclass
class Applied:
    """What udev did to one device, out of the words of `udevadm test`."""

    output: str
    links: set[str] = field(init=False)
    properties: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        pairs = re.findall(r"^([A-Z]\w*)=(.*)$", self.output, re.M)
        self.properties = dict(pairs)
        links = self.properties.get("DEVLINKS", "").split()
        self.links = {link.removeprefix("/dev/lander/") for link in links if link.startswith("/dev/lander/")}

    def last(self, key: str) -> str | None:
        """The value that a rule gave last."""
        found = re.findall(rf"^\S+: /\S+:\d+ {key} (\w+)$", self.output, re.M)
        return found[-1] if found else None

    @property
    def tags(self) -> set[str]:
        return set(self.properties.get("CURRENT_TAGS", "").split(":")) - {""}

    @property
    def errors(self) -> list[str]:
        """What udev has against the rules file: its exit code is 0 all the same."""
        return re.findall(rf"^/etc/udev/rules.d/{NAME}:\d+:? .*$", self.output, re.M)

    @property
    def ours(self) -> bool:
        """Our rules did something to the device."""
        return bool(re.search(rf"^\S+: /etc/udev/rules.d/{NAME}:", self.output, re.M))


def describe(path: str, properties: dict[str, str], attributes: dict[str, str]) -> str:
    lines = [f"P: {path}", *[f"E: {k}={v}" for k, v in properties.items()]]
    return "\n".join([*lines, *[f"A: {k}={v}\\n" for k, v in attributes.items()], "", ""])


def describe_plug(plug: Plug, number: int) -> str:
    vendor, product = plug.usb_id.split(":")
    attributes = {"idVendor": vendor, "idProduct": product, "bDeviceClass": "00", "product": "A board"}
    if plug.serial is not None:
        attributes["serial"] = plug.serial
    node = {"DEVNAME": f"/dev/bus/usb/001/{number:03}", "MAJOR": "189", "MINOR": str(number)}
    interface = {"bInterfaceNumber": plug.interface, "bInterfaceClass": "02", "bInterfaceSubClass": "02"}
    text = describe_hub(plug) if "." in plug.socket else ""
    text += describe(plug.device, {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "DRIVER": "usb"} | node, attributes)
    text += describe(plug.interface_path, {"SUBSYSTEM": "usb", "DEVTYPE": "usb_interface", "DRIVER": "x"}, interface)
    if plug.tty.startswith("ttyUSB"):
        port = f"{plug.interface_path}/{plug.tty}"
        text += describe(port, {"SUBSYSTEM": "usb-serial", "DRIVER": "x"}, {"port_number": "0"})
    tty = {"SUBSYSTEM": "tty", "DEVNAME": f"/dev/{plug.tty}", "MAJOR": "188", "MINOR": str(number)}
    return text + describe(plug.path, tty, {"dev": f"188:{number}"})


def describe_hub(plug: Plug) -> str:
    hub = {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "DRIVER": "usb", "MAJOR": "189", "MINOR": "99"}
    return describe(str(Path(plug.device).parent), hub, {"idVendor": "05e3", "idProduct": "0608", "serial": "OF-A-HUB"})


def describe_host() -> str:
    text = describe(HOST, {"SUBSYSTEM": "pci", "DRIVER": "xhci_hcd", "PCI_SLOT_NAME": "0000:00:14.0"}, {})
    root_hub = {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "DRIVER": "usb", "MAJOR": "189", "MINOR": "0"}
    text += describe(f"{HOST}/usb1", root_hub, {"idVendor": "1d6b", "idProduct": "0002", "serial": "0000:00:14.0"})
    return text + describe("/devices/platform/serial8250/tty/ttyS0", {"SUBSYSTEM": "tty", "DEVNAME": "/dev/ttyS0"}, {})


def tty_name(usb_id: str, number: int) -> str:
    return f"ttyUSB{number}" if usb_id.startswith(BRIDGES) else f"ttyACM{number}"


def plug_in(usb_id: str, number: int, serial: str | None = None, **more: str) -> Plug:
    return Plug(usb_id, f"1-{number}", tty_name(usb_id, number), serial, **more)


def udev_applies(home: Path, text: str, plugs: list[Plug], more: dict[str, str] | None = None) -> dict[str, Applied]:
    """Have udev apply rules of this text to boards; the answer by tty, and by socket for the USB device."""
    for name in ("rules", "own", "out"):
        (home / name).mkdir()
    for path in OWN_RULES.iterdir():
        if path.name in OWN:
            shutil.copy(path, home / "own")
    (home / "rules" / NAME).write_text(text)
    trees = [describe_plug(plug, number) for number, plug in enumerate(plugs, 1)]
    devices = "".join([describe_host(), *trees]).split("\n\n")
    once = {device.partition("\n")[0]: device for device in devices}
    (home / "tree.umockdev").write_text("\n\n".join(once.values()))
    paths = {plug.tty: plug.path for plug in plugs} | {plug.socket: plug.device for plug in plugs} | (more or {})
    (home / "paths").write_text("".join(f"{name} {path}\n" for name, path in paths.items()))
    command = ["unshare", "-Umr", "bash", "-c", IN_NAMESPACE, "bash", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = {name: Applied((home / "out" / name).read_text()) for name in paths}
    assert all(f"DEVPATH={path}\n" in answers[name].output for name, path in paths.items())
    return answers


def missing() -> str | None:
    """Why udev cannot be tried here."""
    absent = [tool for tool in ("umockdev-run", "udevadm", "unshare") if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    trial = subprocess.run(["unshare", "-Umr", "mount", "-t", "tmpfs", "none", "/run"], timeout=10, check=False)
    return "this system does not allow user namespaces" if trial.returncode else None


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if (why := missing()) and os.environ.get("MARS6_REQUIRE_ALL"):
        pytest.fail(why)
    elif why:
        pytest.skip(f"the udev rules are not tried: {why}")


KNOWN = [plug_in(usb_id, at, f"SN{at:03}") for at, usb_id in enumerate(BOARDS, 1)]
STRANGERS = [plug_in(usb_id, at, f"SN{at:03}") for at, usb_id in enumerate(FOREIGN, 101)]
TWINS = [plug_in("0483:374b", at, f"066AFF{at}", interface="02") for at in (201, 202)]
NAMELESS = [plug_in("1a86:7523", at) for at in (211, 212)]
FACTORY = [plug_in("10c4:ea60", at, "0001") for at in (221, 222)]
QUAD = [plug_in("0403:6011", 231, "FT4"), Plug("0403:6011", "1-231", "ttyUSB232", "FT4", "03")]
ODD = plug_in("2341:0043", 241, "  a/b  c$kernel%k;.. ")
ON_HUB = Plug("2341:0043", "1-251.3", "ttyACM251", "HUB")
EMPTY = plug_in("1a86:55d4", 261, "")
GARBLED = [plug_in("0403:6001", 271, "ÿÿÿ"), plug_in("0403:6001", 272, "A,B")]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Applied]:
    plugs = [*KNOWN, *STRANGERS, *TWINS, *NAMELESS, *FACTORY, *QUAD, ODD, ON_HUB, EMPTY, *GARBLED]
    serial_port = {"ttyS0": "/devices/platform/serial8250/tty/ttyS0"}
    return udev_applies(tmp_path_factory.mktemp("udev"), RULES.read_text(), plugs, serial_port)


def test_udev_has_nothing_against_the_rules(applied: dict[str, Applied]) -> None:
    assert not [line for answer in applied.values() for line in answer.errors]


def test_the_boards_are_those_that_the_program_knows() -> None:
    assert {pattern for pattern in known_boards() for usb_id in BOARDS if fnmatchcase(usb_id, pattern)} == set(
        known_boards()
    )
    assert all(map(board_name, BOARDS))
    assert not any(map(board_name, FOREIGN))
    assert rules() == RULES.read_text()


@pytest.mark.parametrize("plug", KNOWN, ids=BOARDS)
def test_a_board_gets_its_name_group_mode_and_tags(applied: dict[str, Applied], plug: Plug) -> None:
    port, device = applied[plug.tty], applied[plug.socket]
    assert port.links == {f"by-serial/{plug.serial}-if00"}
    assert port.last("GROUP") == str(grp.getgrnam("dialout").gr_gid)
    assert port.last("MODE") == "0660"
    assert "uaccess" in port.tags
    assert "run: 'uaccess'" in port.output  # 73-seat-late.rules has seen the tag
    assert port.properties["ID_MM_PORT_IGNORE"] == "1"
    assert device.properties["ID_MM_DEVICE_IGNORE"] == "1"
    assert port.properties["ID_LANDER_BOARD"] == device.properties["ID_LANDER_BOARD"] == board_name(plug.usb_id)


@pytest.mark.parametrize("plug", KNOWN, ids=BOARDS)
def test_the_usb_device_keeps_its_permissions(applied: dict[str, Applied], plug: Plug) -> None:
    device = applied[plug.socket]
    assert not re.search(rf"{NAME}:\d+ (GROUP|MODE|LINK)", device.output)
    assert not device.links


@pytest.mark.parametrize("plug", STRANGERS, ids=FOREIGN)
def test_a_board_that_is_not_ours_gets_nothing(applied: dict[str, Applied], plug: Plug) -> None:
    for name in (plug.tty, plug.socket):
        answer = applied[name]
        assert not answer.ours
        assert not answer.links
        assert "uaccess" not in answer.tags
        assert not {key for key in answer.properties if "ID_MM" in key or "LANDER" in key}


def test_a_port_that_is_not_on_usb_gets_nothing(applied: dict[str, Applied]) -> None:
    assert not applied["ttyS0"].ours
    assert "uaccess" not in applied["ttyS0"].tags


def test_two_boards_of_one_kind_get_different_names(applied: dict[str, Applied]) -> None:
    assert [applied[plug.tty].links for plug in TWINS] == [
        {"by-serial/066AFF201-if02"},
        {"by-serial/066AFF202-if02"},
    ]


@pytest.mark.parametrize(
    "plug", [*NAMELESS, *FACTORY, EMPTY, *GARBLED], ids=lambda plug: f"{plug.usb_id}-{plug.socket}"
)
def test_without_a_serial_number_of_its_own_a_board_is_named_by_its_socket(
    applied: dict[str, Applied], plug: Plug
) -> None:
    number = plug.socket.removeprefix("1-")
    assert applied[plug.tty].links == {f"by-path/pci-0000:00:14.0-usb-0:{number}:1.0"}


def test_two_ports_of_one_board_get_different_names(applied: dict[str, Applied]) -> None:
    assert [applied[plug.tty].links for plug in QUAD] == [{"by-serial/FT4-if00"}, {"by-serial/FT4-if03"}]


def test_a_serial_number_cannot_leave_its_folder(applied: dict[str, Applied]) -> None:
    assert applied[ODD.tty].links == {"by-serial/a_b_c_kernel_k_..-if00"}


@pytest.mark.parametrize(
    "plug", [*KNOWN, *NAMELESS, *FACTORY, ODD, EMPTY, *GARBLED], ids=lambda plug: f"{plug.usb_id}-{plug.socket}"
)
def test_the_program_expects_the_name_that_udev_gives(applied: dict[str, Applied], plug: Plug) -> None:
    (link,) = applied[plug.tty].links
    wanted = str(wanted_link(Path(), (plug.serial or "").strip(), plug.interface))
    assert link == wanted or Path(link).parent == Path(wanted)


def test_a_board_behind_a_hub_is_found(applied: dict[str, Applied]) -> None:
    assert applied[ON_HUB.tty].links == {"by-serial/HUB-if00"}


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('GROUP="dialout"', 'GRUOP="dialout"', "Invalid key"),
        ('MODE="0660"', 'MODE=="0660"', "Invalid operator"),
        ('LABEL="mars6_lander_boards"', 'LABEL="mars6_lander_bords"', "GOTO="),
        ('GROUP="dialout"', 'GROUP="dialuot"', "Unknown group"),
        ('ENV{ID_PATH}=="?*", ', 'ENV{ID_PATH=="?*", ', "nvalid"),
    ],
)
def test_an_error_in_the_rules_is_found(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    text = RULES.read_text()
    assert right in text
    answer = udev_applies(tmp_path, text.replace(right, wrong), KNOWN[:1])[KNOWN[0].tty]
    assert any(words in line for line in answer.errors), answer.errors


def test_one_mode_and_ids_as_the_kernel_writes_them() -> None:
    assert set(re.findall(r'MODE="(\w+)"', RULES.read_text())) == {"0660"}
    assert not re.search(r'"0x', RULES.read_text(), re.I)
