"""Decoding, side by side in one run: live against struct and its peers, bulk against ccsdspy. Ratios count.

A peer that is not installed is left out and named.
"""

from __future__ import annotations

import importlib
import io
import random
import struct
import time
import warnings
from collections.abc import Callable
from types import ModuleType

import construct as c

from protocols.ccsds import pus
from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.declare.dictionary import Dictionary, Packet, PacketDef
from protocols.decode import bulk_packets as bulk
from protocols.export.xtce import render_xtce
from protocols.lander import MARS6
from protocols.structures.codec import codec_of, units_of
from protocols.structures.fields import Quantity

LIVE_PACKETS = 200
ROUNDS = 25
BATCH = 200_000
FPRIME_TYPES = {"uint": "U", "sint": "I", "float": "F"}


def leaf(number: int) -> c.Construct:
    """The number-th of 38 fields, 109 bytes in all; every third of the first 33 is calibrated, one is an enum."""
    if number >= 35:
        raw = (c.Int64ub, c.Int64sb, c.Float64b)[number - 35]
    elif number < 7:
        raw = c.Int8ub
    elif number < 24:
        raw = c.Int16sb if number % 2 else c.Int16ub
    else:
        raw = c.Float32b if number >= 32 else c.Int32ub
    if number == 1:
        return c.Enum(raw, OFF=0, ON=1, STANDBY=2)
    return Quantity(raw, "V", scale=0.005, offset=-1.0) if number % 3 == 0 and number < 33 else raw


WIDE = Dictionary(
    "WIDE",
    1,
    (PacketDef("WIDE", 0x123, 3, 25, c.Struct(*(f"field_{n}" / leaf(n) for n in range(38))), 0, "38 leaf fields."),),
    (),
    (),
    (),
)


def best(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Fastest of several rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def peer(module: str) -> ModuleType | None:
    """A module of a peer, or None with a word about it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        print(f"  left out: {error}")
        return None


def samples(packet: Packet, count: int) -> list[bytes]:
    """Whole packets with random bodies; floats are not NaN."""
    chance, found = random.Random(38), []
    codec = codec_of(packet.layout, packet.definition.name)
    for number in range(count):
        raw = list(codec.decode_raw(chance.randbytes(codec.size), 0))
        for i, field in enumerate(packet.layout.named):
            if field.kind == "float":
                raw[i] = chance.random()
            elif field.labels:
                raw[i] = chance.choice(field.labels)[0]
        found.append(packet.wrap(codec.encode_raw(*raw), number & 0x3FFF, 0, counter=number & 0xFFFF))
    return found


def each(packets: list[bytes], decode: Callable[..., object], *offset: int) -> Callable[[], None]:
    """Decode all, one after the other."""

    def run() -> None:
        for data in packets:
            decode(data, *offset)

    return run


def live_methods(dictionary: Dictionary, packet: Packet, packets: list[bytes]) -> dict[str, Callable[[], None]]:
    """What is timed, by name; the first is the floor."""
    unpack = struct.Struct(">" + "".join(unit.code for unit in units_of(packet.codec.layout))).unpack_from
    at, declaration = pus.BODY_OFFSET, packet.definition.body
    methods = {
        "struct.unpack (floor)": each(packets, unpack, at),
        "live decode, calibrated": each(packets, packet.codec.decode, at),
        "construct interpreted": each([data[at:-2] for data in packets], declaration.parse),
    }
    xtce = peer("space_packet_parser.xtce.definitions")
    if xtce is not None:
        definition = xtce.XtcePacketDefinition.from_xtce(io.BytesIO(render_xtce(dictionary).encode()))
        methods["space_packet_parser"] = each(packets, definition.parse_bytes)
    fprime = fprime_decoder(packet)
    if fprime is not None:
        methods["F´ GDS packet decoder"] = each([b"\0\1" + bytes(11) + data[at:-2] for data in packets], fprime)
    return methods


def fprime_decoder(packet: Packet) -> Callable[[bytes], object] | None:
    """F´ GDS's decoder of packetized telemetry, with one channel a field (no calibration)."""
    decoder = peer("fprime_gds.common.decoders.pkt_decoder")
    if decoder is None:
        return None
    numbers = importlib.import_module("fprime_gds.common.models.serialize.numerical_types")
    channel = importlib.import_module("fprime_gds.common.templates.ch_template").ChTemplate
    packets = importlib.import_module("fprime_gds.common.templates.pkt_template").PktTemplate
    kinds = [(FPRIME_TYPES.get(f.kind, "U"), f.bits) for f in packet.codec.layout.named]
    channels = [channel(i, f"c{i}", "b", getattr(numbers, f"{k}{bits}Type")) for i, (k, bits) in enumerate(kinds)]
    found: Callable[[bytes], object] = decoder.PktDecoder({1: packets(1, "P", channels)}, {}).decode_api
    return found


def compare_live(dictionary: Dictionary, name: str) -> None:
    """One table for the live path."""
    packet = dictionary.by_name[name]
    packets = samples(packet, LIVE_PACKETS)
    leaves = len(packet.parameters)
    print(f"{name}: {len(packets[0])} bytes, {leaves} fields, one packet at a time")
    times = {label: best(run) for label, run in live_methods(dictionary, packet, packets).items()}
    floor, live = times["struct.unpack (floor)"], times["live decode, calibrated"]
    print(f"  {'':26}{'µs/packet':>10}{'× floor':>9}{'× live':>8}")
    for label, taken in times.items():
        print(f"  {label:26}{taken / LIVE_PACKETS * 1e6:10.2f}{taken / floor:9.1f}{taken / live:8.1f}")


def compare_bulk(dictionary: Dictionary, name: str) -> None:
    """One table for batches. ccsdspy gives raw columns, ours are calibrated."""
    packet = dictionary.by_name[name]
    stream = b"".join(samples(packet, 1000) * (BATCH // 1000))
    print(f"{name}: a batch of {BATCH} packets into columns")
    ours = best(lambda: bulk.decode_batch(stream, packet), 7)
    times = {"bulk decode, calibrated": ours}
    ccsdspy = peer("ccsdspy")
    if ccsdspy is not None:
        kinds = {"uint": "uint", "sint": "int", "flag": "uint", "float": "float"}
        fields = [ccsdspy.PacketField("headers", "fill", 8 * (pus.BODY_OFFSET - HEADER_SIZE))]
        fields += [ccsdspy.PacketField(f.name, kinds[f.kind], f.bits) for f in packet.codec.layout.named]
        reader = ccsdspy.FixedLength([*fields, ccsdspy.PacketField("crc", "uint", 16)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times["ccsdspy fixed length"] = best(lambda: reader.load(io.BytesIO(stream)), 5)
    print(f"  {'':26}{'µs/packet':>10}{'× ours':>9}")
    for label, taken in times.items():
        print(f"  {label:26}{taken / BATCH * 1e6:10.3f}{taken / ours:9.1f}")


def main() -> None:
    """Print the tables."""
    for dictionary, name in ((WIDE, "WIDE"), (MARS6, "DESCENT")):
        compare_live(dictionary, name)
        compare_bulk(dictionary, name)


if __name__ == "__main__":
    main()
