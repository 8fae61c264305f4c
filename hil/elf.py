"""As much of ELF as the rig needs: symbols, and the image that a flash tool writes. Little-endian, 32 or 64 bits.

A damaged file is `ElfError`, whatever is wrong with it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import WorldError

_MAGIC = b"\x7fELF"
_LITTLE = 1
_PT_LOAD = 1
_SHT_SYMTAB = 2
_MAX_IMAGE = 1 << 24

BUILD_SYMBOL = "firmware_build"
"""Absolute: its value is the number of the build."""


class ElfError(WorldError):
    """Not a file that this program can read as ELF."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a class of ELF has its fields; struct formats without byte order."""

    header: str
    section: str
    segment: str
    symbol: str


_LAYOUTS = {
    1: _Layout("HHIIIIIHHHHHH", "IIIIIIIIII", "IIIIIIII", "IIIBBH"),
    2: _Layout("HHIQQQIHHHHHH", "IIQQQQIIQQ", "IIQQQQQQ", "IBBHQQ"),
}


class Elf:
    """A file, read as a whole."""

    def __init__(self, data: bytes, name: str = "ELF") -> None:
        """Args: the bytes, and a name for errors.

        Raises:
            ElfError: they are no ELF of a kind that is known.
        """
        if data[:4] != _MAGIC or len(data) < 16 or data[4] not in _LAYOUTS or data[5] != _LITTLE:
            raise ElfError(f"{name} is no little-endian ELF file")
        self._data = data
        self._name = name
        self._wide = data[4] == 2
        self._layout = _LAYOUTS[data[4]]
        header = self._unpack(self._layout.header, 16)
        self._segments_at, self._sections_at = header[4], header[5]
        self._segment_count, self._section_size, self._section_count = header[9], header[10], header[11]
        self._segment_size = header[8]

    @classmethod
    def read(cls, path: Path) -> Elf:
        """The file at a path.

        Raises:
            ElfError: it cannot be read.
        """
        try:
            return cls(path.read_bytes(), str(path))
        except OSError as error:
            raise ElfError(f"{path} cannot be read: {error.strerror}") from error

    def symbol(self, name: str) -> int:
        """The value of a symbol: an address, as a rule.

        Raises:
            ElfError: there is none of that name.
        """
        sections = [self._section(n) for n in range(self._section_count)]
        for section in sections:
            if section[1] != _SHT_SYMTAB:
                continue
            at, size, strings = section[4], section[5], section[6]
            if strings >= len(sections):
                break
            names = self._data[sections[strings][4] : sections[strings][4] + sections[strings][5]]
            step = struct.calcsize("<" + self._layout.symbol)
            for place in range(at, at + size, step):
                entry = self._unpack(self._layout.symbol, place)
                if names[entry[0] :].partition(b"\0")[0] == name.encode():
                    return int(entry[4] if self._wide else entry[1])
        raise ElfError(f"{self._name} has no symbol {name}")

    def image(self) -> tuple[int, bytes]:
        """What is loaded, as one piece of memory: its first address, and the bytes; 0xFF between segments.

        Raises:
            ElfError: nothing is, or it is spread too far.
        """
        pieces = [piece for n in range(self._segment_count) if (piece := self._segment(n))[1]]
        if not pieces:
            raise ElfError(f"{self._name} has nothing to load")
        first = min(address for address, _ in pieces)
        size = max(address + len(data) for address, data in pieces) - first
        if size > _MAX_IMAGE:
            raise ElfError(f"{self._name} is spread over {size} bytes: that is no flash image")
        image = bytearray(b"\xff" * size)
        for address, data in pieces:
            image[address - first : address - first + len(data)] = data
        return first, bytes(image)

    def _segment(self, number: int) -> tuple[int, bytes]:
        """Physical address and bytes of a segment; none if it is not loaded from the file."""
        fields = self._unpack(self._layout.segment, self._segments_at + number * self._segment_size)
        kind, offset, address, size = (fields[n] for n in ((0, 2, 4, 5) if self._wide else (0, 1, 3, 4)))
        return address, self._data[offset : offset + size] if kind == _PT_LOAD else b""

    def _section(self, number: int) -> tuple[int, ...]:
        return self._unpack(self._layout.section, self._sections_at + number * self._section_size)

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from("<" + layout, self._data, at)
        except struct.error:
            raise ElfError(f"{self._name} is cut off") from None


def build_of(path: Path) -> int:
    """The number of a firmware's build, from its ELF.

    Raises:
        ElfError: it is none, or has no such number.
    """
    return Elf.read(path).symbol(BUILD_SYMBOL)
