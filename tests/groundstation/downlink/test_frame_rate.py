"""Frames a second, as received: steady, in bursts, slow and fast."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.downlink.frame_rate import FrameRate

S = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(("declared", "period"), [(100, 100), (1000, 1000), (100, 2), (100, 500)])
def test_steady_channel(declared: int, period: int) -> None:
    rate = FrameRate(declared)
    for number in range(5000):
        rate.frame(number * period * MS)
    assert rate.hz == pytest.approx(1000 / period, rel=0.01)


def test_nothing_is_said_of_the_microseconds_of_a_burst() -> None:
    rate = FrameRate(1000)
    for number in range(16):
        rate.frame(number * 21_000)
    assert rate.hz == 0.0
    for second in range(1, 20):
        rate.frame(second * S)
    assert rate.hz == 1.0


def test_frames_that_come_two_in_a_read() -> None:
    rate = FrameRate(100)
    for number in range(200):
        rate.frame(number * 200 * MS)
        rate.frame(number * 200 * MS + 3000)
    assert rate.hz == pytest.approx(10.0, rel=0.1)


def test_another_contact_begins_from_nothing() -> None:
    rate = FrameRate(100)
    for number in range(50):
        rate.frame(number * 100 * MS)
    rate.restart()
    assert rate.hz == 0.0
    rate.frame(100 * S)
    assert rate.hz == 0.0


@given(st.lists(st.integers(0, 2 * S), min_size=1, max_size=300), st.sampled_from([100, 1000]))
def test_rate_is_never_more_than_came_in_a_fifth_of_a_second(waits: list[int], declared: int) -> None:
    rate, at = FrameRate(declared), 0
    for wait in waits:
        at += wait
        rate.frame(at)
        assert 0 <= rate.hz <= 5 * len(waits)
