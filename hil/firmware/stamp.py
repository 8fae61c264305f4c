"""Which image this is: the stamp in a firmware's image, and the record beside it. Make runs this after linking.

    stamp.py source BOARD                                the source id of a board, eight hex digits
    stamp.py image LINKED IMAGE RECORD KEY=VALUE…        stamp a linked ELF, and write the record (JSON)

Rules, and why:
1. The image id is a hash of the image as it is loaded, the id's own four bytes zero. So it covers compiler, flags and
   baud rate, and not the path where it was built; the ELF and the .hex made of it have the same one.
2. It has 31 bits and is never 0: the event BOOT carries it as a positive number, and 0 is the software lander.
3. The source id is a hash of the files that a board is built from. It stands in the image as well, so that a file says
   by itself whether it was built from these sources.
4. The stamp is found by its magic, in any form of the image, without symbols: `identity.c` has its layout.
5. Standard library alone: make runs this file with whatever Python there is.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
from pathlib import Path
from typing import NamedTuple

MAGIC = b"M6-IMAGE"
_LAYOUT = struct.Struct("<8s12sII")
"""Magic, board, source id, image id."""
_IMAGE_ID_AT = _LAYOUT.size - 4
_ID_MASK = 0x7FFFFFFF

_ELF = b"\x7fELF"
_LITTLE = 1
_PT_LOAD = 1
_MAX_IMAGE = 1 << 24
_HEADERS = {1: ("<HHIIIIIHHHHHH", "<8I", (1, 3, 4)), 2: ("<HHIQQQIHHHHHH", "<IIQQQQQQ", (2, 4, 5))}
"""By ELF class: header after e_ident, program header, and where the latter has offset, address and size."""


class StampError(ValueError):
    """Not an image, or one without a whole stamp."""


class Stamp(NamedTuple):
    """What an image says that it is. ``at`` is the stamp's place in the loaded image."""

    board: str
    source: int
    image: int
    at: int


class Segment(NamedTuple):
    """A piece of an ELF file that is loaded: its physical address, its place in the file, its length."""

    address: int
    offset: int
    size: int


def is_elf(data: bytes) -> bool:
    """Whether a file is ELF, of whatever kind."""
    return data.startswith(_ELF)


def machine_of(elf: bytes) -> int:
    """The field e_machine of an ELF file that was read: 40 is ARM, 83 AVR, 62 x86-64."""
    return int.from_bytes(elf[18:20], "little")


def segments_of(elf: bytes) -> list[Segment]:
    """What is loaded from an ELF file.

    Raises:
        StampError: not a little-endian ELF file, or cut off.
    """
    if elf[:4] != _ELF or len(elf) < 16 or elf[4] not in _HEADERS or elf[5] != _LITTLE:
        raise StampError("not a little-endian ELF file")
    header, program, (offset, address, size) = _HEADERS[elf[4]]
    try:
        fields = struct.unpack_from(header, elf, 16)
        entries = [struct.unpack_from(program, elf, fields[4] + n * fields[8]) for n in range(fields[9])]
    except struct.error:
        raise StampError("cut off") from None
    return [Segment(e[address], e[offset], e[size]) for e in entries if e[0] == _PT_LOAD and e[size]]


def loaded_image(elf: bytes) -> tuple[int, bytes]:
    """What an ELF file loads, as one piece of memory: its first address, and the bytes; 0xFF between segments.

    Raises:
        StampError: not an ELF file, nothing to load, or spread too far for flash.
    """
    segments = segments_of(elf)
    if not segments:
        raise StampError("nothing to load")
    first = min(segment.address for segment in segments)
    size = max(segment.address + segment.size for segment in segments) - first
    if size > _MAX_IMAGE:
        raise StampError(f"spread over {size} bytes: not a flash image")
    image = bytearray(b"\xff" * size)
    for address, offset, length in segments:
        piece = elf[offset : offset + length]
        image[address - first : address - first + len(piece)] = piece
    return first, bytes(image)


