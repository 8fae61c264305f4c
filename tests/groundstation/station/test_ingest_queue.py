"""Which thread decodes, and that nothing is decoded twice, out of order, or lost without a count."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time

from groundstation.host.wakeup import LoopWakeup
from groundstation.links.base import Chunk, Idle
from groundstation.station.ingest_queue import DecodeLock, IngestQueue
from groundstation.station.recorder import ArchivedReport


def kept(number: int) -> ArchivedReport:
    return ArchivedReport(Idle(number), 0)


def test_the_reader_takes_the_lock_only_if_none_waits() -> None:
    turn = DecodeLock()
    has_it = threading.Event()

    def read() -> None:
        assert turn.try_acquire()
        has_it.set()
        while turn.try_acquire():  # again and again, until the loop waits
            turn.release()
            time.sleep(0.001)
        turn.release()

    reader = threading.Thread(target=read)
    reader.start()
    assert has_it.wait(10)
    refused: list[bool] = []
    loop = threading.Thread(target=lambda: _enter(turn, refused))
    loop.start()
    reader.join(10)
    loop.join(10)
    assert refused == [False]
    assert turn.try_acquire()
    turn.release()


def _enter(turn: DecodeLock, refused: list[bool]) -> None:
    with turn, turn:  # the loop may take it again
        other = threading.Thread(target=lambda: refused.append(turn.try_acquire()))
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
            if queue.empty and turn.try_acquire():
                done.append(number)
                turn.release()
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
