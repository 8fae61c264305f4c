"""AOS and LOS: time-outs to the nanosecond, causes with their evidence, revisions, outages."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groundstation.downlink.contact import ContactMonitor
from groundstation.links.base import Disturbance
from groundstation.messages.wire import ContactChange
from protocols.ccsds.space_packet import encode_packet
from protocols.ccsds.tm_frame import TmFrame
from protocols.counts import FrameCounter
from protocols.declare.dictionary import ChannelDef

MS = 1_000_000
LANDER, BUS = 0, 2
CHANNELS = (ChannelDef(LANDER, "lander", "LANDER", 100), ChannelDef(BUS, "bus", "BUS", 1000))
CADU = 132


class ContactHarness:
    """A monitor with a clock in ms and the changes so far."""

    def __init__(self, planned_ms: int | None = None) -> None:
        planned = {} if planned_ms is None else {LANDER: planned_ms * MS}
        self.monitor = ContactMonitor(CHANNELS, planned)
        self.monitor.transport("CONNECTED", "", False, 0)
        self.changes: list[ContactChange] = []
        self.counter = FrameCounter(256, {c.vcid: c.period_ms * MS for c in CHANNELS})
        self.vcfc = {LANDER: 0, BUS: 0}
        self.mcfc = 0

    def frame(self, vcid: int, at: int, skip: int = 0) -> None:
        self.vcfc[vcid] += skip
        self.mcfc += skip
        self.came(self.made(vcid), at)
        self.vcfc[vcid] += 1
        self.mcfc += 1

    def made(self, vcid: int) -> TmFrame:
        """The channel's next frame; its packet differs from all others."""
        packet = encode_packet(0x100 | vcid, self.vcfc[vcid], self.mcfc.to_bytes(4, "big"))
        return TmFrame(6, vcid, self.mcfc & 0xFF, self.vcfc[vcid] & 0xFF, 0, packet, None)

    def came(self, frame: TmFrame, at: int, scet: int | None = None) -> None:
        """A frame is received at ``at``, with the spacecraft's time of ``scet`` ms; by default the same."""
        time = (at if scet is None else scet) * MS
        self.changes += self.monitor.received(CADU, at * MS)
        step = self.counter.count(frame, time, at * MS)
        self.changes += self.monitor.frame(frame.vcid, frame.vcfc, step, time, at * MS, CADU)

    def restart(self) -> None:
        """The source starts again: all its counters are 0."""
        self.vcfc, self.mcfc = {LANDER: 0, BUS: 0}, 0

    def listen(self, until: int, since: int, step: int = 20) -> None:
        for now in range(since, until + 1, step):
            self.changes += self.monitor.advance(now * MS)

    def lander(self, start: int, frames: int, period: int = 100) -> int:
        """Lander frames from ``start`` on; returns the time of the last."""
        for n in range(frames):
            self.frame(LANDER, start + n * period)
        return start + (frames - 1) * period

    def of(self, vcid: int | None, state: str) -> list[ContactChange]:
        return [c for c in self.changes if c.vcid == vcid and c.state == state]

    def loss(self, vcid: int | None = LANDER) -> ContactChange:
        (change,) = [c for c in self.of(vcid, "LOS") if not c.revised]
        assert change.verdict is not None
        return change


def test_three_frames_make_a_contact() -> None:
    bench = ContactHarness()
    bench.lander(0, 2)
    assert not bench.of(LANDER, "LOCKED")
    bench.frame(LANDER, 200)
    assert [c.ert for c in bench.of(LANDER, "LOCKED")] == [200 * MS]
    assert [c.ert for c in bench.of(None, "LOCKED")] == [200 * MS]


def test_one_frame_is_no_contact_and_no_loss() -> None:
    bench = ContactHarness()
    bench.frame(LANDER, 0)
    bench.listen(2000, 0)
    assert [c.state for c in bench.changes if c.vcid == LANDER] == ["ACQUIRING", "NO_SIGNAL"]


