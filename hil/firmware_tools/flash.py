"""How a firmware gets into a board: which program, with which words. Nothing is run here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError
from hil.errors import FlashFailed
from hil.firmware_tools.probes import st_link_of, st_links
from hil.images.boards import PACKAGES, Board
from hil.images.image import Image


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of several boards is meant.

    Attributes:
        probe: serial number of the debug probe; None: the only one.
        port: serial port; None: the only board's, if the program writes through a port.
        baud: of the boot loader behind the port; None: the usual one.
    """

    probe: str | None = None
    port: str | None = None
    baud: int | None = None


@dataclass(frozen=True, slots=True)
class Flashing:
    """What is to be run.

    Attributes:
        command: program and arguments.
        port: the serial port that the program opens; None if it opens none.
        file: what is written.
        temporary: bytes that have to be at ``file`` while the program runs: a form of the image that it reads.
    """

    command: list[str]
    port: str | None
    file: Path
    temporary: bytes | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What a tool is told: board, image, a folder for temporary files, and which board it is."""

    board: Board
    image: Image
    scratch: Path
    chosen: Chosen


@dataclass(frozen=True, slots=True)
class _Tool:
    """A program that writes flash: through a debug probe, or through the serial port."""

    through: str
    plan: Callable[[Job], Flashing]


def plan_flashing(
    board: Board,
    image: Image,
    scratch: Path,
    tool: str | None = None,
    chosen: Chosen | None = None,
    find_port: Callable[[], str] = str,
    to_run: bool = True,
) -> Flashing:
    """Choose the program and its words.

    Args:
        board: to be written.
        image: of that board.
        scratch: a folder for a temporary form of the image.
        tool: the program; None: the first of the board's that is installed.
        chosen: which board it is, if several are plugged in.
        find_port: asked for the board's serial port, if the program needs one and none was chosen.
        to_run: it will be run, so the program has to be installed; else the first of the board's will do.

    Raises:
        CallerError: the board is not hardware, is not written by that program, or not chosen in that way.
        FlashFailed: no such program is installed, or several probes are plugged in.
    """
    chosen = chosen or Chosen()
    name = _choose(board, tool, to_run)
    through = _TOOLS[name].through
    if chosen.probe is not None and through != "probe":
        raise CallerError(f"{name} writes through the serial port: choose the board with --port, not with --probe")
    if chosen.baud is not None and through != "port":
        raise CallerError(f"{name} writes through a debug probe, which has no baud rate: leave out --baud")
    if through == "probe":
        chosen = Chosen(probe=chosen.probe or _only_probe(chosen.port))
    elif chosen.port is None:
        chosen = Chosen(port=find_port(), baud=chosen.baud)
    return _TOOLS[name].plan(Job(board, image, scratch, chosen))


def check_hardware(board: Board) -> None:
    """Whether there is anything to flash.

    Raises:
        CallerError: the board is not hardware.
    """
    if not board.flash_tools:
        raise CallerError(f"{board.name} is not hardware and cannot be flashed")


def _choose(board: Board, tool: str | None, to_run: bool) -> str:
    check_hardware(board)
    known = tuple(name for name in board.flash_tools if name in _TOOLS)
    if not known:
        names = ", ".join(board.flash_tools)
        raise CallerError(f"boards/{board.name}.mk: FLASH names {names}; `hil` knows {', '.join(_TOOLS)}")
    if tool is not None and tool not in known:
        raise CallerError(f"{board.name} is flashed with {' or '.join(known)}, not with {tool}")
    wanted = known if tool is None else (tool,)
    found = [name for name in wanted if shutil.which(name) is not None]
    if not found and to_run:
        raise FlashFailed(lack(wanted))
    return [*found, *wanted][0]


def _only_probe(port: str | None) -> str | None:
    """The probe that has the port that was chosen; None: whichever the tool finds, since there is one at most."""
    if port is not None and (serial := st_link_of(port)):
        return serial
    serials = st_links()
    if len(serials) > 1:
        several = ", ".join(f"--probe {serial}" if serial else "one without a serial number" for serial in serials)
        raise FlashFailed(f"{len(serials)} ST-Links are plugged in; choose one: {several}")
    return None


def lack(tools: Sequence[str]) -> str:
    """That none of these is installed, and what installs each."""
    ways = " or ".join(f"`apt-get install {PACKAGES.get(name, name)}`" for name in tools)
    return f"{' and '.join(tools)} not found: {ways}"


def _openocd(job: Job) -> Flashing:
    probe = ["-c", f"adapter serial {job.chosen.probe}"] if job.chosen.probe else []
    program = f"program {{{job.image.path}}} verify reset exit"
    return Flashing(["openocd", "-f", job.board.openocd_board, *probe, "-c", program], None, job.image.path)


def _st_flash(job: Job) -> Flashing:
    flat = job.scratch / f"{job.board.name}.bin"
    probe = ["--serial", job.chosen.probe] if job.chosen.probe else []
    command = ["st-flash", *probe, "--reset", "write", str(flat), f"{job.image.address:#x}"]
    return Flashing(command, None, flat, job.image.loaded)


def _avrdude(job: Job) -> Flashing:
    file, temporary = job.image.path, None
    if job.image.suffix != ".hex":
        file, temporary = job.scratch / f"{job.board.name}.hex", job.image.as_hex()
    port, baud = job.chosen.port or "", str(job.chosen.baud or _BOOT_LOADER_BAUD)
    command = ["avrdude", "-c", "arduino", "-p", "m328p", "-b", baud, "-P", port, "-U", f"flash:w:{file}:i"]
    return Flashing(command, port, file, temporary)


_BOOT_LOADER_BAUD = 115_200
"""Optiboot's. The boot loader of an old Nano has 57,600."""

_TOOLS = {
    "openocd": _Tool("probe", _openocd),
    "st-flash": _Tool("probe", _st_flash),
    "avrdude": _Tool("port", _avrdude),
}
