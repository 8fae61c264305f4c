"""What became of a damaged frame, and by what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.declare.dictionary import Packet

MendLevel = Literal["MENDED", "PARTIAL", "HOPELESS"]
"""MENDED: all checksums agree, by the one correction that fits. PARTIAL: they do not, field by field. HOPELESS: nothing
in it can be told from noise."""

Evidence = Literal["KNOWN", "WINDOW", "CHECKSUM"]
"""Why a bit was turned: its value was known; the value that it stood in was impossible; the checksum located it."""

PacketState = Literal["INTACT", "MENDED", "PARTIAL"]
"""INTACT: its own checksum fits as it came. MENDED: it fits after a correction, or it lies in a mended frame."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A bit that was turned. ``bit`` counts from the first of the ASM, the highest of each byte first."""

    bit: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FieldTrust:
    """How far a field of a packet can be believed.

    Attributes:
        name: the field's.
        confidence: probability that it is as it was sent, 0 … 1.
        known: it was predicted, not read.
        possible: it lies between what its neighbours allow.
    """

    name: str
    confidence: float
    known: bool
    possible: bool


@dataclass(frozen=True, slots=True)
class MendedPacket:
    """A declared packet in a damaged frame.

    Attributes:
        packet: its type.
        sequence: its sequence count.
        place: where it begins in the frame's data field, in bytes; negative: in an earlier frame.
        data: all of its bytes that are known, corrected.
        whole: whether none is missing.
        state: how it came to be.
        fields: of one that is PARTIAL, field by field; else empty.
    """

    packet: Packet
    sequence: int
    place: int
    data: bytes
    whole: bool
    state: PacketState
    fields: tuple[FieldTrust, ...] = ()


@dataclass(frozen=True, slots=True)
class MendedFrame:
    """A frame that did not come as it was sent.

    Attributes:
        offset: where its ASM begins in the stream.
        ert: when its last byte was received, in ns.
        level: what could be done.
        vcid: its virtual channel; None if that is unknown.
        vcfc: its count there.
        received: its bytes as they came, ASM included.
        data: the same bytes, corrected as far as possible.
        corrections: the bits in which they differ.
        risk: upper bound of the probability that a MENDED frame is not what was sent; 1 for others.
        error_rate: share of wrong bits among those that are known.
        why: how it was mended, or why not.
        packets: the declared packets in it.
    """

    offset: int
    ert: int
    level: MendLevel
    vcid: int | None
    vcfc: int | None
    received: bytes
    data: bytes
    corrections: tuple[Correction, ...]
    risk: float
    error_rate: float
    why: str
    packets: tuple[MendedPacket, ...]