def test_rejects_of_the_lander_do_not_keep_the_bus_from_its_lock() -> None:
    """A chip that fails damages a lander frame a second, and no frame of the bus is missing by its count."""
    bench = ContactHarness()
    for second in range(3):
        bench.frame(BUS, 1000 * second)
        assert bool(bench.of(BUS, "LOCKED")) == (second == 2)
        bench.changes += bench.monitor.rejected(crc=True)
        bench.frame(LANDER, 1000 * second + 500, skip=1)
    assert not bench.of(LANDER, "LOCKED")


def test_loss_is_dated_at_the_deadline_and_not_a_nanosecond_before() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    assert bench.monitor.advance((last + 300) * MS - 1) == []
    (loss, link) = bench.monitor.advance((last + 300) * MS)
    assert (loss.vcid, loss.state, loss.ert) == (LANDER, "LOS", (last + 300) * MS)
    assert (link.vcid, link.state) == (None, "LOS")


def test_a_late_look_dates_the_loss_rightly_and_says_that_it_was_late() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.changes += bench.monitor.advance((last + 300) * MS - 1)
    bench.changes += bench.monitor.advance((last + 340) * MS)
    loss = bench.loss()
    assert loss.ert == (last + 300) * MS
    assert loss.verdict is not None
    assert loss.verdict.declared_ert == (last + 340) * MS


def test_verdict_holds_the_evidence() -> None:
    bench = ContactHarness(planned_ms=1000)
    last = bench.lander(0, 10)
    bench.listen(last + 400, last)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.last_vcfc, verdict.last_scet) == ("SILENCE", 9, last * MS)
    assert verdict.interval_scet == (last * MS, (last + 100) * MS)
    assert verdict.interval_ert == (last * MS, (last + 100) * MS)
    assert (verdict.frames, verdict.timeout_ms, verdict.trailing_bytes) == (10, 300, 0)
    assert verdict.planned_error_ms == 0


@pytest.mark.parametrize(("planned", "error"), [(900, 0), (1000, 0), (1100, -100), (5000, -4000), (850, 50)])
def test_planned_against_observed(planned: int, error: int) -> None:
    bench = ContactHarness(planned_ms=planned)
    last = bench.lander(0, 10)
    bench.listen(last + 400, last)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert verdict.planned_error_ms == error


def with_bus(bench: ContactHarness) -> int:
    """Bus in contact at 0, 1000, 2000 and lander up to 2900."""
    for now in range(0, 3000, 100):
        if now % 1000 == 0:
            bench.frame(BUS, now)
        bench.frame(LANDER, now)
    return 2900


def test_silent_lander_with_a_living_bus_is_no_loss_of_the_link() -> None:
    bench = ContactHarness()
    last = with_bus(bench)
    bench.frame(BUS, 3000)
    bench.listen(3500, 3020)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.last_ert) == ("LANDER_ONLY", last * MS)
    assert verdict.trailing_bytes == 0
    assert bench.monitor.state == "LOCKED"
    assert not bench.of(None, "LOS")


def test_silence_is_revised_when_the_bus_is_heard() -> None:
    bench = ContactHarness()
    with_bus(bench)
    bench.frame(BUS, 3000)
    for now in range(3000, 3400, 100):
        bench.frame(LANDER, now)
    bench.listen(3980, 3300)
    bench.frame(BUS, 4000)
    first, second = bench.of(LANDER, "LOS")
    assert first.verdict is not None
    assert second.verdict is not None
    assert (first.verdict.cause, first.revised) == ("SILENCE", False)
    assert (second.verdict.cause, second.revised, second.ert) == ("LANDER_ONLY", True, 4000 * MS)


def test_silence_of_all_is_not_revised_when_the_bus_comes_back_first() -> None:
    bench = ContactHarness()
    with_bus(bench)
    bench.listen(10_000, 2900)
    assert bench.monitor.state == "LOS"
    for now in (10_000, 11_000, 12_000):
        bench.frame(BUS, now)
        bench.listen(now + 900, now)
    assert [c.revised for c in bench.of(LANDER, "LOS")] == [False]
    (back,) = bench.of(None, "LOCKED")[1:]
    assert back.outage_ms == 12_000 - 2900