def read_stamp(image: bytes) -> Stamp:
    """The stamp in a loaded image.

    Raises:
        StampError: there is none, or more than one.
    """
    at = image.find(MAGIC)
    if at < 0 or at + _LAYOUT.size > len(image) or image.find(MAGIC, at + 1) >= 0:
        raise StampError("no stamp of this firmware in it" if at < 0 else "no single whole stamp in it")
    _, board, source, number = _LAYOUT.unpack_from(image, at)
    return Stamp(board.rstrip(b"\0").decode("ascii", "replace"), source, number, at)


def image_id(image: bytes, at: int) -> int:
    """The id of a loaded image whose stamp is at an offset."""
    field = at + _IMAGE_ID_AT
    digest = hashlib.sha256(image[:field] + bytes(4) + image[field + 4 :]).digest()
    return int.from_bytes(digest[:4], "big") & _ID_MASK or 1


def stamped(elf: bytes) -> tuple[bytes, Stamp]:
    """An ELF file with its image id written into it.

    Raises:
        StampError: not an ELF file of this firmware.
    """
    first, image = loaded_image(elf)
    stamp = read_stamp(image)
    stamp = stamp._replace(image=image_id(image, stamp.at))
    place = first + stamp.at + _IMAGE_ID_AT
    for address, offset, size in segments_of(elf):
        if address <= place <= address + size - 4:
            at = offset + place - address
            return elf[:at] + struct.pack("<I", stamp.image) + elf[at + 4 :], stamp
    raise StampError("the stamp is in no segment of the file")


def source_files(folder: Path, board: str) -> list[Path]:
    """What the image of a board is built from, the rules of the build included.

    Raises:
        StampError: the board's file is not there, or names no port.
    """
    rules = folder / "boards" / f"{board}.mk"
    said = rules.read_text(encoding="utf-8") if rules.is_file() else ""
    port = re.search(r"^PORT\s*:?=\s*(\S+)", said, re.MULTILINE)
    if port is None:
        raise StampError(f"{rules} names no port")
    patterns = ["Makefile", "*.[ch]", "core/*.[ch]", "generated/*.h", f"ports/{port[1]}/*.*"]
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    wanted = (path for path in found if path.suffix in ("", ".c", ".h", ".S", ".ld") and not path.name.startswith("."))
    return sorted([rules, *wanted])


def source_id(folder: Path, board: str) -> int | None:
    """A hash of what the image of a board is built from: names and contents. None: the sources are not here.

    Raises:
        StampError: the board's file names no port.
    """
    if not (folder / "main.c").is_file():
        return None
    digest = hashlib.sha256()
    for path in source_files(folder, board):
        data = path.read_bytes()
        digest.update(b"%s %d\n" % (path.relative_to(folder).as_posix().encode(), len(data)))
        digest.update(data)
    return int.from_bytes(digest.digest()[:4], "big")


def main(arguments: list[str]) -> None:
    """Do what make asks for."""
    try:
        if len(arguments) == 2 and arguments[0] == "source":
            sys.stdout.write(f"{source_id(Path(__file__).resolve().parent, arguments[1]) or 0:08x}\n")
        elif len(arguments) >= 4 and arguments[0] == "image":
            _stamp_file(Path(arguments[1]), Path(arguments[2]), Path(arguments[3]), arguments[4:])
        else:
            sys.exit(__doc__)
    except (OSError, StampError) as error:
        sys.exit(f"stamp.py: {arguments[-1] if len(arguments) == 2 else arguments[1]}: {error}")


def _stamp_file(linked: Path, image: Path, record: Path, more: list[str]) -> None:
    data, stamp = stamped(linked.read_bytes())
    facts = {"board": stamp.board, "image": f"{stamp.image:08x}", "source": f"{stamp.source:08x}"}
    facts |= dict(fact.split("=", 1) for fact in more)
    linked.write_bytes(data)
    linked.replace(image)
    record.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
