"""The station process: the asyncio shell around link, recorder, publisher and requests.

    reader thread ──keep──▶ archive thread
         └──queue──▶ decode ──▶ publish, board

The reader thread hands every report to the archive first, then to decoding, which it does itself while the event loop
is idle, else the loop does (`ingest_queue`). The queue between is bounded; what does not fit is archived all the same,
and counted as an overrun. Only the holder of the `DecodeLock` decodes or publishes. If no report comes (the port is
gone, or the reader hangs), the loop lets time pass by the host's clock, so that a loss is declared even then.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

import zmq.asyncio

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.errors import AccessRefused, ArchiveError, CallerError, CommandRefused, StationError
from groundstation.formats.output import show_fault
from groundstation.host.wakeup import LoopWakeup
from groundstation.links import open_link
from groundstation.links.base import Chunk, Clock, EndOfStream, ReplayedMessage, ReplayJump, Report, TransportChange
from groundstation.links.replay import ReplayLink
from groundstation.links.wire_log import with_wire_log
from groundstation.messages.commanding import CommandingRequest, RequestAccepted, UplinkStatus
from groundstation.messages.throttle import EventThrottle
from groundstation.messages.wire import (
    AnyMessage,
    DropReport,
    EventMessage,
    HistoryRequest,
    LinkStatus,
    ReplayAck,
    ReplayControl,
    Snapshot,
    SnapshotRequest,
    StopRequest,
)
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.writer import ArchiveWriter
from groundstation.security.authorization import Principal
from groundstation.security.endpoints import check, pair_of
from groundstation.security.keys import KeyPair, KeyStore
from groundstation.security.remote_access import RemoteAccess
from groundstation.station.command_server import TICK_S, CommandServer, UplinkMessage, describe
from groundstation.station.config import StationConfig
from groundstation.station.ingest_queue import DecodeLock, IngestQueue
from groundstation.station.monitoring.health import HealthMonitor
from groundstation.station.monitoring.log import log_message
from groundstation.station.monitoring.presence import LOOK_EVERY_S, Presence
from groundstation.station.monitoring.status_timing import StatusTiming
from groundstation.station.monitoring.viewer_stats import Viewers
from groundstation.station.publisher import Publisher
from groundstation.station.recorder import ArchivedReport, ArchivingReceiver, NoArchive
from groundstation.station.registry import Registry, StationInfo
from groundstation.station.replay.session import M, ReplaySession, last_words
from groundstation.station.shutdown import RECORDING_CLOSED, RECORDING_INCOMPLETE, GracefulShutdown
from groundstation.station.snapshot import SnapshotCache
from groundstation.uplink.service import Uplink
from protocols.units import NS_PER_MS, NS_PER_S
from protocols.words import Severity

QUEUE_LIMIT = 20_000
"""Reports between reader and event loop."""

_LOOK_EVERY = 0.05
"""How often it checks whether the link's status is to be published."""

_HEARTBEAT_EVERY = 0.5
_WATCH_EVERY = 0.05
_SILENT_READER_MS = 1000
_SLICE_S = 0.05
"""Decoding yields to viewers at least this often."""

_LAST_SLICES_S = 2.0
"""So long a station that stops still decodes."""

_LAST_WORDS_S = 0.05
"""PUB closes without linger: so long the last words have to leave."""

_TOLD_MAX = 400
"""Characters of an event about what a client sent."""

_READ_ALONE = 1024
"""Bytes of a read that the reader thread decodes itself; more at once means that it has fallen behind."""