def test_the_link_is_lost_with_its_last_channel() -> None:
    bench = ContactHarness()
    with_bus(bench)
    bench.listen(6000, 2900)
    assert bench.loss(LANDER).ert == 3200 * MS
    assert bench.loss(BUS).ert == 5000 * MS
    link = bench.loss(None)
    assert link.ert == 5000 * MS
    assert link.verdict is not None
    assert link.verdict.planned_scet is None
    assert (link.verdict.last_ert, link.verdict.last_vcfc) == (2900 * MS, 29)  # the lander's: it was heard last
    assert link.verdict.interval_ert == (2900 * MS, 3000 * MS)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_bus_lost_with_the_lander_is_not_lost_alone(damaged: bool) -> None:
    """The bus, once a second, is declared lost later; the lander was heard after its last frame, and then was lost."""
    bench = ContactHarness()
    last = with_bus(bench)
    if damaged:
        bench.changes += bench.monitor.received(CADU, (last + 100) * MS)
        bench.changes += bench.monitor.rejected(crc=True)
    bench.listen(6000, last + 120)
    cause = "CRC" if damaged else "SILENCE"
    what = "1 frame since then, none with a good CRC" if damaged else "the port is open, not one byte since"
    bus, link = bench.loss(BUS).verdict, bench.loss(None).verdict
    assert bus is not None
    assert (bus.cause, bus.evidence) == (cause, f"lander was lost too, and then: {what}")
    assert link is not None
    assert (link.cause, link.evidence) == (cause, what)


def test_a_bus_that_fell_silent_before_the_lander_was_alone() -> None:
    """The lander is lost before the loss of the bus is declared, but was heard when the bus was due."""
    bench = ContactHarness()
    with_bus(bench)
    for now in range(3000, 4000, 100):
        bench.frame(LANDER, now)
    bench.listen(6000, 3920)
    verdict = bench.loss(BUS).verdict
    assert verdict is not None
    assert (verdict.cause, verdict.evidence) == ("LANDER_ONLY", "the link is up: lander still heard")
    link = bench.loss(None).verdict
    assert link is not None
    assert link.cause == "SILENCE"


@pytest.mark.parametrize(("peer", "cause"), [(False, "PORT"), (True, "RELAY")])
def test_port_or_relay(peer: bool, cause: str) -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.changes += bench.monitor.transport("DISCONNECTED", "it was pulled", peer, (last + 10) * MS)
    bench.listen(last + 400, last + 20)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.evidence) == (cause, "it was pulled")


@pytest.mark.parametrize(("kind", "since"), [("moment", 920), ("lasting", 200)])
def test_another_program_at_the_port_is_the_cause(kind: Disturbance, since: int) -> None:
    bench = ContactHarness()
    bench.lander(0, 3)
    if since < 300:
        bench.monitor.transport("CONNECTED", "minicom (pid 8) has it open too", False, since * MS, kind)
    last = bench.lander(300, 7)
    if since > last:
        bench.monitor.transport("CONNECTED", "minicom (pid 8) has it open too", False, since * MS, kind)
    bench.listen(last + 400, last + 40)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.evidence) == ("PORT", "minicom (pid 8) has it open too")


def test_a_program_that_left_the_port_before_is_no_cause() -> None:
    bench = ContactHarness()
    bench.monitor.transport("CONNECTED", "minicom (pid 8) has it open too", False, 0, "lasting")
    bench.lander(0, 5)
    bench.monitor.transport("CONNECTED", "another program set it to echo", False, 410 * MS, "moment")
    bench.monitor.transport("CONNECTED", "minicom (pid 8) left it", False, 420 * MS)
    last = bench.lander(500, 5)
    bench.listen(last + 400, last + 20)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert verdict.cause == "SILENCE"


