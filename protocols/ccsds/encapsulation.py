"""Encapsulation packets, CCSDS 133.1-B §4.1: headers of 1, 2, 4 or 8 bytes, told by the first byte."""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.errors import DecodeError, EncodeError
from protocols.structures.codec import Buffer, compile_codec

_FIRST_BYTE = (
    "version" / construct.BitsInteger(3),
    "protocol" / construct.BitsInteger(3),
    "length_of_length" / construct.BitsInteger(2),
)
_SECOND_BYTE = (
    "user_defined" / construct.BitsInteger(4),
    "extension" / construct.BitsInteger(4),
)
HEADER_1 = construct.BitStruct(*_FIRST_BYTE)
HEADER_2 = construct.BitStruct(*_FIRST_BYTE, "length" / construct.BitsInteger(8))
HEADER_4 = construct.BitStruct(*_FIRST_BYTE, *_SECOND_BYTE, "length" / construct.BitsInteger(16))
HEADER_8 = construct.BitStruct(
    *_FIRST_BYTE,
    *_SECOND_BYTE,
    "ccsds_defined" / construct.BitsInteger(16),
    "length" / construct.BitsInteger(32),
)
_codecs = tuple(
    compile_codec(header, f"encapsulation header of {header.sizeof()}")
    for header in (HEADER_1, HEADER_2, HEADER_4, HEADER_8)
)

VERSION = 7
"""Packet version number: the first three bits tell these packets from space packets, which have 0."""
IDLE = 0
"""Protocol ID of packets that carry nothing."""
EXTENDED = 6
"""Protocol ID that says that the extension names the protocol (§4.1.2)."""
IDLE_PACKET = b"\xe0"
"""The smallest packet: one byte, idle."""


@dataclass(frozen=True, slots=True)
class EncapsulationHeader:
    """Header of ``header_size`` bytes.

    Attributes:
        protocol: protocol ID, 0 … 7; `IDLE` carries nothing.
        header_size: 1, 2, 4 or 8 bytes.
        size: whole packet, header included, in bytes.
        extension: protocol ID extension, 0 … 15; 0 in headers without it.
        user_defined: 0 … 15; 0 in headers without it.
    """

    protocol: int
    header_size: int
    size: int
    extension: int = 0
    user_defined: int = 0


def is_encapsulation(first_byte: int) -> bool:
    """Whether a packet that starts with this byte is an encapsulation packet."""
    return first_byte >> 5 == VERSION


def header_size(first_byte: int) -> int:
    """Bytes of the header that starts with this byte: 1, 2, 4 or 8."""
    return 1 << (first_byte & 3)


def decode_header(data: Buffer, offset: int = 0) -> EncapsulationHeader:
    """The header at ``offset``.

    Raises:
        DecodeError: too short, another packet version, or a size smaller than the header's.
    """
    if offset >= len(data) or not is_encapsulation(data[offset]):
        raise DecodeError("not an encapsulation packet")
    codec = _codecs[data[offset] & 3]
    values = codec.decode(data, offset)
    size = int(values.get("length", 1))
    if size < codec.size:
        raise DecodeError(f"an encapsulation packet of {size} bytes has no room for its header of {codec.size}")
    extension, user_defined = int(values.get("extension", 0)), int(values.get("user_defined", 0))
    return EncapsulationHeader(int(values["protocol"]), codec.size, size, extension, user_defined)


def size_of(data: Buffer, offset: int = 0) -> int:
    """Size in bytes of the packet whose whole header stands at ``offset``; 0 if it cannot be one."""
    try:
        return decode_header(data, offset).size
    except DecodeError:
        return 0


def encode_packet(protocol: int, data: bytes, *, extension: int | None = None, user_defined: int = 0) -> bytes:
    """A packet around ``data`` with the smallest header that will do.

    Args:
        protocol: protocol ID, 0 … 7.
        data: what the packet carries; empty gives, for `IDLE`, one byte in all.
        extension: protocol ID extension, 0 … 15, or None for none; it needs a header of four bytes or more.
        user_defined: 0 … 15; anything but 0 needs the same.

    Raises:
        EncodeError: a number does not fit, or only idle packets may be empty.
    """
    if not data and protocol != IDLE:
        raise EncodeError("only an idle packet carries nothing")
    second = extension is not None or user_defined
    if not data and not second:
        return IDLE_PACKET
    if not second and len(data) + 2 <= 0xFF:
        return _codecs[1].encode_raw(VERSION, protocol, 1, len(data) + 2) + data
    if len(data) + 4 <= 0xFFFF:
        return _codecs[2].encode_raw(VERSION, protocol, 2, user_defined, extension or 0, len(data) + 4) + data
    return _codecs[3].encode_raw(VERSION, protocol, 3, user_defined, extension or 0, 0, len(data) + 8) + data
