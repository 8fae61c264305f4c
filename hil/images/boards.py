"""The boards that the firmware is built for, as their files say: ``hil/firmware/boards/<name>.mk``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError
from protocols.nearest import nearest

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
_DESCENT_ONLY = "-DLANDER_DESCENT_ONLY"
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


ELF_MACHINES = {"arm-none-eabi-gcc": (40, "an ARM"), "avr-gcc": (83, "an AVR")}
"""By compiler: e_machine of the ELF files that it makes, and what that is. Others build for this computer."""


@dataclass(frozen=True, slots=True)
class Board:
    """One board.

    Attributes:
        name: of its file.
        compiler: the program that builds for it.
        suffix: of the image that is written or flown: ``.elf``, ``.hex``, or none for a program of this computer.
        flash: the addresses of its flash that an image may take; None if it is not hardware.
        ram: the addresses of its RAM, if its first vector is the stack's end, as on a Cortex-M.
        flash_tools: programs that write it, the best one first; none if it is not hardware.
        openocd_board: openocd's script for it, if openocd knows it.
        descent_only: it has no room for the encounter.
    """

    name: str
    compiler: str
    suffix: str
    flash: range | None
    ram: range | None
    flash_tools: tuple[str, ...]
    openocd_board: str
    descent_only: bool = False

    @property
    def machine(self) -> tuple[int, str] | None:
        """e_machine of its ELF files, and what that is; None: this computer's own."""
        return ELF_MACHINES.get(self.compiler)


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
        raise CallerError(f"unknown board {name!r}{nearest(name, known)}")
    text = (folder / f"{name}.mk").read_text(encoding="utf-8")
    said = dict(_VARIABLE.findall(text))
    return Board(
        name,
        said.get("CC", ""),
        Path(said.get("IMAGE", "")).suffix,
        _addresses(said.get("FLASH_RANGE", "")),
        _addresses(said.get("RAM_RANGE", "")),
        tuple(said.get("FLASH", "").split()),
        said.get("OPENOCD_BOARD", ""),
        _DESCENT_ONLY in text,
    )


def _addresses(text: str) -> range | None:
    """Of ``START SIZE``, both as C has numbers."""
    words = [int(word, 0) for word in text.split()]
    return range(words[0], words[0] + words[1]) if len(words) == 2 else None
