"""AOS transfer frames, CCSDS 732.0-B §4.1: primary header, insert zone, M_PDU (or what else it is), OCF and FECF."""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.ccsds import fhec
from protocols.ccsds.crc import crc16
from protocols.ccsds.tm_frame import NO_PACKETS
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.profile import DataField
from protocols.structures.codec import compile_codec

PRIMARY_HEADER = construct.BitStruct(
    "version" / construct.BitsInteger(2),
    "scid" / construct.BitsInteger(8),
    "vcid" / construct.BitsInteger(6),
    "vcfc" / construct.BitsInteger(24),
    "replay" / construct.Flag,
    "uses_cycle" / construct.Flag,
    construct.Padding(2),
    "cycle" / construct.BitsInteger(4),
)
HEADER_ERROR_CONTROL = construct.Struct("check" / construct.Int16ub)
M_PDU_HEADER = construct.BitStruct(
    construct.Padding(5),
    "first_header_pointer" / construct.BitsInteger(11),
)
_header = compile_codec(PRIMARY_HEADER, "AOS frame header")
_check = compile_codec(HEADER_ERROR_CONTROL, "AOS frame header error control")
_m_pdu = compile_codec(M_PDU_HEADER, "M_PDU header")

HEADER_SIZE = _header.size
VERSION = 1
"""Transfer frame version number on the wire ("version 2", §4.1.2.2.2)."""
ONLY_IDLE_VCID = 63
"""Virtual channel of frames with idle data only; they have no M_PDU header (§4.1.4)."""
VCFC_MODULO = 1 << 24
NO_PACKET_START = 0x7FF
"""First header pointer of an M_PDU in which no packet starts (§4.1.4.2)."""
ONLY_IDLE = 0x7FE
"""First header pointer of an M_PDU with idle data only."""
MAX_POINTER = 0x7FD
_OCF = 4
_FECF = 2


@dataclass(frozen=True, slots=True)
class AosFormat:
    """What a physical channel manages (§5.2), lengths in bytes.

    Attributes:
        frame_length: whole frame without the ASM, at most 65536.
        header_error_control: whether the header carries its own check symbols.
        insert_zone: length of the insert zone, 0 for none.
        ocf: whether every frame ends with an operational control field.
        fecf: whether every frame ends with a CRC-16.
        data_field: what it carries; a B_PDU has a header of two bytes as an M_PDU has, a VCA_SDU has none.
    """

    frame_length: int
    header_error_control: bool = False
    insert_zone: int = 0
    ocf: bool = True
    fecf: bool = True
    data_field: DataField = "packets"

    def __post_init__(self) -> None:
        if self.insert_zone < 0:
            raise DeclarationError("aos.insert_zone", f"{self.insert_zone} bytes")
        if self.data_length < 1 or self.frame_length > 65536:
            raise DeclarationError(
                "aos.frame_length", f"{self.frame_length} bytes leave no room for data, or are > 65536"
            )

    @property
    def zone_start(self) -> int:
        """Where the insert zone starts, in bytes from the start of the frame."""
        return HEADER_SIZE + (_check.size if self.header_error_control else 0)

    @property
    def field_end(self) -> int:
        """Where the transfer frame data field ends, in bytes from the start of the frame."""
        return self.frame_length - (_OCF if self.ocf else 0) - (_FECF if self.fecf else 0)

    @property
    def data_length(self) -> int:
        """Bytes of the packet zone: the data field without the header of its M_PDU or B_PDU."""
        header = 0 if self.data_field == "VCA" else _m_pdu.size
        return self.field_end - self.zone_start - self.insert_zone - header


@dataclass(frozen=True, slots=True)
class AosFrame:
    """One transfer frame.

    Attributes:
        scid: spacecraft, 0 … 255.
        vcid: virtual channel, 0 … 63.
        vcfc: virtual channel frame count, 0 … 2²⁴ − 1.
        first_header_pointer: where in ``data`` the first packet starts, `NO_PACKET_START`, `ONLY_IDLE` or
            `NO_PACKETS`.
        data: the packet zone; on virtual channel 63 the whole data field.
        ocf: four bytes, or None.
        replay: whether the frame was stored on board.
        cycle: virtual channel frame count cycle, 0 … 15; None if its use is not signalled.
        insert: the insert zone.
        header_errors: header symbols that the error control corrected, 0 … 2.
    """

    scid: int
    vcid: int
    vcfc: int
    first_header_pointer: int
    data: bytes
    ocf: bytes | None
    replay: bool = False
    cycle: int | None = None
    insert: bytes = b""
    header_errors: int = 0

    @property
    def mcfc(self) -> None:
        """AOS frames have no master channel frame count."""
        return None


