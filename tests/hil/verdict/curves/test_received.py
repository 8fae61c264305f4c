"""What is kept of telemetry for a report: every peak, nothing bad, nothing of a nonsense time, and not much."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.messages.base import Value
from groundstation.messages.wire import Telemetry, ValueQuality
from hil.verdict.curves.received import ReceivedCurves
from protocols.declare.display import Plot
from protocols.lander import EPOCH, MARS6
from protocols.units import NS_PER_S

BX = Plot("MAGNETOMETER.bx")


def packet(
    second: float, bx: Value | None, bad: dict[str, ValueQuality] | None = None, name: str = "MAGNETOMETER"
) -> Telemetry:
    return Telemetry(
        ert=0,
        scet=EPOCH + round(second * NS_PER_S),
        apid=0,
        vcid=2,
        packet=name,
        values={"bx": bx},
        bad=bad,
    )


def points(*packets: Telemetry) -> list[tuple[float, float]]:
    """Seconds since the first time, and values."""
    received = ReceivedCurves([BX, Plot("PLASMA.speed")])
    for each in packets:
        received.take(each)
    curves = received.curves(MARS6)
    assert [(curve.parameter, curve.unit) for curve in curves] == [(BX.parameter, "nT")] * bool(curves)
    return [((time - EPOCH) / NS_PER_S, value) for curve in curves for time, value in curve.points]


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 3), min_size=1, max_size=9000))
def test_peaks_ends_and_order_stay_however_many_came(values: list[float]) -> None:
    found = points(*(packet(n, value) for n, value in enumerate(values)))
    kept = [value for _, value in found]
    assert len(kept) == len(values) if len(values) <= 200 else 100 <= len(kept) <= 400
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert all(values[round(second)] == value for second, value in found)
    assert [second for second, _ in found] == sorted({second for second, _ in found})


def test_a_flat_line_is_as_dense_as_one_that_moves() -> None:
    values = [0.0] * 4000 + [float(n % 7) for n in range(4000)]
    found = points(*(packet(n, value) for n, value in enumerate(values)))
    flat = sum(second < 4000 for second, _ in found)
    assert flat == pytest.approx(len(found) / 2, rel=0.05)


def test_what_is_not_good_is_not_kept() -> None:
    bad = {"bx": ValueQuality("suspect", "rate")}
    other = {"by": ValueQuality("unusable", "range")}
    assert points(packet(0, 1.0), packet(1, 9.0, bad), packet(2, 2.0, other)) == [(0, 1.0), (2, 2.0)]


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e301, pytest.param(1 << 2048, id="2^2048"), True, "OFF", None]
)
def test_what_no_scale_can_show_is_not_kept(value: Value | None) -> None:
    assert points(packet(0, value), packet(1, 2)) == [(1, 2.0)]


def test_a_nonsense_time_is_not_kept() -> None:
    assert points(packet(0, 1.0), packet(90_000, 5.0), packet(1, 2.0)) == [(0, 1.0), (1, 2.0)]


def test_packets_that_are_not_wanted_draw_nothing() -> None:
    assert points(packet(0, 1.0, name="BUS_HK")) == []
