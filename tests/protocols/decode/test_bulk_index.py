"""Packets of a capture as arrays: the same packets as the oracles find."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundstation.captures.decoders import make_decoder
from protocols.capture_profile import CaptureProfile, PacketsProfile
from protocols.ccsds.encapsulation import encode_packet as wrap
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.decode.bulk_index import PacketIndex, index_frames, index_packets
from tests.groundstation.captures.test_plain_frames import PROFILE, disturbed, stream_of
from tests.protocols.links import PROFILES, packet_cadu

Row = tuple[int, int, int, int, bytes]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[n : n + size] for n in range(0, len(data), size))


def rows_of(batches: Iterator[PacketIndex]) -> list[Row]:
    found: list[Row] = []
    for each in batches:
        columns = zip(each.offset, each.length, each.apid, each.count, each.start, strict=True)
        for offset, length, apid, count, start in columns:
            packet = each.stream[start : start + length].tobytes()
            found.append((int(offset), int(length), int(apid), int(count), packet))
    return found


def oracle(profile: CaptureProfile, data: bytes) -> list[Row]:
    decoder = make_decoder(profile, None, "packed", None)
    found = [each for n in range(0, len(data), 997) for each in decoder.feed(data[n : n + 997])] + decoder.finish()
    return [
        (each.offset, len(each.data), each.apid, each.sequence or 0, each.data)
        for each in found
        if each.apid is not None
    ]


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.alignment == "byte"])
def test_index_of_frames_is_that_of_the_decoder(name: str) -> None:
    profile = PROFILES[name]
    data = b"".join(packet_cadu(profile, n) for n in range(300) if n not in (70, 71, 200))
    assert rows_of(index_frames(pieces(data, 4096), profile)) == oracle(profile, data)


@settings(max_examples=25, deadline=None)
@example(161575, 4, 3000)  # a frame of before the first one comes late, with the beginning of a packet
@given(st.integers(0, 2**32), st.integers(0, 4), st.sampled_from([3000, 1 << 21]))
def test_index_of_disturbed_frames_is_that_of_the_decoder(seed: int, trouble: int, size: int) -> None:
    chance = random.Random(seed)
    data = disturbed(chance, stream_of(chance, 1, 400, chance.choice((0, (1 << 24) - 99))), trouble)
    assert rows_of(index_frames(pieces(data, size), PROFILE)) == oracle(PROFILE, data)


def test_index_of_bare_packets_is_that_of_the_splitter() -> None:
    chance = random.Random(2)
    packets = [encode_packet(chance.choice((3, 77)), n, chance.randbytes(chance.randint(1, 90))) for n in range(500)]
    packets[100:100] = [wrap(2, b"ip"), idle_packet(20), chance.randbytes(700)]
    data, profile = b"".join(packets), PacketsProfile()
    assert rows_of(index_packets(pieces(data, 300), profile)) == oracle(profile, data)
