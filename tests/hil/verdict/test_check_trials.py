"""The ground marks nine of ten garbage values of a failing chip, and at most one of fifty good ones."""

from __future__ import annotations

import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.wire import Telemetry
from hil.lander.flight_profile import PASSES, FlightProfile
from hil.verdict.check_trials import trial, true_bodies, worn_bodies
from hil.verdict.oracle import fly
from hil.verdict.value_quality import total
from protocols.lander import MARS6
from protocols.profile import UART
from tests.hil.lander import uplink

RECALL, MARKED = 0.90, 0.02


@pytest.mark.long
def test_the_same_seed_spoils_the_same_bits() -> None:
    first, again = list(worn_bodies(7)), list(worn_bodies(7))
    assert first == again and 1000 < len(first) < len(true_bodies()) == 2240


@pytest.mark.long
def test_a_few_chips_are_seen_through() -> None:
    whole = total(trial(range(1, 5)))
    assert whole.garbage > 10_000
    assert (whole.recall or 0) >= RECALL and (whole.false_share or 1) <= MARKED


LONG = pytest.mark.long


@pytest.mark.parametrize(
    "profile",
    [
        "soft-landing",
        "retros-early",
        *(
            pytest.param(name, marks=LONG)
            for name in sorted(set(PASSES) - {"degraded", "soft-landing", "retros-early"})
        ),
    ],
)
def test_a_sound_lander_is_believed_in_every_profile(profile: FlightProfile) -> None:
    script = [(0, uplink.command("SELECT_PROFILE", profile=PASSES[profile].label)), (0, uplink.command("START"))]
    receiver, values, bad = Receiver(MARS6, UART, "test:"), 0, 0
    for burst in fly(script=script, ready=True):
        for message in receiver.process(Chunk(burst.scet, burst.data)) if burst.data else ():
            if isinstance(message, Telemetry) and message.bad is not None:
                values, bad = values + len(message.values), bad + len(message.bad)
    assert values > 20_000 and bad <= 0.005 * values


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", [101, 126, 151, 176])
def test_a_hundred_chips_are_seen_through(first: int) -> None:
    """A quarter of them at a time, side by side."""
    whole = total(trial(range(first, first + 25)))
    assert (whole.recall or 0) >= RECALL and (whole.false_share or 1) <= MARKED
