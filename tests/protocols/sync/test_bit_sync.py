"""Streams of bits: the ASM at any bit, in either polarity, packed or one bit a byte."""

from __future__ import annotations

import random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.profile import LinkProfile
from protocols.sync.bit_sync import BitDeframer, BitForm
from protocols.sync.deframer import Frame, Reject
from tests.protocols.links import cadu

PROFILE = LinkProfile(alignment="bit")
CADU_BITS = PROFILE.cadu_length * 8


def bits_of(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def inverted(bits: str) -> str:
    return bits.translate(str.maketrans("01", "10"))


def written(bits: str, form: BitForm) -> bytes:
    """The bits in a file; packed ones are filled up with zeros at the end."""
    if form == "one-per-byte":
        return bytes(map(int, bits))
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[n : n + 8], 2) for n in range(0, len(bits), 8))


def deframe(bits: str, form: BitForm = "packed", size: int = 4096) -> tuple[list[Frame | Reject], BitDeframer]:
    deframer = BitDeframer(PROFILE, form)
    stream = written(bits, form)
    found = []
    for at in range(0, len(stream), size):
        found += deframer.feed(stream[at : at + size])
        assert deframer.count().conserved
    assert deframer.count().total == len(stream) * (8 if form == "packed" else 1)
    return found, deframer


def good(found: list[Frame | Reject]) -> list[bytes]:
    return [f.data for f in found if isinstance(f, Frame)]


FRAMES = [cadu(PROFILE, n)[4:] for n in range(6)]
BITS = "".join(bits_of(cadu(PROFILE, n)) for n in range(6))
NOISE = bits_of(random.Random(3).randbytes(20))


@pytest.mark.parametrize("form", get_args(BitForm))
@pytest.mark.parametrize("shift", range(9))
@pytest.mark.parametrize("polarity", [False, True])
def test_any_bit_and_either_polarity(form: BitForm, shift: int, polarity: bool) -> None:
    bits = NOISE[:shift] + (inverted(BITS) if polarity else BITS)
    found, _ = deframe(bits, form)
    assert good(found) == FRAMES
    assert [f.offset for f in found] == [shift + n * CADU_BITS for n in range(6)]
    assert {f.inverted for f in found if isinstance(f, Frame)} == {polarity}


def test_text_of_0_and_1_is_one_bit_a_byte() -> None:
    assert good(BitDeframer(PROFILE, "one-per-byte").feed(BITS.encode())) == FRAMES


def test_the_polarity_may_slip_between_frames() -> None:
    bits = BITS[: 2 * CADU_BITS] + inverted(BITS[2 * CADU_BITS : 4 * CADU_BITS]) + BITS[4 * CADU_BITS :]
    found, _ = deframe(bits)
    assert good(found) == FRAMES
    assert [f.inverted for f in found if isinstance(f, Frame)] == [False, False, True, True, False, False]


def test_a_polarity_slip_inside_a_frame_costs_that_frame() -> None:
    at = 2 * CADU_BITS + 500
    found, _ = deframe(BITS[:at] + inverted(BITS[at:]))
    assert good(found) == [FRAMES[n] for n in (0, 1, 3, 4, 5)]


@pytest.mark.parametrize("slip", [BITS[:2000] + BITS[2001:], BITS[:2000] + "1" + BITS[2000:]])
def test_a_bit_slip_costs_one_frame(slip: str) -> None:
    found, _ = deframe(slip)
    assert good(found) == [FRAMES[n] for n in (0, 2, 3, 4, 5)]


def test_a_damaged_asm_keeps_the_polarity_of_the_lock() -> None:
    bits = inverted(BITS)
    at = CADU_BITS + 3
    found, _ = deframe(bits[:at] + ("1" if bits[at] == "0" else "0") + bits[at + 1 :])
    assert good(found) == FRAMES
    assert [f.asm_damaged for f in found if isinstance(f, Frame)] == [False, True, False, False, False, False]


def test_a_reject_is_shown_upright() -> None:
    bits = inverted(BITS[:-1] + ("1" if BITS[-1] == "0" else "0")) + NOISE
    found, _ = deframe(bits)
    (reject,) = [f for f in found if isinstance(f, Reject)]
    assert reject.reason == "CRC"
    assert reject.data[:-1] == cadu(PROFILE, 5)[:-1]


def test_nothing_but_markers_does_not_stall() -> None:
    marker = bits_of(PROFILE.asm)
    _, deframer = deframe((marker + inverted(marker)) * 500)
    assert deframer.count().good == 0


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.text("01", max_size=300),
            st.integers(0, 5).map(lambda n: bits_of(cadu(PROFILE, n))),
            st.integers(0, 5).map(lambda n: inverted(bits_of(cadu(PROFILE, n)))),
            st.sampled_from([bits_of(PROFILE.asm), inverted(bits_of(PROFILE.asm))]),
        ),
        max_size=8,
    ),
    st.sampled_from(get_args(BitForm)),
    st.integers(1, 400),
)
def test_any_bits_in_any_cut(pieces: list[str], form: BitForm, size: int) -> None:
    bits = "".join(pieces)
    whole, one = deframe(bits, form, 1 << 20)
    cut, two = deframe(bits, form, size)
    assert whole == cut
    assert one.count() == two.count()
    assert one.state == two.state


@given(st.binary(max_size=600), st.sampled_from(get_args(BitForm)))
def test_any_bytes_at_all(data: bytes, form: BitForm) -> None:
    deframer = BitDeframer(PROFILE, form)
    deframer.feed(data)
    assert deframer.count().conserved
