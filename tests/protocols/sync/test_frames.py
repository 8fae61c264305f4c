"""One way into a frame, whatever its kind."""

from __future__ import annotations

import pytest

from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.tm_frame import TmFrame
from protocols.errors import DecodeError, EncodeError
from protocols.profile import UART, LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame, encode_cadu
from tests.protocols.links import PROFILES, cadu

AOS = PROFILES["aos"]
SECONDARY = PROFILES["secondary header"]


def received(profile: LinkProfile) -> bytes:
    (frame,) = Deframer(profile).feed(cadu(profile, 300))
    assert isinstance(frame, Frame)
    return frame.data


def test_the_profile_says_which_kind() -> None:
    tm, aos = decode_frame(received(UART), UART), decode_frame(received(AOS), AOS)
    assert isinstance(tm, TmFrame)
    assert isinstance(aos, AosFrame)
    assert (tm.vcfc, aos.vcfc) == (300 & 0xFF, 300)


def test_the_secondary_header_is_taken_off() -> None:
    frame = decode_frame(received(SECONDARY), SECONDARY)
    assert isinstance(frame, TmFrame)
    assert frame.secondary_header[0] == 4
    assert len(frame.secondary_header) == 5
    assert len(frame.data) == SECONDARY.data_length


def test_a_secondary_header_of_another_length_is_refused() -> None:
    with pytest.raises(DecodeError, match="as long as"):
        decode_frame(received(SECONDARY), LinkProfile(secondary_header=6))
    with pytest.raises(DecodeError, match="secondary header"):
        decode_frame(received(SECONDARY), UART)


def test_a_frame_of_the_other_kind_is_not_encoded() -> None:
    with pytest.raises(EncodeError, match="AOS"):
        encode_cadu(TmFrame(6, 0, 0, 0, 0, bytes(116), b"\1\0\0\0"), AOS)


def test_a_secondary_header_must_be_as_the_profile_says() -> None:
    with pytest.raises(EncodeError, match="5 bytes"):
        encode_cadu(TmFrame(6, 0, 0, 0, 0, bytes(SECONDARY.data_length), b"\1\0\0\0"), SECONDARY)
