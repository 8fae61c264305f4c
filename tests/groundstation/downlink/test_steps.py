"""Limits on change: what a rise is, and what is none."""

from __future__ import annotations

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.downlink.limits import LimitChange, LimitMonitor
from groundstation.downlink.steps import KEPT, RiseMeter
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.lander import MARS6
from protocols.structures.fields import Limits, Quantity
from protocols.units import NS_PER_S

BODY = c.Struct("impacts" / Quantity(c.Int8ub, limits=Limits(step_yellow=2, step_red=10, step_s=60, red_high=200)))
PACKET = Dictionary("M", 1, (PacketDef("P", 1, 3, 25, BODY, 60_000),), (), (), ()).by_name["P"]


def changes(*samples: tuple[float, int], late: bool = False) -> list[LimitChange]:
    """What is reported of (seconds, impacts)."""
    monitor, found = LimitMonitor(), []
    for at, impacts in samples:
        found += monitor.check(PACKET, {"impacts": impacts}, [], round(at * NS_PER_S), late=late)[1]
    return found


@pytest.mark.parametrize(
    ("samples", "state"),
    [
        (((0, 0), (60, 2)), None),
        (((0, 0), (60, 3)), "YELLOW_HIGH"),
        (((0, 0), (60, 10)), "YELLOW_HIGH"),
        (((0, 0), (60, 11)), "RED_HIGH"),
        (((0, 0), (120, 4)), None),
        (((0, 0), (120, 5)), "YELLOW_HIGH"),
        (((0, 0), (20, 1), (40, 2), (60, 3)), "YELLOW_HIGH"),
        (((0, 0), (30, 1), (60, 2), (90, 3), (120, 4)), None),
        (((0, 50), (60, 0), (120, 1)), None),
        (((0, 250), (60, 3)), None),
        (((0, 0), (181, 100)), None),
        (((600, 0), (0, 9)), None),
        (((0, 0), (0, 9)), None),
    ],
)
def test_rise_within_its_time_has_a_state(samples: tuple[tuple[float, int], ...], state: str | None) -> None:
    assert [change.state for change in changes(*samples)] == ([] if state is None else [state])


def test_a_step_is_reported_once_with_its_evidence_and_its_end() -> None:
    first, second = changes((0, 3), (60, 7), (120, 7))
    assert (first.previous, first.state, first.evidence) == ("GREEN", "YELLOW_HIGH", "+4 in 60 s, > 2 in 60 s")
    assert (second.previous, second.state, second.evidence) == ("YELLOW_HIGH", "GREEN", "+0 in 60 s, ≤ 2 in 60 s")


def test_a_sample_shows_the_worse_of_value_and_step() -> None:
    monitor = LimitMonitor()
    monitor.check(PACKET, {"impacts": 195}, [], 0)
    assert monitor.check(PACKET, {"impacts": 198}, [], 60 * NS_PER_S)[0] == {"impacts": "YELLOW_HIGH"}
    assert monitor.check(PACKET, {"impacts": 201}, [], 120 * NS_PER_S)[0] == {"impacts": "RED_HIGH"}


def test_late_and_void_samples_are_no_step() -> None:
    assert changes((0, 0), (60, 200), late=True) == []
    monitor = LimitMonitor()
    monitor.check(PACKET, {"impacts": 0}, [], 0)
    assert monitor.check(PACKET, {"impacts": 90}, ["impacts"], 60 * NS_PER_S) == ({}, [])
    assert monitor.check(PACKET, {"impacts": 1}, [], 120 * NS_PER_S) == ({}, [])


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 3)), max_size=200))
def test_rise_is_that_of_the_earliest_value_within_reach(steps: list[tuple[int, int]]) -> None:
    meter, time, value, seen = RiseMeter(10.0), 0, 0, [(0, 0)]
    meter.take(0, 0)
    for ahead, more in steps:
        time, value = time + ahead, value + more
        rise = meter.take(time, value)
        first = next(was for at, was in seen if time - at <= 10 * NS_PER_S)
        slack = 3 * sum(1 for at, _ in seen if time - at <= 10 * NS_PER_S + 10 * NS_PER_S // KEPT)
        assert rise is not None
        assert abs(rise.change - (value - first)) <= slack
        seen.append((time, value))


def test_values_of_any_rate_take_bounded_room() -> None:
    meter = RiseMeter(60.0)
    rises = [meter.take(n * 1_000_000, n / 1000) for n in range(200_000)]
    last = rises[-1]
    assert last is not None
    assert last.by == pytest.approx(60, abs=60 / KEPT * 2)


def test_micrometeoroids_of_the_bus_step_by_the_declaration() -> None:
    limits = dict(MARS6.by_name["MICROMETEOROIDS"].limited)["impacts"]
    assert (limits.step_yellow, limits.step_red, limits.step_s) == (2, 10, 60)
