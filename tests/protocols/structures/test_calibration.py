"""Calibrations and their inverses."""

from __future__ import annotations

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import EncodeError
from protocols.structures.calibration import Linear, Polynomial, Table

STEPS = Table(((0, 5), (10, 7), (20, 7.5)), "none")
RAMP = Table(((0, 10), (10, 20), (30, 0)))
WIDE = Table(((0, 10), (10, 20)), extrapolate=True)


@pytest.mark.parametrize(
    ("table", "raw", "value"),
    [
        (RAMP, 0, 10.0),
        (RAMP, 5, 15.0),
        (RAMP, 20, 10.0),
        (RAMP, 30, 0.0),
        (RAMP, -1, nan),
        (RAMP, 31, nan),
        (RAMP, nan, nan),
        (WIDE, -5, 5.0),
        (WIDE, 20, 30.0),
        (STEPS, 9.9, 5.0),
        (STEPS, 10, 7.0),
        (STEPS, 20, 7.5),
        (STEPS, 20.1, nan),
        (Table(((0, 5), (10, 7)), "none", extrapolate=True), 99, 7.0),
        (Table(((0, 5), (10, 7)), "none", extrapolate=True), -9, 5.0),
    ],
)
def test_a_table_gives_values_between_its_points(table: Table, raw: float, value: float) -> None:
    found = table.value(raw)
    assert found == value or (isnan(found) and isnan(value))


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1000))
def test_linear_is_undone(raw: float, scale: float) -> None:
    linear = Linear(scale, 3)
    assert linear.raw(linear.value(raw), 0, 0) == pytest.approx(raw, abs=1e-6)


@given(st.integers(0, 65535))
def test_a_monotonic_polynomial_is_undone(raw: int) -> None:
    polynomial = Polynomial((-40, 0.01, 1e-7, 1e-13))
    assert polynomial.raw(polynomial.value(raw), 0, 65535) == pytest.approx(raw, abs=1e-6)
    falling = Polynomial((100, -0.01, -1e-8))
    assert falling.raw(falling.value(raw), 0, 65535) == pytest.approx(raw, abs=1e-6)


def test_a_polynomial_that_turns_has_no_inverse_over_the_turn() -> None:
    square = Polynomial((0, 0, 1))
    with pytest.raises(EncodeError, match="has no inverse between -10 and 10"):
        square.raw(4, -10, 10)
    assert square.raw(4, 0, 10) == pytest.approx(2)
    with pytest.raises(EncodeError, match="no raw number between 0 and 10 has the value 400"):
        square.raw(400, 0, 10)
    with pytest.raises(EncodeError, match="no inverse"):
        Polynomial((3,)).raw(3, 0, 10)


def test_a_table_is_undone_where_its_values_rise_or_fall() -> None:
    assert WIDE.raw(15, 0, 255) == 5
    assert WIDE.raw(30, 0, 255) == 20
    falling = Table(((0, 10), (10, 0), (20, -20)))
    assert [falling.raw(value, 0, 255) for value in (10, 5, 0, -10, -20)] == [0, 5, 10, 15, 20]
    with pytest.raises(EncodeError, match="no raw number for the value 11"):
        falling.raw(11, 0, 255)
    with pytest.raises(EncodeError, match="neither rise nor fall"):
        RAMP.raw(15, 0, 255)
    assert STEPS.raw(7, 0, 255) == 10
    with pytest.raises(EncodeError, match="0 points"):
        STEPS.raw(6, 0, 255)
