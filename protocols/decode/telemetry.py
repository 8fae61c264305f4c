"""A telemetry packet to its values, by the mission's dictionary: what live reception and offline decoding share."""

from __future__ import annotations

from typing import NamedTuple

from protocols.declare.dictionary import Dictionary, Packet
from protocols.declare.headers import Header
from protocols.errors import DecodeError
from protocols.structures.codec import Value
from protocols.tuples import maker


class Sample(NamedTuple):
    """One decoded packet: calibrated values by name."""

    packet: Packet
    header: Header
    values: dict[str, Value]


_make_sample = maker(Sample)


def decode_telemetry(dictionary: Dictionary, data: bytes) -> Sample:
    """Decode one whole space packet.

    Raises:
        DecodeError: an APID or packet that is not declared, a checksum that does not fit, a time that is none, or
            another length or content than declared.
    """
    apid = (data[0] & 7) << 8 | data[1] if len(data) > 1 else None
    around = None if apid is None else dictionary.header_by_apid.get(apid)
    if around is None:
        raise DecodeError("no packet" if apid is None else f"packets of APID {apid:#05x} are not declared")
    header = around.decode(data)
    packet = dictionary.identify(data)
    if packet is None:
        found = f"PUS service {header.service}.{header.subtype}" if around.is_pus else "a packet with these fields"
        raise DecodeError(f"{found} is not declared for this APID")
    return _make_sample((packet, header, packet.decode(data)))
