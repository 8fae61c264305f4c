"""What the station of a pass told is told again in its replay: all of it, at its place, once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.errors import CallerError
from groundstation.links.base import Chunk, RecordedMessage, ReplayedMessage, ReplayJump, TransportChange
from groundstation.links.replay import ReplayLink
from groundstation.links.replay_source import DAMAGE_EVENT, GAP_EVENT, ReplaySource
from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.wire import EventMessage
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.replay.message_filter import ReplayFilter
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import SCENARIOS, load_scenario
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from protocols.words import Severity
from tests.groundstation.links.collect import Sink
from tests.groundstation.links.test_replay import paused_link, settled
from tests.groundstation.made_recordings import damage, record

S = 1_000_000_000


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A noisy flight with commands and armings, as the rig flies it."""
    folder = tmp_path_factory.mktemp("flight")
    scenario = load_scenario(SCENARIOS / "commands-during-descent.toml")
    fly_plan(Plan(scenario, "software", "lockstep", folder / "run", "test"), lambda: 0, lambda scet: None)
    (path,) = folder.rglob("*.sqlite")
    return path


def event(name: str, ert: int, severity: Severity = "COMMAND", source: str = "STATION") -> EventMessage:
    return EventMessage(severity=severity, source=source, name=name, text=f"of {name}", ert=ert)


def keeping(*told: tuple[int, str, int]) -> Callable[[int, int, ArchiveWriter], None]:
    """Record an event of that name behind so many bursts, so many ns later than the last byte; GAP is one of those."""

    def more(number: int, ert: int, archive: ArchiveWriter) -> None:
        for at, name, later in told:
            if at != number:
                continue
            if name == "GAP":
                body = {"records": 12, "bytes": 1320, "first_ert": ert, "last_ert": ert + later}
                archive.event(ert + later, None, "gap", json.dumps(body).encode())
            else:
                archive.event(ert + later, None, "event", msgspec.json.encode(event(name, ert + later)))

    return more


def told(path: Path, first: int = 0) -> list[RecordedMessage]:
    """What a replaying station says beside telemetry and contact."""
    link = ReplayLink(path)
    messages, receiver, said = ReplayFilter(), Receiver(MARS6, UART, "replay:"), []
    with ArchiveReader(path) as reader:
        for item in ReplaySource(reader).items(first):
            if isinstance(item.report, ReplayedMessage):
                said += [item.report.message] if messages.is_unseen(item.report.message) else []
                continue
            again = [outcome for outcome in receiver.process(item.report) if messages.should_publish(outcome)]
            said += [outcome for outcome in again if isinstance(outcome, EventMessage)]
    link.stop()
    return said


def recorded(path: Path) -> list[RecordedMessage]:
    kinds: dict[str, type[EventMessage] | type[CommandUpdate]] = {"event": EventMessage, "command": CommandUpdate}
    with ArchiveReader(path) as reader:
        return [msgspec.json.decode(e.body, type=kinds[e.kind]) for e in reader.events() if e.kind in kinds]


def _named(retold: ReplayedMessage) -> str:
    return retold.message.name if isinstance(retold.message, EventMessage | CommandUpdate) else ""


@pytest.mark.long
def test_every_event_and_command_of_a_commanded_flight_comes_once(commanded: Path) -> None:
    before = recorded(commanded)
    names = {e.name for e in before if isinstance(e, EventMessage)}
    assert {"ARMED", "DISARMED", "FRAME_GAP", "CONNECTED"} <= names
    assert len([e for e in before if isinstance(e, CommandUpdate)]) > 10
    assert Counter(map(repr, told(commanded))) == Counter(map(repr, before))


def test_what_decoding_does_not_say_any_more_is_retold(commanded: Path) -> None:
    """Behind a jump the receiver does not know of the frame before a gap; the recording does."""
    with ArchiveReader(commanded) as reader:
        gaps = [e.id for e in reader.events("event") if b'"FRAME_GAP"' in e.body]
        (behind,) = [n for n, _, _ in reader.chunks_from(gaps[0]) if n > gaps[0]][:1]
    here = [e for e in told(commanded, gaps[0]) if isinstance(e, EventMessage) and e.name == "FRAME_GAP"]
    there = [e for e in told(commanded, behind) if isinstance(e, EventMessage) and e.name == "FRAME_GAP"]
    assert len(here) == len(there) + 1 == len(gaps)


