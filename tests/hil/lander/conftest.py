"""One historical descent, flown once and read by every test of the lander's machine."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.hil.lander.flight import Moment, fly

TRUTH = Path(__file__).parents[2] / "data" / "descent_1hz.csv"


@pytest.fixture(scope="session")
def descent() -> list[Moment]:
    """The historical descent; the index is the tick."""
    return fly()


@pytest.fixture(scope="session")
def truth() -> list[dict[str, float]]:
    """The truth table [C]; the index is the second."""
    with TRUTH.open(encoding="utf-8", newline="") as file:
        return [{name: float(row[name]) for name in row if name != "utc"} for row in csv.DictReader(file)]
