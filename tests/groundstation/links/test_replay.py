"""The replay link: the same as it was, at its own times, under orders."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.errors import ArchiveError, CallerError, LinkError
from groundstation.links import open_link
from groundstation.links.base import Chunk, EndOfStream, Idle, ReplayedMessage, ReplayJump, Report, TransportChange
from groundstation.links.replay import ReplayLink, replay_url
from groundstation.links.replay_source import Item, ReplaySource
from groundstation.messages.wire import ContactChange, EventMessage, Telemetry
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from hil.lander.flight_profile import FlightPlan
from hil.lander.spacecraft import Spacecraft
from hil.targets.telecommands import plan_cltus
from protocols.lander import EPOCH, MARS6, MISSION
from protocols.profile import UART
from tests.groundstation.links.collect import Sink, started
from tests.groundstation.made_recordings import damage, make_old, record

S = 1_000_000_000


def landed(path: Path) -> None:
    """Record the last minutes of a soft landing: VC1 brings a frame every ten seconds until 09:26:08."""
    craft = Spacecraft()
    craft.receive(plan_cltus(FlightPlan(profile="soft-landing")))
    craft.start()
    with ArchiveWriter(path, {"station": "bench", "link": "test:"} | mission_facts(MISSION)) as archive:
        recorder = ArchivingReceiver(receiver_of(MISSION, "test:"), archive, str(path))
        recorder.decode(recorder.keep(TransportChange(EPOCH + 1_100 * S, "CONNECTED", "test")))
        while craft.flies:
            scet, data = craft.scet, craft.step()
            if scet >= EPOCH + 1_100 * S:
                recorder.decode(recorder.keep(Chunk(scet, data) if data else Idle(scet)))


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ReceiverEvent]]:
    path = tmp_path_factory.mktemp("pass") / "a?b#c%41 ä.sqlite"
    return path, record(path)


def received(reports: list[Report]) -> bytes:
    return b"".join(r.data for r in reports if isinstance(r, Chunk))


def ended(sink: Sink) -> None:
    sink.wait(lambda: any(isinstance(r, EndOfStream) for r in sink.reports), "end")


def paused_link(path: Path, start: str | None = None) -> ReplayLink:
    return ReplayLink(path, start=start, paused=True)


def settled(sink: Sink) -> list[Report]:
    """All reports once none has come for a while."""
    count = -1
    while count != len(sink.reports):
        count = len(sink.reports)
        time.sleep(0.15)
    return list(sink.reports)


def test_what_was_said_live_is_said_again(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    path, live = flown
    with started(replay_url(path, speed=1000)) as (_, sink):
        ended(sink)
    receiver = Receiver(MARS6, UART, "replay:")
    assert isinstance(sink.reports[0], ReplayJump)
    said = [outcome for report in sink.reports for outcome in receiver.process(report)]
    assert [o for o in said if isinstance(o, Telemetry)] == [o for o in live if isinstance(o, Telemetry)]
    changes = [[(o.channel, o.state, o.ert) for o in each if isinstance(o, ContactChange)] for each in (said, live)]
    assert changes[0] == changes[1]


def test_time_runs_at_the_speed_asked_for(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    link, sink = ReplayLink(flown[0], speed=20, start="09:10:00"), Sink()
    began = time.monotonic()
    link.start(sink)
    time.sleep(0.5)
    ran = (link.now() - (EPOCH + 247 * S)) / S
    took = time.monotonic() - began
    link.stop()
    assert 20 * 0.45 < ran <= 20 * took + 0.1


def test_pause_and_go_on(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    link, sink = paused_link(flown[0]), Sink()
    link.start(sink)
    before = settled(sink)
    assert received(before) == b""
    assert "paused" in link.describe()
    link.set_speed(1000)
    link.play(True)
    ended(sink)
    assert "the end" in link.describe()
    link.stop()
    assert len(received(sink.reports)) == (2240 + 322) * 132


@pytest.mark.parametrize("to", ["09:10:00", "1974-03-12T09:10:00Z", " 09:10:00.0 UTC"])
def test_seek_brings_context_and_then_waits(flown: tuple[Path, list[ReceiverEvent]], to: str) -> None:
    link, sink = paused_link(flown[0]), Sink()
    link.start(sink)
    settled(sink)
    link.seek(to)
    reports = settled(sink)
    link.stop()
    jump = max(n for n, report in enumerate(reports) if isinstance(report, ReplayJump))
    assert isinstance(reports[jump + 1], TransportChange)
    receiver = Receiver(MARS6, UART, "replay:")
    for report in reports[jump:]:
        receiver.process(report)
    last = receiver.contact.status()[0]
    assert last.last_scet == EPOCH + 247 * S - S // 10
    assert receiver.contact.state == "LOCKED"
    assert link.now() == EPOCH + 247 * S


def test_step_on_and_back_by_frame(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    link, sink = paused_link(flown[0], "09:10:00"), Sink()
    link.start(sink)
    count = len(received(settled(sink)))
    link.step(1)
    assert len(received(settled(sink))) == count + 132
    link.step(1)
    link.step(1)  # before the first is done
    assert len(received(settled(sink))) == count + 3 * 132
    forward = received(sink.reports)[-264:]
    link.step(-1)
    after = settled(sink)
    assert sum(isinstance(report, ReplayJump) for report in after) == 2
    assert received(after)[-132:] == forward[:132]
    link.step(1)
    assert received(settled(sink))[-132:] == forward[132:]
    link.stop()


def heard(reports: list[Report]) -> Receiver:
    """A receiver that took what came since the last jump."""
    receiver = Receiver(MARS6, UART, "replay:")
    begin = max(n for n, report in enumerate(reports) if isinstance(report, ReplayJump))
    for report in reports[begin:]:
        receiver.process(report)
    return receiver


def test_a_short_way_on_is_no_jump_and_a_way_back_is_one(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    link, sink = paused_link(flown[0], "09:10:00"), Sink()
    link.start(sink)
    before = settled(sink)
    link.skip(10 * S)
    reports = settled(sink)
    assert link.now() == EPOCH + 257 * S
    assert [type(r) for r in reports].count(ReplayJump) == 1
    assert received(reports)[len(received(before)) :].count(b"\x1a\xcf\xfc\x1d") == 110
    link.skip(-70 * S)
    reports = settled(sink)
    assert [type(r) for r in reports].count(ReplayJump) == 2
    assert heard(reports).contact.status()[0].last_scet == EPOCH + 187 * S - S // 10
    link.skip(120 * S)
    assert [type(r) for r in settled(sink)].count(ReplayJump) == 3
    link.skip(-3600 * S)
    settled(sink)
    assert link.now() == link.state().first
    link.skip(7200 * S)
    settled(sink)
    assert link.now() == link.state().last
    assert not link.state().ended  # it is paused and not yet resumed
    link.stop()


def test_to_the_loss_and_from_event_to_event(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    link, sink = paused_link(flown[0], "09:10:00"), Sink()
    link.start(sink)
    settled(sink)
    for _ in range(2):  # behind the last loss comes the first
        link.next_loss()
        reports = settled(sink)
        assert link.now() == EPOCH + 312_200_000_001
        assert heard(reports).contact.status()[0].state == "LOS"
    link.next_event(back=True)
    before = link.now()
    assert before < EPOCH + 312_200_000_000
    settled(sink)
    link.next_event()
    settled(sink)
    assert link.now() == EPOCH + 312_200_000_001
    link.seek("09:05:53")
    with pytest.raises(CallerError, match="no event before"):
        link.next_event(back=True)
    link.stop()


def test_a_jump_behind_a_loss_still_knows_of_it(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    link, sink = paused_link(flown[0], "09:11:12"), Sink()
    link.start(sink)
    receiver = heard(settled(sink))
    link.stop()
    lander, bus = receiver.contact.status()[0], receiver.contact.status()[-1]
    assert (lander.state, lander.last_scet) == ("LOS", EPOCH + 312 * S - S // 10)
    assert bus.state == "LOCKED"


def test_steps_end_where_the_recording_does(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=5)
    link, sink = paused_link(path), Sink()
    link.start(sink)
    settled(sink)
    with pytest.raises(CallerError, match="no frame before"):
        link.step(-1)
    link.step(5)
    assert len(received(settled(sink))) == 5 * 132
    with pytest.raises(CallerError, match="no frame after"):
        link.step(1)
    link.stop()


def test_nothing_is_lost_because_a_recording_ends(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=300)
    with started(replay_url(path, speed=1000)) as (_, sink):
        ended(sink)
        time.sleep(0.3)
    receiver = Receiver(MARS6, UART, "replay:")
    states = [o.state for r in sink.reports for o in receiver.process(r) if isinstance(o, ContactChange)]
    assert "LOS" not in states
    assert isinstance(sink.reports[-1], EndOfStream)


def test_silence_is_told_often_enough_at_any_speed(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path)
    with started(replay_url(path, speed=1000, start="09:06:00")) as (_, sink):
        ended(sink)
    times = [r.ert for r in sink.reports if isinstance(r, (Chunk, Idle))]
    assert max(b - a for a, b in pairwise(times)) <= 0.4 * S


def test_an_older_recording_replays_but_does_not_step(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=100)
    make_old(path)
    link, sink = paused_link(path), Sink()
    link.start(sink)
    settled(sink)
    with pytest.raises(ArchiveError, match="no index of frames"):
        link.step(1)
    link.set_speed(1000)
    link.play(True)
    ended(sink)
    link.stop()
    with ArchiveReader(path) as reader:
        assert len(received(sink.reports)) == reader.bytes_total


def test_what_cannot_be(tmp_path: Path, flown: tuple[Path, list[ReceiverEvent]]) -> None:
    path, _ = flown
    for url, words in [
        (replay_url(path, speed=5000), "speed 5000"),
        (replay_url(path) + "?speed=fast", "expected a number"),
        (replay_url(path, start="noon"), "invalid time .noon."),
        (replay_url(path, start="12:00:00"), "not in the recording"),
    ]:
        with pytest.raises(CallerError, match=words):
            open_link(url, time.time_ns)
    with pytest.raises(ArchiveError, match="no recording at"):
        open_link(f"replay:{tmp_path}/none.sqlite", time.time_ns)
    link = ReplayLink(path)
    with pytest.raises(LinkError, match="takes no commands"):
        link.write(b"x")
    link.stop()


def faults(sink: Sink) -> list[EndOfStream]:
    return [report for report in sink.reports if isinstance(report, EndOfStream)]


@pytest.mark.parametrize("kind", ["transport", "event", "contact"])
def test_a_damaged_event_is_told_and_the_rest_is_played(
    flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "damaged.sqlite"
    path.write_bytes(flown[0].read_bytes())
    number = damage(path, kind)
    with started(replay_url(path, speed=1000)) as (link, sink):
        ended(sink)
        (end,) = faults(sink)
        assert (end.fault, end.ert) == ("", link.now())
    messages = [report.message for report in sink.reports if isinstance(report, ReplayedMessage)]
    told = [message.text for message in messages if isinstance(message, EventMessage)]
    assert any(f"record {number}, kind '{kind}'" in text for text in told)
    assert "1 record cannot be read" in end.lack
    with ArchiveReader(flown[0]) as reader:
        assert received(sink.reports) == b"".join(data for _, _, data in reader.chunks())


def overwrite_pages(path: Path, table: str) -> None:
    """Noise over all leaf pages of a table but the first and the last."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        names = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
        try:
            pages = [row[0] for row in db.execute(names, (table,))]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite does not say where its pages are")
    data = bytearray(path.read_bytes())
    assert pages[1:-1]
    for page in pages[1:-1]:
        data[(page - 1) * size : page * size] = random.Random(page).randbytes(size)
    path.write_bytes(data)


