"""TM transfer frames, CCSDS 132.0-B §4.1: primary and secondary header, data field, OCF (a CLCW), FECF (CRC-16)."""

from __future__ import annotations

from typing import NamedTuple

import construct

from protocols.ccsds.crc import crc16
from protocols.errors import DecodeError, EncodeError
from protocols.profile import LinkProfile
from protocols.structures.codec import compile_codec
from protocols.tuples import maker

PRIMARY_HEADER = construct.BitStruct(
    "version" / construct.BitsInteger(2),
    "scid" / construct.BitsInteger(10),
    "vcid" / construct.BitsInteger(3),
    "has_ocf" / construct.Flag,
    "mcfc" / construct.BitsInteger(8),
    "vcfc" / construct.BitsInteger(8),
    "has_secondary_header" / construct.Flag,
    "sync" / construct.Flag,
    "packet_order" / construct.Flag,
    "segment_length" / construct.BitsInteger(2),
    "first_header_pointer" / construct.BitsInteger(11),
)
_codec = compile_codec(PRIMARY_HEADER, "TM frame header")

HEADER_SIZE = _codec.size
NO_PACKET_START = 0x7FF
"""First header pointer of a frame in which no packet starts (§4.1.2.7.6.4)."""
ONLY_IDLE = 0x7FE
"""First header pointer of a frame with idle data only (§4.1.2.7.6.5)."""
MAX_POINTER = 0x7FD
NO_PACKETS = 0x800
"""In place of a first header pointer: the data field carries no packets but a VCA_SDU (§4.1.2.7.3) or a bitstream."""
MCFC_MODULUS = 1 << 8
"""The master channel frame count starts again after so many frames."""

_UNSEGMENTED = 3
_OCF_SIZE = 4
_OTHER_FLAGS = "secondary header or OCF flag is not as the link profile says"
_SECONDARY_LENGTH = 0x3F


class TmHeader(NamedTuple):
    """The primary header as it stands there (§4.1.2)."""

    version: int
    scid: int
    vcid: int
    has_ocf: bool
    mcfc: int
    vcfc: int
    has_secondary_header: bool
    sync: bool
    packet_order: bool
    segment_length: int
    first_header_pointer: int


class TmFrame(NamedTuple):
    """One transfer frame. ``data`` is its data field, ``ocf`` the four bytes of the CLCW or None.

    ``secondary_header`` is empty or the whole of it, its own first byte (version and length, §4.1.3.2) included.
    """

    scid: int
    vcid: int
    mcfc: int
    vcfc: int
    first_header_pointer: int
    data: bytes
    ocf: bytes | None
    secondary_header: bytes = b""


_make_frame = maker(TmFrame)


def decode_header(frame: bytes) -> TmHeader:
    """The primary header of a frame, whatever it says.

    Raises:
        DecodeError: fewer bytes than a header.
    """
    return TmHeader(*_codec.decode_raw(frame, 0))


def decode_frame(frame: bytes, profile: LinkProfile) -> TmFrame:
    """The frame in ``frame``: ASM taken off, FECF already checked by `sync.deframer.Deframer`.

    Raises:
        DecodeError: not version 1 (0), a secondary header, or an OCF flag that the profile does not expect.
    """
    version, scid, vcid, has_ocf, mcfc, vcfc, secondary, sync, _, _, pointer = _codec.decode_raw(frame, 0)
    if version:
        raise DecodeError(f"transfer frame version {version}, not 0")
    start = profile.data_offset
    end = start + profile.data_length
    if profile.uniform and profile.secondary_header_id:  # nearly all links
        if secondary != (start > HEADER_SIZE) or has_ocf != profile.ocf:
            raise DecodeError(_OTHER_FLAGS)
    else:
        _check_flags(profile, vcid, secondary=secondary, has_ocf=has_ocf)
        end += _OCF_SIZE * (profile.ocf - has_ocf)
        sync = sync or profile.data_field_of(vcid) != "packets"
    if secondary and profile.secondary_header_id and frame[HEADER_SIZE] & _SECONDARY_LENGTH != start - HEADER_SIZE - 1:
        raise DecodeError("the secondary header is not as long as the link profile says")
    ocf = frame[end : end + _OCF_SIZE] if has_ocf else None
    if sync:
        pointer = NO_PACKETS
    return _make_frame((scid, vcid, mcfc, vcfc, pointer, frame[start:end], ocf, frame[HEADER_SIZE:start]))


def _check_flags(profile: LinkProfile, vcid: int, *, secondary: bool, has_ocf: bool) -> None:
    """Of a profile with channels that differ, or with a secondary header that no flag tells."""
    flagged = profile.secondary_header_id and secondary != (profile.data_offset > HEADER_SIZE)
    if flagged or has_ocf != profile.has_ocf(vcid):
        raise DecodeError(_OTHER_FLAGS)


def encode_frame(frame: TmFrame, profile: LinkProfile) -> bytes:
    """ASM, frame and FECF as the profile has them; check symbols and randomiser come on top, in `frames.encode_cadu`.

    Raises:
        EncodeError: the data field or secondary header has not the profile's length, or a number does not fit.
    """
    has_ocf = profile.has_ocf(frame.vcid)
    length = profile.data_length + _OCF_SIZE * (profile.ocf - has_ocf)
    if len(frame.data) != length:
        raise EncodeError(f"the data field has {length} bytes, not {len(frame.data)}")
    if (frame.ocf is not None) != has_ocf:
        raise EncodeError("the profile and the frame disagree about the OCF")
    if len(frame.secondary_header) != profile.secondary_header:
        raise EncodeError(f"the secondary header has {profile.secondary_header} bytes")
    header = _codec.encode_raw(
        0,
        frame.scid,
        frame.vcid,
        has_ocf,
        frame.mcfc,
        frame.vcfc,
        bool(frame.secondary_header),
        frame.first_header_pointer == NO_PACKETS,
        False,
        _UNSEGMENTED,
        frame.first_header_pointer & NO_PACKET_START,
    )
    body = header + frame.secondary_header + frame.data + (frame.ocf or b"")
    return profile.asm + (body + crc16(body).to_bytes(2, "big") if profile.fecf else body)
