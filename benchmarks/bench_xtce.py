"""XTCE in: reading a definition and decoding its packets, beside space_packet_parser, in one run. Ratios count.

    python benchmarks/bench_xtce.py DEFINITION.xml PACKETS [SKIP [ROOT]]

The definitions and packets of JPSS, CTIM and SUDA are in the source distribution of space_packet_parser, below
``tests/test_data``: ``pip download --no-binary :all: --no-deps space_packet_parser``. SKIP: bytes before each packet.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from protocols.decode.telemetry import decode_telemetry
from protocols.xtce_reader import read_xtce

generators = importlib.import_module("space_packet_parser.generators")
XtcePacketDefinition = importlib.import_module("space_packet_parser.xtce.definitions").XtcePacketDefinition
ROUNDS = 5


def best(action: Callable[[], object]) -> float:
    """Fastest of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main(definition: Path, data: Path, skip: int, root: str) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")  # containers that do not cover a whole packet
    octets = definition.read_bytes()
    document = read_xtce(octets)
    theirs = XtcePacketDefinition.from_xtce(definition)
    with data.open("rb") as file:
        packets = list(generators.ccsds_generator(file, skip_header_bytes=skip))
    plain = [bytes(packet) for packet in packets]
    values = sum(len(theirs.parse_bytes(packet, root_container_name=root)) for packet in packets)
    reading = best(lambda: read_xtce(octets)), best(lambda: XtcePacketDefinition.from_xtce(definition))
    ours = best(lambda: [decode_telemetry(document.dictionary, packet) for packet in plain])
    peer = best(lambda: [theirs.parse_bytes(packet, root_container_name=root) for packet in packets])
    print(f"{definition.name}: {len(octets):,} bytes, {len(packets):,} packets, {values:,} values")
    print(f"  read the definition    {reading[0]:8.3f} s   space_packet_parser {reading[1]:8.3f} s")
    print(f"  decode a packet        {ours / len(packets) * 1e6:8.1f} µs  space_packet_parser "
          f"{peer / len(packets) * 1e6:8.1f} µs: × {peer / ours:.1f}")  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        int(sys.argv[3]) if len(sys.argv) > 3 else 0,
        *sys.argv[4:5] or ["CCSDSPacket"],
    )
