"""When the link's status is published: twice a second, and at once when anything but counts changed."""

from __future__ import annotations

import msgspec
import pytest

from groundstation.messages.wire import LinkStatus
from groundstation.station.monitoring.status_timing import STATUS_EVERY_NS, StatusTiming
from tests.groundstation.tui.scripted import link, playback

FIRST = link(100.0, "LOCKED")


def told() -> StatusTiming:
    timing = StatusTiming()
    timing.published(FIRST, 0)
    return timing


def test_first_status_is_due() -> None:
    assert StatusTiming().is_due(FIRST, 0)


def test_counts_alone_wait_for_half_a_second() -> None:
    more = link(100.4, "LOCKED")
    assert more.counters != FIRST.counters
    assert not told().is_due(more, STATUS_EVERY_NS - 1)
    assert told().is_due(more, STATUS_EVERY_NS)


@pytest.mark.parametrize(
    "changed",
    [
        link(100.1, "LOS"),
        msgspec.structs.replace(FIRST, transport="ATTEMPTING"),
        msgspec.structs.replace(FIRST, detail="busy"),
        msgspec.structs.replace(FIRST, recording_ok=False),
        msgspec.structs.replace(FIRST, recording=None),
        msgspec.structs.replace(FIRST, state="DEGRADED"),
        msgspec.structs.replace(FIRST, playback=playback(1.0)),
    ],
)
def test_any_other_change_is_due_at_once(changed: LinkStatus) -> None:
    assert told().is_due(changed, 1)


def test_place_of_a_replay_is_no_change_but_its_pace_is() -> None:
    timing = StatusTiming()
    timing.published(msgspec.structs.replace(FIRST, playback=playback(1.0)), 0)
    assert not timing.is_due(msgspec.structs.replace(FIRST, playback=playback(1.2)), 1)
    for moved in (playback(1.0, paused=True), playback(1.0, jumps=2), playback(1.0, ended=True)):
        assert timing.is_due(msgspec.structs.replace(FIRST, playback=moved), 1)
