"""Frames that are taken many at once give what frames one by one give: packets, counts and losses."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.captures.decoder import CaptureDecoder
from groundstation.captures.packet_rows import CapturedPacket
from protocols.ccsds.aos_frame import NO_PACKET_START, ONLY_IDLE, AosFrame
from protocols.ccsds.encapsulation import encode_packet as wrap
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.profile import LinkProfile
from protocols.sync.frames import encode_cadu

PROFILE = LinkProfile(kind="AOS", frame_length=120)
OCF = b"\1\0\0\0"


def stream_of(chance: random.Random, vcid: int, frames: int, first: int) -> list[bytes]:
    """Frames of a channel that are full of packets, idle ones and some encapsulation packets among them."""
    length, data, starts = PROFILE.data_length, b"", []
    sequences: dict[int, int] = {}
    while len(data) < frames * length:
        starts.append(len(data))
        kind, apid = chance.random(), chance.choice((3, 77, 500))
        if kind < 0.02:
            data += wrap(2, chance.randbytes(20))
        elif kind < 0.1:
            data += idle_packet(chance.randint(7, 60))
        else:
            sequence = sequences.get(apid, 16380) + (1 if kind < 0.97 else chance.choice((0, 2, 300, 9000)))
            sequences[apid] = sequence % 16384
            data += encode_packet(apid, sequences[apid], chance.randbytes(chance.randint(1, 200)))
    out = []
    for n in range(frames):
        inside = [at - n * length for at in starts if n * length <= at < (n + 1) * length]
        pointer = inside[0] if inside else NO_PACKET_START
        field = data[n * length : (n + 1) * length]
        out.append(encode_cadu(AosFrame(6, vcid, (first + n) & 0xFFFFFF, pointer, field, OCF), PROFILE))
    return out


def disturbed(chance: random.Random, frames: list[bytes], trouble: int) -> bytes:
    """Frames of which some are lost, come twice or late, or are damaged."""
    frames = list(frames)
    for _ in range(trouble):
        at = chance.randrange(len(frames) - 8)
        match chance.randrange(5):
            case 0:
                del frames[at : at + chance.randint(1, 5)]
            case 1:
                frames.insert(at, frames[chance.randrange(max(0, at - 300), at + 1)])
            case 2:
                frames.insert(at + chance.randint(1, 6), frames.pop(at))
            case 3:
                frames[at] = frames[at][:50] + b"\xff" + frames[at][51:]
            case _:
                frames[at] = frames[at][: chance.randrange(120)]
    return b"".join(frames)


def decoded(data: bytes, size: int, *, one_by_one: bool) -> tuple[list[CapturedPacket], Any]:
    decoder = CaptureDecoder(PROFILE, None, "packed", (lambda row: None) if one_by_one else None)
    found = [each for n in range(0, len(data), size) for each in decoder.feed(data[n : n + size])]
    return found, decoder.report()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 6), st.sampled_from([5000, 12_000, 60_000, 1 << 20]))
def test_many_at_once_are_as_one_by_one(seed: int, trouble: int, size: int) -> None:
    chance = random.Random(seed)
    channels = [
        stream_of(chance, vcid, chance.randint(60, 500), chance.choice((0, 5, (1 << 24) - 40)))
        for vcid in range(1, chance.randint(2, 4))
    ]
    if chance.random() < 0.5:
        idle = bytes(PROFILE.data_length + 2)
        channels.append([encode_cadu(AosFrame(6, 63, n, ONLY_IDLE, idle, OCF), PROFILE) for n in range(50)])
    order = [vcid for vcid, frames in enumerate(channels) for _ in frames]
    chance.shuffle(order)
    mixed = [channels[vcid].pop(0) for vcid in order]
    data = disturbed(chance, mixed, trouble)
    assert decoded(data, size, one_by_one=False) == decoded(data, size, one_by_one=True)


def test_duplicate_and_late_frame_after_many_plain_ones_are_told() -> None:
    frames = stream_of(random.Random(1), 1, 900, 0)
    late = [*frames[:700], *frames[701:880], frames[700], frames[850], *frames[880:]]
    data = b"".join(late)
    found, report = decoded(data, 40_000, one_by_one=False)
    assert (found, report) == decoded(data, 40_000, one_by_one=True)
    (channel,) = report.channels
    assert (channel.late, channel.duplicates, channel.lost) == (1, 1, 0)
