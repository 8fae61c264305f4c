"""TC transfer frames and control commands."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.crc import crc16
from protocols.ccsds.tc_frame import (
    FIRST,
    UNSEGMENTED,
    Segment,
    SetVr,
    TcFrame,
    Unlock,
    decode_control,
    decode_frame,
    encode_control,
    encode_frame,
    frame_size,
    split_frames,
)
from protocols.errors import DecodeError, EncodeError

segments = st.none() | st.builds(Segment, st.integers(0, 63), st.integers(0, 3))
ad_frames = st.builds(
    TcFrame, st.integers(0, 1023), st.integers(0, 63), st.integers(0, 255), st.binary(min_size=1, max_size=1016)
)
bd_frames = st.builds(
    TcFrame, st.integers(0, 1023), st.integers(0, 63), st.just(0), st.binary(min_size=1, max_size=1016), st.just(True)
)


@given(ad_frames | bd_frames, segments, st.booleans())
def test_round_trip(frame: TcFrame, segment: Segment | None, fecf: bool) -> None:
    frame = dataclasses.replace(frame, segment=segment)
    raw = encode_frame(frame, fecf=fecf)
    assert frame_size(raw) == len(raw) <= 1024
    assert not fecf or crc16(raw) == 0
    assert decode_frame(raw + b"\x55" * 6, segmented=segment is not None, fecf=fecf) == frame


def test_a_frame_that_another_implementation_made() -> None:
    # The telecommand receiver tests of the AKIRA flight software: SCID 123, N(S) 31, MAP 0, a PUS packet.
    raw = bytes.fromhex("007b00191fc01810c006000b100e0200000103190000bbe91546")
    frame = decode_frame(raw, segmented=True)
    assert frame == TcFrame(123, 0, 31, raw[6:-2], segment=Segment(0, UNSEGMENTED))
    assert encode_frame(frame) == raw


def test_bits_are_where_the_standard_puts_them() -> None:
    # 232.0-B figure 4-2: version, bypass, control, two spare bits, SCID, VCID, length - 1, N(S).
    control = TcFrame(0x2A5, 0x33, 0, encode_control(SetVr(200)), bypass=True, control=True)
    raw = encode_frame(control)
    assert raw[:8] == bytes([0b00_1_1_00_10, 0xA5, 0b110011_00, 9, 0, 0x82, 0x00, 200])
    data = TcFrame(0x2A5, 0x33, 0x77, b"x", segment=Segment(5, FIRST))
    assert encode_frame(data, fecf=False) == bytes([0b10, 0xA5, 0b110011_00, 6, 0x77, 0b01_000101, 0x78])


def test_control_commands() -> None:
    assert encode_control(Unlock()) == b"\0"
    assert decode_control(b"\0") == Unlock()
    assert [decode_control(encode_control(SetVr(v))) for v in range(256)] == [SetVr(v) for v in range(256)]
    for wrong in (b"", b"\1", b"\0\0", b"\x82\0", b"\x82\1\0", b"\x82\0\0\0"):
        with pytest.raises(DecodeError, match="not a control command"):
            decode_control(wrong)
    with pytest.raises(EncodeError, match=r"0 … 255"):
        encode_control(SetVr(256))


def test_a_control_command_has_no_segment_header() -> None:
    frame = TcFrame(6, 0, 0, encode_control(Unlock()), bypass=True, control=True)
    assert decode_frame(encode_frame(frame), segmented=True) == frame


@pytest.mark.parametrize(
    "frame",
    [
        TcFrame(6, 0, 0, b"\0", control=True),
        TcFrame(6, 0, 0, b"\0", bypass=True, control=True, segment=Segment()),
        TcFrame(6, 0, 1, b"x", bypass=True),
        TcFrame(6, 0, 0, b""),
        TcFrame(6, 0, 0, bytes(1018)),
        TcFrame(1024, 0, 0, b"x"),
        TcFrame(6, 64, 0, b"x"),
        TcFrame(6, 0, 256, b"x"),
        TcFrame(6, 0, 0, b"x", segment=Segment(64)),
    ],
)
def test_frames_that_cannot_be_are_refused(frame: TcFrame) -> None:
    with pytest.raises(EncodeError):
        encode_frame(frame)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\0\0\0\0", "5 bytes wanted"),
        (bytes([0, 6, 0, 9, 0, 0]), "10 bytes wanted, 6 given"),
        (bytes([0, 6, 0, 7, 0, 0, 0, 0]), "error control"),
        (b"", "bytes wanted"),
    ],
)
def test_bytes_that_are_no_frame_are_refused(raw: bytes, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        decode_frame(raw)


def test_headers_that_contradict_themselves_are_refused() -> None:
    for first, size, text in (
        (0x40, 7, "version 1"),
        (0x10, 7, "not a TC frame"),
        (0, 4, "without data"),
        (0, 0, "without"),
    ):
        with pytest.raises(DecodeError, match=text):
            decode_frame(bytes([first, 6, 0, size, 0, 0, 0, 0]), fecf=False)
    with pytest.raises(DecodeError, match="segment header"):
        decode_frame(bytes([0, 6, 0, 4, 0, 0, 0, 0]), fecf=False, segmented=True)


@given(st.lists(ad_frames.map(encode_frame), max_size=4), st.integers(0, 6))
def test_one_cltu_may_carry_several_frames(raws: list[bytes], fill: int) -> None:
    assert split_frames(b"".join(raws) + b"\x55" * fill) == raws


@given(st.binary(max_size=64))
def test_noise_is_a_frame_or_a_decode_error(noise: bytes) -> None:
    assert noise.startswith(b"".join(split_frames(noise)))
    for segmented in (False, True):
        for fecf in (False, True):
            try:
                assert decode_frame(noise, segmented=segmented, fecf=fecf).data
            except DecodeError:
                continue
