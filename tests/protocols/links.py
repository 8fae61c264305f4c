"""Link profiles of many kinds, and frames for each: what the tests of synchronisation and decoding stand on."""

from __future__ import annotations

import random

from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.ccsds.tm_frame import TmFrame
from protocols.profile import UART, LinkProfile
from protocols.sync.frames import encode_cadu

PROFILES = {
    "uart": UART,
    "no ocf": LinkProfile(ocf=False),
    "secondary header": LinkProfile(secondary_header=5),
    "randomised": LinkProfile(randomised=True),
    "rs": LinkProfile(rs_depth=1),
    "rs only": LinkProfile(rs_depth=1, fecf=False),
    "rs 4, randomised": LinkProfile(frame_length=400, rs_depth=4, randomised=True),
    "asm only": LinkProfile(fecf=False),
    "bare": LinkProfile(asm=b""),
    "bare, rs only": LinkProfile(asm=b"", rs_depth=2, fecf=False),
    "bare, unchecked": LinkProfile(asm=b"", fecf=False),
    "aos": LinkProfile(kind="AOS", frame_length=256),
    "aos, all on": LinkProfile(
        kind="AOS", frame_length=446, insert_zone=6, header_error_control=True, rs_depth=2, randomised=True
    ),
    "bit": LinkProfile(alignment="bit"),
    "bit, rs, randomised": LinkProfile(alignment="bit", rs_depth=1, randomised=True),
}


def cadu(profile: LinkProfile, number: int, pointer: int = 0, data: bytes | None = None) -> bytes:
    """One frame on the wire; without ``data`` its content is pseudo-random, so that no two are alike."""
    rng = random.Random(number)
    data = rng.randbytes(profile.data_length) if data is None else data
    ocf = b"\1\0\0\0" if profile.ocf else None
    if profile.kind == "TM":
        length = profile.secondary_header
        header = bytes([length - 1]) + rng.randbytes(length - 1) if length else b""
        frame = TmFrame(6, 0, number & 0xFF, number & 0xFF, pointer, data, ocf, header)
        return encode_cadu(frame, profile)
    insert = rng.randbytes(profile.insert_zone)
    return encode_cadu(AosFrame(6, 0, number & 0xFFFFFF, pointer, data, ocf, insert=insert), profile)


def packet_cadu(profile: LinkProfile, number: int, size: int = 50) -> bytes:
    """A frame with one packet of APID 0x123 and idle fill."""
    packet = encode_packet(0x123, number & 0x3FFF, bytes([number & 0xFF]) * size)
    return cadu(profile, number, 0, packet + idle_packet(profile.data_length - len(packet)))
