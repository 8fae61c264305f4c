"""Which image of the firmware is used: the one rule of run, fly, campaign, replay, info, flash and pytest.

1. A file that was given (``--image``, ``--hil-image``): that one, whatever the sources are.
2. Else what was built here (``hil/firmware/build/BOARD``), if it was built from the sources that are here. A program of
   this computer is built when it is wanted.
3. Else the prebuilt one (``hil/firmware/prebuilt``), if it was built from them. Where there are no sources, in a wheel,
   it is the only one.
4. Else none, and the command that builds is told. An image of other sources is never used; one that lies in the way of
   the prebuilt one is named in `Image.note`.

A file is read once, as a whole: what was checked is what flies, even if make writes another one while it flies. The ids
are those of the stamp in the image (`hil.firmware.stamp`); an image without its stamp, or not as it was stamped, is
refused.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hil.errors import ImageRefused
from hil.firmware import stamp
from hil.images.boards import ELF_MACHINES, FIRMWARE, Board, find_board
from hil.images.build import make
from hil.images.ihex import format_hex, parse_hex

Kind = Literal["given", "built here", "prebuilt", "from the bundle"]

BOARD_OF = {"qemu": "stm32f4", "simavr": "uno", "posix": "posix"}
"""Whose image each of the machines runs."""
IN_BUNDLE = "image"
"""Its name in the bundle of a run, without suffix."""
RECORD = "lander.json"
"""Beside a build: its ids, compiler and flags."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was read and checked.

    Attributes:
        path: of the file.
        kind: by which part of the rule it was chosen.
        board: whose it is.
        data: the file's bytes.
        address: of the first byte that is loaded.
        loaded: what is loaded.
        id: of the image.
        source: id of the sources that it was built from.
        note: another image that was not used, and why; empty as a rule.
    """

    path: Path
    kind: Kind
    board: str
    data: bytes
    address: int
    loaded: bytes
    id: int
    source: int
    note: str = ""

    @property
    def id_text(self) -> str:
        """The id as the event BOOT and `hil firmware info` show it."""
        return f"{self.id:08x}"

    @property
    def suffix(self) -> str:
        """What a file of this kind is called by."""
        if not stamp.is_elf(self.data):
            return ".hex"
        return ".elf" if find_board(self.board).machine is not None else ""

    def as_hex(self) -> bytes:
        """The image in Intel HEX."""
        return format_hex(self.address, self.loaded).encode() if stamp.is_elf(self.data) else self.data

    def facts(self) -> dict[str, str]:
        """For a report: which image flew."""
        told = {
            "build": self.id_text,
            "image": f"{self.kind}: {self.path}",
            "image sources": f"{self.source:08x}",
            "image sha256": hashlib.sha256(self.data).hexdigest(),
        }
        return told | ({"image not used": self.note} if self.note else {})

    def open_copy(self) -> int:
        """A descriptor of a file in memory with the file's bytes; for programs that want a path, /proc/self/fd/N."""
        return _in_memory(f"{self.board}{self.suffix}", self.data)

    def open_hex(self) -> int:
        """The same with the image in Intel HEX."""
        return _in_memory(f"{self.board}.hex", self.as_hex())


def in_bundle(folder: Path, target: str) -> Image | None:
    """The image that a bundle keeps; None if it keeps none, as of the software lander.

    Raises:
        ImageRefused: it is not a whole image of the target's board.
    """
    for suffix in (".elf", ".hex", ""):
        path = folder / f"{IN_BUNDLE}{suffix}"
        if path.is_file():
            board = BOARD_OF.get(target)
            image = read_any_image(path) if board is None else read_image(path, find_board(board))
            return replace(image, kind="from the bundle")
    return None


def _in_memory(name: str, data: bytes) -> int:
    fd = os.memfd_create(name)
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    return fd


def choose_image(board: str, given: Path | None = None, folder: Path = FIRMWARE) -> Image:
    """Find the image of a board by the rule.

    Args:
        board: its name.
        given: the file that was asked for.
        folder: with sources, builds and prebuilt images.

    Raises:
        ImageRefused: there is none that may be used, or the one that was given is not an image of this board.
        BuildFailed: the board is this computer, and its program cannot be built.
    """
    known = find_board(board, folder / "boards")
    if given is not None:
        return read_image(given, known)
    sources = stamp.source_id(folder, board)
    refused = []
    if sources is not None and known.flash is None:
        _bring_up_to_date(known, sources, folder)
    for kind, path in _places(known, folder):
        try:
            image = read_image(path, known, kind)
        except ImageRefused as error:
            refused += [str(error)] if path.exists() else []
            continue
        if sources is None or image.source == sources:
            return _with_note(image, refused)
        refused.append(f"{path} was built from other sources ({image.source:08x}, here are {sources:08x})")
    raise ImageRefused("; ".join([f"no image of {board} to use", *refused]) + f": {_remedy(board, sources)}")


