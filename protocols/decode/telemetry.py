"""A telemetry packet to its values, by the mission's dictionary: what live reception and offline decoding share."""

from __future__ import annotations

from typing import NamedTuple

from protocols.ccsds import pus
from protocols.declare.dictionary import Dictionary, Packet
from protocols.errors import DecodeError
from protocols.structures.codec import Value


class Sample(NamedTuple):
    """One decoded packet: calibrated values by name."""

    packet: Packet
    header: pus.TmHeader
    values: dict[str, Value]


def decode_telemetry(dictionary: Dictionary, data: bytes) -> Sample:
    """Decode one whole space packet.

    Raises:
        DecodeError: no PUS telemetry, of a type that is not declared, or not as long as declared.
    """
    header = pus.decode_tm(data)
    packet = dictionary.find((data[0] & 7) << 8 | data[1], header.service, header.subtype)
    if packet is None:
        raise DecodeError(f"PUS service {header.service}.{header.subtype} is not declared for this APID")
    declared = pus.BODY_OFFSET + packet.codec.size + pus.CRC_SIZE
    if len(data) != declared:
        raise DecodeError(f"{len(data)} bytes, {declared} are declared")
    return Sample(packet, header, packet.codec.decode(data, pus.BODY_OFFSET))
