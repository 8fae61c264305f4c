"""Bulk extraction against `PacketExtractor`: the same frames, the same packets, however they are cut into batches."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ccsds.encapsulation import encode_packet as wrap
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.ccsds.tm_frame import NO_PACKET_START, ONLY_IDLE
from protocols.declare.dictionary import Dictionary
from protocols.decode.bulk_counts import BulkCounter
from protocols.decode.bulk_frames import BulkDeframer, BulkExtractor, read_frames
from protocols.decode.frame_content import frame_counter, frame_time
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.errors import DecodeError
from protocols.lander import MARS6
from protocols.profile import UART, LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame
from tests import descent
from tests.protocols.links import PROFILES, cadu

DESCENT = descent.stream()
SHORT = LinkProfile(frame_length=48)


def frames_of(stream: bytes, profile: LinkProfile) -> list[bytes]:
    return [found.data for found in Deframer(profile).feed(stream) if isinstance(found, Frame)]


def one_by_one(
    frames: list[bytes], scid: int, profile: LinkProfile, max_packet: int, dictionary: Dictionary | None = None
) -> dict[int, list[bytes]]:
    extractors: dict[int, PacketExtractor] = {}
    counter = frame_counter(profile, dictionary)
    found: dict[int, list[bytes]] = {}
    for raw in frames:
        try:
            frame = decode_frame(raw, profile)
        except DecodeError:
            continue
        if frame.scid != scid:
            continue
        step = counter.count(frame, None if dictionary is None else frame_time(frame, dictionary))
        extractor = extractors.setdefault(frame.vcid, PacketExtractor(max_packet))
        packets = [item.data for item in extractor.push(frame, step) if isinstance(item, PacketFound)]
        found.setdefault(frame.vcid, []).extend(packets)
    return {vcid: packets for vcid, packets in found.items() if packets}


def in_bulk(
    frames: list[bytes],
    scid: int,
    profile: LinkProfile,
    max_packet: int,
    cuts: list[int],
    dictionary: Dictionary | None = None,
) -> dict[int, list[bytes]]:
    extractors: dict[int, BulkExtractor] = {}
    counter = BulkCounter(profile, dictionary)
    found: dict[int, list[bytes]] = {}
    for start, end in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        octets = np.frombuffer(b"".join(frames[start:end]), np.uint8).reshape(-1, profile.frame_length)
        batch = counter.count(read_frames(octets, scid, profile))
        for vcid in sorted(set(batch.vcid.tolist())):
            extractor = extractors.setdefault(vcid, BulkExtractor(profile, max_packet))
            packets = extractor.push(batch.of(vcid))
            spans = zip(packets.start.tolist(), packets.size.tolist(), strict=True)
            found.setdefault(vcid, []).extend(packets.stream[a : a + n].tobytes() for a, n in spans)
    return {vcid: packets for vcid, packets in found.items() if packets}


@pytest.mark.parametrize("cuts", [[], [1], [700, 701, 1500]])
def test_the_whole_descent(cuts: list[int]) -> None:
    frames = frames_of(DESCENT, UART)
    wanted = one_by_one(frames, 6, UART, 4096)
    assert sum(map(len, wanted.values())) > 2500
    assert in_bulk(frames, 6, UART, 4096, cuts) == wanted


def test_another_spacecraft() -> None:
    assert in_bulk(frames_of(DESCENT[:13200], UART), 7, UART, 4096, []) == {}


@pytest.mark.parametrize("name", [n for n, p in PROFILES.items() if p.alignment == "byte"])
def test_every_profile(name: str) -> None:
    profile = PROFILES[name]
    frames = frames_of(b"".join(cadu(profile, n, n % 3 * 7) for n in range(60)), profile)
    assert len(frames) == 60
    assert in_bulk(frames, 6, profile, 4096, [20]) == one_by_one(frames, 6, profile, 4096)


def channel(chance: random.Random, count: int) -> list[bytes]:
    """Frames with packets of all kinds and sizes, over frame ends, with wrong pointers, gaps and rubbish."""
    length = SHORT.data_length
    stream, starts = b"", []
    while len(stream) < count * length:
        starts.append(len(stream))
        kind = chance.randrange(12)
        if kind == 0:
            stream += chance.randbytes(chance.randrange(1, 30))
        elif kind == 1:
            stream += wrap(chance.choice([0, 2]), chance.randbytes(chance.choice([1, 5, 300])))
        elif kind == 2:
            stream += b"\xe0" * chance.randrange(1, 5)
        elif kind == 3:
            stream += idle_packet(chance.randrange(7, 40))
        else:
            body = chance.randbytes(chance.randrange(1, 160))
            stream += encode_packet(chance.randrange(2048), chance.randrange(99), body)
    out = []
    for number in range(count):
        first = next((s - number * length for s in starts if s >= number * length), NO_PACKET_START)
        pointer = first if first < length else NO_PACKET_START
        if chance.random() < 0.06:
            pointer = chance.choice([0, 5, length, 2000, ONLY_IDLE, NO_PACKET_START])
        if chance.random() < 0.95:
            out += frames_of(cadu(SHORT, number, pointer, stream[number * length : (number + 1) * length]), SHORT)
    return out


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60), st.lists(st.integers(0, 60), max_size=4))
def test_like_one_by_one(seed: int, count: int, cuts: list[int]) -> None:
    frames = channel(random.Random(seed), count)
    cuts = sorted(min(cut, len(frames)) for cut in cuts)
    for max_packet in (120, 65542):
        assert in_bulk(frames, 6, SHORT, max_packet, cuts) == one_by_one(frames, 6, SHORT, max_packet)


def spoilt(chance: random.Random, stream: bytes) -> bytes:
    """A stream with bits flipped, bytes lost and bytes added here and there."""
    data = bytearray(stream)
    for _ in range(chance.randrange(8)):
        at = chance.randrange(len(data))
        kind = chance.randrange(3)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at : at + chance.randrange(1, 200)]
        else:
            data[at:at] = chance.randbytes(chance.randrange(1, 200))
    return bytes(data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 3000), max_size=6))
def test_frames_like_the_deframer(seed: int, cuts: list[int]) -> None:
    chance = random.Random(seed)
    profile = PROFILES[chance.choice([n for n, p in PROFILES.items() if p.alignment == "byte"])]
    stream = spoilt(chance, b"".join(cadu(profile, n) for n in range(20)))
    wanted = [item for item in Deframer(profile).feed(stream) if isinstance(item, Frame)]
    deframer = BulkDeframer(profile)
    cuts = sorted(min(cut, len(stream)) for cut in cuts)
    found = [deframer.feed(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [row.tobytes() for table in found for row in table.octets] == [frame.data for frame in wanted]
    assert [at for table in found for at in table.offset.tolist()] == [frame.offset for frame in wanted]
    mended = [flag for table in found for flag in table.corrected.tolist()]
    assert mended == [frame.corrected > 0 for frame in wanted]


def disturbed(chance: random.Random, frames: list[bytes]) -> list[bytes]:
    """Frames that are lost, doubled, overtaken and told again by a source that starts again."""
    out: list[bytes] = []
    n = 0
    while n < len(frames):
        kind = chance.random()
        if kind < 0.02:
            n += chance.choice([1, 2, 5, 20, 256])
        elif kind < 0.04 and n + 1 < len(frames):
            out += [frames[n + 1], frames[n]]
            n += 2
        elif kind < 0.06 and out:
            out.append(out[-chance.randrange(1, min(len(out), 6) + 1)])
        elif kind < 0.062:
            n = max(0, n - 400)
        else:
            out.append(frames[n])
            n += 1
        if len(out) > 2 * len(frames):
            break
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 900), max_size=4))
def test_duplicates_late_frames_and_restarts_like_one_by_one(seed: int, cuts: list[int]) -> None:
    chance = random.Random(seed)
    start = chance.randrange(0, 1500)
    frames = disturbed(chance, frames_of(DESCENT, UART)[start : start + 700])
    cuts = sorted(min(cut, len(frames)) for cut in cuts)
    assert in_bulk(frames, 6, UART, 4096, cuts, MARS6) == one_by_one(frames, 6, UART, 4096, MARS6)
