"""Two links of one descent: nothing is lost while one hears the lander, nothing comes twice, each link is accounted."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.links.base import Chunk, Idle, Report, TransportChange
from groundstation.messages.wire import ContactChange, EventMessage, LinkStatus, Telemetry
from protocols.lander import BUS as BUS_VC
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.profile import UART
from protocols.sync.frames import decode_frame, encode_cadu
from protocols.units import NS_PER_MS, NS_PER_S
from tests import descent
from tests.groundstation.two_links import BUS, MARS5, decode, everything, receiver, reports


@pytest.fixture(scope="module")
def alone() -> list[ReceiverEvent]:
    """What one link without a fault says of the same descent."""
    single = Receiver(MARS6, UART, "test:")
    events = single.process(TransportChange(EPOCH, "CONNECTED", "test"))
    for burst in descent.bursts():
        events += single.process(Chunk(burst.scet, burst.data) if burst.data else Idle(burst.scet))
    return events


def telemetry(events: list[ReceiverEvent], vcid: int = LANDER) -> list[tuple[str, int, dict[str, object]]]:
    return [(e.packet, e.scet, dict(e.values)) for e in events if isinstance(e, Telemetry) and e.vcid == vcid]


def named(events: list[ReceiverEvent], name: str) -> list[EventMessage]:
    return [event for event in events if isinstance(event, EventMessage) and event.name == name]


def losses(events: list[ReceiverEvent]) -> list[ContactChange]:
    return [
        e for e in events if isinstance(e, ContactChange) and e.state == "LOS" and e.vcid is not None and not e.revised
    ]


def status(both: Receiver) -> LinkStatus:
    return both.status(EPOCH, None, True)


def vcid_of(frame: bytes) -> int:
    return frame[5] >> 1 & 7


def test_two_whole_links_say_what_one_says(alone: list[ReceiverEvent]) -> None:
    both, events = decode()
    assert telemetry(events) == telemetry(alone) and telemetry(events, BUS_VC) == telemetry(alone, BUS_VC)
    bus, mars5 = status(both).links
    assert (bus.first, bus.duplicates, bus.only) == (2240 + 322, 0, 322)
    assert (mars5.first, mars5.duplicates, mars5.only) == (0, 2240, 0)
    assert (bus.lost, mars5.lost, both.counters().frames_lost) == (0, 0, 0)
    assert not named(events, "FRAME_GAP") and not named(events, "RESTART")


def test_the_planned_loss_has_the_same_verdict(alone: list[ReceiverEvent]) -> None:
    (one,), (two,) = losses(alone), losses(decode()[1])
    assert one.verdict is not None and two.verdict is not None
    assert (two.verdict.cause, two.verdict.last_scet, two.verdict.planned_error_ms) == (
        "LANDER_ONLY",
        one.verdict.last_scet,
        0,
    )
    assert two.ert <= one.ert + 30 * NS_PER_MS and two.verdict.evidence.startswith("bus: the link is up")


def test_one_link_lost_in_mid_descent_costs_nothing(alone: list[ReceiverEvent]) -> None:
    gone = range(EPOCH + 200 * NS_PER_S, EPOCH + 240 * NS_PER_S)
    both, events = decode(lambda link, scet, _: link != BUS or scet not in gone)
    assert telemetry(events) == telemetry(alone)
    assert [change.vcid for change in losses(events)] == [BUS_VC, LANDER]  # the bus itself is on its own link alone
    texts = [event.text for event in named(events, "LINK_LOS")]
    assert texts[0].startswith("bus lost lander: ") and any(text.startswith("bus lost bus: ") for text in texts)
    assert any(event.text.startswith("bus hears lander again after ") for event in named(events, "LINK_AOS"))
    bus, mars5 = status(both).links
    assert (mars5.first, mars5.only, bus.lost) == (400, 400, 440)
    assert both.counters().frames_lost == 40  # the bus's own, once a second


def test_fail_over_costs_less_than_a_frame_period(alone: list[ReceiverEvent]) -> None:
    """Each packet is there within a frame period of when the whole link would have had it."""
    cut = EPOCH + 200 * NS_PER_S
    due = {(e.packet, e.scet): e.ert for e in alone if isinstance(e, Telemetry) and e.vcid == LANDER}
    both, said = receiver(), {}
    for report in reports(lambda link, scet, _: link != BUS or scet < cut, delay_ms=99):
        for event in both.process(report):
            if isinstance(event, Telemetry) and event.vcid == LANDER:
                said[event.packet, event.scet] = report.ert
    assert said.keys() == due.keys()
    assert max(said[key] - due[key] for key in due) < 100 * NS_PER_MS


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 2**32), st.sampled_from([0, 10, 60, 99]), st.floats(0.0, 0.6), st.floats(0.0, 0.6))
def test_any_losses_on_two_links_give_the_union_in_order(
    seed: int, delay: int, bus_loss: float, mars5_loss: float
) -> None:
    random_ = random.Random(seed)
    heard: dict[int, set[bytes]] = {BUS: set(), MARS5: set()}

    def keep(link: int, scet: int, frame: bytes) -> bool:
        there = random_.random() >= (bus_loss, mars5_loss)[link]
        if there and vcid_of(frame) == LANDER:
            heard[link].add(frame[10:-2])  # all behind the primary header, which has the MCFC, but for the FECF
        return there

    both, _ = decode(keep, delay)
    union = heard[BUS] | heard[MARS5]
    (lander,) = [channel for channel in both.contact.status() if channel.vcid == LANDER]
    assert lander.frames == len(union)
    assert (lander.duplicates, lander.late) == (0, 0)
    bus, mars5 = status(both).links
    assert bus.duplicates + mars5.duplicates == len(heard[BUS] & heard[MARS5])
    assert mars5.only == len(heard[MARS5] - heard[BUS])
    for share in (bus, mars5):
        assert share.frames_good == share.first + share.duplicates + share.conflicts + share.stale + share.foreign
    counters = both.counters()
    assert (counters.frames_late, counters.frames_stepped_back, counters.restarts) == (0, 0, 0)


def test_a_shift_of_seconds_is_late_and_not_lost(alone: list[ReceiverEvent]) -> None:
    """What the bus missed comes from Mars 5 three seconds later: it is told as late, and the loss is taken back."""
    gone = range(EPOCH + 200 * NS_PER_S, EPOCH + 201 * NS_PER_S)
    both, events = decode(lambda link, scet, _: link != BUS or scet not in gone, 3000)
    counters = both.counters()
    assert (counters.frames_late, counters.frames_lost - 1) == (10, 0)  # the bus's own frame of that second is lost
    assert sorted(telemetry(events), key=lambda each: each[:2]) == sorted(telemetry(alone), key=lambda each: each[:2])


def test_a_copy_with_other_content_is_told() -> None:
    both = receiver()
    events: list[ReceiverEvent] = []
    for report in reports(everything, until=EPOCH + 95 * NS_PER_S):
        events += both.process(report)
    other = descent.bursts()[960].data[:132]
    both_frames = _with_data_of(other, descent.bursts()[961].data[:132])
    events += both.process(Chunk(EPOCH + 96 * NS_PER_S, other, BUS))
    events += both.process(Chunk(EPOCH + 96 * NS_PER_S + 1, both_frames, MARS5))
    (event,) = named(events, "FRAME_CONFLICT")
    assert event.text.startswith("mars5 brought frame ") and status(both).links[MARS5].conflicts == 1


def _with_data_of(header: bytes, data: bytes) -> bytes:
    """A frame with the header of one and the content of the other."""
    first, second = (decode_frame(each[4:], UART) for each in (header, data))
    return encode_cadu(second._replace(vcfc=first.vcfc, mcfc=first.mcfc), UART)  # type: ignore[attr-defined]


@pytest.mark.parametrize("ahead_s", [-5, 5])
def test_a_link_with_another_clock_loses_nothing(ahead_s: int, alone: list[ReceiverEvent]) -> None:
    """Mars 5's port stamps by a clock that is seconds off: without the comparison all would be late, or lost."""
    both, ahead = receiver(), ahead_s * NS_PER_S
    events: list[ReceiverEvent] = []
    for report in reports(lambda link, scet, _: link != BUS or scet % (3 * NS_PER_S) >= NS_PER_S // 5):
        events += both.process(_stamped(report, ahead) if getattr(report, "link", 0) == MARS5 else report)
    assert telemetry(events) == telemetry(alone)
    counters = both.counters()
    assert (counters.frames_late, counters.restarts) == (0, 0)
    assert {change.vcid for change in losses(events)} == {LANDER}


def _stamped(report: Report, ahead: int) -> Report:
    """The same by a clock that is so far ahead."""
    if isinstance(report, Chunk):
        return report._replace(ert=report.ert + ahead)
    if isinstance(report, TransportChange):
        return dataclasses.replace(report, ert=report.ert + ahead, ahead=ahead)
    return dataclasses.replace(report, ert=report.ert + ahead)
