"""Frame header error control: known words, every error of one and of two symbols."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.fhec import check_symbols, correct
from protocols.errors import DecodeError


@pytest.mark.parametrize(("header", "check"), [(0, 0), (0x123456, 0x94DC), (0x369CFA, 0x457C)])
def test_words_that_another_implementation_made(header: int, check: int) -> None:
    # The header error control tests of Yamcs (github.com/yamcs/yamcs).
    assert check_symbols(header) == check
    assert correct(header, check) == (header, 0)


@pytest.mark.parametrize(("header", "check"), [(0x123456, 0x9400), (0x121156, 0x94DC), (0x1234AA, 0x94DC)])
def test_two_symbols_are_corrected(header: int, check: int) -> None:
    assert correct(header, check) == (0x123456, 2)


def test_three_symbols_are_seen() -> None:
    with pytest.raises(DecodeError, match="more than two symbols"):
        correct(0x123000, 0x94DC)


def test_every_error_of_one_symbol_is_corrected() -> None:
    for place, error in product(range(0, 40, 4), range(1, 16)):
        word = 0x36_9C_FA_45_7C ^ error << place
        assert correct(word >> 16, word & 0xFFFF) == (0x369CFA, 1)


def test_every_error_of_two_symbols_is_corrected() -> None:
    for one, two in combinations(range(0, 40, 4), 2):
        for a, b in product(range(1, 16), repeat=2):
            word = 0x36_9C_FA_45_7C ^ a << one ^ b << two
            assert correct(word >> 16, word & 0xFFFF) == (0x369CFA, 2)


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFF))
def test_what_comes_out_is_a_codeword_near_what_went_in(header: int, check: int) -> None:
    try:
        corrected, errors = correct(header, check)
    except DecodeError:
        return
    wrong = (header << 16 | check) ^ (corrected << 16 | check_symbols(corrected))
    assert sum(1 for place in range(0, 40, 4) if wrong >> place & 0xF) == errors <= 2
