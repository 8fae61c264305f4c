"""Bits to frames: the ASM may start at any bit, and all bits may be inverted. The rules are those of `sync`.

The stream is looked at as text of the characters 0 and 1, one a bit: finding a pattern at any bit and turning bits
into bytes are then single calls of the interpreter.
"""

from __future__ import annotations

from typing import Literal

from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame, Reject

BitForm = Literal["packed", "one-per-byte"]
"""``packed``: eight bits a byte, highest first. ``one-per-byte``: its lowest bit; text of 0 and 1 fits."""

_PIECE = 16384
"""Bits that are looked at in one go."""

_LOWEST_BIT = bytes(0x30 + (n & 1) for n in range(256))
_INVERTED = bytes.maketrans(b"01", b"10")


class BitDeframer(Deframer):
    """A `Deframer` for bits: offsets and counts are in bits, ``pending`` has one character a bit.

    Polarity follows every whole ASM; a frame with a damaged one has the polarity of the frame before.
    """

    _unit = 8

    def __init__(self, profile: LinkProfile, form: BitForm = "packed") -> None:
        super().__init__(profile)
        self.form = form

    def feed(self, data: bytes) -> list[Frame | Reject]:
        """Take bits in the deframer's form, give what they complete."""
        found: list[Frame | Reject] = []
        step = _PIECE // 8 if self.form == "packed" else _PIECE
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            found += super().feed(_unpacked(piece) if self.form == "packed" else piece.translate(_LOWEST_BIT))
        return found

    def _patterns(self, asm: bytes) -> tuple[bytes, ...]:
        bits = _unpacked(asm)
        return bits, bits.translate(_INVERTED)

    def _cut(self, buffer: bytes, at: int) -> tuple[bytes, bool]:
        upright, turned = self._markers
        inverted = buffer.startswith(turned, at) or (self._inverted and not buffer.startswith(upright, at))
        value = int(buffer[at : at + self._cadu], 2)
        if inverted:
            value ^= (1 << self._cadu) - 1
        return value.to_bytes(self._cadu // 8, "big"), inverted


def _unpacked(data: bytes) -> bytes:
    """One character 0 or 1 a bit, the highest of each byte first."""
    return bin(int.from_bytes(b"\1" + data, "big"))[3:].encode()
