"""AOS transfer frames."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.aos_frame import (
    NO_PACKET_START,
    ONLY_IDLE,
    ONLY_IDLE_VCID,
    AosFormat,
    AosFrame,
    decode_frame,
    encode_frame,
)
from protocols.ccsds.crc import crc16
from protocols.ccsds.fhec import check_symbols
from protocols.ccsds.space_packet import encode_packet
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.errors import DeclarationError, DecodeError, EncodeError

PLAIN = AosFormat(64)
FULL = AosFormat(80, header_error_control=True, insert_zone=5)
BARE = AosFormat(20, ocf=False, fecf=False)


@st.composite
def frames(draw: st.DrawFn) -> tuple[AosFrame, AosFormat]:
    ocf = draw(st.booleans())
    form = AosFormat(
        draw(st.integers(40, 300)), draw(st.booleans()), draw(st.integers(0, 12)), ocf, draw(st.booleans())
    )
    vcid = draw(st.integers(0, 63))
    idle = vcid == ONLY_IDLE_VCID
    length = form.data_length + (2 if idle else 0)
    frame = AosFrame(
        draw(st.integers(0, 255)),
        vcid,
        draw(st.integers(0, (1 << 24) - 1)),
        ONLY_IDLE if idle else draw(st.integers(0, 2047)),
        draw(st.binary(min_size=length, max_size=length)),
        draw(st.binary(min_size=4, max_size=4)) if ocf else None,
        draw(st.booleans()),
        draw(st.none() | st.integers(0, 15)),
        draw(st.binary(min_size=form.insert_zone, max_size=form.insert_zone)),
    )
    return frame, form


@given(frames())
def test_round_trip(case: tuple[AosFrame, AosFormat]) -> None:
    frame, form = case
    raw = encode_frame(frame, form)
    assert len(raw) == form.frame_length
    assert not form.fecf or crc16(raw) == 0
    assert decode_frame(raw, form) == frame


def test_bits_are_where_the_standard_puts_them() -> None:
    # 732.0-B figure 4-2: version 01, SCID, VCID, count, then replay, cycle use, two spare bits, cycle.
    frame = AosFrame(0x48, 0x34, 0xABCDEF, NO_PACKET_START, bytes(12), None, replay=True, cycle=6)
    raw = encode_frame(frame, BARE)
    assert raw[:8] == bytes([0b01_010010, 0b00_110100, 0xAB, 0xCD, 0xEF, 0b1_1_00_0110, 0x07, 0xFF])


def test_the_header_error_control_stands_after_the_header() -> None:
    frame = AosFrame(0xDA, 0x1C, 0, 0, bytes(FULL.data_length), b"1234", True, 0, b"abcde")
    raw = encode_frame(frame, FULL)
    assert (raw[:2], raw[5]) == (bytes.fromhex("769C"), 0b1100_0000)
    assert raw[8:13] == b"abcde"
    assert int.from_bytes(raw[6:8], "big") == check_symbols(0x769CC0)
    assert decode_frame(raw, FULL) == frame


@pytest.mark.parametrize("places", [(0,), (5,), (6,), (0, 1), (1, 5), (6, 7)])
def test_a_damaged_header_is_put_right(places: tuple[int, ...]) -> None:
    frame = AosFrame(6, 3, 77, 0, bytes(FULL.data_length), b"1234", False, 9, b"abcde")
    raw = bytearray(encode_frame(frame, FULL))
    for place in places:
        raw[place] ^= 0x0A
    assert decode_frame(bytes(raw), FULL) == dataclasses.replace(frame, header_errors=len(places))


def test_frames_that_do_not_fit_are_refused() -> None:
    good = AosFrame(6, 3, 77, 0, bytes(PLAIN.data_length), b"1234")
    for wrong, text in (
        ({"data": b""}, "packet zone has 50"),
        ({"insert": b"x"}, "insert zone has 0"),
        ({"ocf": None}, "OCF"),
        ({"scid": 256}, "scid"),
        ({"vcfc": 1 << 24}, "too big"),
        ({"cycle": 16}, "cycle"),
    ):
        with pytest.raises(EncodeError, match=text):
            encode_frame(dataclasses.replace(good, **wrong), PLAIN)
    with pytest.raises(DecodeError, match="version 0"):
        decode_frame(bytes(64), PLAIN)
    with pytest.raises(DecodeError, match="64 bytes wanted, 63"):
        decode_frame(bytes(63), PLAIN)


@pytest.mark.parametrize(
    ("length", "insert", "path"), [(14, 0, "frame_length"), (65537, 0, "frame_length"), (64, -1, "insert")]
)
def test_formats_that_cannot_be_are_refused(length: int, insert: int, path: str) -> None:
    with pytest.raises(DeclarationError, match=path):
        AosFormat(length, False, insert)


@given(st.binary(min_size=80, max_size=80))
def test_noise_is_a_frame_or_a_decode_error(noise: bytes) -> None:
    try:
        assert len(decode_frame(noise, FULL).data) in (FULL.data_length, FULL.data_length + 2)
    except DecodeError:
        return


def test_packets_come_out_of_the_packet_zone() -> None:
    packet = encode_packet(0x101, 1, bytes(94))
    zones = [packet[:50], packet[50:]]
    extractor = PacketExtractor()
    found = []
    for count, (zone, pointer) in enumerate(zip(zones, (0, NO_PACKET_START), strict=True)):
        raw = encode_frame(AosFrame(6, 3, count, pointer, zone, b"1234"), PLAIN)
        found += extractor.push(decode_frame(raw, PLAIN))
    assert found == [PacketFound(0x101, 1, packet)]
