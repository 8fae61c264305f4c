"""The ports of boards that a run may use: as they were written, found on this host.

A run keeps which *device* was meant: if another one appears under the name of its port, it is not flown.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError, LinkError, PortAbsent
from groundstation.ports.address import DEFAULT_BAUD, PortAddress, parse_port
from groundstation.ports.devices import Device, boards, describe, find_again, find_device, lasting_name
from groundstation.ports.lander_search import Answer, ask, the_lander
from groundstation.ports.opening import require_port
from hil.errors import MachineFailed

BY_SERIAL = Path("/dev/lander/by-serial")


@dataclass(frozen=True, slots=True)
class BoardPort:
    """A port, and the board behind it.

    Attributes:
        path: of the port, as it was written or found.
        baud: bits per second.
        device: that is behind it; None: nothing was when it was chosen, so that anything may be.
    """

    path: str
    baud: int = DEFAULT_BAUD
    device: Device | None = None

    @property
    def address(self) -> str:
        """What means this board later, too: for a bundle."""
        place = self.path if self.device is None or not self.device.usb_id else lasting_name(self.device)
        return PortAddress("path", place, self.baud).url

    def now(self) -> tuple[str, Device]:
        """Where the board is now: its port and the device behind it.

        Raises:
            PortAbsent: it is not plugged in.
            MachineFailed: another device has the name of its port.
        """
        if self.device is None:
            return self.path, describe(self.path)
        if self.device.usb_id:
            found = find_again(self.device)
            if found is None:
                raise PortAbsent(f"{self.device} is not plugged in any more: plug it in again")
            return (self.path, found) if found.path == self.device.path else (found.path, found)
        found = describe(self.path)
        if not found.is_same(self.device):
            raise MachineFailed(f"{self.path} is another device now than when this run began: it is not flown")
        return self.path, found


def find_port(by_serial: Path = BY_SERIAL) -> str:
    """The port of the one board that udev has named, by its serial number or by its socket. None is opened.

    Raises:
        MachineFailed: there is none, or more than one.
    """
    ports = _named_ports(by_serial)
    if len(ports) == 1:
        return ports[0]
    if not ports:
        raise MachineFailed(_no_board(by_serial))
    raise MachineFailed(
        f"{len(ports)} boards are plugged in; choose one: {', '.join(f'--port {port}' for port in ports)}"
    )


def no_board_here() -> str | None:
    """That no board is plugged in, and what to do; None if one is. Nothing is opened, and nothing asked."""
    if boards() or _named_ports(BY_SERIAL):
        return None
    return _no_board(BY_SERIAL)


def choose_ports(given: Sequence[str], baud: int | None = None) -> tuple[BoardPort, ...]:
    """The ports that were asked for.

    Args:
        given: addresses (`groundstation.ports.address`); none: the one port on which a lander answers.
        baud: bits per second, if the address does not say.

    Raises:
        CallerError: an address is none, or means several.
        PortAbsent: a board of that name is not plugged in.
        LinkError: one is not a serial port.
        MachineFailed: no lander answers.
    """
    addresses = [parse_port(text).at(baud) for text in given] or [PortAddress("auto", "", baud)]
    found = [port for address in addresses for port in _find(address)]
    return tuple({port.device.key if port.device else port.path: port for port in found}.values())


def port_for_flashing(given: str | None) -> str:
    """The port that a board is flashed through: it need not have a lander yet, so that none is asked.

    Raises:
        CallerError: the address is none, or means several boards.
        PortAbsent: a board of that name is not plugged in.
        LinkError: it is not a serial port.
        MachineFailed: there is no board, or more than one.
    """
    address = PortAddress("auto", "") if given is None else parse_port(given)
    if address.kind == "path":
        with suppress(PortAbsent):  # the program that writes says so
            require_port(address.text)
        return address.text
    if address.kind == "name":
        return find_device(address.text).path
    if address.kind == "all":
        raise CallerError("boards are flashed one at a time: name a port")
    plugged = boards()
    if len(plugged) == 1:
        return next(iter(plugged[0].links), plugged[0].path)
    if not plugged:
        return find_port()
    ways = ", ".join(f"--port {lasting_name(device)} ({device})" for device in plugged)
    raise MachineFailed(f"{len(plugged)} boards are plugged in; choose one: {ways}")


def device_to_flash(port: str | None, probe: str | None) -> Device | None:
    """The board that is about to be written, as far as it has a serial port; None: it has none, or it is not known.

    Args:
        port: through which it is written, or None.
        probe: the serial number of its debug probe, or the beginning of one; None: the only ST-Link there is.
    """
    if port is not None:
        try:
            return describe(port)
        except LinkError:
            return None  # the program that writes says what is wrong
    probes = [each for each in boards() if each.board == "ST-Link" and each.serial.startswith(probe or "")]
    return probes[0] if len(probes) == 1 else None


def port_to_ask(given: str | None, baud: int | None = None) -> tuple[BoardPort, bool]:
    """The port of a board that is asked what it runs; and whether its rate is known.

    Raises:
        CallerError: the address is none, or means several boards.
        PortAbsent: a board of that name is not plugged in.
        MachineFailed: there is no board, or of several none answers.
    """
    address = PortAddress("auto", "", baud) if given is None else parse_port(given).at(baud)
    if address.kind == "all":
        raise CallerError("boards are asked one at a time: name a port")
    plugged = boards()
    if address.kind == "auto" and len(plugged) == 1:
        return BoardPort(plugged[0].path, address.baud or DEFAULT_BAUD, plugged[0]), address.baud is not None
    (found,) = _find(address)
    return found, address.baud is not None or address.kind == "auto"


def _find(address: PortAddress) -> list[BoardPort]:
    baud = address.baud or DEFAULT_BAUD
    if address.kind == "path":
        return [_at_path(address.text, baud)]
    if address.kind == "name":
        device = find_device(address.text)
        return [BoardPort(device.path, baud, device)]
    if not boards():
        raise MachineFailed(_no_board(BY_SERIAL))
    answers = ask(boards(), baud)
    landers = [answer.device for answer in answers if answer.state == "lander"]
    if address.kind == "auto":
        # A board that another run uses has a lander, or that run would not go on: this one waits for it.
        landers = landers or [answer.device for answer in answers if answer.state == "held"]
        return [_the_one(answers, landers, baud)]
    landers += [answer.device for answer in answers if answer.state == "held"]
    if not landers:
        return [_the_one(answers, landers, baud)]
    return [BoardPort(device.path, baud, device) for device in landers]


def _the_one(answers: Sequence[Answer], landers: Sequence[Device], baud: int) -> BoardPort:
    try:
        device = the_lander(answers, landers, baud)
    except PortAbsent as error:
        raise MachineFailed(str(error)) from error
    return BoardPort(device.path, baud, device)


def _at_path(path: str, baud: int) -> BoardPort:
    try:
        require_port(path)
        return BoardPort(path, baud, describe(path))
    except PortAbsent:
        return BoardPort(path, baud)  # it may be plugged in until the flight begins, which says so if not


def _named_ports(by_serial: Path) -> list[str]:
    """Names that udev gave, one for each port: by serial number if it has one."""
    links = [*sorted(by_serial.glob("*")), *sorted((by_serial.parent / "by-path").glob("*"))]
    ports: dict[Path, str] = {}
    for link in links:
        ports.setdefault(link.resolve(), str(link))
    return list(ports.values())


def _no_board(by_serial: Path) -> str:
    return (
        f"no board: nothing is in {by_serial} or by-path, and nothing on USB that the udev rules know. Plug one in "
        "(`groundstation udev install` makes the names, `groundstation ports` lists what there is), or name its port: "
        "--port /dev/ttyACM0"
    )
