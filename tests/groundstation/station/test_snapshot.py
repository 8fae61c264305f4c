"""What a station knows for a viewer that joins late: bounded, and nothing that matters is pushed out."""

from __future__ import annotations

import msgspec

from groundstation.messages.wire import EventMessage, HistoryRequest, Snapshot, encode
from groundstation.station.snapshot import EVENTS_KEPT, WARNINGS_KEPT, SnapshotCache
from protocols.lander import MISSION
from tests.groundstation.tui.scripted import LOS, contact, descent, event, housekeeping, link, scet, verdict

ALTITUDE = ("DESCENT", "altitude")


def board() -> SnapshotCache:
    return SnapshotCache(MISSION, "bench", 1, 1)


def snapshot(known: SnapshotCache) -> Snapshot:
    return known.snapshot(link(100.0, "LOCKED"), {})


def warning(at: float) -> EventMessage:
    return msgspec.structs.replace(event(at, "LIMIT", "too hot"), severity="WARNING_HI")


def test_warnings_outlast_a_flood_of_lesser_events_and_stay_in_order() -> None:
    known = board()
    known.put(warning(1.0))
    for number in range(3 * EVENTS_KEPT):
        known.put(event(2.0 + number, "CHATTER", "of no matter"))
    known.put(warning(9000.0))
    events = snapshot(known).events
    assert [e.name for e in events].count("LIMIT") == 2
    assert events[0].name == events[-1].name == "LIMIT"
    assert len(events) == EVENTS_KEPT + 1


def test_a_greeting_sent_for_an_hour_leaves_the_other_events() -> None:
    known = board()
    known.put(event(1.0, "ENTRY", "seen before"))
    boot = event(2.0, "BOOT", "ready")
    for number in range(3600):
        known.put(msgspec.structs.replace(boot, ert=boot.ert + number))
    assert [(e.name, e.ert - boot.ert) for e in snapshot(known).events[1:]] == [("BOOT", 3599)]
    assert snapshot(known).events[0].name == "ENTRY"


def test_events_are_bounded_whatever_they_are() -> None:
    known = board()
    for number in range(1000):
        known.put(warning(float(number)))
    assert len(snapshot(known).events) == EVENTS_KEPT > WARNINGS_KEPT


def test_loss_of_long_ago_outlasts_a_flapping_channel() -> None:
    known = board()
    known.put(contact(LOS, "LOS", "LOCKED", verdict()))
    for number in range(300):
        bus = msgspec.structs.replace(contact(LOS + number, "LOCKED", "DEGRADED"), vcid=2)
        known.put(bus)
    assert [loss.verdict for loss in snapshot(known).losses] == [verdict()]


def test_curves_are_given_on_request_and_rounded_as_declared() -> None:
    known = board()
    for tick in range(880, 3120):
        known.put(descent(tick / 10))
    history = known.history(HistoryRequest(parameters=[ALTITUDE, ("DESCENT", "phase"), ("NO", "such")], samples=200))
    (curve,) = history.curves
    assert (curve.packet, curve.name, curve.first) == (*ALTITUDE, scet(88.0))
    assert curve.first + curve.offsets[-1] == scet(311.9)
    assert 100 < len(curve.values) <= 200 and curve.starts == [0]
    assert all(round(value, 1) == value for value in curve.values)
    assert len(encode(history)) < 6000


def test_clock_is_that_of_the_flight_that_goes_on() -> None:
    known = board()
    known.put(descent(311.9))
    known.put(housekeeping("BUS_HK", 311.0, 0))
    for second in range(3):
        known.put(housekeeping("BUS_HK", float(second), 0))
    assert (snapshot(known).clock, snapshot(known).clock_vcid) == (scet(2.0), 2)
