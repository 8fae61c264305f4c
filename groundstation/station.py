"""The station process: the asyncio shell around link, recorder, publisher and requests.

    reader thread ──keep──▶ archive thread
         └──queue──▶ event loop ──decode──▶ publish, board

The reader thread hands every report to the archive first. The queue to the event loop is bounded; what does not fit
was archived all the same, and is counted as an overrun. If no report comes (the port is gone, or the reader hangs),
the loop lets time pass by the host's clock, so that a loss is declared even then.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zmq.asyncio

from groundstation.archive.writer import ArchiveWriter
from groundstation.board import Board
from groundstation.errors import CallerError
from groundstation.links import open_link
from groundstation.links.base import Clock, LinkChange, Report
from groundstation.messages import AnyMessage, EventMessage, Severity, SnapshotRequest, StopRequest
from groundstation.publisher import Publisher
from groundstation.receiver import Outcome, Receiver
from groundstation.recorder import Recorder
from groundstation.registry import Registry, StationInfo
from protocols.dictionary import Dictionary
from protocols.profile import LinkProfile

MS = 1_000_000
QUEUE_LIMIT = 20_000
"""Reports between reader and event loop."""

_STATUS_EVERY = 0.1
_HEARTBEAT_EVERY = 0.5
_WATCH_EVERY = 0.05
_SILENT_READER_MS = 1000


@dataclass(frozen=True, slots=True)
class StationConfig:
    """What a station is told at its start."""

    name: str
    link: str
    recording: Path
    dictionary: Dictionary
    profile: LinkProfile


class ReportQueue:
    """Reports on their way from the reader thread to the event loop. Bounded; counts what did not fit."""

    def __init__(self, limit: int, wake: Callable[[], None]) -> None:
        self._reports: deque[Report] = deque()
        self._limit = limit
        self._wake = wake
        self._lock = threading.Lock()
        self._overrun = 0

    def put(self, report: Report) -> None:
        """From the reader thread."""
        with self._lock:
            if len(self._reports) >= self._limit:
                self._overrun += 1
                return
            self._reports.append(report)
        self._wake()

    def drain(self) -> tuple[list[Report], int]:
        """All reports so far, and how many were refused since the last call."""
        with self._lock:
            reports, self._reports = list(self._reports), deque()
            overrun, self._overrun = self._overrun, 0
        return reports, overrun


class Station:
    """One link, one recording, any number of viewers."""

    def __init__(self, config: StationConfig, clock: Clock, registry: Registry) -> None:
        self.config = config
        self._clock = clock
        self._registry = registry
        self._link = open_link(config.link, clock)
        self._receiver = Receiver(config.dictionary, config.profile, self._link.url)
        self._stop = asyncio.Event()
        self._arrived = asyncio.Event()
        self._last_report = 0
        self._told_error: str | None = None

    async def run(self, ready: Callable[[StationInfo], None] | None = None) -> None:
        """Serve until somebody asks to stop.

        Args:
            ready: called once viewers can connect.

        Raises:
            ArchiveError: the recording cannot be made.
            CallerError: a station of this name runs already.
        """
        config = self.config
        endpoints = self._registry.endpoints(config.name)
        info = StationInfo(
            telemetry=endpoints.telemetry,
            command=endpoints.command,
            name=config.name,
            pid=os.getpid(),
            link=config.link,
            started=self._clock(),
            recording=str(config.recording),
        )
        self._registry.register(info)
        try:
            await self._serve(info, ready)
        finally:
            self._registry.unregister(config.name)

    async def _serve(self, info: StationInfo, ready: Callable[[StationInfo], None] | None) -> None:
        config = self.config
        meta = {"station": config.name, "link": config.link, "mission": config.dictionary.name}
        meta |= {"dictionary_hash": config.dictionary.hash_text, "started": str(info.started)}
        with zmq.asyncio.Context() as context, ArchiveWriter(config.recording, meta) as archive:
            publisher = Publisher(context, info.telemetry, info.command, self._clock)
            self._archive, self._publisher = archive, publisher
            self._recorder = Recorder(self._receiver, archive, str(config.recording))
            self._board = Board(config.dictionary, config.name, info.pid, info.started)
            try:
                await self._run_tasks(ready, info)
            finally:
                self._link.stop()
                self._take_reports()
                self._say("ACTIVITY_HI", "STATION_STOP", "the recording ends")
                publisher.publish(self._recorder.status(self._clock()))
                await asyncio.sleep(0.05)  # PUB closes without linger: let the last words leave
                publisher.close()

    async def _run_tasks(self, ready: Callable[[StationInfo], None] | None, info: StationInfo) -> None:
        loop = asyncio.get_running_loop()
        self._queue = ReportQueue(QUEUE_LIMIT, lambda: _wake(loop, self._arrived))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        self._say("ACTIVITY_HI", "STATION_START", f"recording to {self.config.recording}")
        self._last_report = self._clock()
        self._link.start(self._sink)
        if ready is not None:
            ready(info)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._publisher.serve(self._answer)),
                tasks.create_task(self._receive()),
                tasks.create_task(self._watch()),
                tasks.create_task(self._every(_STATUS_EVERY, self._publish_status)),
                tasks.create_task(self._every(_HEARTBEAT_EVERY, self._publisher.heartbeat)),
            ]
            await self._stop.wait()
            for task in running:
                task.cancel()

    def _sink(self, report: Report) -> None:
        """In the reader thread: archive, then hand over."""
        self._recorder.keep(report)
        self._queue.put(report)

    async def _receive(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._take_reports()

    def _take_reports(self) -> None:
        reports, overrun = self._queue.drain()
        if overrun:
            self._recorder.overrun(overrun)
            self._say("WARNING_HI", "OVERRUN", f"{overrun} reads were archived but came too fast to be decoded")
        for report in reports:
            self._last_report = self._clock()
            self._tell(self._recorder.decode(report))
            if isinstance(report, LinkChange):
                self._publish_status()

    async def _watch(self) -> None:
        """Let time pass when the reader says nothing; tell when the archive cannot write."""
        while True:
            await asyncio.sleep(_WATCH_EVERY)
            now = self._clock()
            silent = now - self._last_report > _SILENT_READER_MS * MS
            if silent or not self._receiver.connected:
                self._tell(self._recorder.stalled(now))
            self._watch_archive()

    def _watch_archive(self) -> None:
        error = self._archive.error
        if error != self._told_error:
            self._told_error = error
            if error is None:
                self._say("ACTIVITY_HI", "ARCHIVE", "the recording goes on; the gap is noted in it")
            else:
                self._say("WARNING_HI", "ARCHIVE", f"not recording: {error}. Reception goes on")

    async def _every(self, seconds: float, action: Callable[[], None]) -> None:
        while True:
            action()
            await asyncio.sleep(seconds)

    def _publish_status(self) -> None:
        self._publisher.publish(self._recorder.status(self._clock()))

    def _tell(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self._board.put(outcome)
            self._publisher.publish(outcome)

    def _say(self, severity: Severity, name: str, text: str) -> None:
        event = EventMessage(severity=severity, source="STATION", name=name, text=text, ert=self._clock())
        self._recorder.note(event)
        self._tell([event])

    def _answer(self, request: AnyMessage) -> AnyMessage:
        """Answer one request of a viewer."""
        if isinstance(request, StopRequest):
            self._say("ACTIVITY_HI", "STOP_REQUEST", request.reason)
            self._stop.set()
        elif not isinstance(request, SnapshotRequest):
            raise CallerError(f"a station does not take {type(request).__name__}")
        self._take_reports()
        return self._board.snapshot(self._recorder.status(self._clock()), self._publisher.sequences)


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)
