"""PUS-C packets: secondary headers and packet error control, ECSS-E-ST-70-41C §7.4.3 (TM) and §7.4.4 (TC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import construct

from protocols.ccsds import cds
from protocols.ccsds.crc import crc16
from protocols.ccsds.space_packet import HEADER_SIZE, decode_header, encode_packet
from protocols.errors import DecodeError
from protocols.structures.codec import Buffer, compile_codec
from protocols.tuples import maker

TM_SECONDARY_HEADER = construct.Struct(
    "version"
    / construct.BitStruct(
        "pus" / construct.BitsInteger(4),
        "time_reference" / construct.BitsInteger(4),
    ),
    "service" / construct.Int8ub,
    "subtype" / construct.Int8ub,
    "counter" / construct.Int16ub,
    "destination" / construct.Int16ub,
    "time" / cds.CDS,
)
_codec = compile_codec(TM_SECONDARY_HEADER, "PUS TM header")

TC_SECONDARY_HEADER = construct.Struct(
    "flags"
    / construct.BitStruct(
        "pus" / construct.BitsInteger(4),
        "acknowledge" / construct.BitsInteger(4),
    ),
    "service" / construct.Int8ub,
    "subtype" / construct.Int8ub,
    "source" / construct.Int16ub,
)
_tc_codec = compile_codec(TC_SECONDARY_HEADER, "PUS TC header")

PUS_C = 2
BODY_OFFSET = HEADER_SIZE + _codec.size
CRC_SIZE = 2
TIME_OFFSET = BODY_OFFSET - cds.SIZE
TC_DATA_OFFSET = HEADER_SIZE + _tc_codec.size

ACK_ACCEPTANCE, ACK_START, ACK_PROGRESS, ACK_COMPLETION = 1, 2, 4, 8
"""Which verification reports a command asks for, §7.4.4.1."""


class TmHeader(NamedTuple):
    """PUS TM secondary header. ``time_ns`` is the onboard time (SCET), UTC in ns since 1970."""

    service: int
    subtype: int
    counter: int
    destination: int
    time_ns: int


_make_header = maker(TmHeader)


def decode_tm(packet: Buffer) -> TmHeader:
    """Header of a whole PUS TM packet, its packet error control checked.

    Raises:
        DecodeError: too short, not PUS-C, the CRC does not fit, or its time is none.
    """
    if len(packet) < BODY_OFFSET + CRC_SIZE:
        raise DecodeError(f"a PUS TM packet has at least {BODY_OFFSET + CRC_SIZE} bytes, not {len(packet)}")
    if crc16(packet):
        raise DecodeError("packet error control does not fit")
    pus, _, service, subtype, counter, destination, day, ms = _codec.decode_raw(packet, HEADER_SIZE)
    if pus != PUS_C:
        raise DecodeError(f"PUS version {pus}, not {PUS_C}")
    return _make_header((service, subtype, counter, destination, cds.utc_of(day, ms)))


def encode_tm(apid: int, sequence: int, header: TmHeader, body: bytes) -> bytes:
    """A whole PUS TM packet.

    Raises:
        EncodeError: a number does not fit its field.
    """
    time = cds.encode_cds(header.time_ns)
    day, ms = int.from_bytes(time[:2], "big"), int.from_bytes(time[2:], "big")
    secondary = _codec.encode_raw(PUS_C, 0, header.service, header.subtype, header.counter, header.destination, day, ms)
    packet = encode_packet(apid, sequence, secondary + body + b"\0\0")[:-CRC_SIZE]
    return packet + crc16(packet).to_bytes(CRC_SIZE, "big")


@dataclass(frozen=True, slots=True)
class TcHeader:
    """PUS TC secondary header. ``acknowledge`` is a sum of ``ACK_…``; failures are reported in any case."""

    service: int
    subtype: int
    source: int = 0
    acknowledge: int = ACK_ACCEPTANCE | ACK_COMPLETION


@dataclass(frozen=True, slots=True)
class TcPacket:
    """A telecommand. ``data`` is the application data: what lies between header and packet error control."""

    apid: int
    sequence: int
    header: TcHeader
    data: bytes


def decode_tc(packet: Buffer) -> TcPacket:
    """A whole PUS TC packet, its packet error control checked.

    Raises:
        DecodeError: too short, not one whole telecommand of PUS-C, or the CRC does not fit.
    """
    if len(packet) < TC_DATA_OFFSET + CRC_SIZE:
        raise DecodeError(f"a PUS TC packet has at least {TC_DATA_OFFSET + CRC_SIZE} bytes, not {len(packet)}")
    primary = decode_header(packet)
    if primary.version or not primary.is_command or not primary.has_secondary_header or primary.size != len(packet):
        raise DecodeError("not one whole telecommand with a secondary header")
    if crc16(packet):
        raise DecodeError("packet error control does not fit")
    pus, acknowledge, service, subtype, source = _tc_codec.decode_raw(packet, HEADER_SIZE)
    if pus != PUS_C:
        raise DecodeError(f"PUS version {pus}, not {PUS_C}")
    header = TcHeader(service, subtype, source, acknowledge)
    return TcPacket(primary.apid, primary.sequence, header, bytes(packet[TC_DATA_OFFSET:-CRC_SIZE]))


def encode_tc(apid: int, sequence: int, header: TcHeader, data: bytes = b"") -> bytes:
    """A whole PUS TC packet.

    Raises:
        EncodeError: a number does not fit its field.
    """
    secondary = _tc_codec.encode_raw(PUS_C, header.acknowledge, header.service, header.subtype, header.source)
    packet = encode_packet(apid, sequence, secondary + data + b"\0\0", command=True)[:-CRC_SIZE]
    return packet + crc16(packet).to_bytes(CRC_SIZE, "big")


def request_id(packet: Buffer) -> int:
    """How verification reports name a telecommand (§6.1.3.3): its first four bytes, as one number.

    Raises:
        DecodeError: fewer than four bytes.
    """
    if len(packet) < 4:
        raise DecodeError(f"a request id is 4 bytes, not {len(packet)}")
    return int.from_bytes(packet[:4], "big")
