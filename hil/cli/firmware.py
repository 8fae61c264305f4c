"""The commands ``hil firmware build|flash|info``."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import click

from groundstation.cli.options.named import Choice, NamedGroup
from groundstation.errors import CallerError, PortAbsent, PortBusy
from groundstation.exit_codes import DONE, INTERRUPTED, Outcome, exit_codes
from groundstation.formats.output import echo, write_json, write_line
from groundstation.formats.printable import shell_join
from groundstation.ports.access import busy_text, holders
from groundstation.ports.address import DEFAULT_BAUD, MAX_BAUD, parse_port
from groundstation.ports.board_lock import lock_board
from hil.cli.board_options import port_option, wait_option
from hil.cli.completion import boards
from hil.errors import BuildFailed, FlashFailed, MachineFailed
from hil.firmware_tools.baud_search import find_baud
from hil.firmware_tools.flash import Chosen, check_hardware, lack, plan_flashing
from hil.firmware_tools.identify import compare, identify
from hil.images.boards import FIRMWARE, PACKAGES, find_board
from hil.images.build import make
from hil.images.image import RECORD, choose_image
from hil.lander_io.scratch import Scratch
from hil.targets import MACHINES, BoardPort
from hil.targets.board_ports import device_to_flash, port_for_flashing, port_to_ask

_LOG = logging.getLogger("hil.firmware_tools")

_DIFFERENT = Outcome(1, "the target runs another image, or the build failed")
_EPILOG = exit_codes(_DIFFERENT, DONE, CallerError, MachineFailed, FlashFailed, PortAbsent, PortBusy, INTERRUPTED)


@click.group("firmware", cls=NamedGroup, epilog=_EPILOG)
def firmware_command() -> None:
    """Build the lander's firmware, flash it to a board, and identify the build that a board runs.

    \b
    Examples:
      hil firmware build stm32f4
      hil firmware flash stm32f4 --dry-run             the command line, not run
      hil firmware flash uno --port /dev/ttyACM0
      hil firmware info --port /dev/ttyACM0            is the board what was built
      hil firmware info --target qemu --json
    """


@firmware_command.command("build", epilog=_EPILOG)
@click.argument("board", shell_complete=boards)
def build_command(board: str) -> None:
    """Build the firmware for a BOARD from a checkout.

    \b
    Examples:
      hil firmware build stm32f4       hil/firmware/build/stm32f4/lander.elf and .bin
      hil firmware build uno           hil/firmware/build/uno/lander.elf and .hex
    """
    found = find_board(board)
    if not (FIRMWARE / "Makefile").is_file():
        raise BuildFailed("firmware sources not found: build in a checkout (the wheel has no sources)")
    for tool in ("make", found.compiler):
        if shutil.which(tool) is None:
            raise BuildFailed(f"{tool} not found: apt-get install {PACKAGES.get(tool, tool)}")
    make(FIRMWARE, f"BOARD={found.name}", "board", show=True)
    folder = FIRMWARE / "build" / found.name
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    for path in (folder / f"lander{suffix}" for suffix in (".elf", ".hex", ".bin", "")):
        if path.is_file():
            write_line(f"{path}  {path.stat().st_size} bytes  build {record['image']}")


@firmware_command.command("flash", epilog=_EPILOG)
@click.argument("board", shell_complete=boards)
@click.option("--tool", help="Flashing program. Default: the first installed one that supports the board.")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="Image to write, ELF or Intel HEX. Default: the build here, or the prebuilt one, of the sources here.",
)
@click.option("--probe", help="Serial number of the debug probe, if several are plugged in (openocd, st-flash).")
@click.option(
    "--port",
    help="Port of the board: a device, serial:DEVICE, a serial number, a name in /dev/lander. avrdude writes through "
    "it; of an ST-Link, it chooses the probe. Default: that of the one board that is plugged in.",
)
@click.option(
    "--baud",
    type=click.IntRange(1200, 4_000_000),
    help="Baud rate of the boot loader (avrdude). Default: 115200; an old Nano has 57600.",
)
@wait_option
@click.option("--dry-run", is_flag=True, help="Print the command line without running it.")
def flash_command(
    board: str,
    tool: str | None,
    image: Path | None,
    probe: str | None,
    port: str | None,
    baud: int | None,
    board_wait: float,
    dry_run: bool,
) -> None:
    """Write the firmware into a BOARD.

    An image of another board is refused before anything is written.

    \b
    Examples:
      hil firmware flash stm32f4                       through its ST-Link: openocd or st-flash
      hil firmware flash stm32f4 --probe 066CFF        through that one of several
      hil firmware flash uno --port /dev/ttyACM0       through its boot loader: avrdude
      hil firmware flash uno --port 75830333835351F0C1A1    the one of this serial number
      hil firmware flash uno --baud 57600              a boot loader of another baud rate
    """
    found = find_board(board)
    with Scratch("mars6-flash-") as scratch:
        check_hardware(found)
        address = None if port is None else parse_port(port).at(baud)
        rate = baud if address is None else address.baud
        chosen = Chosen(probe, None if port is None else port_for_flashing(port), rate)
        written = choose_image(board, image)
        plan = plan_flashing(found, written, scratch.path, tool, chosen, lambda: port_for_flashing(None), not dry_run)
        line = shell_join(plan.command)
        if written.note:
            echo(f"not used: {written.note}", err=True)
        if dry_run:
            write_line(line)
            if shutil.which(plan.command[0]) is None:
                echo(lack(plan.command[:1]), err=True)
            return
        device = device_to_flash(plan.port, chosen.probe)
        with nullcontext() if device is None else lock_board([device], board_wait, lambda text: echo(text, err=True)):
            if plan.port is not None and (who := holders(plan.port)):
                raise PortBusy(busy_text(plan.port, who))
            if plan.temporary is not None:
                plan.file.write_bytes(plan.temporary)
            echo(line, err=True)
            _LOG.info("run %s", line)
            code = subprocess.run(plan.command, check=False).returncode  # its progress goes to the terminal
    if code:
        raise FlashFailed(f"{plan.command[0]} ended with exit code {code}: the image on the board may be incomplete")
    echo(f"flashed build {written.id_text}; `hil firmware info` shows what the board runs", err=True)


@firmware_command.command("info", epilog=_EPILOG)
@click.option("--target", type=Choice(sorted(MACHINES)), help="An emulated board, or a lander on this computer.")
@port_option(default="the one board that is plugged in; of several, the one on which a lander answers")
@click.option(
    "--baud",
    type=click.IntRange(50, MAX_BAUD),
    help="Baud rate. Default: that in --port, else the usual ones, in turn.",
)
@wait_option
@click.option(
    "--image",
    "--elf",
    type=click.Path(path_type=Path),
    help="Image that it should run, ELF or Intel HEX. Default: the local image with the target's build id.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info_command(
    target: str | None, port: str | None, baud: int | None, board_wait: float, image: Path | None, as_json: bool
) -> None:
    """Ask a target what it runs and why it started, and compare that with the image.

    A board is brought to READY for that: a flight ends.

    \b
    Examples:
      hil firmware info                                the board that is plugged in, at whatever rate it speaks
      hil firmware info --port serial:/dev/ttyACM0?baud=250000
      hil firmware info --port /dev/ttyACM0 --image hil/firmware/build/uno/lander.hex
      hil firmware info --target qemu
    """
    if target is not None and port is not None:
        raise click.UsageError("--target and --port exclude each other")
    if target is not None and baud is not None:
        raise click.UsageError("--baud needs a board: leave out --target")
    told = identify(target, [_board_to_ask(port, baud, board_wait)] if target is None else [], image, board_wait)
    result = compare(told, target, image)
    if as_json:
        write_json(json.dumps(result.fields()))
    else:
        for line in result.lines():
            write_line(line)
    sys.exit(0 if result.equal else _DIFFERENT.exit_code)


def _board_to_ask(port: str | None, baud: int | None, wait_s: float) -> BoardPort:
    """The board on a port, with its rate: if none was given, the one of the usual ones at which it answers."""
    board, known = port_to_ask(port, baud)
    if known:
        return board
    found = find_baud(board, wait_s=wait_s)
    if found.baud != DEFAULT_BAUD:
        echo(f"{board.path} answers at {found.baud} baud", err=True)
    return found
