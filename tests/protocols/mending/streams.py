"""A small mission in several forms, its stream, and damage to that."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import construct
from construct import Flag, Int8ub, Int16sb, Int16ub, Int32ub, Struct

from protocols import ChannelDef, Dictionary, PacketDef, Quantity
from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.crc import crc16
from protocols.ccsds.space_packet import idle_packet
from protocols.ccsds.tm_frame import NO_PACKET_START, TmFrame
from protocols.declare.headers import NO_HEADER, PUS_C, PacketHeader, cuc_time
from protocols.mending import MendedFrame, Mender
from protocols.profile import UART, LinkProfile
from protocols.sync.frames import encode_cadu
from protocols.times import utc_ns
from protocols.units import NS_PER_MS

SCID = 0x33
EPOCH = utc_ns("2031-05-01T12:00:00")
OWN = PacketHeader("own", cuc_time(4, 2), crc=True, fields=Struct("mode" / Int8ub))
"""A header without PUS, with time and checksum."""
BARE = NO_HEADER
"""No secondary header and no checksum."""
AOS = LinkProfile(kind="AOS", frame_length=160, insert_zone=4, header_error_control=True)


def mission(header: PacketHeader = PUS_C) -> Dictionary:
    """Two packets: one of fixed size in each step, one of variable size in every third."""
    pus: dict[str, Any] = {"service": 3, "subtype": 25} if header.is_pus else {}
    fixed = Struct(
        "step" / Int32ub,
        "height" / Quantity(Int32ub, "m", scale=0.01),
        "warmth" / Quantity(Int16sb, "°C", scale=0.1),
        "open" / Flag,
        "hash" / Int32ub,
    )
    samples = Struct("step" / Int32ub, "samples" / construct.PrefixedArray(Int8ub, Int16ub))
    return Dictionary(
        "MOLE",
        SCID,
        (
            PacketDef("STATE", 0x21, body=fixed, period_ms=100, header=header, **pus),
            PacketDef("SAMPLES", 0x22, body=samples, header=header, **pus),
        ),
        (),
        (ChannelDef(0, "mole", "MOLE", 100),),
        (),
    )


def packets(dictionary: Dictionary, steps: int) -> Iterator[list[bytes]]:
    """The packets of each step."""
    chance = random.Random(7)
    state, samples = dictionary.by_name["STATE"], dictionary.by_name["SAMPLES"]
    timed = state.header.time is not None
    for step in range(steps):
        time = EPOCH + step * 100 * NS_PER_MS if timed else None
        fields = {"counter": step} if state.header.is_pus else {}
        values = {
            "step": step,
            "height": 1_000_000 - step * step // 3,
            "warmth": -100 + step // 5,
            "open": step > steps // 2,
            "hash": 0xDEADBEEF,
        }
        found = [state.encode(values, step, time, **fields)]
        if step % 3 == 0:
            numbers = [chance.randrange(65536) for _ in range(chance.randrange(2, 9))]
            body = samples.codec.encode_names(
                {"step": step, **{f"samples[{n}]": number for n, number in enumerate(numbers)}}
            )
            fields = {"counter": step // 3} if state.header.is_pus else {}
            found.append(samples.wrap(body, step // 3, time, **fields))
        yield found


def cadus(
    dictionary: Dictionary, profile: LinkProfile = UART, steps: int = 120, *, spanning: bool = False
) -> list[bytes]:
    """Frames of one channel: one a step, filled up by an idle packet, or ``spanning``, packet after packet."""
    length = profile.data_length
    stream, starts = b"", [0]
    for number, found in enumerate(packets(dictionary, steps)):
        room = length - sum(map(len, found))
        for packet in [*found, *([] if spanning else [idle_packet(room, number)])]:
            stream += packet
            starts.append(len(stream))
    fields = []
    for at in range(0, len(stream) - length + 1, length):
        first = next((start - at for start in starts if start >= at), length)
        fields.append((first if first < length else NO_PACKET_START, stream[at : at + length]))
    return [_cadu(n, pointer, data, profile) for n, (pointer, data) in enumerate(fields)]


def _cadu(number: int, pointer: int, data: bytes, profile: LinkProfile) -> bytes:
    ocf = bytes.fromhex("01000005") if profile.ocf else None
    if profile.kind == "AOS":
        insert = b"\x01\x02\x03\x04"[: profile.insert_zone]
        return encode_cadu(AosFrame(SCID, 0, 1000 + number, pointer, data, ocf, insert=insert), profile)
    return encode_cadu(TmFrame(SCID, 0, number % 256, number % 256, pointer, data, ocf), profile)


def flipped(data: bytes, bits: Iterable[int]) -> bytes:
    """With these bits turned, the highest of each byte first."""
    damaged = bytearray(data)
    for bit in bits:
        damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged)


def spoilt(cadu: bytes, bits: Iterable[int], size: int) -> bytes:
    """With these bits turned by the source: the first packet, of ``size`` bytes, and the frame got their CRCs later."""
    turned = flipped(cadu, bits)
    packet = turned[10 : 10 + size - 2]
    frame = turned[4:10] + packet + crc16(packet).to_bytes(2, "big") + turned[10 + size : -2]
    return turned[:4] + frame + crc16(frame).to_bytes(2, "big")


def noisy(data: bytes, rate: float, seed: int) -> bytes:
    """With each bit turned by this chance."""
    chance = random.Random(seed)
    wrong = sum(1 << bit for bit in range(8 * len(data)) if chance.random() < rate)
    return (int.from_bytes(data, "big") ^ wrong).to_bytes(len(data), "big")


def mended(dictionary: Dictionary, profile: LinkProfile, stream: bytes, piece: int = 500) -> list[MendedFrame]:
    """What became of the damaged frames of a stream."""
    mender = Mender(dictionary, profile)
    found = []
    for at in range(0, len(stream), piece):
        found += mender.feed(at, stream[at : at + piece])
    return found + mender.finish()
