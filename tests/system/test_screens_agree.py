"""Six viewers watch flights of all sorts in tmux: at each second the screens say what was recorded."""

from __future__ import annotations

import pytest

from tests.stress.cable import FLIGHTS
from tests.stress.screens_agree import fly

pytestmark = [pytest.mark.long, pytest.mark.alone]


@pytest.mark.parametrize("name", FLIGHTS)
def test_each_screen_agrees_with_the_recording(name: str) -> None:
    flight, faults = fly(name)
    assert len(flight.looks) > 60
    assert flight.truth.samples
    assert not faults, "\n\n".join(faults[:3])
