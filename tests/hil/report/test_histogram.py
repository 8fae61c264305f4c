"""Bins of inter-arrival times."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.report.drawing.histogram import bins, histogram, percentile99
from tests.hil.report.reader import read
from tests.hil.report.runs import changed, quiet

TIMES = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=300)


@given(values=TIMES, period=st.sampled_from([1.0, 5.0, 100.0, 1000.0]))
def test_every_value_is_counted_once(values: list[float], period: float) -> None:
    b = bins(values, period)
    assert b.below + sum(b.counts) + b.above == len(values)
    assert 10 <= len(b.counts) <= 60
    edges = [b.low + n * b.width for n in range(len(b.counts) + 1)]
    assert min(abs((a + c) / 2 - period) for a, c in pairwise(edges)) < b.width / 1000
    slack = b.width * 1e-6
    assert b.below == pytest.approx(sum(v < b.low for v in values), abs=sum(abs(v - b.low) < slack for v in values))


def test_lockstep_is_one_bar_at_the_period() -> None:
    run = quiet()
    drawn = read(histogram(run)).one("svg", "plot")
    (bar,) = drawn.all("rect", "bar")
    assert int(bar.attributes["data-count"]) == len(run.interarrival_ms) == 2239
    x, width = (float(bar.attributes[key][:-1]) for key in ("x", "width"))
    period = float(drawn.one("line", "period").attributes["x1"][:-1])
    assert period == pytest.approx(x + width / 2, abs=0.01)
    assert drawn.one("line", "p99").attributes["x1"] == drawn.one("line", "period").attributes["x1"]


def test_what_is_far_away_stands_at_the_edge() -> None:
    run = changed(quiet(), interarrival_ms=[100.0 + n % 7 / 100 for n in range(2000)] + [900.0, 1.0])
    drawn = read(histogram(run)).one("svg", "plot")
    bars = drawn.all("rect", "bar")
    assert sum(int(bar.attributes["data-count"]) for bar in bars) == 2002
    assert [int(bar.attributes["data-count"]) for bar in bars if "outside" in bar.classes] == [1, 1]
    assert percentile99(run.interarrival_ms) == 100.06
    assert "p99 100.06 ms" in read(histogram(run)).text


def test_the_period_is_shorter_at_speed() -> None:
    run = changed(quiet(), mode="realtime", speed=20.0, interarrival_ms=[5.0] * 10)
    assert "T 5 ms" in read(histogram(run)).text


def test_no_two_frames_is_said() -> None:
    run = changed(quiet(), interarrival_ms=[])
    assert "No two lander frames" in read(histogram(run)).text
