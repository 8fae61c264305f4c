"""What is read from a recording before it is judged."""

from __future__ import annotations

from msgspec.structs import replace

from hil.verdict.measure import Received
from tests.groundstation.tui.scripted import LOS, contact, verdict


def test_a_revised_loss_has_its_last_cause_with_its_evidence() -> None:
    first = replace(verdict(), cause="SILENCE", evidence="the port is open, not one byte since")
    last = replace(verdict(), cause="LANDER_ONLY", evidence="the link is up: bus still heard", trailing_bytes=62)
    declared = contact(LOS + 0.2, "LOS", "LOCKED", first)
    revised = replace(contact(LOS + 0.9, "LOS", "LOS", last), revised=True)
    [loss] = Received(contacts=[declared, revised]).losses()
    assert (loss.cause, loss.evidence) == ("LANDER_ONLY", "the link is up: bus still heard")
    assert loss.trailing_bytes == first.trailing_bytes
