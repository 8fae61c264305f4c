"""CLTUs: known ones, every error of one and two bits, noise."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ccsds.cltu import (
    MAX_DATA,
    START,
    TAIL,
    Cltu,
    CltuReceiver,
    Codeblock,
    decode_block,
    encode_cltu,
    parity,
)

FRAME = bytes.fromhex("007b00191fc01810c006000b100e0200000103190000bbe91546")
CLTU = bytes.fromhex("eb90007b00191fc0186410c006000b100e16020000010319008800bbe915465555d2c5c5c5c5c5c5c579")
INFO = bytes.fromhex("10c006000b100e")
BLOCK = INFO + b"\x16"
IDLE = b"\x55" * 20


def flipped(data: bytes, *bits: int) -> bytes:
    """``data`` with bits turned over; bit 0 is the last one."""
    number = int.from_bytes(data, "big")
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(data), "big")


def receive(stream: bytes, cuts: list[int] | None = None, max_data: int = MAX_DATA) -> tuple[list[Cltu], CltuReceiver]:
    """Feed a stream, cut into pieces of the given sizes in turn."""
    receiver = CltuReceiver(max_data)
    found: list[Cltu] = []
    position, turn = 0, 0
    sizes = cuts or [len(stream) or 1]
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        found += receiver.feed(stream[position : position + size])
        assert receiver.count().conserved
        position, turn = position + size, turn + 1
    assert receiver.count().total == len(stream)
    return found, receiver


@pytest.mark.parametrize(
    ("info", "last"),
    [  # of the encoder tests of D. Lucia's ccsds library and of the AKIRA flight software
        ("FF429A5468E804", 0xBE),
        ("F6688C29A63957", 0xC2),
        ("02555555555555", 0x56),
        ("007b00191fc018", 0x64),
        ("10c006000b100e", 0x16),
        ("02000001031900", 0x88),
        ("00bbe915465555", 0xD2),
    ],
)
def test_codeblocks_that_other_implementations_made(info: str, last: int) -> None:
    assert parity(bytes.fromhex(info)) == last
    assert decode_block(bytes.fromhex(info) + bytes([last])) == Codeblock(bytes.fromhex(info), 0)


def test_a_whole_cltu() -> None:
    assert encode_cltu(FRAME) == CLTU
    found, receiver = receive(IDLE + CLTU + IDLE)
    assert found == [Cltu(20, FRAME + b"\x55\x55", 0, "TAIL")]
    assert receiver.count().taken == len(CLTU)


def test_every_single_error_of_a_codeblock_is_corrected() -> None:
    for bit in range(1, 64):
        assert decode_block(flipped(BLOCK, bit)) == Codeblock(INFO, 1)
    assert decode_block(flipped(BLOCK, 0)) == Codeblock(INFO, 0)


def test_every_double_error_of_a_codeblock_is_seen() -> None:
    for one, two in combinations(range(64), 2):
        assert decode_block(flipped(BLOCK, one, two)) is None


def test_the_tail_is_no_codeblock_whatever_bit_of_it_is_wrong() -> None:
    assert decode_block(TAIL) is None
    for bit in range(64):
        assert decode_block(flipped(TAIL, bit)) is None


@pytest.mark.parametrize("bit", range(len(CLTU) * 8))
def test_every_single_error_of_a_cltu_is_survived(bit: int) -> None:
    (cltu,), receiver = receive(IDLE + flipped(CLTU, bit) + IDLE)
    assert (cltu.data, cltu.ending, cltu.offset) == (FRAME + b"\x55\x55", "TAIL", 20)
    assert cltu.corrected == (64 <= bit < len(CLTU) * 8 - 16 and bit % 8 + bit // 8 % 8 > 0)
    assert receiver.count().taken == len(CLTU)


def test_a_refused_codeblock_ends_the_cltu_and_the_next_one_comes_through() -> None:
    damaged = flipped(CLTU, 64 + 20, 64 + 30)
    found, _ = receive(damaged + CLTU)
    assert found == [
        Cltu(0, FRAME[:21], 0, "REFUSED"),
        Cltu(len(CLTU), FRAME + b"\x55\x55", 0, "TAIL"),
    ]


def test_a_lost_tail_costs_nothing_where_idle_follows() -> None:
    found, _ = receive(CLTU[:-8] + IDLE + CLTU)
    assert [(c.data, c.ending) for c in found] == [(FRAME + b"\x55\x55", "REFUSED"), (FRAME + b"\x55\x55", "TAIL")]


def test_a_start_sequence_without_codeblock_costs_nothing() -> None:
    found, receiver = receive(START + IDLE + CLTU)
    assert [c.offset for c in found] == [22]
    assert receiver.count().skipped == 22


def test_a_false_start_that_finds_codeblocks_costs_nothing() -> None:
    # The eight bytes after the second start sequence happen to be a codeblock with one wrong bit.
    found, receiver = receive(START + START + CLTU)
    assert [(c.offset, c.ending) for c in found] == [(2, "REFUSED"), (4, "TAIL")]
    assert receiver.count().skipped == 2


def test_a_start_sequence_inside_a_broken_cltu_is_found() -> None:
    # The first CLTU breaks off where, taken for a codeblock, the start of the second one passes.
    for cut in range(3, len(CLTU) - 8):
        found, _ = receive(CLTU[:cut] + CLTU)
        if (cut - 2) % 8 != 6:  # there the two are in step, and one tail ends both
            assert found[-1] == Cltu(cut, FRAME + b"\x55\x55", 0, "TAIL")


def test_codeblocks_without_end_are_cut_off() -> None:
    endless = START + BLOCK * 1000
    found, receiver = receive(endless, [100], max_data=70)
    assert found[0] == Cltu(0, INFO * 10, 0, "TOO_LONG")
    assert receiver.count().pending < 100


def test_starts_one_after_the_other_are_not_decoded_over_and_over() -> None:
    # Start sequences, taken for codeblocks, are codeblocks with one wrong bit: every second byte starts a long CLTU.
    found, _ = receive(START * 10_000)
    assert sum(len(cltu.data) for cltu in found) <= 8 * 20_000
    assert {cltu.ending for cltu in found} == {"TOO_LONG"}


STREAMS = {
    "clean": CLTU * 5,
    "byte lost": CLTU + CLTU[:13] + CLTU[14:] + IDLE + CLTU,
    "byte added": CLTU + CLTU[:13] + b"\0" + CLTU[13:] + IDLE + CLTU,
    "all start": START * 300,
    "all tail": TAIL * 50,
    "half": CLTU + CLTU[:20],
    "noise": random.Random(1).randbytes(5000),
    "nothing": b"",
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 7, 41, 42, 43])
def test_the_cut_of_the_reads_does_not_matter(name: str, size: int) -> None:
    whole, one = receive(STREAMS[name])
    cut, two = receive(STREAMS[name], [size])
    assert cut == whole
    assert one.count() == two.count()


@pytest.mark.parametrize("name", ["byte lost", "byte added"])
def test_a_slip_costs_one_cltu(name: str) -> None:
    found, _ = receive(STREAMS[name])
    assert [c.data for c in found if c.ending == "TAIL"] == [FRAME + b"\x55\x55"] * 2


@settings(max_examples=200)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.binary(min_size=1, max_size=40).map(encode_cltu), st.just(START))),
    st.lists(st.integers(1, 100), min_size=1, max_size=5),
)
def test_any_bytes(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    whole, one = receive(stream)
    cut, two = receive(stream, cuts)
    assert whole == cut
    assert one.count() == two.count()


@given(st.lists(st.binary(min_size=1, max_size=1029), max_size=5))
def test_round_trip(frames: list[bytes]) -> None:
    found, receiver = receive(IDLE.join(encode_cltu(frame) for frame in frames))
    assert [c.data[: len(f)] for c, f in zip(found, frames, strict=True)] == frames
    assert all(set(c.data[len(f) :]) <= {0x55} and len(c.data) - len(f) < 7 for c, f in zip(found, frames, strict=True))
    assert receiver.count().pending == 0
