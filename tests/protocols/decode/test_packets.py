"""Packets out of frames: spanning, idle, gaps, damage."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds import encapsulation
from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.ccsds.tm_frame import NO_PACKET_START, ONLY_IDLE, TmFrame
from protocols.counts import FrameCounter
from protocols.decode.packets import DropUndone, EncapsulationFound, PacketDropped, PacketExtractor, PacketFound

LENGTH = 116


def packet(number: int, size: int) -> bytes:
    return encode_packet(0x101, number, bytes([number & 0xFF]) * size)


def frames_of(packets: list[bytes], length: int = LENGTH) -> list[TmFrame]:
    """The sending end, written down independently: one byte string cut into data fields, idle at the end."""
    stream, starts = b"", []
    for item in packets:
        starts.append(len(stream))
        stream += item
    short = -len(stream) % length
    if short:
        starts.append(len(stream))
        fill = idle_packet(short if short >= 7 else short + length)
        stream += fill
    frames = []
    for number in range(len(stream) // length):
        begin = number * length
        inside = [s - begin for s in starts if begin <= s < begin + length]
        pointer = inside[0] if inside else NO_PACKET_START
        frames.append(TmFrame(6, 0, 0, number & 0xFF, pointer, stream[begin : begin + length], None))
    return frames


def extract(frames: list[TmFrame]) -> list[object]:
    extractor = PacketExtractor()
    return [item for frame in frames for item in extractor.push(frame)]


def found(items: Sequence[object]) -> list[bytes]:
    return [i.data for i in items if isinstance(i, PacketFound)]


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20))
def test_all_packets_come_out_whatever_they_span(sizes: list[int]) -> None:
    packets = [packet(n, size) for n, size in enumerate(sizes)]
    items = extract(frames_of(packets))
    assert found(items) == packets
    assert all(isinstance(i, PacketFound) for i in items)


@given(st.lists(st.integers(1, 400), min_size=3, max_size=12), st.data())
def test_a_lost_frame_costs_only_the_packets_in_it(sizes: list[int], data: st.DataObject) -> None:
    packets = [packet(n, size) for n, size in enumerate(sizes)]
    frames = frames_of(packets)
    if len(frames) < 3:
        return
    hole = data.draw(st.integers(1, len(frames) - 2))
    items = extract(frames[:hole] + frames[hole + 1 :])
    begin, end = hole * LENGTH, (hole + 1) * LENGTH
    position, expected = 0, []
    for item in packets:
        if position + len(item) <= begin or position >= end:
            expected.append(item)
        position += len(item)
    assert found(items) == expected


def test_joining_in_the_middle_starts_at_the_first_header() -> None:
    packets = [packet(0, 200), packet(1, 20), packet(2, 20)]
    items = extract(frames_of(packets)[1:])
    assert found(items) == packets[1:]


def test_a_wrong_pointer_is_right() -> None:
    first = TmFrame(6, 0, 0, 0, 0, packet(0, 200)[:LENGTH], None)
    second = TmFrame(6, 0, 0, 1, 0, packet(1, LENGTH - 6), None)
    items = extract([first, second])
    assert found(items) == [packet(1, LENGTH - 6)]
    assert any(isinstance(i, PacketDropped) for i in items)


def test_idle_frames_carry_nothing() -> None:
    extractor = PacketExtractor()
    assert extractor.push(TmFrame(6, 0, 0, 0, ONLY_IDLE, b"\x55" * LENGTH, None)) == []


def test_the_modulus_of_the_frame_count_is_the_links() -> None:
    extractor = PacketExtractor(vcfc_modulus=1 << 24)
    data = packet(0, LENGTH - 6)
    halves = data[: LENGTH // 2], data[LENGTH // 2 :]
    frames = [AosFrame(6, 0, (1 << 24) - 1, 0, halves[0], None), AosFrame(6, 0, 0, NO_PACKET_START, halves[1], None)]
    items = [item for frame in frames for item in extractor.push(frame)]
    assert found(items) == [data]


def test_encapsulation_packets_are_given_out_and_counted() -> None:
    extractor = PacketExtractor()
    inside = [
        packet(0, 20),
        encapsulation.encode_packet(2, bytes(30)),
        encapsulation.IDLE_PACKET * 5,
        packet(1, 20),
        encapsulation.encode_packet(2, bytes(4), extension=1),
    ]
    stream = b"".join(inside)
    stream += encapsulation.IDLE_PACKET * (2 * 60 - len(stream))
    items = extractor.push(TmFrame(6, 0, 0, 0, 0, stream[:60], None))
    items += extractor.push(TmFrame(6, 0, 0, 1, 0, stream[60:], None))
    assert found(items) == [packet(0, 20), packet(1, 20)]
    wrapped = [item for item in items if isinstance(item, EncapsulationFound)]
    assert wrapped == [EncapsulationFound(2, inside[1]), EncapsulationFound(2, inside[4])]
    assert extractor.encapsulation_packets == 2
    assert extractor.idle_packets == 5 + 2 * 60 - len(b"".join(inside))


def test_a_length_too_short_for_its_header_is_no_packet() -> None:
    items = PacketExtractor().push(TmFrame(6, 0, 0, 0, 0, b"\xe9\x01" + bytes(50), None))
    assert [i.reason for i in items if isinstance(i, PacketDropped)] == ["not a packet"]


def test_a_packet_without_a_start_is_dropped() -> None:
    whole = TmFrame(6, 0, 0, 0, 0, packet(0, LENGTH - 6), None)
    stray = TmFrame(6, 0, 0, 1, NO_PACKET_START, bytes(LENGTH), None)
    items = extract([whole, stray])
    assert [i.data for i in items if isinstance(i, PacketDropped)] == [bytes(LENGTH)]


def test_idle_packets_are_counted() -> None:
    extractor = PacketExtractor()
    assert extractor.push(TmFrame(6, 0, 0, 0, 0, idle_packet(LENGTH), None)) == []
    assert extractor.idle_packets == 1


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2047), st.binary(min_size=1, max_size=200)), max_size=20))
def test_any_frames_at_all(frames: list[tuple[int, int, bytes]]) -> None:
    extractor = PacketExtractor(max_packet=512)
    for vcfc, pointer, data in frames:
        extractor.push(TmFrame(6, 0, 0, vcfc, pointer, data, None))


@given(st.lists(st.integers(1, 500), min_size=8, max_size=30), st.data())
def test_frames_in_another_order_give_the_same_packets(sizes: list[int], data: st.DataObject) -> None:
    packets = [packet(n, size) for n, size in enumerate(sizes)]
    frames = frames_of(packets)
    counts = [frame._replace(mcfc=frame.vcfc) for frame in frames]
    came = list(counts)
    n = 1
    while n < len(came) - 1:
        if data.draw(st.booleans()):
            came[n], came[n + 1] = came[n + 1], came[n]
            n += 1
        n += 1
    counter, extractor = FrameCounter(256, {0: 100}), PacketExtractor()
    items = [item for f in came for item in extractor.push(f, counter.count(f, counts.index(f) * 100))]
    assert sorted(found(items)) == sorted(packets)
    dropped = [item for item in items if isinstance(item, PacketDropped)]
    assert len(dropped) == sum(isinstance(item, DropUndone) for item in items)


def test_a_frame_that_comes_twice_gives_its_packets_once() -> None:
    packets = [packet(n, 150) for n in range(9)]
    frames = frames_of(packets)
    items = extract([frame for frame in frames for _ in range(3)])
    assert found(items) == packets
    assert all(isinstance(item, PacketFound) for item in items)