def test_a_gap_of_the_recording_is_told_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=100, more=keeping((50, "GAP", 0)))
    with ArchiveReader(path) as reader:
        reports = [item.report for item in ReplaySource(reader).items(0)]
    (place,) = [n for n, r in enumerate(reports) if isinstance(r, ReplayedMessage) and _named(r) == GAP_EVENT]
    news = reports[place].message  # type: ignore[union-attr]
    assert isinstance(news, EventMessage)
    assert news.severity == "WARNING_HI"
    assert "12 records, 1,320 bytes" in news.text
    assert sum(isinstance(report, Chunk) for report in reports[:place]) == 50
    assert news in told(path)


def test_the_keys_go_to_what_is_retold(tmp_path: Path, commanded: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=100, more=keeping((60, "GAP", 0), (70, "ARMED", 5)))
    link, sink = paused_link(path), Sink()
    link.start(sink)
    settled(sink)
    seen: list[tuple[str, int]] = []
    while len(seen) < 50:
        try:
            link.next_event()
        except CallerError as error:
            assert "no event after" in str(error)
            break
        last = [r for r in settled(sink) if isinstance(r, ReplayedMessage)][-1]
        assert last.ert < link.now()
        seen.append((_named(last), link.now() - 1))
    link.stop()
    (armed,) = [e for e in recorded(path) if isinstance(e, EventMessage) and e.name == "ARMED"]
    assert ("ARMED", armed.ert) in seen
    assert GAP_EVENT in [name for name, _ in seen]
    with ArchiveReader(commanded) as reader:
        commands = [msgspec.json.decode(e.body, type=CommandUpdate) for e in reader.events("command")]
        queued = next(c for c in commands if c.state == "QUEUED")
        sent = next(c for c in commands if c.state == "SENT" and c.ert > queued.ert)
        assert reader.happened_after(queued.ert - 1) == queued.ert
        done = next(c for c in commands if c.state == "COMPLETED")
        assert reader.happened_before(done.ert + 1) == done.ert
        assert sent.ert <= done.ert


def test_a_damaged_command_stops_no_key(commanded: Path, tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    path.write_bytes(commanded.read_bytes())
    damage(path, "command")
    with ArchiveReader(path) as reader:
        assert reader.happened_after(0) is not None


def test_the_past_is_not_waited_for(tmp_path: Path) -> None:
    """A bridge brings older stamps: what the station said an hour later by its own clock comes with them."""
    path = tmp_path / "pass.sqlite"
    record(path, bursts=20, more=keeping((10, "DISARMED", 3600 * S)))
    with ArchiveReader(path) as reader:
        times = [item.ert for item in ReplaySource(reader).items(0)]
    assert times == sorted(times)
    assert times[-1] < EPOCH + 600 * S


def test_what_was_told_before_the_first_byte_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        archive.event(EPOCH, None, "event", msgspec.json.encode(event("STATION_START", EPOCH)))
        body = {"state": "CONNECTED", "detail": "found", "peer": False}
        archive.event(EPOCH + S, None, "transport", json.dumps(body).encode())
        archive.chunk(EPOCH + 2 * S, "test:", b"\0")
    link, sink = ReplayLink(path, speed=1000), Sink()
    link.start(sink)
    reports = settled(sink)
    link.stop()
    assert reports[0] == ReplayJump(EPOCH, EPOCH)
    assert isinstance(reports[1], ReplayedMessage)
    assert [r for r in reports if isinstance(r, TransportChange)] == [TransportChange(EPOCH + S, "CONNECTED", "found")]


@pytest.mark.parametrize("kind", ["event", "command", "contact", "gap", "transport"])
@pytest.mark.parametrize("body", ["{", "[]", '{"state": 3}', "[" * 100_000], ids=["cut", "list", "other", "deep"])
def test_a_damaged_body_is_told_and_passed_over(tmp_path: Path, kind: str, body: str) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        archive.chunk(EPOCH, "test:", b"\0")
        archive.event(EPOCH + 1, None, kind, body.encode())
        archive.chunk(EPOCH + 2, "test:", b"\1")
    with ArchiveReader(path) as reader:
        playback = ReplaySource(reader)
        first, told, last = (item.report for item in playback.items(0))
        assert (first, last) == (Chunk(EPOCH, b"\0"), Chunk(EPOCH + 2, b"\1"))
        assert isinstance(told, ReplayedMessage)
        assert isinstance(told.message, EventMessage)
        assert told.message.name == DAMAGE_EVENT
        assert f"record 2, kind '{kind}'" in told.message.text
        assert "1 record cannot be read" in playback.lack


def test_other_kinds_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        archive.event(EPOCH, None, "weather", b"{}")
        archive.event(EPOCH, None, "tide", b"{}")
        archive.chunk(EPOCH, "test:", b"\0")
    with ArchiveReader(path) as reader:
        assert [type(item.report) for item in ReplaySource(reader).items(0)] == [Chunk]
