"""What the tests of the firmware need beside Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hil.firmware import stamp
from hil.images.boards import find_board
from hil.images.image import Image, choose_image, read_image
from tests.firmware.core import FIRMWARE

PREBUILT = FIRMWARE / "prebuilt"


def need(*tools: str, packages: str) -> None:
    """Skip where a tool is missing; in CI that is a failure."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing:
        return
    lack = f"no {' and no '.join(missing)}: apt-get install {packages}"
    if os.environ.get("MARS6_REQUIRE_ALL"):
        pytest.fail(lack)
    pytest.skip(lack)


def need_compiler_of(board: str, built: Path) -> None:
    """Skip where the compiler or linker is not the one that made the prebuilt image: another one makes another image.

    Args:
        board: its name.
        built: the record of a build made here.
    """
    pinned, here = record(PREBUILT / f"{board}.json"), record(built)
    for tool in ("compiler", "linker"):
        if pinned[tool] != here[tool]:
            pytest.skip(f"{board} was prebuilt with {pinned[tool]}, here is {here[tool]}")


def record(path: Path) -> dict[str, str]:
    """What stands beside an image: its ids, compiler and flags."""
    told: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return told


def make(*arguments: str, check: bool = True, folder: Path = FIRMWARE) -> subprocess.CompletedProcess[str]:
    command_line = ["make", "--no-print-directory", "-C", str(folder), *arguments]
    return subprocess.run(command_line, check=check, capture_output=True, text=True)


def copy_of_sources(folder: Path) -> Path:
    """The firmware's sources and prebuilt images at another path, without what was built."""
    copy = folder / "firmware"
    shutil.copytree(FIRMWARE, copy, ignore=shutil.ignore_patterns("build", "__pycache__"))
    return copy


def image_of(board: str) -> Image:
    """The image that the rule chooses for a board."""
    return choose_image(board)


def patched(board: str, function: str, code: bytes, folder: Path) -> Image:
    """The image of a board with other machine code at the start of a function, and a new stamp."""
    path = image_of(board).path.with_suffix(".elf")
    place, data = symbols(path)[function] & ~1, path.read_bytes()
    segment = next(s for s in stamp.segments_of(data) if s.address <= place < s.address + s.size)
    at = segment.offset + place - segment.address
    changed, _ = stamp.stamped(data[:at] + code + data[at + len(code) :])
    (folder / "patched.elf").write_bytes(changed)
    return read_image(folder / "patched.elf", find_board(board))


def symbols(elf: Path) -> dict[str, int]:
    """Values of the symbols in an ELF file, by name."""
    need("nm", packages="binutils")
    told = subprocess.run(["nm", str(elf)], capture_output=True, text=True, check=True).stdout
    return {name: int(text, 16) for text, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", told, re.MULTILINE)}
