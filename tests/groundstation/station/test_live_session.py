"""A live station under load and with faults: it answers, ends when it must, and closes its recording."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.errors import ArchiveError
from groundstation.links import LINKS
from groundstation.links.base import Chunk, Report
from groundstation.messages.wire import EventMessage, Refusal, ReplayAck, ReplayControl
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station import live_session, shutdown
from groundstation.station.command_server import CommandServer
from groundstation.station.recorder import ArchivedReport, ArchivingReceiver
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import StationLost
from hil.lander_io.servers import PtyServer
from tests.groundstation.station.running import ScriptedLink, config_in, registry_in, running

LARGE = bytes(1024)
"""So much at once is never decoded by the reader thread."""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyServer]:
    server = PtyServer(tmp_path / "tty")
    yield server
    server.close()


def serve_reports(monkeypatch: pytest.MonkeyPatch, count: int) -> ScriptedLink:
    """A link that brings so many large reads at once; their ERT is their number."""
    link = ScriptedLink([Chunk(number, LARGE) for number in range(count)])
    monkeypatch.setitem(LINKS, "scripted", link)
    return link


def decode_slowly(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[int]:
    """Let the decoding of each report take so long; the ERT of those decoded."""
    decoded: list[int] = []

    def decode(receiver: ArchivingReceiver, kept: ArchivedReport, publish: object = None) -> list[ReceiverEvent]:
        time.sleep(seconds)
        decoded.append(kept.report.ert)
        return []

    monkeypatch.setattr(ArchivingReceiver, "decode", decode)
    return decoded


def event_texts(path: Path) -> list[str]:
    """The events of a recording, which must be closed."""
    with ArchiveReader(path) as reader:
        assert reader.closed
        return [json.loads(event.body)["text"] for event in reader.events("event")]


def test_a_fault_in_decoding_ends_the_station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: PtyServer) -> None:
    """In whichever thread: it must not run on without decoding."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    events = Receiver.events

    def fail(receiver: Receiver, report: Report) -> Iterator[ReceiverEvent]:
        if isinstance(report, Chunk):
            raise ZeroDivisionError
        return events(receiver, report)

    monkeypatch.setattr(Receiver, "events", fail)

    async def run() -> None:
        async with asyncio.timeout(20), running(config_in(tmp_path, port.url), registry_in(tmp_path)):
            assert await asyncio.to_thread(port.wait_for_listener, 10)
            port.send(b"x")
            await asyncio.sleep(20)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(run())
    assert caught.group_contains(ZeroDivisionError)


def test_a_station_that_is_behind_answers_and_heartbeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four seconds of work wait: viewers must not take it for lost, nor wait for their answers until all is done."""
    link, registry = serve_reports(monkeypatch, 2000), registry_in(tmp_path)
    decoded = decode_slowly(monkeypatch, 0.002)

    async def follow() -> None:
        client = StationClient(registry.find("bench"), time.time_ns, timeout_s=1.0, silence_s=1.0)
        try:
            await client.connect()
            assert len(decoded) < 1000
            async with asyncio.timeout(20):
                async for update in client.messages():
                    assert not isinstance(update, StationLost)
                    if 1999 in decoded:
                        break
        finally:
            await client.close()

    async def run() -> None:
        async with running(config_in(tmp_path, "scripted:x"), registry):
            await asyncio.to_thread(link.done.wait, 10)
            await asyncio.to_thread(asyncio.run, follow())

    asyncio.run(run())
    assert decoded == list(range(2000))


def test_reads_are_decoded_in_order_large_ones_by_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader thread has to be back at its port soon, and a small read does not overtake a large one."""
    link = ScriptedLink([Chunk(number, LARGE if number % 4 == 0 else b"x") for number in range(400)])
    monkeypatch.setitem(LINKS, "scripted", link)
    decoded: list[int] = []
    in_the_loop: set[bool] = set()

    def decode(receiver: ArchivingReceiver, kept: ArchivedReport, publish: object = None) -> list[ReceiverEvent]:
        time.sleep(0.0005)
        decoded.append(kept.report.ert)
        if isinstance(kept.report, Chunk) and kept.report.data == LARGE:
            in_the_loop.add(threading.current_thread() is threading.main_thread())
        return []

    monkeypatch.setattr(ArchivingReceiver, "decode", decode)

    async def run() -> None:
        async with asyncio.timeout(20), running(config_in(tmp_path, "scripted:x"), registry_in(tmp_path)):
            await asyncio.to_thread(link.done.wait, 10)

    asyncio.run(run())
    assert decoded == list(range(400))
    assert in_the_loop == {True}


