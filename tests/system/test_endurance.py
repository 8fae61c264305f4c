"""What a station must bear for long, in short: ports pulled, a fast link. `tests/stress` does the same for long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stress.painted_in_time import LIMIT_S as PAINT_LIMIT_S
from tests.stress.painted_in_time import STEPS, watch
from tests.stress.replug_port import LIMIT_S, replug
from tests.stress.steady_reception import RATE, receive

pytestmark = pytest.mark.long


def test_a_port_pulled_again_and_again_is_found_and_nothing_piles_up(home: Path) -> None:
    result = replug(home, 30)
    assert len(result.took) == 30
    assert result.after == result.before
    assert sum(took > LIMIT_S for took in result.took) <= 1  # a machine that stood still may be late once


def test_reception_at_300_kilobytes_a_second_loses_nothing(home: Path) -> None:
    result = receive(home, seconds=8.0, sample_s=1.0)
    assert result.lost == 0
    assert result.bytes_sent >= 0.5 * RATE * 8.0  # a busy machine sends less, and must lose as little
    assert result.archived == result.bytes_sent


@pytest.mark.alone
def test_four_viewers_paint_all_within_a_second(tmp_path: Path) -> None:
    watched = watch(tmp_path, seconds=20.0)
    for result in watched.values():
        assert max(result.worst.values()) <= PAINT_LIMIT_S, result.screen
        assert result.looks["telemetry"] >= result.looks["screen"] - 2  # the first looks may see no frame yet
    for kind in STEPS:
        assert watched["200x60"].looks[kind] > 50