def image_with_id(number: int) -> Image | None:
    """The image here, of whatever board, that has this id; whatever sources it was built from."""
    for board in (find_board(path.stem) for path in sorted((FIRMWARE / "boards").glob("*.mk"))):
        for kind, path in _places(board, FIRMWARE):
            try:
                image = read_image(path, board, kind)
            except ImageRefused:
                continue
            if image.id == number:
                return image
    return None


def read_any_image(path: Path) -> Image:
    """Read the image of whatever board.

    Raises:
        ImageRefused: it is not a whole image of this firmware.
    """
    try:
        data = path.read_bytes()
        _, loaded = _load(data)
        board = stamp.read_stamp(loaded).board
    except OSError as error:
        raise ImageRefused(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ImageRefused(f"{path} is not an image of this firmware: {error}") from error
    return read_image(path, find_board(board))


def _load(data: bytes) -> tuple[int, bytes]:
    """What a file loads: the first address, and the bytes.

    Raises:
        ValueError: it is neither ELF nor Intel HEX, or a damaged one.
    """
    if stamp.is_elf(data):
        return stamp.loaded_image(data)
    if not data.startswith(b":"):
        raise ValueError("neither ELF nor Intel HEX")
    return parse_hex(data.decode("ascii"))


def read_image(path: Path, board: Board, kind: Kind = "given") -> Image:
    """Read a file, ELF or Intel HEX, and check that it is a whole image of this board.

    Raises:
        ImageRefused: it is not; says in what.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageRefused(f"{path} cannot be read: {error.strerror}") from error
    try:
        address, loaded = _load(data)
        _check_board(path, board, data, address, loaded)
        found = stamp.read_stamp(loaded)
    except ValueError as error:
        raise ImageRefused(f"{path} is not an image of this firmware: {error}") from error
    if found.image != stamp.image_id(loaded, found.at):
        raise ImageRefused(f"{path} is damaged: it is not the image that was stamped {found.image:08x}")
    return Image(path, kind, board.name, data, address, loaded, found.image, found.source)


def _check_board(path: Path, board: Board, data: bytes, address: int, loaded: bytes) -> None:
    """Whether it is for this board: what it says itself, and whether the chip could run it."""
    said = stamp.MAGIC in loaded and stamp.read_stamp(loaded).board
    if said and said != board.name:
        raise ImageRefused(f"{path} is an image of {said}, not of {board.name}")
    machine = stamp.machine_of(data) if stamp.is_elf(data) else None
    wanted, what = board.machine or (None, "this computer")
    if machine is not None and wanted is not None and machine != wanted:
        other = next((name for code, name in ELF_MACHINES.values() if code == machine), f"a machine of type {machine}")
        raise ImageRefused(f"{path} is an image of {other}, not of {what} ({board.name})")
    if board.flash is None:
        if machine is None:
            raise ImageRefused(f"{path} is not a program of this computer ({board.name})")
        return
    end, last = address + len(loaded), board.flash.stop
    if not board.flash.start <= address < end <= last:
        there = f"{board.flash.start:#x} … {last:#x}"
        raise ImageRefused(
            f"{path} is not an image of {board.name}: it lies at {address:#x} … {end:#x}, not in {there}"
        )
    if address != board.flash.start or not _starts(board, loaded):
        raise ImageRefused(f"{path} is not an image of {board.name}: it does not begin with its vectors")


def _starts(board: Board, loaded: bytes) -> bool:
    """Whether the first vectors are those of the board's kind of chip."""
    if board.ram is not None and board.flash is not None:  # a Cortex-M: the stack's end, and an odd address of code
        stack, reset = (int.from_bytes(loaded[at : at + 4], "little") for at in (0, 4))
        return board.ram.start < stack <= board.ram.stop and reset % 2 == 1 and reset in board.flash
    opcode = int.from_bytes(loaded[:2], "little")  # an AVR: JMP or RJMP
    return opcode & 0xFE0E == 0x940C or opcode & 0xF000 == 0xC000


def _places(board: Board, folder: Path) -> list[tuple[Kind, Path]]:
    build = folder / "build" / board.name / f"lander{board.suffix}"
    return [("built here", build), ("prebuilt", folder / "prebuilt" / f"{board.name}{board.suffix}")]


def _bring_up_to_date(board: Board, sources: int, folder: Path) -> None:
    """A program of this computer is built when it is wanted; one that was built with flags of its own stays."""
    (kind, path), *_ = _places(board, folder)
    try:
        if read_image(path, board, kind).source == sources:
            return
    except ImageRefused:
        pass
    make(folder, f"BOARD={board.name}", "board")


def _with_note(image: Image, refused: list[str]) -> Image:
    return replace(image, note="; ".join(refused)) if refused else image


def _remedy(board: str, sources: int | None) -> str:
    build = f"`hil firmware build {board}` builds one, " if sources is not None else ""
    return f"{build}--image FILE names another"