class Station:
    """One link, one recording, any number of viewers."""

    def __init__(self, config: StationConfig, clock: Clock, registry: Registry, wall: Clock = time.time_ns) -> None:
        """``clock`` is the station's own time, which is never set; ``wall`` is the host's clock."""
        self.config = config
        self._clock = self._host = clock
        self._wall = wall
        self._health = HealthMonitor(config.profile.cadu_length)
        self._registry = registry
        self._started = clock()
        self._link = open_link(config.link, clock, config.mission)
        self._replay: ReplaySession | None = None
        if isinstance(self._link, ReplayLink):
            self._clock, self._replay = self._link.now, ReplaySession(self._link, lambda: self._publisher.published)
        else:
            self._link = with_wire_log(self._link)
        self._receiver = Receiver(config.dictionary, config.profile, self._link.url)
        self._ending = GracefulShutdown()
        self._stop = self._ending.stop
        self._arrived = LoopWakeup()
        self._queue = IngestQueue(QUEUE_LIMIT)
        self._turn = DecodeLock()
        self._broken: BaseException | None = None
        self._last_report = 0
        self._tally = self._make_tally("WARNING_LO", "ACCESS_REFUSED")
        self._unreadable = self._make_tally("WARNING_LO", "REQUEST_UNREADABLE")
        self._faults = self._make_tally("WARNING_HI", "REQUEST_FAULT")
        self._bounded = self._make_tally("WARNING_LO", "CONNECTION_ENDED")
        self._slow = self._make_tally("WARNING_LO", "VIEWER_SLOW")
        self._viewers = Viewers(self._slow)
        self._timing = StatusTiming()
        self._key: KeyPair | None = None if config.key is None else KeyStore().load(config.key)
        self._ends = None if config.bind is None else pair_of(config.bind)
        if self._ends is not None:
            check(self._ends.telemetry, keyed=self._key is not None)

    @property
    def _recording(self) -> str | None:
        return None if self.config.recording is None else str(self.config.recording)

    async def run(self, ready: Callable[[StationInfo], None] | None = None) -> None:
        """Serve until a stop is requested.

        Args:
            ready: called once viewers can connect.

        Raises:
            ArchiveError: the recording cannot be made, or lacks something in the end.
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
            started=self._started,
            recording=self._recording,
            remote=config.bind,
            public_key=None if self._key is None else self._key.public,
        )
        self._ending.listen()  # before the station can be found, and stopped
        self._registry.register(info)
        try:
            await self._serve(info, ready)
        finally:
            self._registry.unregister(config.name)

    async def _serve(self, info: StationInfo, ready: Callable[[StationInfo], None] | None) -> None:
        with zmq.asyncio.Context() as context:
            refuse = self._bounded.note
            self._publisher = Publisher(context, info.telemetry, info.command, self._clock, self._host, refuse)
            self._presence = Presence(self._registry, info, self._publisher, self._say)
            # The sockets first: a port that is taken must not leave an empty recording behind.
            with closing(self._publisher), self._reception(context) as reception:
                self._archive = self._open_archive()
                try:
                    self._recorder = ArchivingReceiver(self._receiver, self._archive, self._recording)
                    self._board = self._new_board()
                    self._desk = self._make_desk(info)
                    await self._conduct(ready, info, reception)
                finally:
                    await self._close_archive()
                if self._archive.shortfall is not None:
                    raise ArchiveError(str(self._archive.shortfall))

    async def _close_archive(self) -> None:
        """Close the recording; the last word of all to viewers is how complete it is."""
        closed = False
        try:
            await self._ending.close(self._recording or "the recording", self._archive.close)
            closed = True
        finally:
            if self._recording is not None:
                self._publisher.publish(self._last_event(closed))
                await asyncio.sleep(_LAST_WORDS_S)

    def _last_event(self, closed: bool) -> EventMessage:
        lack = self._archive.shortfall
        text = str(lack) if lack is not None else "closed" if closed else "not closed: the disk does not answer"
        name = RECORDING_CLOSED if closed and lack is None else RECORDING_INCOMPLETE
        severity: Severity = "ACTIVITY_HI" if name == RECORDING_CLOSED else "WARNING_HI"
        return EventMessage(severity=severity, source="STATION", name=name, text=text, ert=self._clock())

    def _make_desk(self, info: StationInfo) -> CommandServer:
        uplink = Uplink(self.config.dictionary, first_sequence=info.started // NS_PER_S)
        clocks = self._clock, self._wall
        return CommandServer(uplink, self._board.losses, self._link.write, self._announce, *clocks, self._turn)

    def _open_archive(self) -> ArchiveWriter | NoArchive:
        config = self.config
        if config.recording is None:
            return NoArchive()
        meta = {"station": config.name, "link": config.link, "started": str(self._started)}
        meta |= mission_facts(config.mission)
        return ArchiveWriter(config.recording, meta)

    async def _conduct(
        self, ready: Callable[[StationInfo], None] | None, info: StationInfo, reception: RemoteAccess | None
    ) -> None:
        try:
            await self._run_tasks(ready, info, reception)
        finally:
            self._stop.set()
            self._link.stop()
            if self._replay is None:
                self._take_last()
                self._desk.close()
            self._say("ACTIVITY_HI", "STATION_STOP", "the replay ends" if self._replay else "the recording ends")
            self._publish_status()
            await asyncio.sleep(_LAST_WORDS_S)

    @contextmanager
    def _reception(self, context: zmq.asyncio.Context) -> Iterator[RemoteAccess | None]:
        """The access for remote clients, if configured."""
        if self._ends is None:
            yield None
            return
        with closing(
            RemoteAccess(context, self._ends, self._key, KeyStore(), self._tally, self._say, self._bounded.note)
        ) as reception:
            self._publisher.open(reception.door)
            yield reception

    async def _run_tasks(
        self, ready: Callable[[StationInfo], None] | None, info: StationInfo, reception: RemoteAccess | None
    ) -> None:
        loop = asyncio.get_running_loop()
        self._say("ACTIVITY_HI", "STATION_START", f"recording to {self._recording or 'nothing: this is a replay'}")
        self._last_report = self._clock()
        self._link.start(partial(self._sink, loop))
        if ready is not None:
            ready(info)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._publisher.serve(self._answer, self._cannot_read)),
                tasks.create_task(self._receive()),
                tasks.create_task(self._every(_LOOK_EVERY, self._publish_if_due)),
                tasks.create_task(self._every(_HEARTBEAT_EVERY, self._publisher.heartbeat)),
                tasks.create_task(self._every(_HEARTBEAT_EVERY, self._look_after_viewers)),
                tasks.create_task(self._every(LOOK_EVERY_S, self._presence.look)),
            ]
            if self._replay is None:  # a recording has no uplink, and its silences are reported by the link
                running.append(tasks.create_task(self._watch()))
                running.append(tasks.create_task(self._desk.transmit()))
                running.append(tasks.create_task(self._every(TICK_S, self._desk.tick)))
            if reception is not None:
                running.append(tasks.create_task(reception.serve()))
            await self._stop.wait()
            for task in running:
                task.cancel()

    def _sink(self, loop: asyncio.AbstractEventLoop, report: Report) -> None:
        """In the reader thread: archive, then decode or hand over."""
        if self._replay is not None:
            self._queue.wait_for_room(self._stop.is_set)
        kept = self._recorder.keep(report)
        if self._may_decode(report) and self._turn.take_if_free():
            try:
                self._take(kept)
            except BaseException as error:
                self._broken = error
                self._arrived.ring(loop)
                raise
            finally:
                self._turn.give()
        else:
            self._queue.put(kept)
            self._arrived.ring(loop)

    def _may_decode(self, report: Report) -> bool:
        """Whether the reader thread has the time: nothing waits before this, and it is not much."""
        short = not isinstance(report, Chunk) or len(report.data) < _READ_ALONE
        return short and self._queue.empty and self._replay is None

    async def _receive(self) -> None:
        while True:
            await self._arrived.heard()
            if self._broken is not None:
                raise self._broken
            if self._replay is not None:
                await self._replay.pace.play(self._queue, self._take)
                continue
            while not self._take_some():
                await asyncio.sleep(0)

    def _take_some(self) -> bool:
        """Decode what waits, for a while; False: there is more. Behind or not, viewers are answered in between."""
        until = time.monotonic() + _SLICE_S
        with self._turn:
            overrun = self._queue.take_overrun()
            if overrun:
                self._recorder.overrun(overrun)
                self._say("WARNING_HI", "OVERRUN", f"{overrun} reads were archived but not decoded: they came too fast")
            while (kept := self._queue.take()) is not None:
                self._take(kept)
                if time.monotonic() >= until:
                    return self._queue.empty
        return True

    def _take_last(self) -> None:
        """Decode what still waits; who has fallen far behind must come to an end all the same."""
        until = time.monotonic() + _LAST_SLICES_S
        while not self._take_some():
            if time.monotonic() > until:
                left = self._queue.give_up()
                self._recorder.overrun(left)
                self._say("WARNING_HI", "OVERRUN", f"the last {left} reads were archived and not decoded")

    def _take(self, kept: ArchivedReport) -> None:
        self._last_report = self._clock()
        if isinstance(kept.report, ReplayedMessage):
            self._retell(kept.report)
            return
        if isinstance(kept.report, ReplayJump):
            self._begin_anew(kept.report)
        outcomes = self._recorder.decode(kept, self._tell if self._replay is None else self._tell_again)
        if self._replay is None:
            self._desk.follow(kept.report, self._receiver.ocfs, outcomes)
        if isinstance(kept.report, TransportChange):
            self._publish_status()
        elif isinstance(kept.report, EndOfStream):
            self._publish_status()
            self._say(*last_words(kept.report))

    def _retell(self, retold: ReplayedMessage) -> None:
        """What the recording has and decoding does not say."""
        if self._replay is not None and self._replay.is_new(retold.news):
            self._tell(retold.news)

    def _tell_again(self, outcome: ReceiverEvent) -> None:
        """What decoding says in a replay."""
        if self._replay is not None and self._replay.says(outcome):
            self._tell(outcome)

    def _begin_anew(self, restart: ReplayJump) -> None:
        """A replay jumped: nothing of before may mix with what comes."""
        assert self._replay is not None
        self._replay.jumped(restart.ert, restart.until)
        self._board = self._new_board()
        self._receiver = Receiver(self.config.dictionary, self.config.profile, self._link.url)
        self._recorder = ArchivingReceiver(self._receiver, self._archive, self._recording)
        self._publish_status()  # first: what follows is of another place

    def _new_board(self) -> SnapshotCache:
        return SnapshotCache(self.config.mission, self.config.name, os.getpid(), self._started)

    async def _watch(self) -> None:
        """Let time pass when the reader says nothing; tell what is wrong around the station."""
        while True:
            await asyncio.sleep(_WATCH_EVERY)
            with self._turn:
                silent = self._clock() - self._last_report > _SILENT_READER_MS * NS_PER_MS
                if silent or not self._receiver.connected:
                    for outcome in self._recorder.stalled(self._link.now()):
                        self._tell(outcome)
                step = self._wall() - self._clock()
                missing = str(self._archive.missing or "")
                for remark in self._health.look(
                    self._clock(), self._archive.error, missing, step, self._receiver.counters()
                ):
                    self._say(*remark)

    async def _every(self, seconds: float, action: Callable[[], None]) -> None:
        while True:
            with self._turn:
                action()
            await asyncio.sleep(seconds)

    def _look_after_viewers(self) -> None:
        self._viewers.stalls(self._publisher.stalls)
        for tally in (self._tally, self._bounded, self._unreadable, self._faults, self._slow):
            tally.tick()

    def _publish_if_due(self) -> None:
        """A replay that is held up has nothing new to say, and its viewer no room for it."""
        status = self._status()
        if not self._queue.held and self._timing.is_due(status, self._host()):
            self._publish_status(status)

    def _publish_status(self, status: LinkStatus | None = None) -> None:
        status = status or self._status()
        self._timing.published(status, self._host())
        self._publisher.publish(status)

    def _status(self) -> LinkStatus:
        return self._mark(self._recorder.status(self._clock(), self._backlog_ms()))

    def _backlog_ms(self) -> int:
        """How long what was received has waited to be decoded. A replay holds its time instead."""
        oldest = None if self._replay else self._queue.oldest
        return 0 if oldest is None else max(0, self._link.now() - oldest.report.ert) // NS_PER_MS

    def _mark(self, message: M) -> M:
        return message if self._replay is None else self._replay.mark(message)

    def _tell(self, news: ReceiverEvent | UplinkMessage) -> None:
        marked = self._mark(news)
        self._publisher.publish(marked)
        self._board.put(marked)
        log_message(marked)

    def _make_tally(self, severity: Severity, name: str) -> EventThrottle:
        """For what clients can cause as often as they like."""
        return EventThrottle(lambda text: self._say(severity, name, text[:_TOLD_MAX]), self._clock)

    def _say(self, severity: Severity, name: str, text: str) -> None:
        event = EventMessage(severity=severity, source="STATION", name=name, text=text, ert=self._clock())
        with self._turn:
            self._announce(event)

    def _announce(self, news: UplinkMessage) -> None:
        """Keep and publish what the station itself has to say."""
        if not isinstance(news, UplinkStatus):
            self._recorder.note(news)
        self._tell(news)

    def _answer(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        """Answer one request of a viewer. A fault of ours costs one answer, never the reception."""
        try:
            with self._turn:
                return self._answered(request, caller)
        except StationError:
            raise
        except Exception as error:
            show_fault(error)
            kind = type(error).__name__
            self._faults.note(kind, f"{kind} while {describe(request)} was answered: {error}")
            raise StationError(f"a fault of the station itself ({kind}): it may have been carried out") from error

    def _cannot_read(self, why: str, caller: Principal) -> None:
        self._unreadable.note(f"{caller.key}", f"a request of {caller.label('a client')} cannot be read: {why}")

    def _answered(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        try:
            caller.check(request)
        except AccessRefused as error:
            self._forbid(request, caller, error)
            raise
        if isinstance(request, ReplayControl):
            if self._replay is None:
                raise CallerError("this station receives: only a replay can be moved")
            self._replay.obey(request)
            self._publish_status()
            return self._snapshot()
        if isinstance(request, HistoryRequest):
            return self._board.history(request)
        if isinstance(request, ReplayAck | DropReport):
            self._note(request, caller)
            return RequestAccepted(text="noted")
        if isinstance(request, CommandingRequest):
            if self._replay is not None:
                raise CommandRefused("this is a replay: a recording takes no commands")
            return self._desk.answer(request, caller)
        if isinstance(request, StopRequest):
            self._say("ACTIVITY_HI", "STOP_REQUEST", caller.label(request.reason))
            self._stop.set()
        elif not isinstance(request, SnapshotRequest):
            raise CallerError(f"a station does not take {type(request).__name__}")
        return self._snapshot()

    def _note(self, report: ReplayAck | DropReport, caller: Principal) -> None:
        """What a viewer says of what it got."""
        if isinstance(report, DropReport):
            self._viewers.report(report, caller)
            self._publisher.missed = self._viewers.missed
        elif self._replay is not None:
            self._replay.pace.heard(report.messages)
        else:
            raise CallerError("this station receives: it waits for no viewer")

    def _forbid(self, request: AnyMessage, caller: Principal, error: AccessRefused) -> None:
        """Tell of a request that its caller may not make."""
        claimed = ""
        if isinstance(request, CommandingRequest):
            self._desk.refused()
            claimed = request.who[:64]
        self._tally.note(f"request {caller.key}", f"{describe(request)} of {caller.label(claimed)!r}: {error}")

    def _snapshot(self) -> Snapshot:
        return self._mark(self._board.snapshot(self._status(), self._publisher.sequences))
