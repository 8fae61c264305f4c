"""Mending: a damaged frame becomes the one that was sent, or is left alone and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import Dictionary
from protocols.ccsds.crc import crc16
from protocols.declare.headers import PUS_C, PacketHeader
from protocols.errors import DeclarationError
from protocols.lander import MARS6
from protocols.mending import MendedFrame, Mender, refusal
from protocols.profile import UART, LinkProfile
from tests import descent
from tests.protocols.mending.streams import AOS, BARE, OWN, cadus, flipped, mended, mission, noisy

SIZE = UART.cadu_length
ASM_BITS = 32
DESCENT = [burst.data for burst in descent.bursts() if burst.data][1500:1560]
MOLE = mission()
CADUS = cadus(MOLE)


def one(frames: list[bytes], number: int, damaged: bytes, dictionary: Dictionary = MOLE) -> MendedFrame:
    """What became of one damaged frame."""
    stream = b"".join([*frames[:number], damaged, *frames[number + 1 :]])
    (found,) = mended(dictionary, UART, stream)
    return found


def right(found: list[MendedFrame], sent: bytes, size: int = SIZE) -> tuple[int, int]:
    """How many frames were mended, and how many of them are what was sent."""
    made = [frame for frame in found if frame.level == "MENDED"]
    return len(made), sum(frame.data == sent[frame.offset : frame.offset + size] for frame in made)


def test_a_whole_stream_has_nothing_to_mend() -> None:
    assert mended(MOLE, UART, b"".join(CADUS)) == []


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(20, 100),
    bits=st.sets(st.integers(0, 8 * SIZE - 1), min_size=1, max_size=2),
)
def test_one_or_two_wrong_bits_are_mended_or_left(number: int, bits: set[int]) -> None:
    if all(bit < ASM_BITS for bit in bits):
        return  # the frame itself is good, whatever its ASM
    found = one(CADUS, number, flipped(CADUS[number], bits))
    assert found.data == CADUS[number] or found.level != "MENDED"
    if len(bits) == 1 or found.level == "MENDED":
        assert found.level == "MENDED"
        assert {correction.bit for correction in found.corrections} == bits
        assert found.risk <= 0.01


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 8 * SIZE - 1), more=st.sets(st.integers(0, 8 * SIZE - 1), max_size=1))
def test_a_frame_of_the_descent_is_mended_or_left(place: int, more: set[int]) -> None:
    sent = b"".join(DESCENT)
    bits = {8 * len(b"".join(DESCENT[:20])) + bit for bit in {place, *more}}
    for frame in mended(MARS6, UART, flipped(sent, bits)):
        assert frame.level != "MENDED" or frame.data == sent[frame.offset : frame.offset + SIZE]


@pytest.mark.parametrize("rate", [2e-4, 5e-4])
@pytest.mark.parametrize("spanning", [False, True])
@pytest.mark.parametrize("profile", [UART, AOS, LinkProfile(randomised=True)], ids=["TM", "AOS", "randomised"])
@pytest.mark.parametrize("header", [PUS_C, OWN, BARE], ids=["PUS", "own", "bare"])
def test_noise_is_mended_to_what_was_sent(
    header: PacketHeader, profile: LinkProfile, spanning: bool, rate: float
) -> None:
    dictionary = mission(header)
    sent = b"".join(cadus(dictionary, profile, 300, spanning=spanning))
    found = mended(dictionary, profile, noisy(sent, rate, 1))
    made, same = right(found, sent, profile.cadu_length)
    assert made == same
    assert made > len(found) / 2 > 0  # few frames: a fifth is over before there is anything to predict from


def test_noise_of_a_descent_is_mended_to_what_was_sent() -> None:
    sent = descent.stream()[: 600 * SIZE]
    found = mended(MARS6, UART, noisy(sent, 1e-3, 1))
    made, same = right(found, sent)
    assert made == same
    assert made >= 0.95 * len(found) > 300


def test_a_frame_of_which_only_known_content_is_wrong_is_mended() -> None:
    fill = range(8 * 110, 8 * 122)  # of the idle packet
    found = one(CADUS, 40, flipped(CADUS[40], fill))
    assert (found.level, found.data) == ("MENDED", CADUS[40])
    assert {correction.evidence for correction in found.corrections} == {"KNOWN"}
    assert len(found.corrections) == len(fill)


def test_counters_and_times_are_known_from_the_neighbours() -> None:
    primary, secondary = 8 * 10, 8 * 16  # of the first packet
    bits = [primary + 18, primary + 31, secondary + 30, secondary + 100, 8 * 29 + 31]
    found = one(CADUS, 40, flipped(CADUS[40], bits))
    assert (found.level, found.data) == ("MENDED", CADUS[40])
    assert [correction.evidence for correction in found.corrections] == ["KNOWN"] * 5


def test_an_impossible_value_says_which_bit_is_wrong() -> None:
    height = 8 * (4 + 6 + 19 + 4)  # ASM, frame header, packet headers, step
    found = one(CADUS, 40, flipped(CADUS[40], [height + 1]))
    assert (found.level, found.data) == ("MENDED", CADUS[40])
    assert [correction.evidence for correction in found.corrections] == ["WINDOW"]


def test_the_data_before_and_after_tell_what_was_turned() -> None:
    found = one(CADUS, 41, flipped(CADUS[41], [8 * 37, 700]))
    turned = int.from_bytes(found.received, "big") ^ int.from_bytes(found.data, "big")
    assert {8 * SIZE - turned.bit_length()} <= {correction.bit for correction in found.corrections}
    assert turned.bit_count() == len(found.corrections) == 2


def test_too_many_wrong_bits_leave_a_packet_field_by_field() -> None:
    height = 8 * (4 + 6 + 19 + 4)
    found = one(CADUS, 40, flipped(CADUS[40], [height, height + 3, height + 25, height + 28, height + 40, height + 63]))
    assert found.level == "PARTIAL"
    assert found.risk == 1.0
    (packet,) = found.packets
    assert packet.state == "PARTIAL"
    trust = {field.name: field for field in packet.fields}
    assert trust["step"].known
    assert trust["step"].confidence == pytest.approx(0.99)
    assert not trust["height"].possible
    assert trust["height"].confidence == 0.0


def test_noise_in_place_of_a_frame_is_hopeless() -> None:
    noise = UART.asm + bytes((n * 73 + 41) % 256 for n in range(SIZE - 4))
    found = one(CADUS, 40, noise)
    assert found.level == "HOPELESS"
    assert found.data == noise
    assert found.vcid is None


def test_a_bit_error_rate_of_a_fifth_is_hopeless_and_never_mended() -> None:
    stream = b"".join(CADUS)
    damaged = stream[: 40 * SIZE] + noisy(stream[40 * SIZE : 60 * SIZE], 0.2, 3) + stream[60 * SIZE :]
    assert "MENDED" not in {frame.level for frame in mended(MOLE, UART, damaged)}


def test_ambiguous_corrections_are_not_made() -> None:
    """Without history a packet has no windows: four wrong bits of a codeword of weight four, two here, two there."""
    zeros = bytearray(SIZE - 4)
    body = range(8 * 6, 8 * 60)
    syndromes: dict[int, tuple[int, int]] = {}
    base = crc16(zeros)
    found = None
    for a in body:
        for b in range(a + 1, 8 * 60):
            key = crc16(flipped(bytes(zeros), [a, b])) ^ base
            if key in syndromes and not {a, b} & set(syndromes[key]):
                found = (a, b)
                break
            syndromes[key] = (a, b)
        if found:
            break
    assert found is not None
    frame = one(CADUS[:10], 4, flipped(CADUS[4], [ASM_BITS + bit for bit in found]))
    assert frame.level != "MENDED" or frame.data == CADUS[4]


def test_frames_that_the_deframer_passed_over_are_mended_too() -> None:
    """Four frames in a row without a whole ASM: the lock is lost, and none of them is rejected."""
    damaged = [flipped(cadu, [5, 600]) for cadu in CADUS[40:46]]
    found = mended(MOLE, UART, b"".join([*CADUS[:40], *damaged, *CADUS[46:]]))
    assert [frame.data for frame in found] == CADUS[40:46]
    assert {frame.level for frame in found} == {"MENDED"}


def test_more_damaged_frames_in_a_row_than_are_kept_are_mended() -> None:
    long = cadus(MOLE, steps=240)
    damaged = [flipped(cadu, [700 + n]) for n, cadu in enumerate(long[40:200])]
    found = mended(MOLE, UART, b"".join([*long[:40], *damaged, *long[200:]]))
    assert len(found) == 160
    made, same = right(found, b"".join(long))
    assert made == same > 150


def test_a_piece_of_a_frame_is_passed_over() -> None:
    mender = Mender(MOLE, UART)
    found = mender.feed(0, b"".join([*CADUS[:40], CADUS[40][:50], *CADUS[41:]]))
    assert found + mender.finish() == []
    assert mender.passed_over == 50


def test_whole_frames_around_lost_bytes_are_mended() -> None:
    stream = b"".join([*CADUS[:40], flipped(CADUS[40], [700]), CADUS[41][:60], flipped(CADUS[42], [710]), *CADUS[43:]])
    found = mended(MOLE, UART, stream)
    assert [frame.data for frame in found] == [CADUS[40], CADUS[42]]


def test_frames_of_another_spacecraft_are_left_alone() -> None:
    other = replace_scid(CADUS[50])
    assert mended(MOLE, UART, b"".join([*CADUS[:50], other, *CADUS[50:]])) == []


def replace_scid(cadu: bytes) -> bytes:
    frame = bytearray(cadu[4:-2])
    frame[1] ^= 0x10
    return cadu[:4] + bytes(frame) + crc16(bytes(frame)).to_bytes(2, "big")


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 1000))
def test_how_the_stream_was_cut_into_reads_changes_nothing(piece: int) -> None:
    stream = noisy(b"".join(CADUS), 5e-4, 2)
    assert [f.data for f in mended(MOLE, UART, stream, piece)] == [f.data for f in mended(MOLE, UART, stream)]


def test_what_is_mended_is_never_learned() -> None:
    """Frames are mended from good neighbours alone: a second mender that saw the mended ones as good differs."""
    stream = noisy(b"".join(CADUS), 1e-3, 4)
    once = mended(MOLE, UART, stream)
    assert [frame.risk for frame in once] == [frame.risk for frame in mended(MOLE, UART, stream)]


@pytest.mark.parametrize(
    ("profile", "word"),
    [
        (LinkProfile(fecf=False), "no FECF"),
        (LinkProfile(rs_depth=1), "Reed–Solomon"),
        (LinkProfile(alignment="bit"), "any bit"),
        (LinkProfile(asm=b""), "no ASM"),
        (LinkProfile(data_field="VCA"), "VCA"),
    ],
)
def test_links_that_cannot_be_mended_are_refused_by_name(profile: LinkProfile, word: str) -> None:
    assert word in (refusal(profile) or "")
    with pytest.raises(DeclarationError, match=word):
        Mender(MOLE, profile)


def test_rubbish_takes_bounded_memory_and_mends_nothing() -> None:
    mender = Mender(MOLE, UART)
    found = [frame for n in range(200) for frame in mender.feed(n, b"\x55" * 1000)]
    assert found + mender.finish() == []
    assert mender.passed_over == 200_000


def test_a_dictionary_of_any_scid_is_mended_too() -> None:
    anyone = replace(MOLE, scid=-1)
    found = one(CADUS, 40, flipped(CADUS[40], [300]), anyone)
    assert (found.level, found.data) == ("MENDED", CADUS[40])
