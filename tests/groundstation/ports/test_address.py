"""How a port is written."""

from __future__ import annotations

import pytest

from groundstation.errors import CallerError
from groundstation.ports.address import PortAddress, parse_port


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/dev/ttyACM0", PortAddress("path", "/dev/ttyACM0")),
        ("serial:/dev/ttyACM0", PortAddress("path", "/dev/ttyACM0")),
        ("serial:/dev/ttyACM0?baud=9600", PortAddress("path", "/dev/ttyACM0", 9600)),
        ("/dev/ttyACM0?baud=250000", PortAddress("path", "/dev/ttyACM0", 250_000)),
        ("./port", PortAddress("path", "./port")),
        ("serial:066CFF51", PortAddress("name", "066CFF51")),
        ("066CFF51", PortAddress("name", "066CFF51")),
        ("34:85:18:AC:12:34", PortAddress("name", "34:85:18:AC:12:34")),
        ("serial:Arduino Uno?baud=9600", PortAddress("name", "Arduino Uno", 9600)),
        ("auto", PortAddress("auto", "")),
        ("serial:auto?baud=57600", PortAddress("auto", "", 57_600)),
        ("serial:all", PortAddress("all", "")),
        ("null", PortAddress("path", "/dev/null")),
    ],
)
def test_every_form_is_read_and_its_long_form_is_the_same(text: str, address: PortAddress) -> None:
    assert parse_port(text) == address
    assert parse_port(address.url) == address
    assert address.url.startswith("serial:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no port: expected /dev/ttyACM0"),
        ("serial:", "names no port"),
        ("serial:?baud=9600", "names no port"),
        ("zmq:tcp://127.0.0.1:5570", "is not a serial port: expected"),
        ("seral:/dev/ttyACM0", "is not a serial port"),
        ("serial:/dev/ttyACM0?baud", "option=value"),
        ("serial:/dev/ttyACM0?buad=9600", "did you mean 'baud'"),
        ("serial:auto?baud=fast", "bits per second"),
        ("serial:auto?baud=0", "bits per second"),
        ("serial:auto?baud=-1", "bits per second"),
        ("serial:auto?baud=1e6", "bits per second"),
        ("serial:auto?baud=99999999999", "bits per second"),
        ("serial:auto?baud=٩٦٠٠", "bits per second"),
    ],
)
def test_what_is_no_port_is_refused(text: str, said: str) -> None:
    with pytest.raises(CallerError, match=said):
        parse_port(text)


def test_baud_option_and_baud_of_the_address_must_agree() -> None:
    assert parse_port("/dev/ttyACM0").at(9600).baud == 9600
    assert parse_port("/dev/ttyACM0?baud=9600").at(9600).baud == 9600
    assert parse_port("/dev/ttyACM0?baud=9600").at(None).baud == 9600
    with pytest.raises(CallerError, match=r"leave out --baud 9600, or \?baud=57600"):
        parse_port("/dev/ttyACM0?baud=57600").at(9600)
