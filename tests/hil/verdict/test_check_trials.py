"""The ground marks nine of ten garbage values of a failing chip, and at most one of fifty good ones."""

from __future__ import annotations

import pytest

from hil.verdict.check_trials import trial, true_bodies, worn_bodies
from hil.verdict.value_quality import total

RECALL, MARKED = 0.90, 0.02


def test_the_same_seed_spoils_the_same_bits() -> None:
    first, again = list(worn_bodies(7)), list(worn_bodies(7))
    assert first == again and 1000 < len(first) < len(true_bodies()) == 2240


def test_a_few_chips_are_seen_through() -> None:
    whole = total(trial(range(1, 5)))
    assert whole.garbage > 10_000
    assert (whole.recall or 0) >= RECALL and (whole.false_share or 1) <= MARKED


@pytest.mark.long
def test_a_hundred_chips_are_seen_through() -> None:
    rows = trial(range(101, 201))
    whole = total(rows)
    assert (whole.recall or 0) >= RECALL and (whole.false_share or 1) <= MARKED
