"""Whose turn it is to decode, and that nothing is decoded twice, out of order, or without anybody knowing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.host.wakeup import LoopWakeup
from groundstation.links.base import Chunk, Idle
from groundstation.messages.wire import AnyMessage, DropReport, Refusal, Snapshot, StopRequest
from groundstation.security.authorization import Principal
from groundstation.station.config import StationConfig
from groundstation.station.ingest_queue import DecodeLock, IngestQueue
from groundstation.station.recorder import ArchivedReport
from groundstation.station.registry import Registry
from groundstation.station.station import Station
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import StationLost
from hil.lander_io.servers import PtyServer
from protocols.lander import MISSION


def kept(number: int) -> ArchivedReport:
    return ArchivedReport(Idle(number), 0)


def test_the_reader_takes_the_lock_only_if_none_waits() -> None:
    turn = DecodeLock()
    has_it = threading.Event()

    def read() -> None:
        assert turn.take_if_free()
        has_it.set()
        while turn.take_if_free():  # again and again, until the loop waits
            turn.give()
            time.sleep(0.001)
        turn.give()

    reader = threading.Thread(target=read)
    reader.start()
    assert has_it.wait(10)
    refused: list[bool] = []
    loop = threading.Thread(target=lambda: _enter(turn, refused))
    loop.start()
    reader.join(10)
    loop.join(10)
    assert refused == [False]
    assert turn.take_if_free()
    turn.give()


def _enter(turn: DecodeLock, refused: list[bool]) -> None:
    with turn, turn:  # the loop may take it again
        other = threading.Thread(target=lambda: refused.append(turn.take_if_free()))
        other.start()
        other.join(10)


def test_a_queue_keeps_the_order_and_counts_what_does_not_fit() -> None:
    assert IngestQueue(3).empty
    queue = IngestQueue(3)
    for number in range(5):
        queue.put(kept(number))
    assert not queue.empty
    assert [queue.take() for _ in range(4)] == [kept(0), kept(1), kept(2), None]
    assert (queue.empty, queue.take_overrun()) == (False, 2)  # two that did not fit were not told yet
    assert (queue.empty, queue.take_overrun()) == (True, 0)


def test_a_queue_is_bounded_in_bytes_too() -> None:
    queue = IngestQueue(100, size_limit=1000)
    for _ in range(3):
        queue.put(ArchivedReport(Chunk(1, bytes(400)), 0))
    queue.put(kept(1))
    assert queue.take_overrun() == 1
    assert queue.take() is not None
    queue.put(ArchivedReport(Chunk(1, bytes(600)), 0))
    assert queue.take_overrun() == 0
    assert queue.give_up() == 3
    queue.put(ArchivedReport(Chunk(1, bytes(1000)), 0))
    assert queue.take_overrun() == 0


def test_both_threads_at_once_decode_everything_once_in_order() -> None:
    turn, queue, done, count = DecodeLock(), IngestQueue(100_000), [], 20_000

    def take() -> None:
        while (report := queue.take()) is not None:
            done.append(report.report.ert)

    def read() -> None:
        for number in range(count):
            if queue.empty and turn.take_if_free():
                done.append(number)
                turn.give()
            else:
                queue.put(kept(number))

    reader = threading.Thread(target=read)
    reader.start()
    while reader.is_alive():
        with turn:
            take()
    take()
    assert done == list(range(count))


def test_a_busy_loop_is_woken_once_and_hears_its_signals() -> None:
    """If each report woke it, its wake-up pipe would fill, and SIGTERM would be missed."""

    async def run() -> int:
        loop, bell, signalled = asyncio.get_running_loop(), LoopWakeup(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, signalled.set)

        def ring() -> None:
            for _ in range(200_000):
                bell.ring(loop)

        reader = threading.Thread(target=ring)
        reader.start()
        reader.join()  # the loop is busy
        os.kill(os.getpid(), signal.SIGUSR1)
        async with asyncio.timeout(10):
            await signalled.wait()
            await bell.heard()
        heard = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                while True:
                    await bell.heard()
                    heard += 1
        return heard

    assert asyncio.run(run()) == 0


def test_what_is_there_before_the_bell_is_heard_is_seen() -> None:
    count = 20_000

    async def run() -> list[int]:
        loop, bell, queue, seen = asyncio.get_running_loop(), LoopWakeup(), IngestQueue(count), list[int]()

        def read() -> None:
            for number in range(count):
                queue.put(kept(number))
                bell.ring(loop)

        reader = threading.Thread(target=read)
        reader.start()
        async with asyncio.timeout(20):
            while len(seen) < count:
                await bell.heard()
                while (report := queue.take()) is not None:
                    seen.append(report.report.ert)
        reader.join()
        return seen

    assert asyncio.run(run()) == list(range(count))


def test_a_fault_in_decoding_ends_the_station_wherever_it_was_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not go on deaf."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    (tmp_path / "run").mkdir(mode=0o700)
    server = PtyServer(tmp_path / "tty")
    config = StationConfig("bench", server.url, tmp_path / "pass.sqlite", MISSION)
    station = Station(config, time.time_ns, Registry(tmp_path / "run"))
    news = station._receiver.news

    def fail(report: object) -> Iterator[object]:
        if isinstance(report, Chunk):
            raise ZeroDivisionError
        return news(report)  # type: ignore[arg-type]

    monkeypatch.setattr(station._receiver, "news", fail)

    async def run() -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(station.run())
            assert await asyncio.to_thread(server.wait_for_listener, 10)
            server.send(b"x")

    try:
        with pytest.raises(ExceptionGroup) as caught:
            asyncio.run(run())
        assert caught.group_contains(ZeroDivisionError)
    finally:
        server.close()


def test_a_fault_in_answering_costs_an_answer_and_not_the_station(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    server = PtyServer(tmp_path / "tty")
    registry = Registry(tmp_path / "run")
    station = Station(StationConfig("bench", server.url, tmp_path / "pass.sqlite", MISSION), time.time_ns, registry)
    answered = station._answered

    def fail(request: AnyMessage, caller: Principal) -> AnyMessage:
        if isinstance(request, DropReport):
            raise ZeroDivisionError("planted")
        return answered(request, caller)

    monkeypatch.setattr(station, "_answered", fail)

    async def use() -> list[AnyMessage]:
        client = StationClient(registry.find("bench"), time.time_ns)
        try:
            await client.connect()
            answer = await client.request(DropReport(viewer="x", missed=1))
            return [answer, await client.connect(), await client.request(StopRequest(reason="done"))]
        finally:
            await client.close()

    async def run() -> list[AnyMessage]:
        ready = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(station.run(lambda _: ready.set()))
            await ready.wait()
            return await use()

    try:
        refusal, snapshot, _ = asyncio.run(run())
    finally:
        server.close()
    assert isinstance(refusal, Refusal)
    assert "a fault of the station itself (ZeroDivisionError)" in refusal.text
    assert isinstance(snapshot, Snapshot)
    (event,) = [event for event in snapshot.events if event.name == "REQUEST_FAULT"]
    assert (event.severity, event.text) == (
        "WARNING_HI",
        "ZeroDivisionError while missed_report was answered: planted",
    )
    assert "planted" in capsys.readouterr().err


def test_a_station_that_has_fallen_behind_answers_and_gives_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four seconds of work wait: viewers must not take it for lost, nor wait for their answers until all is done."""
    (tmp_path / "run").mkdir(mode=0o700)
    server, registry = PtyServer(tmp_path / "tty"), Registry(tmp_path / "run")
    station = Station(StationConfig("bench", server.url, tmp_path / "pass.sqlite", MISSION), time.time_ns, registry)
    taken: list[int] = []

    def take(kept: ArchivedReport) -> None:
        time.sleep(0.002)
        taken.append(kept.report.ert)

    async def look() -> None:
        assert await asyncio.to_thread(server.wait_for_listener, 10)
        monkeypatch.setattr(station, "_take", take)
        for number in range(2000):
            station._queue.put(kept(number))
        station._arrived.ring(asyncio.get_running_loop())
        await asyncio.to_thread(asyncio.run, follow())
        station._stop.set()

    async def follow() -> None:
        client = StationClient(registry.find("bench"), time.time_ns, timeout_s=1.0, silence_s=1.0)
        try:
            await client.connect()
            assert len(taken) < 1000
            async with asyncio.timeout(20):
                async for update in client.messages():
                    assert not isinstance(update, StationLost)
                    if 1999 in taken:
                        break
        finally:
            await client.close()

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(station.run())
            tasks.create_task(look())

    try:
        asyncio.run(run())
    finally:
        server.close()
    assert [number for number in taken if number < 2000] == list(range(2000))