@pytest.mark.parametrize(("missing", "cause"), [(0, "LANDER_ONLY"), (2, "PORT")])
@pytest.mark.parametrize("late", [False, True])
def test_a_bus_without_gaps_clears_another_program(missing: int, cause: str, late: bool) -> None:
    bench = ContactHarness()
    bench.monitor.transport("CONNECTED", "minicom (pid 8) has it open too", False, 0, "lasting")
    last = with_bus(bench)
    at = last + (600 if late else 100)
    bench.listen(at - 20, last + 20)
    bench.vcfc[LANDER] += missing
    bench.mcfc += missing
    bench.frame(BUS, at)
    bench.listen(last + 900, at + 20)
    verdict = bench.of(LANDER, "LOS")[-1].verdict
    assert verdict is not None
    assert verdict.cause == cause


def test_crc_storm() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    for n in range(1, 4):
        bench.changes += bench.monitor.received(CADU, (last + n * 90) * MS)
        bench.changes += bench.monitor.rejected(crc=True)
    bench.listen(last + 400, last + 280)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.trailing_bytes) == ("CRC", 3 * CADU)


def test_bytes_without_sync() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.changes += bench.monitor.received(500, (last + 100) * MS)
    bench.listen(last + 400, last + 120)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.trailing_bytes) == ("SYNC", 500)


def test_a_station_that_slept_blames_itself() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.changes += bench.monitor.advance((last + 5000) * MS)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert verdict.cause == "STATION"


def test_a_station_that_slept_while_its_port_was_gone_missed_nothing() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.changes += bench.monitor.transport("DISCONNECTED", "unplugged", False, (last + 50) * MS)
    bench.changes += bench.monitor.advance((last + 5000) * MS)
    verdict = bench.loss().verdict
    assert verdict is not None
    assert (verdict.cause, verdict.evidence) == ("PORT", "unplugged")


def test_a_slow_lander_gets_the_time_it_needs() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 5, period=250)
    bench.listen(last + 740, last)
    assert not bench.of(LANDER, "LOS")
    bench.listen(last + 760, last + 740, 10)
    assert bench.loss().ert == (last + 750) * MS


@pytest.mark.parametrize("period", [400, 500, 1020])
def test_a_lander_slow_from_the_start_is_acquired(period: int) -> None:
    bench = ContactHarness()
    for n in range(5):
        bench.lander(n * period, 1)
        bench.listen((n + 1) * period - 20, n * period)
    (acquired,) = bench.of(LANDER, "LOCKED")
    assert acquired.ert == 3 * period * MS  # the first frame's contact ended with the declared time-out
    bench.listen(4 * period + 3 * period, 4 * period)
    assert bench.loss().ert == 7 * period * MS


@pytest.mark.parametrize(("period", "skip"), [(1220, 0), (500, 1)])
def test_frames_far_apart_or_with_losses_are_no_signal(period: int, skip: int) -> None:
    bench = ContactHarness()
    for n in range(6):
        bench.frame(LANDER, n * period, skip=skip)
        bench.listen((n + 1) * period - 20, n * period)
    assert not bench.of(LANDER, "LOCKED")


def test_an_outage_without_losses_says_nothing_of_the_pace() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 5)
    bench.listen(last + 900, last)
    again = bench.lander(last + 900, 1)
    bench.listen(again + 300, again)
    assert bench.monitor.status()[0].state == "LOS"


def test_gap_and_reject_degrade_and_clean_frames_restore() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 5)
    bench.frame(LANDER, last + 200, skip=1)
    assert bench.monitor.status()[0].state == "DEGRADED"
    assert bench.monitor.status()[0].lost == 1
    bench.lander(last + 300, 10)
    assert bench.monitor.status()[0].state == "LOCKED"


def test_outage_is_told_with_its_length_and_losses() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.listen(last + 1000, last)
    bench.frame(LANDER, last + 1000, skip=9)
    bench.lander(last + 1100, 2)
    back = bench.of(LANDER, "LOCKED")[-1]
    assert (back.outage_ms, back.outage_lost) == (1200, 9)


