"""A session that plays a recording: it decodes the bytes again, and executes requests to pause, seek and step.

Rules:
1. Time is the recording's, and stands still while the viewer that it is played for does not keep up (`flow_control`).
2. Every message is marked as one of a replay, and published once, from the bytes or from the recording
   (`message_filter`).
3. After a jump nothing of before may mix with what comes: receiver and snapshot are new ones. The status is published
   first: what follows is of another place. Only the checks of value quality know what came before that place in the
   recording: they judge by the past, and say the same as live.
4. Nothing is recorded, and no command is taken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from groundstation.downlink.receiver import Receiver
from groundstation.errors import CallerError, CommandRefused
from groundstation.formats.printable import encodable
from groundstation.host.wakeup import LoopWakeup
from groundstation.links.base import Clock, EndOfStream, ReplayedMessage, ReplayJump, Report, TransportChange
from groundstation.links.replay import ReplayLink
from groundstation.messages.commanding import CommandingRequest, CommandUpdate, RequestAccepted
from groundstation.messages.wire import (
    Acknowledgement,
    AnyMessage,
    ContactChange,
    EventMessage,
    LinkStatus,
    PlaybackStatus,
    ReplayAck,
    ReplayControl,
    Snapshot,
    Telemetry,
)
from groundstation.security.authorization import Principal
from groundstation.station.command_server import UplinkMessage
from groundstation.station.ingest_queue import QUEUE_LIMIT, IngestQueue
from groundstation.station.publisher import Publisher
from groundstation.station.recorder import ArchivedReport
from groundstation.station.replay.flow_control import ReplayFlowControl
from groundstation.station.replay.message_filter import ReplayFilter
from groundstation.station.session import STATUS_LOOK_S, M, Session, every
from groundstation.station.shutdown import GracefulShutdown
from groundstation.station.snapshot import SnapshotCache
from groundstation.viewer.replay_client import REPLAY_BROKEN, REPLAY_END, REPLAY_INCOMPLETE
from protocols.units import NS_PER_S
from protocols.words import Severity

_SKIP_MAX_S = 1e9
_MARKED = (Telemetry, ContactChange, EventMessage, Acknowledgement, CommandUpdate, Snapshot)

T = TypeVar("T")


class ReplaySession(Session):
    """One recording, played."""

    def __init__(
        self,
        link: ReplayLink,
        make_receiver: Callable[[], Receiver],
        make_snapshot: Callable[[], SnapshotCache],
        publisher: Publisher,
        steady: Clock,
    ) -> None:
        """Prepare.

        Args:
            link: the recording.
            make_receiver: a new receiver: decoding starts from scratch, now and at every jump.
            make_snapshot: a new snapshot, likewise.
            publisher: where to publish.
            steady: the host's time, which is never set: the recording's stands and jumps.
        """
        super().__init__(publisher, make_snapshot(), link.now, steady)
        self._link = link
        self._make_receiver = make_receiver
        self._make_snapshot = make_snapshot
        self._receiver = make_receiver()
        self._filter = ReplayFilter()
        self._flow = ReplayFlowControl(lambda: publisher.published, time.monotonic, waiting=link.state().paused)
        self._queue = IngestQueue(QUEUE_LIMIT)
        self._arrived = LoopWakeup()
        self._stopping = False
        self._jumps = 0
        self._counted_from = 0

    def start(self) -> None:
        """Say so, and start to play."""
        self.report("ACTIVITY_HI", "STATION_START", "recording to nothing: this is a replay")
        self._link.start(partial(self._ingest, asyncio.get_running_loop()))

    async def run(self) -> None:
        """Decode and publish what is played, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(every(STATUS_LOOK_S, self.lock, self.publish_status_if_due))

    def stop(self) -> None:
        """Stop the recording; what waits to be decoded is left."""
        self._stopping = True
        self._link.stop()
        self.report("ACTIVITY_HI", "STATION_STOP", "the replay ends")
        self.publish_status()

    async def close(self, shutdown: GracefulShutdown) -> str | None:
        """Nothing to close, and nothing is lacking."""
        return None

    def execute(self, request: AnyMessage, caller: Principal) -> AnyMessage:
        """Execute a request of a replay's viewer.

        Raises:
            ArchiveError: the recording has no index of frames to step by.
            CallerError: the request lacks something, or the recording does not reach so far.
            CommandRefused: it commands the spacecraft.
        """
        if isinstance(request, ReplayControl):
            self._control(request)
            self.publish_status()
            return self.snapshot()
        if isinstance(request, ReplayAck):
            self._flow.heard(request.messages)
            return RequestAccepted(text="noted")
        if isinstance(request, CommandingRequest):
            raise CommandRefused("this is a replay: a recording takes no commands")
        raise CallerError(f"a station does not take {type(request).__name__}")

    def refused(self, request: AnyMessage) -> None:
        """Nothing to count: a recording has no uplink."""

    def record_and_publish(self, message: UplinkMessage) -> None:
        """Publish a message: nothing is recorded."""
        with self.lock:
            self.publish(message)

    def status(self) -> LinkStatus:
        """The link as it stands now, and where the recording is played."""
        status = self._receiver.status(self._clock(), None, True)
        return msgspec.structs.replace(status, replay=True, detail=self._link.describe(), playback=self._playback())

    def publish_status_if_due(self) -> None:
        """A replay that is held up has nothing new to say, and its viewer no room for it."""
        if not self._queue.held:
            super().publish_status_if_due()

    def _mark(self, message: M) -> M:
        return msgspec.structs.replace(message, replay=True) if isinstance(message, _MARKED) else message

    def _ingest(self, loop: asyncio.AbstractEventLoop, report: Report) -> None:
        """In the recording's reader thread, which can wait."""
        self._queue.wait_for_room(lambda: self._stopping)
        self._queue.put(ArchivedReport(report, 0))
        self._arrived.ring(loop)

    async def _receive(self) -> None:
        while True:
            await self._arrived.heard()
            await self._flow.play(self._queue, self._process)

    def _process(self, kept: ArchivedReport) -> None:
        report = kept.report
        if isinstance(report, ReplayedMessage):
            if self._filter.is_unseen(report.message):
                self.publish(report.message)
            return
        if isinstance(report, ReplayJump):
            self._restart(report)
        for outcome in self._receiver.events(report):
            if self._filter.should_publish(outcome):
                self.publish(outcome)
        if isinstance(report, TransportChange | EndOfStream):
            self.publish_status()
        if isinstance(report, EndOfStream):
            self.report(*_end_event(report))

    def _restart(self, jump: ReplayJump) -> None:
        """Decode from scratch at the place that was jumped to."""
        self._jumps += 1
        self._counted_from = jump.ert
        self._filter.jumped(jump.until)
        self._snapshot = self._make_snapshot()
        self._receiver = self._make_receiver()
        if jump.before and self._receiver.dictionary.checks:
            earlier = self._make_receiver()
            for report in jump.before:
                earlier.process(report)
            self._receiver.judge_on_from(earlier)
        self.publish_status()

    def _control(self, request: ReplayControl) -> None:
        self._flow.go()
        link = self._link
        actions: dict[str, Callable[[], None]] = {
            "play": lambda: link.play(True),
            "pause": lambda: link.play(False),
            "seek": lambda: link.seek(_given(request.to, "a time to seek")),
            "skip": lambda: link.skip(_nanoseconds(_given(request.seconds, "how many seconds to skip"))),
            "step": lambda: link.step(_some(request.frames)),
            "next": link.next_event,
            "previous": lambda: link.next_event(back=True),
            "loss": link.next_loss,
            "speed": lambda: link.set_speed(_given(request.speed, "a speed")),
        }
        actions[request.action]()

    def _playback(self) -> PlaybackStatus:
        return PlaybackStatus(
            recording=encodable(self._link.path),
            jumps=self._jumps,
            counted_from=self._counted_from,
            **self._link.state()._asdict(),
        )


def _end_event(end: EndOfStream) -> tuple[Severity, str, str]:
    """Severity, name and text of the event that says that a replay is over, and why."""
    if end.fault:
        return "WARNING_HI", REPLAY_BROKEN, f"the replay ends here: {end.fault}"
    if end.lack:
        return "WARNING_HI", REPLAY_INCOMPLETE, f"the recording ends here; it {end.lack}"
    return "ACTIVITY_HI", REPLAY_END, "the recording ends here"


def _nanoseconds(seconds: float) -> int:
    if not abs(seconds) <= _SKIP_MAX_S:
        raise CallerError(f"invalid skip of {seconds:g} s: up to {_SKIP_MAX_S:g} s, on or back")
    return round(seconds * NS_PER_S)


def _some(frames: int) -> int:
    if not frames:
        raise CallerError("a step goes at least one frame, on or back")
    return frames


def _given(value: T | None, what: str) -> T:
    if value is None:
        raise CallerError(f"the request lacks {what}")
    return value
