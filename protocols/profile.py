"""A link profile: how frames lie on the wire. Data, so that another link is another value, not other code."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.errors import DeclarationError

ASM = bytes.fromhex("1ACFFC1D")
"""Attached sync marker, CCSDS 131.0-B §9.3.5."""

_HEADER = 6
_OCF = 4
_FECF = 2


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """TM transfer frames of one fixed length, each after an ASM. ``frame_length`` in bytes, without the ASM."""

    frame_length: int = 128
    asm: bytes = ASM
    ocf: bool = True

    def __post_init__(self) -> None:
        if len(self.asm) < 2:
            raise DeclarationError("profile.asm", "a sync marker has at least two bytes")
        if self.data_length < 1 or self.frame_length > 2048:
            raise DeclarationError("profile.frame_length", f"{self.frame_length} is not 13 … 2048 bytes")

    @property
    def cadu_length(self) -> int:
        """ASM and frame, in bytes."""
        return len(self.asm) + self.frame_length

    @property
    def data_length(self) -> int:
        """Bytes of a frame's data field."""
        return self.frame_length - _HEADER - (_OCF if self.ocf else 0) - _FECF


UART = LinkProfile()
"""This lander's UART: 128-byte frames with OCF and FECF."""
