"""The replay link: the same as it was, at its own times, under orders."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from groundstation.archive.reader import ArchiveReader
from groundstation.errors import ArchiveError, CallerError, LinkError
from groundstation.links import open_link
from groundstation.links.base import Chunk, EndOfStream, LinkChange, Listening, Report, Restart
from groundstation.links.replay import ReplayLink, replay_url
from groundstation.messages import ContactChange, Telemetry
from groundstation.receiver import Outcome, Receiver
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests.groundstation.links.collect import Sink, started
from tests.groundstation.recordings import make_old, record

S = 1_000_000_000


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Outcome]]:
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


def test_what_was_said_live_is_said_again(flown: tuple[Path, list[Outcome]]) -> None:
    path, live = flown
    with started(replay_url(path, speed=1000)) as (_, sink):
        ended(sink)
    receiver = Receiver(MARS6, UART, "replay:")
    assert isinstance(sink.reports[0], Restart)
    said = [outcome for report in sink.reports for outcome in receiver.take(report)]
    assert [o for o in said if isinstance(o, Telemetry)] == [o for o in live if isinstance(o, Telemetry)]
    changes = [[(o.channel, o.state, o.ert) for o in each if isinstance(o, ContactChange)] for each in (said, live)]
    assert changes[0] == changes[1]


def test_time_runs_at_the_speed_asked_for(flown: tuple[Path, list[Outcome]]) -> None:
    link, sink = ReplayLink(flown[0], speed=20, start="09:10:00"), Sink()
    began = time.monotonic()
    link.start(sink)
    time.sleep(0.5)
    ran = (link.now() - (EPOCH + 247 * S)) / S
    took = time.monotonic() - began
    link.stop()
    assert 20 * 0.45 < ran <= 20 * took + 0.1


def test_pause_and_go_on(flown: tuple[Path, list[Outcome]]) -> None:
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
def test_seek_brings_context_and_then_waits(flown: tuple[Path, list[Outcome]], to: str) -> None:
    link, sink = paused_link(flown[0]), Sink()
    link.start(sink)
    settled(sink)
    link.seek(to)
    reports = settled(sink)
    link.stop()
    jump = max(n for n, report in enumerate(reports) if isinstance(report, Restart))
    assert isinstance(reports[jump + 1], LinkChange)
    receiver = Receiver(MARS6, UART, "replay:")
    for report in reports[jump:]:
        receiver.take(report)
    last = receiver.contact.status()[0]
    assert last.last_scet == EPOCH + 247 * S - S // 10
    assert receiver.contact.state == "LOCKED"
    assert link.now() == EPOCH + 247 * S


def test_step_on_and_back_by_frame(flown: tuple[Path, list[Outcome]]) -> None:
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
    assert sum(isinstance(report, Restart) for report in after) == 2
    assert received(after)[-132:] == forward[:132]
    link.step(1)
    assert received(settled(sink))[-132:] == forward[132:]
    link.stop()


def heard(reports: list[Report]) -> Receiver:
    """A receiver that took what came since the last jump."""
    receiver = Receiver(MARS6, UART, "replay:")
    begin = max(n for n, report in enumerate(reports) if isinstance(report, Restart))
    for report in reports[begin:]:
        receiver.take(report)
    return receiver


def test_a_short_way_on_is_no_jump_and_a_way_back_is_one(flown: tuple[Path, list[Outcome]]) -> None:
    link, sink = paused_link(flown[0], "09:10:00"), Sink()
    link.start(sink)
    before = settled(sink)
    link.skip(10 * S)
    reports = settled(sink)
    assert link.now() == EPOCH + 257 * S
    assert [type(r) for r in reports].count(Restart) == 1
    assert received(reports)[len(received(before)) :].count(b"\x1a\xcf\xfc\x1d") == 110
    link.skip(-70 * S)
    reports = settled(sink)
    assert [type(r) for r in reports].count(Restart) == 2
    assert heard(reports).contact.status()[0].last_scet == EPOCH + 187 * S - S // 10
    link.skip(120 * S)
    assert [type(r) for r in settled(sink)].count(Restart) == 3
    link.skip(-3600 * S)
    settled(sink)
    assert link.now() == link.state().first
    link.skip(7200 * S)
    settled(sink)
    assert link.now() == link.state().last
    assert not link.state().ended  # it is paused: nobody has said that it may go on
    link.stop()


def test_to_the_loss_and_from_event_to_event(flown: tuple[Path, list[Outcome]]) -> None:
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


def test_a_jump_behind_a_loss_still_knows_of_it(flown: tuple[Path, list[Outcome]]) -> None:
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
    states = [o.state for r in sink.reports for o in receiver.take(r) if isinstance(o, ContactChange)]
    assert "LOS" not in states
    assert isinstance(sink.reports[-1], EndOfStream)


def test_silence_is_told_often_enough_at_any_speed(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path)
    with started(replay_url(path, speed=1000, start="09:06:00")) as (_, sink):
        ended(sink)
    times = [r.ert for r in sink.reports if isinstance(r, (Chunk, Listening))]
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


def test_what_cannot_be(tmp_path: Path, flown: tuple[Path, list[Outcome]]) -> None:
    path, _ = flown
    for url, words in [
        (replay_url(path, speed=5000), "speed 5000"),
        (replay_url(path) + "?speed=fast", "a number is wanted"),
        (replay_url(path, start="noon"), "no UTC time"),
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
