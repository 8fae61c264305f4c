"""The deframer over every kind of link profile: what goes in comes out, corrected, and every byte is accounted for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.profile import LinkProfile
from protocols.sync.bit_sync import BitDeframer
from protocols.sync.deframer import Deframer, Frame, Reject
from protocols.sync.frames import decode_frame
from tests.protocols.links import PROFILES, cadu

BYTE_PROFILES = {name: p for name, p in PROFILES.items() if p.alignment == "byte"}


def deframe(profile: LinkProfile, stream: bytes, size: int = 4096) -> tuple[list[Frame | Reject], Deframer]:
    deframer = BitDeframer(profile) if profile.alignment == "bit" else Deframer(profile)
    found = []
    for at in range(0, len(stream), size):
        found += deframer.feed(stream[at : at + size])
        assert deframer.count().conserved
    assert deframer.count().total == len(stream) * (8 if profile.alignment == "bit" else 1)
    return found, deframer


def payloads(profile: LinkProfile, found: list[Frame | Reject]) -> list[bytes]:
    return [decode_frame(f.data, profile).data for f in found if isinstance(f, Frame)]


def content(profile: LinkProfile, number: int) -> bytes:
    return random.Random(number).randbytes(profile.data_length)


def stream_of(profile: LinkProfile, count: int = 8) -> bytes:
    return b"".join(cadu(profile, n) for n in range(count))


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("size", [1, 7, 132, 4096])
def test_every_profile_gives_back_what_was_sent(name: str, size: int) -> None:
    profile = PROFILES[name]
    found, deframer = deframe(profile, stream_of(profile), size)
    assert payloads(profile, found) == [content(profile, n) for n in range(8)]
    assert deframer.state == "LOCK"
    count = deframer.count()
    assert count.good == count.total


@pytest.mark.parametrize("name", BYTE_PROFILES)
@settings(max_examples=40)
@given(data=st.data())
def test_any_bytes_in_any_cut(name: str, data: st.DataObject) -> None:
    profile = BYTE_PROFILES[name]
    piece = st.one_of(
        st.binary(max_size=200),
        st.integers(0, 5).map(lambda n: cadu(profile, n)),
        st.sampled_from([profile.asm, bytes(150)]),
    )
    stream = b"".join(data.draw(st.lists(piece, max_size=6)))
    whole, one = deframe(profile, stream)
    cut, two = deframe(profile, stream, data.draw(st.integers(1, 300)))
    assert whole == cut
    assert one.count() == two.count()
    assert one.state == two.state


@pytest.mark.parametrize("name", ["rs", "rs only", "rs 4, randomised", "aos, all on", "bit, rs, randomised"])
def test_reed_solomon_corrects_and_counts(name: str) -> None:
    profile = PROFILES[name]
    stream = bytearray(stream_of(profile))
    cadu_length = profile.cadu_length
    for n in range(8):
        for wrong in range(n * 2):
            stream[n * cadu_length + 40 + wrong] ^= 0xA5
    found, deframer = deframe(profile, bytes(stream))
    assert payloads(profile, found) == [content(profile, n) for n in range(8)]
    assert [f.corrected for f in found if isinstance(f, Frame)] == [n * 2 for n in range(8)]
    count = deframer.count()
    unit = 8 if profile.alignment == "bit" else 1
    assert count.corrected == sum(range(8)) * 2 * unit
    assert count.good + count.corrected == count.total


@pytest.mark.parametrize("size", [1, 50, 4096])
@pytest.mark.parametrize("short", [1, 3, 15])
def test_a_mended_frame_gives_the_next_one_its_marker_back(size: int, short: int) -> None:
    profile = PROFILES["rs"]
    length = profile.cadu_length
    stream = stream_of(profile)
    found, deframer = deframe(profile, stream[: length - short] + stream[length:], size)
    assert payloads(profile, found) == [content(profile, n) for n in range(8)]
    assert not [f for f in found if isinstance(f, Reject)]
    assert deframer.count().pending == 0


def test_beyond_correction_is_a_reject_that_says_so() -> None:
    profile = PROFILES["rs"]
    stream = bytearray(stream_of(profile))
    for n in range(17):
        stream[profile.cadu_length + 10 + n] ^= 0xFF
    found, _ = deframe(profile, bytes(stream))
    assert [f.reason for f in found if isinstance(f, Reject)] == ["RS"]
    assert payloads(profile, found) == [content(profile, n) for n in range(8) if n != 1]


def test_the_fecf_counts_even_after_reed_solomon() -> None:
    """Zeros are a codeword: with an FECF they are no frame, without one the ASM has to be there."""
    for name in ("rs", "rs only"):
        profile = PROFILES[name]
        found, _ = deframe(profile, stream_of(profile) + bytes(profile.cadu_length * 4))
        assert len(payloads(profile, found)) == 8
    profile = PROFILES["rs"]
    found, _ = deframe(profile, profile.asm + bytes(profile.block_length))
    assert [f.reason for f in found if isinstance(f, Reject)] == ["CRC"]


@pytest.mark.parametrize(("flipped", "taken"), [(0b1, 3), (0b11110000, 3), (0b11111000, 2)])
def test_without_a_fecf_the_asm_must_be_nearly_whole(flipped: int, taken: int) -> None:
    profile = PROFILES["rs only"]
    stream = bytearray(stream_of(profile, 3))
    stream[profile.cadu_length] ^= flipped
    found, _ = deframe(profile, bytes(stream))
    assert len(payloads(profile, found)) == taken


def test_without_any_check_the_asm_must_be_whole() -> None:
    profile = PROFILES["asm only"]
    stream = bytearray(stream_of(profile, 3))
    stream[profile.cadu_length] ^= 1
    found, _ = deframe(profile, bytes(stream))
    assert payloads(profile, found) == [content(profile, 0), content(profile, 2)]
    assert [f.reason for f in found if isinstance(f, Reject)] == ["SYNC"]


def test_bare_frames_stay_on_their_grid_through_damage() -> None:
    profile = PROFILES["bare"]
    stream = bytearray(stream_of(profile, 12))
    for n in (3, 4):
        stream[n * profile.cadu_length + 50] ^= 1
    found, _ = deframe(profile, bytes(stream))
    assert payloads(profile, found) == [content(profile, n) for n in range(12) if n not in (3, 4)]


def test_bare_frames_are_found_again_after_a_slip() -> None:
    profile = PROFILES["bare"]
    stream = stream_of(profile, 12)
    found, deframer = deframe(profile, stream[:300] + stream[301:])
    assert payloads(profile, found) == [content(profile, n) for n in (0, 1, *range(5, 12))]
    assert deframer.state == "LOCK"


def damaged(profile: LinkProfile, count: int, kind: str) -> tuple[bytes, set[int]]:
    """A stream with damage, and the numbers of the frames that it left intact."""
    rng = random.Random(6)
    stream, intact = b"", set()
    for n in range(count):
        frame = bytearray(cadu(profile, n))
        if kind == "noise":
            for bit in range(len(frame) * 8):
                if rng.random() < 1e-4:
                    frame[bit // 8] ^= 0x80 >> bit % 8
        elif n % 20 == 0:
            at = rng.randrange(len(frame))
            frame[at : at + (kind == "drop")] = b"\xaa" * (kind == "insert")
        stream += bytes(frame)
        intact |= {n} if bytes(frame) == cadu(profile, n) else set()
    return stream, intact


@pytest.mark.parametrize("name", ["uart", "rs", "bit", "aos", "randomised"])
@pytest.mark.parametrize("kind", ["drop", "insert", "noise"])
def test_recovery(name: str, kind: str) -> None:
    """At least 99.9 % of the intact frames, and no fake."""
    profile = PROFILES[name]
    count = 2000
    stream, intact = damaged(profile, count, kind)
    delivered = payloads(profile, deframe(profile, stream)[0])
    sent = {content(profile, n): n for n in range(count)}
    assert len(intact) > 1500
    assert set(delivered) <= set(sent)
    assert len(intact & {sent[d] for d in delivered}) >= 0.999 * len(intact)


@pytest.mark.parametrize("size", [1, 4096])
def test_corrections_in_search_are_bounded_but_frames_are_found(size: int) -> None:
    """Behind many false ASMs a clean frame is taken at once; with the lock that it gives, dirty ones are corrected."""
    profile = PROFILES["rs"]
    clean, dirty = cadu(profile, 0), bytearray(cadu(profile, 1))
    dirty[40] ^= 0xFF
    found, deframer = deframe(profile, profile.asm * 30 + clean + bytes(dirty), size)
    assert payloads(profile, found) == [content(profile, 0), content(profile, 1)]
    assert deframer.count().corrected == 1
    alone, _ = deframe(profile, profile.asm + bytes(dirty), size)
    assert payloads(profile, alone) == [content(profile, 1)]
    late, _ = deframe(profile, profile.asm * 30 + bytes(dirty), size)
    assert payloads(profile, late) == []