@pytest.mark.parametrize("table", ["event", "chunk", "frame"])
def test_overwritten_pages_are_told_and_the_rest_is_played(tmp_path: Path, table: str) -> None:
    path = tmp_path / "overwritten.sqlite"
    record(path, bursts=400, more=lambda _, ert, archive: archive.event(ert, None, "weather", b"fine" * 100))
    with ArchiveReader(path) as reader:
        whole = list(reader.chunks_from(1))
    overwrite_pages(path, table)
    with ArchiveReader(path) as reader:
        left = [data for _, _, data in reader.chunks()]
    with started(replay_url(path, speed=1000)) as (_, sink):
        ended(sink)
    (end,) = faults(sink)
    assert end.fault == ""
    assert "cannot be read" in end.lack
    assert received(sink.reports) == b"".join(left)
    assert (len(left) < len(whole)) == (table == "chunk")
    messages = [report.message for report in sink.reports if isinstance(report, ReplayedMessage)]
    told = [message.text for message in messages if isinstance(message, EventMessage)]
    assert any("cannot be read: record" in text for text in told)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_replay_itself_is_no_silence(
    flown: tuple[Path, list[ReceiverEvent]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: ReplaySource, first: int) -> Iterator[Item]:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(ReplaySource, "items", broken)
    with started(replay_url(flown[0])) as (link, sink):
        ended(sink)
        assert isinstance(link, ReplayLink)
        with pytest.raises(ArchiveError, match="of all things"):
            link.skip(S)
        assert link.now() == faults(sink)[0].ert
    assert [end.fault for end in faults(sink)] == ["of all things"]


def test_a_damaged_loss_is_passed_over_by_the_order_that_looks_for_one(
    flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path
) -> None:
    path = tmp_path / "loss.sqlite"
    path.write_bytes(flown[0].read_bytes())
    damage(path, "contact")
    link = paused_link(path)
    link.next_loss()
    assert "1 record cannot be read" in link.lack
    link.stop()


def feed(archive: ArchiveWriter, seconds: Iterable[int]) -> None:
    """A byte a second, committed."""
    for second in seconds:
        archive.chunk(EPOCH + second * S, "test:", bytes([second]))
    archive.flush()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[ArchiveWriter]:
    with ArchiveWriter(tmp_path / "pass.sqlite", {}) as archive:
        feed(archive, range(3))
        yield archive


def test_the_end_of_a_growing_recording_moves_on(growing: ArchiveWriter) -> None:
    link, sink = ReplayLink(growing.path, speed=20), Sink()
    assert link.state().last == EPOCH + 2 * S
    link.start(sink)
    feed(growing, range(3, 21))
    for json_body in (b'{"state": "ATTEMPTING", "detail": "x"}', b'{"state": "CONNECTED", "detail": "y"}'):
        growing.event(EPOCH + 20 * S, None, "transport", json_body)
    growing.flush()
    sink.wait(lambda: len(received(sink.reports)) > 15, "growth")
    assert link.now() > EPOCH + 10 * S
    ended(sink)
    (end,) = faults(sink)
    assert received(sink.reports) == bytes(range(21))
    assert end == EndOfStream(EPOCH + 20 * S)
    assert (link.now(), link.state().last) == (end.ert, end.ert)
    assert sink.changes("ATTEMPTING")
    times = [r.ert for r in sink.reports if not isinstance(r, TransportChange)]
    assert times == sorted(times)
    link.stop()


def test_what_is_recorded_behind_the_end_can_still_be_played(growing: ArchiveWriter) -> None:
    link, sink = ReplayLink(growing.path, speed=1000), Sink()
    link.start(sink)
    ended(sink)
    feed(growing, range(3, 6))
    link.play(True)
    sink.wait(lambda: len(faults(sink)) == 2, "second end")
    assert faults(sink)[-1] == EndOfStream(EPOCH + 5 * S)
    feed(growing, range(6, 9))
    link.skip(2 * S)
    sink.wait(lambda: len(faults(sink)) == 3, "third end")
    assert received(sink.reports) == bytes(range(9))
    assert [type(r) for r in sink.reports].count(ReplayJump) == 1
    link.play(True)  # nothing more: it stays where it is
    assert len([r for r in settled(sink) if isinstance(r, EndOfStream)]) == 3
    link.stop()


def test_a_skip_on_never_goes_back(growing: ArchiveWriter) -> None:
    link, sink = paused_link(growing.path), Sink()
    link.start(sink)
    settled(sink)
    feed(growing, range(3, 40))
    link.seek("09:06:20")
    settled(sink)
    link.skip(5 * S)
    assert link.now() == EPOCH + 32 * S
    link.skip(3600 * S)
    assert link.now() == link.state().last == EPOCH + 39 * S
    link.skip(10 * S)
    assert link.now() == EPOCH + 39 * S
    link.stop()


def test_the_end_of_a_paused_replay_is_seen_to_move_on(growing: ArchiveWriter) -> None:
    link, sink = paused_link(growing.path), Sink()
    link.start(sink)
    assert link.state().last == EPOCH + 2 * S
    feed(growing, range(3, 10))
    time.sleep(0.6)
    assert link.state().last == EPOCH + 9 * S
    link.stop()


def test_the_end_stands_still_whatever_is_pressed(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    with started(replay_url(flown[0], speed=1000)) as (link, sink):
        ended(sink)
        assert isinstance(link, ReplayLink)
        last = link.now()
        link.play(False)
        link.set_speed(500)
        link.play(True)
        time.sleep(0.1)
        assert link.now() == last == link.state().last


@pytest.mark.parametrize("refused", [{"speed": 1e9}, {"start": "noon"}, {"start": "12:00:00"}])
def test_what_is_refused_leaves_nothing_open(
    flown: tuple[Path, list[ReceiverEvent]], refused: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[ArchiveReader] = []
    close = ArchiveReader.close

    def noted_close(reader: ArchiveReader) -> None:
        closed.append(reader)
        close(reader)

    monkeypatch.setattr(ArchiveReader, "close", noted_close)
    with pytest.raises(CallerError):
        ReplayLink(flown[0], **refused)
    assert len(closed) == 1


def test_time_stands_still_while_its_output_is_not_taken(flown: tuple[Path, list[ReceiverEvent]]) -> None:
    path, _ = flown
    begin = EPOCH + 307 * S
    given: list[int] = []
    held, taken = threading.Event(), threading.Event()

    def sink(report: Report) -> None:
        if isinstance(report, Chunk) and report.ert > begin:
            given.append(report.ert)
            held.set()
            taken.wait(10)

    link = ReplayLink(path, start="09:11:00")
    link.start(sink)
    try:
        assert held.wait(10)
        stands = link.now()
        time.sleep(1)
        assert link.now() == stands
        assert len(given) == 1
        taken.set()
        time.sleep(0.2)
        assert stands < link.now() < stands + 0.9 * S
    finally:
        taken.set()
        link.stop()


@pytest.mark.parametrize("start", ["09:26:25", "09:26:40"])
def test_the_context_of_a_place_has_slow_channels_locked(start: str, tmp_path: Path) -> None:
    landed(path := tmp_path / "pass.sqlite")  # lost at 09:26:28, 30 s after its last frame
    link, sink = ReplayLink(path, speed=1000.0, start=start), Sink()
    link.start(sink)
    ended(sink)
    link.stop()
    receiver = receiver_of(MISSION, link.url)
    said = [event for report in sink.reports for event in receiver.process(report)]
    losses = [(e.channel, e.verdict.cause) for e in said if isinstance(e, ContactChange) and e.verdict is not None]
    assert losses == [("surface", "RELAY_SET")]
