"""Encapsulation packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.encapsulation import (
    EXTENDED,
    IDLE,
    IDLE_PACKET,
    EncapsulationHeader,
    decode_header,
    encode_packet,
    header_size,
    is_encapsulation,
)
from protocols.errors import DecodeError, EncodeError


@pytest.mark.parametrize(
    ("raw", "header"),
    [
        ("E0", EncapsulationHeader(IDLE, 1, 1)),
        ("E903", EncapsulationHeader(2, 2, 3)),
        ("FA5A0104", EncapsulationHeader(EXTENDED, 4, 260, extension=10, user_defined=5)),
        ("FB5A000000010000", EncapsulationHeader(EXTENDED, 8, 65536, extension=10, user_defined=5)),
    ],
)
def test_headers_of_all_lengths(raw: str, header: EncapsulationHeader) -> None:
    data = bytes.fromhex(raw)
    assert decode_header(b"\0" + data, 1) == header
    assert header_size(data[0]) == header.header_size
    assert is_encapsulation(data[0])


def test_space_packets_are_told_apart() -> None:
    assert [is_encapsulation(first) for first in (0x00, 0x1F, 0x20, 0xDF, 0xE0, 0xFF)] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(("size", "expected"), [(1, 2), (253, 2), (254, 4), (65531, 4), (65532, 8)])
def test_the_smallest_header_is_taken(size: int, expected: int) -> None:
    packet = encode_packet(2, bytes(size))
    assert decode_header(packet) == EncapsulationHeader(2, expected, len(packet))
    assert len(packet) == size + expected


@given(st.integers(1, 7), st.binary(min_size=1, max_size=300), st.none() | st.integers(0, 15), st.integers(0, 15))
def test_round_trip(protocol: int, data: bytes, extension: int | None, user: int) -> None:
    packet = encode_packet(protocol, data, extension=extension, user_defined=user)
    header = decode_header(packet)
    assert (header.protocol, header.extension, header.user_defined) == (protocol, extension or 0, user)
    assert (header.size, packet[header.header_size :]) == (len(packet), data)


def test_idle_packets() -> None:
    assert encode_packet(IDLE, b"") == IDLE_PACKET
    assert decode_header(encode_packet(IDLE, b"\x55" * 9)) == EncapsulationHeader(IDLE, 2, 11)


@pytest.mark.parametrize("raw", ["", "00", "DF", "E9", "E901", "EA000003", "EB00000000000007", "EA0000"])
def test_what_is_none_is_refused(raw: str) -> None:
    with pytest.raises(DecodeError):
        decode_header(bytes.fromhex(raw))


def test_what_cannot_be_is_refused() -> None:
    for protocol, data in ((8, b"x"), (2, b"")):
        with pytest.raises(EncodeError):
            encode_packet(protocol, data)
    with pytest.raises(EncodeError):
        encode_packet(2, b"x", extension=16)


@given(st.binary(max_size=12))
def test_noise_is_a_header_or_a_decode_error(noise: bytes) -> None:
    try:
        header = decode_header(noise)
    except DecodeError:
        return
    assert header.header_size <= header.size
