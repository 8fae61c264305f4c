"""Which wrong bits explain a checksum, within what a field may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.crc import crc16
from protocols.mending.history import Window
from protocols.mending.search import Block, Cell, Doubt, Solution
from protocols.mending.shapes import Leaf
from protocols.mending.syndromes import bit_syndrome, block_syndrome

DATA = b"123456789"
BLOCK = DATA + bytes.fromhex("29B1")
"""The check value of CRC-16-CCITT with preset FFFFh."""
BITS = 8 * len(BLOCK)
RATE = 1e-3


def cells(window: Window | None = None) -> list[Cell]:
    """A field in each byte; the checksum may be anything."""
    return [Cell(Leaf(f"byte {n}", 0, 8, "uint"), 8 * n, window if n < len(DATA) else None) for n in range(len(BLOCK))]


def flipped(bits: set[int]) -> bytes:
    wrong = sum(1 << BITS - 1 - bit for bit in bits)
    return (int.from_bytes(BLOCK, "big") ^ wrong).to_bytes(len(BLOCK), "big")


def solve(block: bytes, fields: list[Cell]) -> Solution | str:
    return Block(fields, int.from_bytes(block, "big"), BITS, BITS).solve(block_syndrome(block), RATE)


def test_a_right_block_has_no_syndrome() -> None:
    assert block_syndrome(BLOCK) == 0


@pytest.mark.parametrize(
    ("distance", "syndrome"), [(0, 0x1021), (1, 0x2042), (3, 0x8108), (4, 0x1231), (32767, 0x1021)]
)
def test_the_syndromes_of_single_bits(distance: int, syndrome: int) -> None:
    assert bit_syndrome(distance) == syndrome


@given(st.sets(st.integers(0, BITS - 1), min_size=1, max_size=20))
def test_the_syndrome_of_several_bits_is_the_sum(bits: set[int]) -> None:
    total = 0
    for bit in bits:
        total ^= bit_syndrome(BITS - 1 - bit)
    assert block_syndrome(flipped(bits)) == total


@given(st.integers(0, BITS - 1))
def test_one_wrong_bit_is_found(bit: int) -> None:
    found = solve(flipped({bit}), cells())
    assert isinstance(found, Solution)
    assert found.mask == 1 << BITS - 1 - bit
    assert found.risk < 0.01


def test_a_digit_that_is_none_says_where_the_wrong_bit_is() -> None:
    digits = Window(0x31, 0x39)
    found = solve(flipped({1}), cells(digits))
    assert isinstance(found, Solution)
    assert found.mask == found.forced == 1 << BITS - 2


def test_two_wrong_bits_are_found_where_few_values_are_possible() -> None:
    near = [Cell(Leaf("a", 0, 8, "uint"), 8 * n, Window(byte - 1, byte + 1)) for n, byte in enumerate(BLOCK)]
    found = solve(flipped({0, 17}), near)
    assert isinstance(found, Solution)
    assert found.mask == 1 << BITS - 1 | 1 << BITS - 18
    assert found.forced == found.mask


def test_a_possible_value_is_kept_though_its_window_was_too_narrow() -> None:
    """The checksum fits as it came: the prediction was wrong, not the bytes."""
    wrong_window = [Cell(Leaf("a", 0, 8, "uint"), 0, Window(0x30, 0x30)), *cells()[1:]]
    found = solve(BLOCK, wrong_window)
    assert isinstance(found, Solution)
    assert found.mask == 0


def test_more_wrong_bits_than_are_tried_are_not_guessed() -> None:
    found = solve(flipped({3, 21, 40, 58, 66}), cells(Window(0x31, 0x39)))
    assert isinstance(found, str) or found.risk > 0.001


def test_ambiguous_corrections_are_told() -> None:
    """Four bits whose syndromes add up to nothing: two of them look like the other two."""
    pairs: dict[int, tuple[int, int]] = {}
    length = 8 * 64
    for one in range(length):
        for two in range(one):
            key = bit_syndrome(one) ^ bit_syndrome(two)
            if key in pairs and not {one, two} & set(pairs[key]):
                a, b = pairs[key]
                break
            pairs[key] = (one, two)
        else:
            continue
        break
    zeros = bytes(62)
    block = int.from_bytes(zeros + crc16(zeros).to_bytes(2, "big"), "big") ^ 1 << one ^ 1 << two
    fields = [Cell(Leaf("a", 0, 1, "uint"), length - 1 - bit, None) for bit in (one, two, a, b)]
    found = Block(fields, block, length, length).solve(block_syndrome(block.to_bytes(64, "big")), RATE)
    assert found == "ambiguous: 2 corrections fit"


@pytest.mark.parametrize("forced", [2, 8, 20])
def test_the_number_of_looks_is_bounded_however_many_values_are_impossible(forced: int) -> None:
    """Each impossible value doubles the ways to make all possible, and more; only so many are tried."""
    fields = [Cell(Leaf("a", 0, 32, "uint"), 32 * n, Window(0, 3) if n < forced else None) for n in range(24)]
    frame = int("F" * 8 * 24, 16)
    found = Block(fields, frame, 32 * 24, 32 * 24).solve(0x1234, RATE)
    assert isinstance(found, str) or found.risk > 0.001


@pytest.mark.parametrize(("spoilt", "stays"), [(0.2, True), (1e-12, False)])
def test_a_known_bit_stays_as_it_came_if_only_that_fits(spoilt: float, stays: bool) -> None:
    """The frame was sent with the first bit of its first byte turned; the station set that as it is known to be."""
    one = 1 << BITS - 1
    sent = flipped({0})[:-2]
    came = sent + crc16(sent).to_bytes(2, "big")
    fixed = int.from_bytes(came, "big") ^ one
    block = fixed.to_bytes(len(BLOCK), "big")
    found = Block(cells()[1:], fixed, BITS, BITS, [Doubt(one, spoilt)]).solve(block_syndrome(block), RATE)
    assert (isinstance(found, Solution) and found.mask == one and found.risk < 0.01) is stays
