"""A short run of the fuzz loop, and every input that ever failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz_receiver import CORPUS, Case, check, make, streams


def test_a_few_mutated_streams() -> None:
    golden = streams()
    for number in range(2000):
        check(make(number, 6, golden))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_failed_once(path: Path) -> None:
    check(Case.from_text(path.read_text()))


def test_a_case_survives_being_written_down() -> None:
    case = Case("receiver", (3, 132), b"\0\xff")
    assert Case.from_text(case.to_text()) == case
