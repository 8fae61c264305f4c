"""Frames, packets and time codes: known bytes and round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.cds import decode_cds, encode_cds
from protocols.ccsds.clcw import Clcw, decode_clcw
from protocols.ccsds.crc import crc16
from protocols.ccsds.pus import TmHeader, decode_tm, encode_tm
from protocols.ccsds.space_packet import decode_header, encode_packet, idle_packet
from protocols.ccsds.tm_frame import TmFrame, decode_frame, encode_frame
from protocols.declare.dictionary import utc_ns
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.profile import ASM, UART, LinkProfile

LOS = utc_ns("1974-03-12T09:11:05")


def test_crc_check_value() -> None:
    assert crc16(b"123456789") == 0x29B1
    assert crc16(b"123456789\x29\xb1") == 0


def test_cds_of_the_loss_of_signal_is_exact() -> None:
    # 5914 days from 1958-01-01 to 1974-03-12, 33,065 s of day.
    assert encode_cds(LOS) == (5914).to_bytes(2, "big") + (33_065_000).to_bytes(4, "big")
    assert decode_cds(encode_cds(LOS)) == LOS


@given(st.integers(0, 65535), st.integers(0, 86_399_999))
def test_cds_round_trip(day: int, ms: int) -> None:
    raw = day.to_bytes(2, "big") + ms.to_bytes(4, "big")
    assert encode_cds(decode_cds(raw)) == raw


@pytest.mark.parametrize("time", [LOS + 1, utc_ns("1957-12-31T23:59:59"), utc_ns("2200-01-01T00:00:00")])
def test_cds_refuses_what_it_cannot_carry(time: int) -> None:
    with pytest.raises(EncodeError):
        encode_cds(time)


def test_clcw_bits_are_where_the_standard_puts_them() -> None:
    # 232.0-B figure 4-6: COP in effect = 1, VCID 5, lockout and retransmit set, FARM-B 2, report 0xA5.
    word = Clcw(vcid=5, lockout=True, retransmit=True, farm_b=2, report=0xA5).encode()
    assert word == bytes([0b00000001, 0b00010100, 0b00101100, 0xA5])
    assert decode_clcw(word) == Clcw(vcid=5, lockout=True, retransmit=True, farm_b=2, report=0xA5)


@given(st.integers(0, 2047), st.integers(0, 16383), st.binary(min_size=1, max_size=300), st.booleans())
def test_space_packet_round_trip(apid: int, sequence: int, data: bytes, command: bool) -> None:
    packet = encode_packet(apid, sequence, data, command=command)
    header = decode_header(packet)
    assert (header.apid, header.sequence, header.is_command, header.size) == (apid, sequence, command, len(packet))


@pytest.mark.parametrize("size", [7, 8, 116, 65542])
def test_idle_packet_has_the_size_asked_for(size: int) -> None:
    packet = idle_packet(size)
    assert len(packet) == size == decode_header(packet).size
    assert decode_header(packet).apid == 0x7FF


@pytest.mark.parametrize("size", [0, 6, 65543])
def test_impossible_packets_are_refused(size: int) -> None:
    with pytest.raises(EncodeError):
        idle_packet(size)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=64))
def test_pus_round_trip(service: int, subtype: int, counter: int, body: bytes) -> None:
    header = TmHeader(service, subtype, counter, 0, LOS)
    packet = encode_tm(0x101, 7, header, body)
    assert decode_tm(packet) == header
    assert decode_header(packet).size == len(packet)
    assert crc16(packet) == 0


@given(st.binary(max_size=64))
def test_pus_never_takes_noise_for_a_packet(noise: bytes) -> None:
    if crc16(noise):
        with pytest.raises(DecodeError):
            decode_tm(noise)


def test_one_flipped_bit_is_a_bad_packet() -> None:
    packet = bytearray(encode_tm(0x101, 7, TmHeader(3, 25, 0, 0, LOS), b"body"))
    packet[20] ^= 1
    with pytest.raises(DecodeError, match="error control"):
        decode_tm(bytes(packet))


@given(st.integers(0, 1023), st.integers(0, 7), st.integers(0, 255), st.integers(0, 255), st.integers(0, 2047))
def test_frame_round_trip(scid: int, vcid: int, mcfc: int, vcfc: int, pointer: int) -> None:
    frame = TmFrame(scid, vcid, mcfc, vcfc, pointer, bytes(range(116)), b"\1\2\3\4")
    cadu = encode_frame(frame, UART)
    assert len(cadu) == 132
    assert cadu.startswith(ASM)
    assert crc16(cadu[4:]) == 0
    assert decode_frame(cadu[4:], UART) == frame


def test_frame_without_ocf() -> None:
    profile = LinkProfile(frame_length=64, ocf=False)
    frame = TmFrame(6, 0, 1, 2, 0, bytes(56), None)
    assert decode_frame(encode_frame(frame, profile)[4:], profile) == frame


def test_frames_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EncodeError, match="116 bytes"):
        encode_frame(TmFrame(6, 0, 0, 0, 0, b"", b"1234"), UART)
    with pytest.raises(EncodeError, match="OCF"):
        encode_frame(TmFrame(6, 0, 0, 0, 0, bytes(116), None), UART)
    with pytest.raises(DecodeError, match="version"):
        decode_frame(b"\xff" * 128, UART)
    with pytest.raises(DeclarationError, match="frame_length"):
        LinkProfile(frame_length=12)
