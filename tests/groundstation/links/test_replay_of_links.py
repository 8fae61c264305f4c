"""A replay of two links: it seeks and steps as one of one link does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.downlink.receiver import ReceiverEvent
from groundstation.links.base import Chunk, EndOfStream, RecordedMessage, ReplayedMessage, ReplayJump, Report
from groundstation.links.replay import ReplayLink
from groundstation.links.replay_source import ReplaySource
from groundstation.messages.wire import ContactChange, EventMessage, LinkStatus, LosVerdict, Telemetry
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.schema import LINKS
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.replay.message_filter import ReplayFilter
from protocols.lander import EPOCH, LANDER, MISSION
from protocols.units import NS_PER_S
from tests.groundstation.links.collect import Sink
from tests.groundstation.two_links import BUS, MARS5, TWO, decode

GONE = range(EPOCH + 240 * NS_PER_S, EPOCH + 260 * NS_PER_S)


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bus's link is gone from 09:09:53 to 09:10:13."""
    path = tmp_path_factory.mktemp("two") / "pass.sqlite"
    decode(lambda link, scet, _: link != BUS or scet not in GONE, 30, path)
    return path


def settled(sink: Sink) -> list[Report]:
    count = -1
    while count != len(sink.reports):
        count = len(sink.reports)
        time.sleep(0.2)
    return list(sink.reports)


def status(link: ReplayLink, reports: list[Report]) -> LinkStatus:
    """What a receiver makes of the reports since the last jump."""
    jump = max(n for n, report in enumerate(reports) if isinstance(report, ReplayJump))
    receiver = receiver_of(MISSION, link.url, link.links)
    for report in reports[jump:]:
        receiver.process(report)
    return receiver.status(EPOCH, None, True)


def test_a_seek_into_the_outage_of_a_link_has_the_lander(flown: Path) -> None:
    link, sink = ReplayLink(flown, paused=True), Sink()
    link.start(sink)
    settled(sink)
    link.seek("09:10:05")
    seen = status(link, settled(sink))
    link.stop()
    assert link.links == list(TWO)
    lander = next(channel for channel in seen.channels if channel.vcid == LANDER)
    assert lander.state == "LOCKED" and abs((lander.last_scet or 0) - (EPOCH + 252 * NS_PER_S)) <= NS_PER_S // 5
    bus, mars5 = seen.links
    assert (lander.lost, bus.state, mars5.state) == (0, "LOS", "LOCKED")
    assert mars5.first == mars5.only == 120 and mars5.transport == "CONNECTED"  # from 09:09:53 on


def test_a_step_brings_the_next_frame_of_any_link(flown: Path) -> None:
    link, sink = ReplayLink(flown, paused=True, start="09:09:52"), Sink()
    link.start(sink)
    counts = []
    for _ in range(6):
        seen = status(link, settled(sink))
        counts.append(seen.counters.frames_good)
        link.step(1)
    link.stop()
    assert [b - a for a, b in pairwise(counts)] == [1] * 5


@pytest.mark.parametrize("fast", [BUS, MARS5])
def test_what_is_read_before_a_jump_is_bounded_for_all_links(tmp_path: Path, fast: int) -> None:
    """The slow link brings a byte a second, before the 100 KiB of the fast one."""
    path = tmp_path / "pass.sqlite"
    meta = {"link": "both"} | mission_facts(MISSION) | {LINKS: msgspec.json.encode(TWO).decode()}
    slow = TWO[1 - fast].url
    with ArchiveWriter(path, meta) as archive:
        for second in range(400):
            archive.chunk(EPOCH + second * NS_PER_S, slow, b"x")
            last = archive.chunk(EPOCH + second * NS_PER_S + 1, TWO[fast].url, bytes(102_400))
    with ArchiveReader(path) as reader:
        chunks = [each for each in ReplaySource(reader).received_before(last) if isinstance(each, Chunk)]
    assert {each.link for each in chunks} == {BUS, MARS5}
    assert 102_400 < sum(len(each.data) for each in chunks) <= 524_288


SILENT = range(EPOCH + 95 * NS_PER_S, EPOCH + 100 * NS_PER_S)


def replayed(path: Path) -> list[ReceiverEvent | RecordedMessage]:
    """What a replay of a whole recording publishes."""
    link, sink, seen = ReplayLink(path, speed=1000.0), Sink(), ReplayFilter()
    link.start(sink)
    sink.wait(lambda: any(isinstance(r, EndOfStream) for r in sink.reports[-1:]), "end")
    link.stop()
    receiver, said = receiver_of(MISSION, link.url, link.links), list[ReceiverEvent | RecordedMessage]()
    for report in sink.reports:
        if isinstance(report, ReplayedMessage):
            said += [report.message] if seen.is_unseen(report.message) else []
        else:
            said += [event for event in receiver.process(report) if seen.should_publish(event)]
    return said


def news(events: Sequence[object]) -> list[tuple[str, str, int]]:
    """Changes of contact with their cause, what is said of links, and packets, each with its time."""
    return [
        (each.channel, each.verdict.cause if isinstance(each.verdict, LosVerdict) else each.state, each.ert)
        if isinstance(each, ContactChange)
        else (each.name, each.text, each.ert)
        if isinstance(each, EventMessage)
        else (each.packet, "", each.ert)
        for each in events
        if isinstance(each, ContactChange | EventMessage | Telemetry)
    ]


@pytest.mark.parametrize("ahead", [0, 5 * NS_PER_S], ids=["one clock", "clocks apart"])
def test_a_link_alone_that_fell_silent_is_replayed_as_it_was(tmp_path: Path, ahead: int) -> None:
    path = tmp_path / "pass.sqlite"
    end = EPOCH + 105 * NS_PER_S
    _, live = decode(lambda link, scet, _: link != MARS5 or scet not in SILENT, 30, path, end, ahead)
    lost = [text for name, text, _ in news(live) if name == "LINK_LOS"]
    assert lost == ["mars5 lost lander: SILENCE, the port is open, not one byte since"]
    assert news(replayed(path)) == news(live)
