"""The field that differs first, on frames of the golden stream: places and values are written out by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.verdict.first_field import first_field
from hil.verdict.oracle import expect, fly
from hil.verdict.stream_diff import compare, where

STREAM = b"".join(burst.data for burst in fly())
SIZE = 132
DESCENT = 101
"""A frame with one whole DESCENT: tick 891, altitude 33,653.954 m."""
BEFORE = 16


def frame(number: int) -> bytes:
    return STREAM[SIZE * number : SIZE * (number + 1)]


def changed(number: int, at: int, data: bytes) -> str:
    """What is said of a frame with other bytes somewhere in it."""
    wanted = frame(number)
    came = wanted[:at] + data + wanted[at + len(data) :]
    return first_field(wanted, came, STREAM[SIZE * (number - BEFORE) : SIZE * number])


@pytest.mark.parametrize(
    ("at", "data", "words"),
    [
        (0, b"\x35\x2e\xf8\x53", "ASM 352ef853, expected 1acffc1d"),
        (4, b"\x00\x63", "frame VCID 1, expected 0"),
        (4, b"\x00\x71", "frame SCID 7, expected 6"),
        (6, b"\xff", "frame MCFC 255, expected 101"),
        (7, b"\x00", "frame VCFC 0, expected 11"),
        (8, b"\x1f\xff", "frame first header pointer 2047, expected 0"),
        (10, b"\x09\x02", "DESCENT APID 258, expected 257"),
        (12, b"\xc0\x00", "DESCENT sequence count 0, expected 11"),
        (14, b"\x00\x2c", "DESCENT length 44, expected 43"),
        (17, b"\x05", "DESCENT service 5, expected 3"),
        (25, b"\x00\x00\x00\x00", "DESCENT onboard time, ms of day 0, expected 32842100"),
        (29, b"\x7b\x03\x00\x00", "DESCENT.tick 2063794176 tick, expected 891 tick"),  # another byte order
        (33, b"\x03", "DESCENT.phase DROGUE, expected AEROBRAKING"),
        (33, b"\xc8", "DESCENT.phase 200, expected AEROBRAKING"),
        (34, b"\x00\x00\x03\xe8", "DESCENT.altitude 1.0 m, expected 33654.0 m"),
        (37, b"\xc3", "DESCENT.altitude 33653955 (raw), expected 33653954 (raw)"),
        (42, b"\xff\xff\xff\xff", "DESCENT.vertical_speed -0.00 m/s, expected 521.98 m/s"),
        (52, b"\x01", "DESCENT.altimeter_lock yes, expected no"),
        (58, b"\x00\x00", "DESCENT checksum 0000, expected 3e04"),
        (70, b"\x00", "idle packet byte 10 00, expected 55"),
        (129, b"\x09", "CLCW report value 9, expected 0"),
        (128, b"\x02", "CLCW FARM-B counter 1, expected 0"),
        (127, b"\x03", "CLCW spare bits 03, expected 00"),
        (130, b"\xa3\xb3", "FECF a3b3, expected b3a3"),  # another byte order
    ],
)
def test_a_field_is_named_with_both_values(at: int, data: bytes, words: str) -> None:
    assert changed(DESCENT, at, data) == words


def test_the_first_of_several_is_named() -> None:
    wanted = frame(DESCENT)
    came = wanted[:33] + b"\x03" + bytes(20) + wanted[54:]
    assert first_field(wanted, came).startswith("DESCENT.phase DROGUE")


def test_a_packet_that_began_in_an_earlier_frame() -> None:
    number = next(
        n for n in range(800, 1200) if frame(n)[4] & 0x0E == 0 and int.from_bytes(frame(n)[8:10], "big") & 0x7FF
    )
    words = changed(number, 10, bytes([frame(number)[10] ^ 0xFF]))
    assert words.startswith(("LANDER_HK", "LANDER_EVENT", "idle packet"))
    assert "of the frame" in first_field(frame(number), frame(number)[:10] + b"\xff" + frame(number)[11:])


def test_frames_that_are_missing_cut_off_or_too_many() -> None:
    wanted = frame(DESCENT)
    assert first_field(wanted, wanted) == ""
    assert first_field(wanted, b"") == "no frame, expected a frame of VC0"
    assert first_field(b"", wanted) == "a frame of VC0, expected none"
    assert first_field(wanted, wanted[:50]) == "50 bytes of a frame, expected 132"


def test_a_stream_says_field_and_place() -> None:
    at = DESCENT * SIZE + 33
    mismatch = compare("sent by the target", STREAM, STREAM[:at] + b"\x03" + STREAM[at + 1 :])
    assert where(mismatch) == (
        "sent by the target: DESCENT.phase DROGUE, expected AEROBRAKING (byte 13365, frame 101, 09:07:22.100)"
    )
    assert len(STREAM) == expect().length


@given(seed=st.integers(0, 2**32))
def test_any_damage_is_said_in_some_words(seed: int) -> None:
    rng = random.Random(seed)
    number = rng.randrange(1, len(STREAM) // SIZE)
    wanted, came = bytearray(frame(number)), bytearray(frame(rng.choice([number, number - 1])))
    before = bytearray(STREAM[max(0, SIZE * (number - BEFORE)) : SIZE * number])
    for data in (wanted, came, before):
        for _ in range(rng.choice([0, 1, 3, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    short = bytes(came[: rng.choice([SIZE, rng.randrange(SIZE)])])
    assert bool(first_field(bytes(wanted), short, bytes(before))) == (bytes(wanted) != short)
