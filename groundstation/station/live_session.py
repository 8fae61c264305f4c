"""A session that receives: from the reader threads of its links to the recording and the viewers, and commands back.

Rules:
1. The reader thread archives every report before anything else looks at it.
2. It then decodes it, if the event loop is idle and it is not much; else the loop does (`ingest_queue`). What does not
   fit into the queue is archived all the same, and counted as an overrun.
3. Each event is published as soon as it is decoded; the command server follows after that, to keep telemetry latency
   low.
4. If no report of a link comes (the port is gone, or the reader hangs), the loop lets time pass by the host's clock, so
   that a loss is declared even then.
5. A fault in decoding ends the station, in whichever thread it was: it must not run on without decoding.
6. At the end the links are stopped first, then what waits is decoded, for a bounded time; then the uplink is closed,
   and the recording last: it has all that was published before.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial

from groundstation.downlink.receiver import Receiver
from groundstation.errors import CallerError
from groundstation.host.wakeup import LoopWakeup
from groundstation.links.base import Chunk, Clock, Report, TransportChange
from groundstation.links.link_set import LinkSet
from groundstation.messages.commanding import CommandingRequest, UplinkStatus
from groundstation.messages.wire import AnyMessage, EventMessage, LinkStatus, ReplayAck, ReplayControl
from groundstation.recordings.writer import ArchiveWriter
from groundstation.security.authorization import Principal
from groundstation.station.command_server import TICK_S, CommandServer, UplinkMessage
from groundstation.station.ingest_queue import QUEUE_LIMIT, IngestQueue
from groundstation.station.monitoring.health import HealthMonitor
from groundstation.station.publisher import LAST_MESSAGES_S, Publisher
from groundstation.station.recorder import ArchivedReport, ArchivingReceiver, NoArchive
from groundstation.station.session import STATUS_LOOK_S, Session, every
from groundstation.station.shutdown import RECORDING_CLOSED, RECORDING_INCOMPLETE, GracefulShutdown
from groundstation.station.snapshot import SnapshotCache
from groundstation.uplink.service import Uplink
from protocols.units import NS_PER_MS
from protocols.words import Severity

_WATCH_S = 0.05
_SILENT_READER_NS = 1000 * NS_PER_MS
_SLICE_S = 0.05
"""Decoding yields to viewers at least this often."""

DRAIN_S = 2.0
"""How long a station that stops still decodes."""

_DECODE_AT_ONCE = 1024
"""Bytes of a read that the reader thread decodes itself; more at once means that it has fallen behind."""


class LiveSession(Session):
    """One spacecraft received, over one link or several, recorded and commanded."""

    def __init__(
        self,
        links: LinkSet,
        receiver: Receiver,
        archive: ArchiveWriter | NoArchive,
        path: str | None,
        uplink: Uplink,
        publisher: Publisher,
        snapshot: SnapshotCache,
        clock: Clock,
        wall: Clock,
    ) -> None:
        """Prepare.

        Args:
            links: where the bytes come from, and the commands go.
            receiver: decodes them; it knows of the same links.
            archive: the recording, open; the session closes it.
            path: of the recording; None to keep nothing.
            uplink: of the spacecraft.
            publisher: where to publish.
            snapshot: what viewers get that join late.
            clock: the station's time, which is never set.
            wall: the host's clock.
        """
        super().__init__(publisher, snapshot, clock, clock)
        self._links = links
        self._receiver = receiver
        self._archive = archive
        self._path = path
        self._wall = wall
        self._recorder = ArchivingReceiver(receiver, archive, path)
        self._commands = CommandServer(
            uplink, snapshot.losses, links.write, self.record_and_publish, clock, wall, self.lock
        )
        self._health = HealthMonitor(receiver.profile.cadu_length)
        self._queue = IngestQueue(QUEUE_LIMIT)
        self._arrived = LoopWakeup()
        self._fault: BaseException | None = None
        self._last_reports = [clock()] * len(links)

    def start(self) -> None:
        """Say so, and start the links."""
        self.report("ACTIVITY_HI", "STATION_START", f"recording to {self._path or 'nothing'}")
        self._last_reports = [self._clock()] * len(self._links)
        self._links.start(partial(self._ingest, asyncio.get_running_loop()))

    async def run(self) -> None:
        """Decode, watch and command until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(every(STATUS_LOOK_S, self.lock, self.publish_status_if_due))
            tasks.create_task(every(_WATCH_S, self.lock, self._watch))
            tasks.create_task(self._commands.transmit())
            tasks.create_task(every(TICK_S, self.lock, self._commands.tick))

    def stop(self) -> None:
        """Stop the links, decode what waits, and give up the commands that are under way."""
        self._links.stop()
        self._drain()
        with self.lock:
            for outcome in self._recorder.finish():
                self.publish(outcome)
        self._commands.close()
        self.report("ACTIVITY_HI", "STATION_STOP", "the recording ends")
        self.publish_status()

    async def close(self, shutdown: GracefulShutdown) -> str | None:
        """Close the recording; the last message of all to viewers is how complete it is."""
        closed = False
        try:
            await shutdown.close(self._path or "the recording", self._archive.close)
            closed = True
        finally:
            if self._path is not None:
                self._publisher.publish(self._last_event(closed))
                await asyncio.sleep(LAST_MESSAGES_S)
        return None if self._archive.shortfall is None else str(self._archive.shortfall)

    def execute(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        """Execute a commanding request; others are those of a replay, or unknown."""
        if isinstance(request, CommandingRequest):
            return self._commands.answer(request, caller)
        if isinstance(request, ReplayControl):
            raise CallerError("this station receives: only a replay can be moved")
        if isinstance(request, ReplayAck):
            raise CallerError("this station receives: it waits for no viewer")
        raise CallerError(f"a station does not take {type(request).__name__}")

    def refused(self, request: AnyMessage) -> None:
        """Count a commanding request that its client may not make."""
        if isinstance(request, CommandingRequest):
            self._commands.refused()

    def record_and_publish(self, message: UplinkMessage) -> None:
        """Record a message, unless it is a mere status; then publish it."""
        with self.lock:
            if not isinstance(message, UplinkStatus):
                self._recorder.record(message)
            self.publish(message)

    def status(self) -> LinkStatus:
        """The link and the recording as they stand now."""
        oldest = self._queue.oldest
        now = 0 if oldest is None else self._links.now(_link_of(oldest.report))
        backlog_ms = 0 if oldest is None else max(0, now - oldest.report.ert) // NS_PER_MS
        return self._recorder.status(self._clock(), backlog_ms)

    def _ingest(self, loop: asyncio.AbstractEventLoop, report: Report) -> None:
        """In the reader thread: archive, then decode or hand over."""
        kept = self._recorder.keep(report)
        if self._may_decode(report) and self.lock.try_acquire():
            try:
                self._process(kept)
            except BaseException as error:
                self._fault = error
                self._arrived.ring(loop)
                raise
            finally:
                self.lock.release()
        else:
            self._queue.put(kept)
            self._arrived.ring(loop)

    def _may_decode(self, report: Report) -> bool:
        """Whether the reader thread has the time: nothing waits before this, and it is not much."""
        return (not isinstance(report, Chunk) or len(report.data) < _DECODE_AT_ONCE) and self._queue.empty

    async def _receive(self) -> None:
        while True:
            await self._arrived.heard()
            if self._fault is not None:
                raise self._fault
            while not self._process_batch():
                await asyncio.sleep(0)

    def _process(self, kept: ArchivedReport) -> None:
        self._last_reports[_link_of(kept.report)] = self._clock()
        outcomes = self._recorder.decode(kept, self.publish)
        transport = kept.report if self._links.is_for_commands(kept.report) else None
        self._commands.follow(transport, self._receiver.ocfs, outcomes)
        if isinstance(kept.report, TransportChange):
            self.publish_status()

    def _process_batch(self) -> bool:
        """Decode what waits, for a while; False: more waits. Viewers are answered in between, late or not."""
        until = time.monotonic() + _SLICE_S
        with self.lock:
            overrun = self._queue.take_overrun()
            if overrun:
                self._recorder.overrun(overrun)
                self.report(
                    "WARNING_HI", "OVERRUN", f"{overrun} reads were archived but not decoded: they came too fast"
                )
            while (kept := self._queue.take()) is not None:
                self._process(kept)
                if time.monotonic() >= until:
                    return self._queue.empty
        return True

    def _drain(self) -> None:
        """Decode what still waits; a station that has fallen far behind must come to an end all the same."""
        until = time.monotonic() + DRAIN_S
        while not self._process_batch():
            if time.monotonic() > until:
                left = self._queue.give_up()
                self._recorder.overrun(left)
                self.report("WARNING_HI", "OVERRUN", f"the last {left} reads were archived and not decoded")

    def _watch(self) -> None:
        """Let time pass when a reader reports nothing; report what is wrong around the station."""
        now = self._clock()
        for link, last in enumerate(self._last_reports):
            if now - last > _SILENT_READER_NS or not self._receiver.is_connected(link):
                for outcome in self._recorder.stalled(self._links.now(link), link):
                    self.publish(outcome)
        missing = str(self._archive.missing or "")
        ahead = self._wall() - self._clock()
        for event in self._health.look(self._clock(), self._archive.error, missing, ahead, self._receiver.counters()):
            self.report(*event)

    def _last_event(self, closed: bool) -> EventMessage:
        lack = self._archive.shortfall
        text = str(lack) if lack is not None else "closed" if closed else "not closed: the disk does not answer"
        name = RECORDING_CLOSED if closed and lack is None else RECORDING_INCOMPLETE
        severity: Severity = "ACTIVITY_HI" if name == RECORDING_CLOSED else "WARNING_HI"
        return EventMessage(severity=severity, source="STATION", name=name, text=text, ert=self._clock())


def _link_of(report: Report) -> int:
    """The place of a report's link."""
    return getattr(report, "link", None) or 0