def test_a_channel_heard_for_a_moment_after_its_loss_is_no_second_loss() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.listen(last + 1000, last)
    bench.frame(LANDER, last + 1000)
    bench.listen(last + 2000, last + 1000)
    for vcid in (LANDER, None):
        assert [c.verdict is not None for c in bench.of(vcid, "LOS")] == [True, False]
    back = bench.lander(last + 2100, 3)
    assert [c.outage_ms for c in bench.of(None, "LOCKED")] == [None, back - last]


def test_the_link_is_lost_with_its_verdict_though_another_channel_was_being_acquired() -> None:
    bench = ContactHarness()
    last = bench.lander(0, 10)
    bench.frame(BUS, last + 100)
    bench.listen(last + 5000, last + 100)
    assert [c.previous for c in bench.of(None, "LOS")] == ["ACQUIRING"]
    verdict = bench.loss(None).verdict
    assert verdict is not None and (verdict.channel, verdict.last_ert) == ("link", last * MS)


@example([("lander", 0), ("lander", 0), ("lander", 0), ("lander", 300), ("lander", 300)])
@given(st.lists(st.tuples(st.sampled_from(["lander", "bus", "noise", "listen", "reject"]), st.integers(0, 900))))
def test_any_course_of_things(course: list[tuple[str, int]]) -> None:
    """Changes come in the order of time, each from the state before; nothing raises."""
    bench, now = ContactHarness(), 0
    for what, pause in course:
        now += pause
        if what in ("lander", "bus"):
            bench.frame(LANDER if what == "lander" else BUS, now)
        elif what == "noise":
            bench.changes += bench.monitor.received(pause, now * MS)
        elif what == "reject":
            bench.changes += bench.monitor.rejected(crc=True)
        else:
            bench.changes += bench.monitor.advance(now * MS)
    states: dict[int | None, str] = {}
    in_contact: set[int | None] = set()
    for change in bench.changes:
        assert change.previous == states.get(change.vcid, "NO_SIGNAL")
        states[change.vcid] = change.state
        if change.state in ("LOCKED", "DEGRADED"):
            in_contact.add(change.vcid)
        if change.revised:
            assert change.verdict is not None
        else:
            assert (change.verdict is not None) == (change.state == "LOS" and change.vcid in in_contact)
        if change.state == "LOS":
            in_contact.discard(change.vcid)


def test_an_outage_of_a_turn_of_the_count_tells_what_it_lost() -> None:
    bench = ContactHarness()
    with_bus(bench)
    bench.listen(28_500, 3000)
    for n in range(256):  # and what the bus sent in that time
        bench.vcfc[LANDER] += 1
        bench.mcfc += 1
        if n % 10 == 0:
            bench.vcfc[BUS] += 1
            bench.mcfc += 1
    for now in range(28_600, 30_000, 100):
        bench.frame(LANDER, now)
    lander, link = bench.of(LANDER, "LOCKED")[-1], bench.of(None, "LOCKED")[-1]
    assert (lander.outage_ms, lander.outage_lost, lander.outage_lost_certainty) == (25_900, 256, "EXACT")
    assert (link.outage_lost, link.outage_lost_certainty) == (256 + 26, "EXACT")


def test_an_outage_of_which_nothing_tells_is_unknown() -> None:
    bench = ContactHarness()
    bench.lander(0, 30)
    bench.listen(33_000, 3000)
    for now in range(33_000, 33_500, 100):
        frame = bench.made(LANDER)
        bench.changes += bench.monitor.received(CADU, now * MS)
        step = bench.counter.count(frame._replace(data=bytes(116), first_header_pointer=0x7FE), None, now * MS)
        bench.changes += bench.monitor.frame(LANDER, frame.vcfc, step, None, now * MS, CADU)
        bench.vcfc[LANDER] += 1
        bench.mcfc += 1
    regained = bench.of(LANDER, "LOCKED")[-1]
    assert (regained.outage_lost, regained.outage_lost_certainty) == (None, "UNKNOWN")
    assert bench.monitor.totals.lost.certainty == "UNKNOWN"


