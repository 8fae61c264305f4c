"""The packets of one APID: what is missing, and what only looks like it."""

from __future__ import annotations

import pytest

from protocols.counts import Lost, PacketCounter


def counted(*counts: int, lost: int = 0) -> PacketCounter:
    counter = PacketCounter()
    for each in counts:
        counter.count(each, lost)
    return counter


@pytest.mark.parametrize(
    ("counts", "missing", "gaps", "back"),
    [
        ((0, 1, 2), 0, 0, 0),
        ((0, 1, 4, 5), 2, 1, 0),
        ((16382, 16383, 0, 1), 0, 0, 0),
        ((16380, 3), 6, 1, 0),
        ((7, 7, 7, 7), 0, 0, 3),
        ((1000, 0, 1), 0, 0, 1),
        ((12000, 0, 1), 0, 0, 1),
        ((5, 6, 7, 5, 6, 7), 0, 0, 1),
    ],
    ids=["in order", "a hole", "a turn", "a hole over the end", "still", "again", "again from far", "repeated"],
)
def test_what_a_count_says(counts: tuple[int, ...], missing: int, gaps: int, back: int) -> None:
    counter = counted(*counts)
    assert (counter.missing, counter.gaps, counter.steps_back) == (Lost(missing), gaps, back)


def test_a_loss_of_thousands_needs_frames_that_are_missing() -> None:
    assert counted(1000, 6000, lost=5000).missing == Lost(4999)
    assert counted(12000, 0, lost=5000).missing == Lost(4383)


def test_after_a_turn_or_more_it_is_at_least_so_many() -> None:
    assert counted(10, 20, lost=20_000).missing == Lost(9, "AT_LEAST")


def test_a_late_packet_is_not_missing() -> None:
    counter = counted(1, 5)
    assert (counter.missing, counter.gaps) == (Lost(3), 1)
    for sequence, gaps in ((3, 2), (2, 1), (4, 0)):
        counter.count(sequence, 0, late=True)
        assert counter.gaps == gaps
    assert counter.missing == Lost(0)
    counter.count(6, 0)
    assert counter.missing == Lost(0)


def test_a_source_that_starts_again_begins_anywhere() -> None:
    counter = counted(1000)
    counter.begin_again()
    counter.count(3, 200)
    counter.count(4, 0)
    assert (counter.missing, counter.steps_back) == (Lost(0), 0)
