"""The options ``--port``, ``--baud`` and ``--board-wait`` of all commands that use a board."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from groundstation.cli.options.number import Number
from groundstation.formats.output import echo
from groundstation.ports.address import MAX_BAUD
from groundstation.ports.board_lock import WAIT_S, lock_holder
from hil.targets import BoardPort
from hil.targets.board_ports import choose_ports
from hil.verdict.flight_record import BOARD

_PORT = (
    "Port of the board: a device, serial:DEVICE?baud=N, a serial number, a name in /dev/lander, or auto: the one board "
    "on which a lander answers."
)
_MANY = " Repeat it for several boards, or give all: each run takes a free one."

baud_option = click.option(
    "--baud",
    type=click.IntRange(50, MAX_BAUD),
    help="Baud rate of the board's port. Default: that in --port, else 115200.",
)
wait_option = click.option(
    "--board-wait",
    "board_wait",
    type=Number(min=0),
    default=WAIT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a board that another run uses.",
)


def port_option(*, many: bool = False, default: str = "auto") -> Callable[[click.decorators.FC], click.decorators.FC]:
    """The option ``--port``.

    Args:
        many: it may be given several times.
        default: what is used without it, in words.
    """
    text = f"{_PORT}{_MANY if many else ''} Default: {default}."
    return click.option("--port", "ports" if many else "port", multiple=many, help=text)


def ports_of(target: str, ports: Sequence[str], baud: int | None) -> tuple[BoardPort, ...]:
    """The boards that a command may use; none for another target.

    Raises:
        click.UsageError: the target is not a board.
        CallerError: an address is none, or means several.
        PortAbsent: a board of that name is not plugged in.
        MachineFailed: no lander answers.
    """
    if target == BOARD:
        return choose_ports(ports, baud)
    for name, given in (("--port", bool(ports)), ("--baud", baud is not None)):
        if given:
            raise click.UsageError(f"{name} needs --target board")
    return ()


def report_if_in_use(ports: Sequence[BoardPort], wait_s: float) -> None:
    """Say for whom runs will wait, if all boards are in use: workers of a batch have no terminal to say it on."""
    holders = [(port.device, lock_holder(port.device)) for port in ports if port.device is not None]
    if holders and all(holder is not None for _, holder in holders):
        told = "; ".join(f"{device} is in use by {holder}" for device, holder in holders)
        echo(f"{told}: waiting for up to {wait_s:g} s", err=True)


def port_words(ports: Sequence[str], baud: int | None) -> list[str]:
    """The options again, for a command line that flies a run again."""
    words = [word for port in ports for word in ("--port", port)]
    return words if baud is None else [*words, "--baud", str(baud)]
