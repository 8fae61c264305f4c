"""How a firmware gets into a board: which program, with which words. Nothing is run here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError, WorldError
from hil.boards import PACKAGES, Board
from hil.elf import Elf


class FlashFailed(WorldError):
    """The board was not flashed."""

    exit_code = 27


@dataclass(frozen=True, slots=True)
class Flashing:
    """What is to be run.

    Attributes:
        command: program and arguments.
        image: what is written.
        temporary: bytes that have to be at ``image`` meanwhile: a form of the image that the program reads.
    """

    command: list[str]
    image: Path
    temporary: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Tool:
    """A program that writes flash. ``suffix`` is that of the images it takes."""

    suffix: str
    plan: Callable[[Board, Path, str, Path], Flashing]


def plan_flashing(
    board: Board,
    scratch: Path,
    tool: str | None = None,
    image: Path | None = None,
    port: Callable[[], str] = str,
    to_run: bool = True,
) -> Flashing:
    """Choose program and image.

    Args:
        board: to be written.
        scratch: a folder for a temporary form of the image.
        tool: the program; None: the first of the board's that is installed.
        image: what to write; None: what was built here, else the prebuilt one.
        port: asked for the board's serial port, if the program needs one.
        to_run: it will be run, so the program has to be installed; else the first of the board's will do.

    Raises:
        CallerError: the board is no hardware, or is not written by that program.
        FlashFailed: no such program is installed, or there is no image.
        ElfError: the image cannot be read.
    """
    if not board.flash_tools:
        raise CallerError(f"{board.name} is no hardware: nothing is to be flashed")
    name = _choose(board, tool, to_run)
    suffix = _TOOLS[name].suffix
    if image is None:
        images = board.images(suffix)
        if not images:
            raise FlashFailed(f"there is no image of {board.name}: `hil firmware build {board.name}` makes one")
        image = images[0]
    elif not image.is_file():
        raise CallerError(f"{image} is no file")
    return _TOOLS[name].plan(board, image, port() if name == "avrdude" else "", scratch)


def _choose(board: Board, tool: str | None, to_run: bool) -> str:
    if tool is not None and tool not in board.flash_tools:
        raise CallerError(f"{board.name} is flashed with {' or '.join(board.flash_tools)}, not with {tool}")
    wanted = board.flash_tools if tool is None else (tool,)
    found = [name for name in wanted if shutil.which(name) is not None]
    if not found and to_run:
        raise FlashFailed(lack(wanted))
    return [*found, *wanted][0]


def lack(tools: Sequence[str]) -> str:
    """That none of these is installed, and what installs each."""
    ways = " or ".join(f"`apt-get install {PACKAGES[name]}`" for name in tools)
    return f"there is no {' and no '.join(tools)}: {ways}"


def _openocd(board: Board, image: Path, port: str, scratch: Path) -> Flashing:
    program = f"program {{{image}}} verify reset exit"
    return Flashing(["openocd", "-f", board.openocd_board, "-c", program], image)


def _st_flash(board: Board, image: Path, port: str, scratch: Path) -> Flashing:
    address, data = Elf.read(image).image()
    flat = scratch / f"{board.name}.bin"
    return Flashing(["st-flash", "--reset", "write", str(flat), f"{address:#x}"], flat, data)


def _avrdude(board: Board, image: Path, port: str, scratch: Path) -> Flashing:
    command = ["avrdude", "-c", "arduino", "-p", "m328p", "-b", "115200", "-P", port, "-U", f"flash:w:{image}:i"]
    return Flashing(command, image)


_TOOLS = {
    "openocd": _Tool(".elf", _openocd),
    "st-flash": _Tool(".elf", _st_flash),
    "avrdude": _Tool(".hex", _avrdude),
}