def test_frames_that_came_before_keep_no_contact() -> None:
    bench = ContactHarness()
    bench.lander(0, 10)
    bench.vcfc[LANDER], bench.mcfc = 9, 9
    again = bench.made(LANDER)
    for now in range(910, 2000, 10):
        bench.came(again, now, scet=900)
    loss = bench.loss()
    assert loss.ert == 1200 * MS
    assert loss.verdict is not None
    assert (loss.verdict.cause, loss.verdict.trailing_bytes) == ("SILENCE", 0)
    assert "had come before" in loss.verdict.evidence
    (status, _) = bench.monitor.status()
    assert (status.frames, status.duplicates, status.lost) == (119, 109, 0)


def test_frames_that_come_twice_or_late_do_not_degrade() -> None:
    bench = ContactHarness()
    bench.lander(0, 10)
    for now in range(1000, 1500, 100):
        frame = bench.made(LANDER)
        bench.frame(LANDER, now)
        bench.came(frame, now + 10, scet=now)
    assert not bench.of(LANDER, "DEGRADED")
    assert bench.monitor.totals.duplicates == 5


@pytest.mark.parametrize("ticks", [30, 600])
def test_a_source_that_starts_again_ends_no_outage(ticks: int) -> None:
    bench = ContactHarness()
    for now in range(0, ticks * 100, 100):
        bench.frame(LANDER, now)
        if now % 1000 == 0:
            bench.frame(BUS, now)
    end = ticks * 100
    bench.listen(end + 10_000, end)
    bench.restart()
    for now in range(end + 10_000, end + 20_000, 1000):
        bench.came(bench.made(BUS), now, scet=now - end - 10_000)
        bench.vcfc[BUS] += 1
        bench.mcfc += 1
    for now in range(end + 20_000, end + 21_000, 100):
        bench.came(bench.made(LANDER), now, scet=now - end - 10_000)
        bench.vcfc[LANDER] += 1
        bench.mcfc += 1
    for vcid in (LANDER, BUS, None):
        regained = bench.of(vcid, "LOCKED")[-1]
        assert (regained.outage_ms, regained.outage_lost, regained.restarted) == (None, None, True)
    assert bench.monitor.totals.lost.none


def of_plan(expected_from: int | None, expected_until: int | None) -> list[str]:
    """The states of a channel that is heard from 1 s to 2 s and is expected in that time (s)."""
    times = [None if at is None else at * 1000 * MS for at in (expected_from, expected_until)]
    plan = ChannelDef(LANDER, "lander", "LANDER", 100, *times)
    monitor, counter = ContactMonitor([plan], {}), FrameCounter(256, {LANDER: 100 * MS})
    monitor.transport("CONNECTED", "", False, 0)
    changes: list[ContactChange] = []
    for number in range(10):
        at = (1000 + 100 * number) * MS
        packet = encode_packet(0x100, number, at.to_bytes(8, "big"))
        frame = TmFrame(6, LANDER, number, number, 0, packet, None)
        changes += monitor.received(CADU, at)
        changes += monitor.frame(LANDER, number, counter.count(frame, at, at), at, at, CADU)
    changes += monitor.advance(3000 * MS)
    return [change.state for change in changes if change.vcid == LANDER]


@pytest.mark.parametrize(
    ("expected_from", "expected_until", "end"),
    [(None, None, "LOS"), (1, None, "LOS"), (5, None, "NO_SIGNAL"), (None, 1, "NO_SIGNAL"), (0, 2, "LOS")],
)
def test_silence_of_a_channel_that_is_not_expected_is_no_loss(
    expected_from: int | None, expected_until: int | None, end: str
) -> None:
    assert of_plan(expected_from, expected_until) == ["ACQUIRING", "LOCKED", end]
