"""PUS-C telemetry packets: secondary header and packet error control, ECSS-E-ST-70-41C §7.4.3."""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.ccsds import cds
from protocols.ccsds.crc import crc16
from protocols.ccsds.space_packet import HEADER_SIZE, encode_packet
from protocols.codec import Buffer, compile_codec
from protocols.errors import DecodeError

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

PUS_C = 2
BODY_OFFSET = HEADER_SIZE + _codec.size
CRC_SIZE = 2
TIME_OFFSET = BODY_OFFSET - cds.SIZE


@dataclass(frozen=True, slots=True)
class TmHeader:
    """PUS TM secondary header. ``time_ns`` is the onboard time (SCET), UTC in ns since 1970."""

    service: int
    subtype: int
    counter: int
    destination: int
    time_ns: int


def decode_tm(packet: Buffer) -> TmHeader:
    """Header of a whole PUS TM packet, its packet error control checked.

    Raises:
        DecodeError: too short, not PUS-C, or the CRC does not fit.
    """
    if len(packet) < BODY_OFFSET + CRC_SIZE:
        raise DecodeError(f"a PUS TM packet has at least {BODY_OFFSET + CRC_SIZE} bytes, not {len(packet)}")
    if crc16(packet):
        raise DecodeError("packet error control does not fit")
    pus, _, service, subtype, counter, destination, _, _ = _codec.decode_raw(packet, HEADER_SIZE)
    if pus != PUS_C:
        raise DecodeError(f"PUS version {pus}, not {PUS_C}")
    return TmHeader(service, subtype, counter, destination, cds.decode_cds(packet, TIME_OFFSET))


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
