"""Each message of a pass is published once: from its bytes, or from the recording."""

from __future__ import annotations

import msgspec

from groundstation.messages.wire import ContactChange, EventMessage
from groundstation.station.replay.message_filter import ReplayFilter
from protocols.units import NS_PER_S

EPOCH = 132_225_000 * NS_PER_S


def limit(ert: int) -> EventMessage:
    return EventMessage(severity="WARNING_LO", source="STATION", name="LIMIT", text="high", ert=ert)


def test_a_recorded_event_counts_as_the_decoded_one_once() -> None:
    messages, event = ReplayFilter(), limit(EPOCH)
    assert messages.should_publish(event)
    assert not messages.is_unseen(msgspec.structs.replace(event, text="as an older version put it"))
    assert messages.is_unseen(event)
    assert messages.should_publish(event)
    messages.jumped(EPOCH)
    assert messages.is_unseen(event)


def test_before_the_place_jumped_to_the_recording_decides() -> None:
    """Decoding acquires lock again, seconds late; the pass had it all the time."""
    messages = ReplayFilter()
    messages.jumped(EPOCH + NS_PER_S)
    for ert, decoded in ((EPOCH, False), (EPOCH + NS_PER_S - 1, False), (EPOCH + NS_PER_S, True)):
        change = ContactChange(vcid=0, channel="lander", state="LOCKED", previous="ACQUIRING", ert=ert)
        assert messages.should_publish(change) == messages.should_publish(limit(ert)) == decoded
        assert messages.is_unseen(change) == messages.is_unseen(limit(ert)) == (not decoded)
