"""Space packets, CCSDS 133.0-B §4.1."""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.errors import EncodeError
from protocols.structures.codec import Buffer, compile_codec

PRIMARY_HEADER = construct.BitStruct(
    "version" / construct.BitsInteger(3),
    "is_command" / construct.Flag,
    "has_secondary_header" / construct.Flag,
    "apid" / construct.BitsInteger(11),
    "segmentation" / construct.BitsInteger(2),
    "sequence" / construct.BitsInteger(14),
    "data_length" / construct.BitsInteger(16),
)
_codec = compile_codec(PRIMARY_HEADER, "space packet header")

HEADER_SIZE = _codec.size
IDLE_APID = 0x7FF
UNSEGMENTED = 3
SEQUENCE_MODULO = 1 << 14
MIN_SIZE = HEADER_SIZE + 1
MAX_SIZE = HEADER_SIZE + 65536
_IDLE_FILL = 0x55


@dataclass(frozen=True, slots=True)
class PacketHeader:
    """Primary header. ``size`` is the whole packet's, header included, in bytes: 7 … 65542."""

    version: int
    is_command: bool
    has_secondary_header: bool
    apid: int
    segmentation: int
    sequence: int
    size: int


def decode_header(data: Buffer, offset: int = 0) -> PacketHeader:
    """The primary header at ``offset``.

    Raises:
        DecodeError: fewer than six bytes.
    """
    version, command, secondary, apid, flags, sequence, length = _codec.decode_raw(data, offset)
    return PacketHeader(version, command, secondary, apid, flags, sequence, length + HEADER_SIZE + 1)


def encode_packet(apid: int, sequence: int, data: bytes, *, command: bool = False, secondary: bool = True) -> bytes:
    """A whole unsegmented packet around ``data`` (1 … 65536 bytes).

    Raises:
        EncodeError: empty or too long data, or a number that does not fit.
    """
    if not 1 <= len(data) <= 65536:
        raise EncodeError(f"a space packet carries 1 … 65536 bytes, not {len(data)}")
    header = _codec.encode_raw(0, command, secondary, apid, UNSEGMENTED, sequence, len(data) - 1)
    return header + data


def idle_packet(size: int, sequence: int = 0) -> bytes:
    """An idle packet of ``size`` bytes in all (7 or more): fill for a frame with nothing to say (§4.1.4.6).

    Raises:
        EncodeError: smaller than seven bytes.
    """
    fill = bytes([_IDLE_FILL]) * (size - HEADER_SIZE)
    return encode_packet(IDLE_APID, sequence, fill, secondary=False)
