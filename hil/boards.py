"""The boards that the firmware is built for, as their files say: ``hil/firmware/boards/<name>.mk``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError
from hil.targets.firmware import FIRMWARE

_VARIABLE = re.compile(r"^(\w+)\s*[:?]?=\s*(.*?)\s*$", re.MULTILINE)
PACKAGES = {
    "make": "make",
    "gcc": "gcc libc6-dev",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "avr-gcc": "gcc-avr avr-libc binutils-avr",
    "openocd": "openocd",
    "st-flash": "stlink-tools",
    "avrdude": "avrdude",
}
"""What Debian calls the packages of the tools."""


@dataclass(frozen=True, slots=True)
class Board:
    """One board.

    Attributes:
        name: of its file.
        compiler: the program that builds for it.
        flash_tools: programs that write it, the best one first; none if it is no hardware.
        openocd_board: openocd's script for it, if openocd knows it.
    """

    name: str
    compiler: str
    flash_tools: tuple[str, ...]
    openocd_board: str

    def images(self, suffix: str) -> list[Path]:
        """Where an image of this board may be: built here, or prebuilt; those that are there."""
        places = [FIRMWARE / "build" / self.name / f"lander{suffix}", FIRMWARE / "prebuilt" / f"{self.name}{suffix}"]
        return [place for place in places if place.is_file()]


def known_boards(folder: Path = FIRMWARE / "boards") -> list[str]:
    """Names, sorted."""
    return sorted(path.stem for path in folder.glob("*.mk"))


def find_board(name: str, folder: Path = FIRMWARE / "boards") -> Board:
    """The board of a name.

    Raises:
        CallerError: there is none; the known ones are in the text.
    """
    known = known_boards(folder)
    if name not in known:
        raise CallerError(f"there is no board {name!r}; known are: {', '.join(known)}")
    said = dict(_VARIABLE.findall((folder / f"{name}.mk").read_text(encoding="utf-8")))
    flash = tuple(said.get("FLASH", "").split())
    return Board(name, said.get("CC", ""), flash, said.get("OPENOCD_BOARD", ""))
