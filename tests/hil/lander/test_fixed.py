"""The integer arithmetic that C has to repeat, against exact mathematics."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.lander.physics.fixed import div, interpolate, isqrt

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)


@given(INT64, st.integers(1, 2**63 - 1))
def test_div_truncates_toward_zero(numerator: int, denominator: int) -> None:
    assert div(numerator, denominator) == math.trunc(Fraction(numerator, denominator))


@given(st.integers(0, 2**62 - 1))
def test_isqrt_is_the_floor_of_the_root(square: int) -> None:
    assert isqrt(square) == math.isqrt(square)


@pytest.mark.parametrize("square", [0, 1, 2, 3, 4, 15, 16, 17, 2**60 - 1, 2**60, 2**62 - 1])
def test_isqrt_at_the_edges(square: int) -> None:
    assert isqrt(square) == math.isqrt(square)


@pytest.mark.parametrize(
    ("position", "expected"),
    [(-1, 100), (0, 100), (5, 75), (9, 55), (10, 50), (11, 50), (15, 53), (20, 57), (21, 57), (10**12, 57)],
)
def test_interpolate_rises_falls_and_ends(position: int, expected: int) -> None:
    assert interpolate((100, 50, 57), position, 10) == expected


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=8), st.integers(-50, 1000))
def test_interpolate_stays_between_its_neighbours(table: list[int], position: int) -> None:
    index = max(0, min(position // 100, len(table) - 1))
    neighbours = table[index : index + 2]
    assert min(neighbours) <= interpolate(table, position, 100) <= max(neighbours)
