"""Diversity reception: any losses on two links give each frame once, in order, without a gap that one could fill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from protocols.ccsds.tm_frame import TmFrame
from protocols.counts import FrameCounter
from protocols.counts.merger import HELD_MAX, HOLD_NS, Arrival, FrameMerger
from protocols.units import NS_PER_MS

PERIOD = 100 * NS_PER_MS
STEP = 5 * NS_PER_MS
"""How often these tests look at the time."""
A, B = 0, 1


def frame(number: int, *, mcfc: int = 0, content: int | None = None) -> TmFrame:
    """The frame of a place on VC0; its bytes say the place."""
    return TmFrame(6, 0, mcfc % 256, number % 256, 0, (number if content is None else content).to_bytes(4, "big"), None)


class Copy(NamedTuple):
    """A frame on its way over a link."""

    at: int
    link: int
    number: int


class Station:
    """A merger and what it handed on."""

    def __init__(self, links: int = 2) -> None:
        self.merger: FrameMerger[None] = FrameMerger(links, 256, {0: PERIOD})
        self.numbers: list[int] = []
        self.delays: list[int] = []
        self.verdicts: list[str] = []

    def push(self, link: int, number: int, at: int, *, content: int | None = None) -> None:
        self._take(self.merger.advance(at), at)
        merged = self.merger.push(link, frame(number, mcfc=number * (link + 3), content=content), at, None)
        self.verdicts.append(merged.verdict)
        self._take(merged.released, at)

    def wait(self, at: int) -> None:
        self._take(self.merger.advance(at), at)

    def _take(self, released: Iterable[Arrival[None]], now: int) -> None:
        for arrival in released:
            self.numbers.append(int.from_bytes(arrival.frame.data, "big"))
            self.delays.append(now - arrival.at)


def fly(copies: Iterable[Copy]) -> Station:
    """Deliver copies in the order of their times."""
    station, now = Station(), 0
    for copy in sorted(copies):
        now = wait_until(station, now, copy.at)
        station.push(copy.link, copy.number, copy.at)
    wait_until(station, now, now + 2 * PERIOD)
    return station


def wait_until(station: Station, now: int, until: int) -> int:
    """Let time pass in small steps."""
    for at in range(now + STEP, until, STEP):
        station.wait(at)
    station.wait(until)
    return until


def on_link(link: int, heard: list[bool], delay: int) -> list[Copy]:
    """The frames that a link hears, each so much later than it was sent."""
    return [Copy(n * PERIOD + delay, link, n) for n, there in enumerate(heard) if there]


PATTERNS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=120)
DELAYS = st.integers(0, PERIOD - 1)


@given(PATTERNS, DELAYS, DELAYS)
@example([(True, False), (False, True), (True, False), (False, False), (True, True)], 0, PERIOD - 1)
def test_the_union_of_two_links_comes_once_and_in_order(
    heard: list[tuple[bool, bool]], late_a: int, late_b: int
) -> None:
    copies = on_link(A, [a for a, _ in heard], late_a) + on_link(B, [b for _, b in heard], late_b)
    station = fly(copies)
    assert station.numbers == [n for n, pair in enumerate(heard) if any(pair)]
    assert all(delay < PERIOD + STEP for delay in station.delays)
    first, second = station.merger.shares
    assert first.first + second.first == len(station.numbers)
    assert first.duplicates + second.duplicates == sum(all(pair) for pair in heard)
    assert (first.only, second.only) == (sum(a and not b for a, b in heard), sum(b and not a for a, b in heard))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=30, max_size=120), st.integers(1, 40))
def test_shifted_by_seconds_each_frame_still_comes_once(heard: list[tuple[bool, bool]], periods: int) -> None:
    heard[0] = (True, True)
    copies = on_link(A, [a for a, _ in heard], 0) + on_link(B, [b for _, b in heard], periods * PERIOD)
    station = fly(copies)
    stale = sum(share.stale for share in station.merger.shares)
    expected = [n for n, pair in enumerate(heard) if any(pair)]
    assert len(station.numbers) == len(set(station.numbers))
    assert set(station.numbers) <= set(expected) and len(station.numbers) + stale == len(expected)
    counter = FrameCounter(256, {0: PERIOD})
    steps = [counter.count(frame(n)._replace(mcfc=0), n * PERIOD, None) for n in station.numbers]
    assert not [step for step in steps if step.kind in ("DUPLICATE", "RESTART")]


def test_a_gap_that_the_other_link_fills_is_none() -> None:
    station = Station()
    station.push(A, 0, 0)
    station.push(B, 0, 50 * NS_PER_MS)
    station.push(A, 2, 200 * NS_PER_MS)
    assert station.numbers == [0] and station.verdicts[-1] == "HELD"
    station.push(B, 1, 250 * NS_PER_MS)
    assert station.numbers == [0, 1, 2] and max(station.delays) < PERIOD


def test_nothing_is_held_that_no_link_can_fill() -> None:
    station = Station()
    for number in (0, 1):
        station.push(A, number, number * PERIOD)
        station.push(B, number, number * PERIOD + 1)
    station.merger.connect(B, False, PERIOD + 2)
    station.push(A, 3, 3 * PERIOD)
    assert station.numbers == [0, 1, 3] and station.delays[-1] == 0


def test_a_frame_is_released_when_the_other_link_has_missed_it_too() -> None:
    station = Station()
    for number in (0, 1):
        station.push(A, number, number * PERIOD)
        station.push(B, number, number * PERIOD + 50 * NS_PER_MS)
    station.push(A, 3, 3 * PERIOD)
    assert station.numbers == [0, 1]
    station.push(B, 3, 3 * PERIOD + 50 * NS_PER_MS)
    assert station.numbers == [0, 1, 3] and station.delays[-1] == 50 * NS_PER_MS


def test_one_link_of_two_that_is_silent_costs_a_period_once() -> None:
    station = Station()
    station.push(A, 0, 0)
    assert station.numbers == []
    station.wait(PERIOD)
    station.push(A, 1, PERIOD + 1)
    assert station.numbers == [0, 1] and station.delays == [PERIOD, 0]


def test_a_slow_channel_is_not_held_for_its_whole_period() -> None:
    merger: FrameMerger[None] = FrameMerger(2, 256, {0: 100 * HOLD_NS})
    assert merger.push(A, frame(0), 0, None).verdict == "HELD"
    assert merger.advance(HOLD_NS - 1) == [] and len(merger.advance(HOLD_NS)) == 1


def test_other_content_under_a_known_count_is_a_conflict() -> None:
    station = Station()
    station.push(A, 0, 0)
    station.push(B, 0, 1)
    station.push(A, 1, PERIOD)
    station.push(B, 1, PERIOD + 1, content=99)
    assert station.verdicts[-1] == "CONFLICT" and station.numbers == [0, 1]
    assert [share.conflicts for share in station.merger.shares] == [0, 1]


def test_what_one_link_brings_twice_is_left_to_the_counter() -> None:
    station = Station()
    station.push(A, 0, 0)
    station.push(B, 0, 1)
    station.push(A, 0, 2)
    station.push(B, 0, 3)
    assert station.numbers == [0, 0] and [share.duplicates for share in station.merger.shares] == [0, 2]


def test_a_source_that_starts_again_is_followed_at_once() -> None:
    station = Station()
    for number in range(40):
        station.push(A, number, number * PERIOD)
        station.push(B, number, number * PERIOD + 1)
    for number in range(20):
        at = (40 + number) * PERIOD
        station.push(A, number, at, content=1000 + number)
        station.push(B, number, at + 1, content=1000 + number)
    assert station.numbers == [*range(40), *range(1000, 1020)]
    assert [share.conflicts for share in station.merger.shares] == [0, 0]
    assert all(delay == 0 for delay in station.delays[1:])


def test_what_is_held_is_bounded() -> None:
    station = Station()
    station.push(A, 0, 0)
    station.push(B, 0, 0)
    for number in range(2, 2 + 2 * HELD_MAX):
        station.push(A, number, 1)
    assert len(station.numbers) >= HELD_MAX


def test_an_outage_of_both_of_any_length_ends_with_the_next_frame() -> None:
    for missing in (1, 5, 100, 127, 128, 129, 200, 256, 300, 1000):
        station = Station()
        station.push(A, 0, 0)
        station.push(B, 0, 1)
        begin = missing + 1
        for number in range(begin, begin + 5):
            station.push(A, number, number * PERIOD)
            station.push(B, number, number * PERIOD + 1)
        assert station.numbers == [0, *range(begin, begin + 5)], missing
