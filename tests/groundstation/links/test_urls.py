from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from groundstation.errors import CallerError
from groundstation.links import LINKS, open_link
from groundstation.ports.listing import PortInfo, format_ports, list_ports, port_state, stable_names
from hil.lander_io.servers import PtyServer


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("serial:/dev/ttyACM0", "serial:/dev/ttyACM0?baud=115200"),
        ("serial:/dev/ttyACM0?baud=9600", "serial:/dev/ttyACM0?baud=9600"),
        ("zmq:tcp://127.0.0.1:5570", "zmq:tcp://127.0.0.1:5570"),
        ("zmq:tcp://[::1]:5570", "zmq:tcp://[::1]:5570"),
        ("zmq:ipc:///run/lander", "zmq:ipc:///run/lander"),
    ],
)
def test_urls(url: str, canonical: str) -> None:
    link = open_link(url, time.time_ns)
    assert link.url == canonical
    assert isinstance(link, LINKS[url.partition(":")[0]])
    assert open_link(canonical, time.time_ns).url == canonical


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("seral:/dev/ttyACM0", "did you mean 'serial'"),
        ("/dev/ttyACM0", "unknown link '/dev/ttyACM0'; did you mean 'serial:/dev/ttyACM0'[?]"),
        ("serial:", "names no port"),
        ("serial:/dev/ttyACM0?buad=1", "did you mean 'baud'[?]"),
        ("serial:/dev/ttyACM0?baud", "option=value"),
        ("serial:/dev/ttyACM0?baud=fast", "bits per second"),
        ("serial:/dev/ttyACM0?baud=0", "bits per second"),
        ("serial:/dev/ttyACM0?baud=-9600", "bits per second"),
        ("zmq:tcp://127.0.0.1:5570?key=anna", "go together"),
        ("zmq:tcp://127.0.0.1:5570?server_key=ab", "go together"),
        ("zmq:tcp://127.0.0.1:5570?x=1", "unknown link option 'x'; known: key, server_key"),
    ],
)
def test_urls_that_cannot_be(url: str, said: str) -> None:
    with pytest.raises(CallerError, match=said):
        open_link(url, time.time_ns)


def test_ports_are_listed_with_their_stable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = PtyServer()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Board-if02").symlink_to(server.path)
    (by_id / "usb-Other").symlink_to(tmp_path / "gone")
    board = SimpleNamespace(
        device=server.path, description="STLink", vid=0x0483, pid=0x374B, serial_number="066E", hwid=""
    )
    gone = str(tmp_path / "ttyS9")
    bare = SimpleNamespace(device=gone, description="n/a", vid=None, pid=None, serial_number=None)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [board])
    assert list_ports(by_id) == [
        PortInfo(server.path, "STLink", "0483:374b", "066E", str(by_id / "usb-Board-if02"), "free")
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [bare])
    (info,) = list_ports(tmp_path / "none")
    assert (info.description, info.usb_id, info.serial_number, info.stable) == ("", "", "", "")
    assert "is not there" in info.state
    server.close()


def test_a_port_in_use_says_by_whom() -> None:
    server = PtyServer()
    with open(server.path, "rb"):
        assert port_state(server.path).startswith("busy: ")
    assert port_state(server.path) == "free"
    server.close()


def test_the_table(tmp_path: Path) -> None:
    assert format_ports([])[0].startswith("no serial ports")
    ports = [
        PortInfo("/dev/ttyACM0", "STLink", "0483:374b", "066E", "", "free"),
        PortInfo("/dev/ttyUSB10", "", "", "", "", "busy: cat (pid 9)"),
    ]
    assert format_ports(ports) == [
        "PORT           STATE              USB        SERIAL  DESCRIPTION  STABLE NAME",
        "/dev/ttyACM0   free               0483:374b  066E    STLink",
        "/dev/ttyUSB10  busy: cat (pid 9)",
    ]
    taken = PortInfo("/dev/ttyUSB0", "", "", "", "", "busy: brltty (pid 9)", "brltty (pid 9): stop it")
    assert format_ports([taken])[-1] == "/dev/ttyUSB0: brltty (pid 9): stop it"
    assert stable_names(tmp_path / "none") == {}
    assert all(isinstance(port, PortInfo) for port in list_ports())