def decode_frame(frame: bytes, form: AosFormat) -> AosFrame:
    """The frame in ``frame``: ASM taken off, FECF already checked by `sync.deframer.Deframer`.

    Raises:
        DecodeError: not as long as the format says, not version 2 (1), or a header beyond repair.
    """
    if len(frame) != form.frame_length:
        raise DecodeError(f"an AOS frame of {form.frame_length} bytes wanted, {len(frame)} given")
    header, errors = _repaired(frame) if form.header_error_control else (frame, 0)
    version, scid, vcid, vcfc, replay, uses_cycle, cycle = _header.decode_raw(header, 0)
    if version != VERSION:
        raise DecodeError(f"transfer frame version {version}, not {VERSION}")
    start, end = form.zone_start + form.insert_zone, form.field_end
    pointer, data_start = ONLY_IDLE, start
    if vcid != ONLY_IDLE_VCID:
        pointer, data_start = _data_field(frame, start, form)
    return AosFrame(
        scid,
        vcid,
        vcfc,
        pointer,
        frame[data_start:end],
        frame[end : end + _OCF] if form.ocf else None,
        replay,
        cycle if uses_cycle else None,
        frame[form.zone_start : start],
        errors,
    )


def vcid_of(frame: bytes, form: AosFormat) -> int:
    """The virtual channel of a frame, its header corrected.

    Raises:
        DecodeError: a header beyond repair.
    """
    header = _repaired(frame)[0] if form.header_error_control else frame
    return header[1] & ONLY_IDLE_VCID


def _data_field(frame: bytes, start: int, form: AosFormat) -> tuple[int, int]:
    """The first header pointer, and where the data starts."""
    if form.data_field == "VCA":
        return NO_PACKETS, start
    (pointer,) = _m_pdu.decode_raw(frame, start)
    return (NO_PACKETS if form.data_field == "B_PDU" else pointer), start + _m_pdu.size


def encode_frame(frame: AosFrame, form: AosFormat) -> bytes:
    """Frame and FECF, without ASM.

    Raises:
        EncodeError: data, insert zone or OCF have not the format's length, or a number does not fit.
    """
    _check_lengths(frame, form)
    uses_cycle = frame.cycle is not None
    body = _header.encode_raw(VERSION, frame.scid, frame.vcid, frame.vcfc, frame.replay, uses_cycle, frame.cycle or 0)
    if form.header_error_control:
        body += _check.encode_raw(fhec.check_symbols(_protected(body)))
    body += frame.insert
    if frame.vcid != ONLY_IDLE_VCID and form.data_field != "VCA":
        body += _m_pdu.encode_raw(frame.first_header_pointer & NO_PACKET_START)
    body += frame.data + (frame.ocf or b"")
    return body + crc16(body).to_bytes(_FECF, "big") if form.fecf else body


def _check_lengths(frame: AosFrame, form: AosFormat) -> None:
    wanted = form.data_length + (_m_pdu.size if frame.vcid == ONLY_IDLE_VCID and form.data_field != "VCA" else 0)
    if len(frame.data) != wanted:
        raise EncodeError(f"the packet zone has {wanted} bytes, not {len(frame.data)}")
    if len(frame.insert) != form.insert_zone:
        raise EncodeError(f"the insert zone has {form.insert_zone} bytes, not {len(frame.insert)}")
    if len(frame.ocf or b"") != (_OCF if form.ocf else 0):
        raise EncodeError("the format and the frame disagree about the OCF")


def _protected(header: bytes) -> int:
    """The 24 bits that the header error control protects: not the frame count."""
    return header[0] << 16 | header[1] << 8 | header[5]


def _repaired(frame: bytes) -> tuple[bytes, int]:
    """The primary header, corrected, and how many symbols were wrong."""
    (check,) = _check.decode_raw(frame, HEADER_SIZE)
    fields, errors = fhec.correct(_protected(frame), check)
    return (fields >> 8).to_bytes(2, "big") + frame[2:5] + bytes([fields & 0xFF]), errors
