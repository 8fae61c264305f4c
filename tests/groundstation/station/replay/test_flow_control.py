"""How far a replay runs ahead of its viewer."""

from __future__ import annotations

import asyncio

import pytest

from groundstation.errors import CallerError
from groundstation.links.base import Chunk, Idle
from groundstation.station.ingest_queue import IngestQueue
from groundstation.station.recorder import ArchivedReport
from groundstation.station.replay.flow_control import AHEAD, PIECE, SILENCE_S, ReplayFlowControl


class Played:
    """A queue of reports of which each brings so many messages."""

    def __init__(self, reports: int, each: int = 10) -> None:
        self.queue = IngestQueue(reports)
        self.messages = 0
        self.taken: list[int] = []
        self.seconds = 0.0
        self.pace = ReplayFlowControl(lambda: self.messages, lambda: self.seconds)
        self._each = each
        for number in range(reports):
            self.queue.put(ArchivedReport(Idle(number), 0))

    def take(self, kept: ArchivedReport) -> None:
        self.taken.append(kept.report.ert)
        self.messages += self._each

    async def settle(self) -> None:
        for _ in range(1000):
            await asyncio.sleep(0)


def test_without_a_viewer_there_is_no_wait() -> None:
    played = Played(reports=1000)
    asyncio.run(played.pace.play(played.queue, played.take))
    assert played.taken == list(range(1000))
    assert not played.queue.held


def test_it_stands_where_its_viewer_stands_and_goes_on_with_it() -> None:
    async def play() -> None:
        played = Played(reports=200)
        played.pace.heard(0)
        playing = asyncio.create_task(played.pace.play(played.queue, played.take))
        await played.settle()
        assert played.messages == AHEAD
        assert played.queue.held
        played.pace.heard(95)
        await played.settle()
        assert played.messages == AHEAD + 100
        played.pace.heard(40)  # an old word changes nothing
        await played.settle()
        assert played.messages == AHEAD + 100
        while not playing.done():
            played.pace.heard(played.messages)
            await played.settle()
        assert played.taken == list(range(200))
        assert not played.queue.held

    asyncio.run(play())


def test_it_stands_when_its_viewer_says_nothing() -> None:
    """Ctrl-Z: it shall go on where it was, not where it would have been."""

    async def play() -> None:
        played = Played(reports=20, each=1)
        played.pace.heard(0)
        played.seconds = SILENCE_S
        playing = asyncio.create_task(played.pace.play(played.queue, played.take))
        await played.settle()
        assert played.messages == 0
        assert played.queue.held
        played.pace.heard(0)
        await playing
        assert played.messages == 20

    asyncio.run(play())


def test_what_one_read_brings_is_taken_in_pieces() -> None:
    played, data = Played(reports=0), bytes(range(256)) * 80
    played.queue = IngestQueue(2)
    played.queue.put(ArchivedReport(Chunk(7, data), 1))
    pieces: list[Chunk] = []

    def take(kept: ArchivedReport) -> None:
        assert isinstance(kept.report, Chunk)
        pieces.append(kept.report)

    asyncio.run(played.pace.play(played.queue, take))
    assert b"".join(piece.data for piece in pieces) == data
    assert {piece.ert for piece in pieces} == {7}
    assert max(len(piece.data) for piece in pieces) == PIECE


def test_no_acknowledgement_of_what_was_never_published() -> None:
    pace = ReplayFlowControl(lambda: 10, lambda: 0.0)
    with pytest.raises(CallerError, match="11 messages heard, but 10 published"):
        pace.heard(11)