def test_what_is_left_to_decode_delays_the_end_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are archived; an overloaded station does not need minutes to stop."""
    monkeypatch.setattr(live_session, "DRAIN_S", 0.3)
    link, took = serve_reports(monkeypatch, 5000), 0.0
    decode_slowly(monkeypatch, 0.01)

    async def run() -> None:
        nonlocal took
        async with running(config_in(tmp_path, "scripted:x"), registry_in(tmp_path)):
            await asyncio.to_thread(link.done.wait, 10)
            took = time.monotonic()
        took = time.monotonic() - took

    asyncio.run(run())
    assert took < 10
    texts = event_texts(tmp_path / "pass.sqlite")
    (overrun,) = [text for text in texts if "archived and not decoded" in text]
    assert 4000 < int(overrun.split()[2]) <= 5000
    with ArchiveReader(tmp_path / "pass.sqlite") as reader:
        assert sum(1 for _ in reader.chunks()) == 5000


@pytest.mark.parametrize("answers", [True, False])
def test_a_silent_disk_is_waited_for_until_a_second_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], port: PtyServer, answers: bool
) -> None:
    monkeypatch.setattr(shutdown, "DISK_S", 0.1)
    disk, close = threading.Event(), ArchiveWriter.close

    def close_late(archive: ArchiveWriter) -> None:
        disk.wait(20)
        close(archive)

    monkeypatch.setattr(ArchiveWriter, "close", close_late)

    async def signal_again() -> None:
        await asyncio.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    async def run() -> None:
        async with asyncio.timeout(20), running(config_in(tmp_path, port.url), registry_in(tmp_path)):
            assert await asyncio.to_thread(port.wait_for_listener, 10)
            os.kill(os.getpid(), signal.SIGTERM)
            if answers:
                threading.Timer(0.5, disk.set).start()
            else:
                again.append(asyncio.create_task(signal_again()))

    again: list[asyncio.Task[None]] = []
    try:
        if answers:
            asyncio.run(run())
            event_texts(tmp_path / "pass.sqlite")
        else:
            with pytest.raises(ArchiveError, match="was not closed: the disk does not answer"):
                asyncio.run(run())
    finally:
        disk.set()
    assert "waiting for it" in capfd.readouterr().err


def test_a_fault_at_the_end_leaves_the_recording_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: PtyServer
) -> None:
    """A fault in giving up the commands is no reason to leave open what was archived."""

    def fail(commands: CommandServer) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(CommandServer, "close", fail)

    async def run() -> None:
        async with asyncio.timeout(20), running(config_in(tmp_path, port.url), registry_in(tmp_path)):
            assert await asyncio.to_thread(port.wait_for_listener, 10)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(run())
    assert caught.group_contains(ZeroDivisionError)
    event_texts(tmp_path / "pass.sqlite")


def test_stop_ends_a_station_with_its_last_events_in_order(tmp_path: Path, port: PtyServer) -> None:
    registry = registry_in(tmp_path)

    async def run() -> list[str]:
        client, names = None, []
        async with asyncio.timeout(20), running(config_in(tmp_path, port.url), registry) as station:
            client = StationClient(registry.find("bench"), time.time_ns)
            await client.connect()
            station.stop()

            async def collect() -> None:
                async for message in client.messages():
                    if isinstance(message, EventMessage):
                        names.append(message.name)
                    if names[-1:] == ["RECORDING_CLOSED"]:
                        return

            collecting = asyncio.create_task(collect())
        await asyncio.wait_for(collecting, 5)
        await client.close()
        return names

    assert [name for name in asyncio.run(run()) if name not in ("ATTEMPTING", "CONNECTED")] == [
        "STATION_STOP",
        "RECORDING_CLOSED",
    ]
    assert event_texts(tmp_path / "pass.sqlite")[-1] == "the recording ends"


def test_a_live_station_refuses_requests_of_a_replay(tmp_path: Path, port: PtyServer) -> None:
    registry = registry_in(tmp_path)

    async def run() -> list[str]:
        async with asyncio.timeout(20), running(config_in(tmp_path, port.url), registry):
            client = StationClient(registry.find("bench"), time.time_ns)
            answers = [await client.request(r) for r in (ReplayControl(action="play"), ReplayAck(messages=0))]
            await client.close()
        return [answer.text for answer in answers if isinstance(answer, Refusal)]

    assert asyncio.run(run()) == [
        "this station receives: only a replay can be moved",
        "this station receives: it waits for no viewer",
    ]
