"""TC transfer frames, CCSDS 232.0-B §4.1: primary header, segment header, FECF, and the control commands.

Three types (§4.1.2.3): AD, checked in sequence by FARM-1; BD (bypass), taken as it comes; BC (bypass and control),
which commands FARM-1 itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.ccsds.crc import crc16
from protocols.errors import DecodeError, EncodeError
from protocols.structures.codec import Buffer, compile_codec

PRIMARY_HEADER = construct.BitStruct(
    "version" / construct.BitsInteger(2),
    "bypass" / construct.Flag,
    "control" / construct.Flag,
    construct.Padding(2),
    "scid" / construct.BitsInteger(10),
    "vcid" / construct.BitsInteger(6),
    "length" / construct.BitsInteger(10),
    "sequence" / construct.BitsInteger(8),
)
SEGMENT_HEADER = construct.BitStruct(
    "flags" / construct.BitsInteger(2),
    "map_id" / construct.BitsInteger(6),
)
_header = compile_codec(PRIMARY_HEADER, "TC frame header")
_segment = compile_codec(SEGMENT_HEADER, "TC segment header")

HEADER_SIZE = _header.size
MAX_SIZE = 1024
SEQUENCE_MODULO = 256
FIRST, CONTINUING, LAST, UNSEGMENTED = 1, 0, 2, 3
"""Sequence flags of a segment (§4.1.3.2.2.2)."""
_FECF = 2
_UNLOCK = b"\x00"
_SET_VR = b"\x82\x00"


@dataclass(frozen=True, slots=True)
class Segment:
    """Segment header: multiplexer access point 0 … 63, and the place of this piece in its unit."""

    map_id: int = 0
    flags: int = UNSEGMENTED


@dataclass(frozen=True, slots=True)
class TcFrame:
    """One transfer frame.

    Attributes:
        scid: spacecraft, 0 … 1023.
        vcid: virtual channel, 0 … 63.
        sequence: N(S), 0 … 255; 0 on frames of type B.
        data: the data field without segment header.
        bypass: type B, not checked in sequence.
        control: type C, ``data`` is a control command; only together with ``bypass``.
        segment: the segment header, if the channel uses one; never on control commands.
    """

    scid: int
    vcid: int
    sequence: int
    data: bytes
    bypass: bool = False
    control: bool = False
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class Unlock:
    """Control command UNLOCK (§4.1.3.3.2): FARM-1 leaves lockout."""


@dataclass(frozen=True, slots=True)
class SetVr:
    """Control command SET V(R) (§4.1.3.3.3): the next N(S) to expect, 0 … 255."""

    value: int


ControlCommand = Unlock | SetVr


def encode_frame(frame: TcFrame, *, fecf: bool = True) -> bytes:
    """The whole frame, 6 … 1024 bytes.

    Raises:
        EncodeError: no data or too much, a number does not fit, or flags that contradict each other.
    """
    _check_type(frame)
    segment = b"" if frame.segment is None else _segment.encode_raw(frame.segment.flags, frame.segment.map_id)
    size = HEADER_SIZE + len(segment) + len(frame.data) + (_FECF if fecf else 0)
    if not frame.data or size > MAX_SIZE:
        raise EncodeError(f"a TC frame has data and at most {MAX_SIZE} bytes, not {len(frame.data)} and {size}")
    header = _header.encode_raw(0, frame.bypass, frame.control, frame.scid, frame.vcid, size - 1, frame.sequence)
    body = header + segment + frame.data
    return body + crc16(body).to_bytes(_FECF, "big") if fecf else body


def _check_type(frame: TcFrame) -> None:
    if frame.control and (not frame.bypass or frame.segment is not None):
        raise EncodeError("a control command bypasses the sequence check and has no segment header")
    if frame.bypass and frame.sequence:
        raise EncodeError(f"N(S) of a type B frame is 0, not {frame.sequence}")


def decode_frame(data: bytes, *, segmented: bool = False, fecf: bool = True) -> TcFrame:
    """The frame at the start of ``data``; fill after its end is not looked at.

    Args:
        data: the bytes of a CLTU, or a bare frame.
        segmented: whether data frames of this channel carry a segment header.
        fecf: whether the frame ends with a CRC-16, which is checked.

    Raises:
        DecodeError: too short, the CRC does not fit, not version 1 (0), or type AC, which does not exist.
    """
    version, bypass, control, scid, vcid, length, sequence = _header.decode_raw(data, 0)
    size = length + 1
    if size > len(data):
        raise DecodeError(f"TC frame: {size} bytes wanted, {len(data)} given")
    if fecf and crc16(data[:size]):
        raise DecodeError("frame error control does not fit")
    if version or (control and not bypass):
        raise DecodeError(f"version {version}, bypass {bypass}, control {control} is not a TC frame")
    body = data[HEADER_SIZE : size - (_FECF if fecf else 0)]
    segment = None
    if segmented and not control:
        flags, map_id = _segment.decode_raw(body, 0)
        segment, body = Segment(map_id, flags), body[_segment.size :]
    if not body:
        raise DecodeError("a TC frame without data")
    return TcFrame(scid, vcid, sequence, body, bypass, control, segment)


def split_frames(data: bytes) -> list[bytes]:
    """The frames of one CLTU, cut by their length fields; ends where fill or noise begins. Nothing is checked."""
    frames: list[bytes] = []
    while len(data) > HEADER_SIZE and not data[0] >> 6:
        size = frame_size(data)
        if not HEADER_SIZE < size <= len(data):
            break
        frames.append(data[:size])
        data = data[size:]
    return frames


def frame_size(data: Buffer, offset: int = 0) -> int:
    """Size in bytes, 1 … 1024, that the header at ``offset`` gives its frame.

    Raises:
        DecodeError: fewer than five bytes.
    """
    return int(_header.decode_raw(data, offset)[5]) + 1


def encode_control(command: ControlCommand) -> bytes:
    """The data field of a type BC frame.

    Raises:
        EncodeError: V(R) does not fit in eight bits.
    """
    if isinstance(command, Unlock):
        return _UNLOCK
    if not 0 <= command.value < SEQUENCE_MODULO:
        raise EncodeError(f"V(R) is {command.value}: the range is 0 … {SEQUENCE_MODULO - 1}")
    return _SET_VR + bytes([command.value])


def decode_control(data: bytes) -> ControlCommand:
    """The control command in the data field of a type BC frame.

    Raises:
        DecodeError: neither UNLOCK nor SET V(R).
    """
    if data == _UNLOCK:
        return Unlock()
    if len(data) == len(_SET_VR) + 1 and data.startswith(_SET_VR):
        return SetVr(data[-1])
    raise DecodeError(f"{data[:8].hex()} is not a control command")
