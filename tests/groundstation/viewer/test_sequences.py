from typing import TypeVar

import msgspec

from groundstation.messages.wire import AnyMessage, Heartbeat
from groundstation.viewer.sequences import SequenceStatus, SequenceTracker
from tests.groundstation.samples import event, telemetry

MessageT = TypeVar("MessageT", bound=AnyMessage)


def at(message: MessageT, seq: int) -> MessageT:
    return msgspec.structs.replace(message, seq=seq)


def joined(**sequences: int) -> SequenceTracker:
    continuity = SequenceTracker()
    continuity.adopt(sequences, resumed=False)
    return continuity


def test_snapshot_overlap_is_dropped_and_nothing_counts_as_missed() -> None:
    continuity = joined(event=5)
    places = [continuity.place(at(event(), seq)) for seq in (4, 5, 6, 7)]
    assert places == [SequenceStatus.DUPLICATE, SequenceStatus.DUPLICATE, SequenceStatus.NEXT, SequenceStatus.NEXT]
    assert continuity.missed == {}


def test_a_topic_the_snapshot_did_not_know_starts_at_one() -> None:
    continuity = joined()
    assert continuity.place(at(telemetry(1), 3)) is SequenceStatus.NEXT
    assert continuity.missed == {"tm.DESCENT": 2}


def test_jumps_are_counted_by_topic() -> None:
    continuity = joined(event=5)
    for message in (at(event(), 6), at(telemetry(1), 1), at(event(), 10), at(telemetry(1), 2)):
        continuity.place(message)
    assert continuity.missed == {"event": 3}


def test_heartbeat_tells_of_losses_at_the_end_once() -> None:
    continuity = joined(event=5, heartbeat=1)
    beat = Heartbeat(ert=0, sequences={"event": 8, "heartbeat": 1})
    assert continuity.place(at(beat, 2)) is SequenceStatus.NEXT
    continuity.place(at(event(), 9))
    continuity.place(at(beat, 3))
    assert continuity.missed == {"event": 3}


def test_a_sequence_delivered_twice_is_a_restart() -> None:
    continuity = joined(heartbeat=7, event=1)
    beat = Heartbeat(ert=0, sequences={"event": 1})
    assert continuity.place(at(beat, 8)) is SequenceStatus.NEXT
    assert continuity.place(at(beat, 1)) is SequenceStatus.RESTART
    continuity.adopt({"heartbeat": 2, "event": 1}, resumed=False)
    assert continuity.place(at(beat, 2)) is SequenceStatus.DUPLICATE
    assert continuity.place(at(beat, 3)) is SequenceStatus.NEXT
    assert continuity.missed == {}


def test_a_heartbeat_that_falls_behind_is_a_restart() -> None:
    continuity = joined(event=5, heartbeat=1)
    assert continuity.place(at(Heartbeat(ert=0, sequences={"heartbeat": 1}), 2)) is SequenceStatus.RESTART
    continuity = joined(event=5, heartbeat=1)
    assert continuity.place(at(Heartbeat(ert=0, sequences={"event": 4}), 2)) is SequenceStatus.RESTART


def test_what_the_same_run_published_during_the_absence_was_missed() -> None:
    continuity = joined(event=5)
    continuity.place(at(event(), 6))
    continuity.adopt({"event": 10, "tm.BUS": 2}, resumed=True)
    assert continuity.missed == {"event": 4, "tm.BUS": 2}
