"""What a station does differently while it replays: it executes replay requests, and marks all that it publishes."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import ClassVar, TypeVar

import msgspec

from groundstation.downlink.receiver import ReceiverEvent
from groundstation.errors import ArchiveError, CallerError, PartlyRead, StationError, StationGone
from groundstation.formats.printable import encodable
from groundstation.links.base import EndOfStream, RecordedMessage
from groundstation.links.replay import ReplayLink
from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.wire import (
    Acknowledgement,
    AnyMessage,
    ContactChange,
    EventMessage,
    Heartbeat,
    LinkStatus,
    PlaybackStatus,
    ReplayAck,
    ReplayControl,
    Snapshot,
    Telemetry,
)
from groundstation.security.endpoints import Endpoints
from groundstation.station.replay.flow_control import AHEAD, ReplayFlowControl
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import Update
from protocols.units import NS_PER_S
from protocols.words import Severity

M = TypeVar("M", bound=AnyMessage)
T = TypeVar("T")
REPLAY_END = "REPLAY_END"
"""Name of the event that says that a replay has come to the end of its recording."""

REPLAY_BROKEN = "REPLAY_BROKEN"
"""Name of the event that says that a replay ends because its recording cannot be read on."""

REPLAY_INCOMPLETE = "REPLAY_INCOMPLETE"
"""Name of the event in place of `REPLAY_END` if something was missing on the way."""

_ENDS: dict[str, type[StationError] | None] = {
    REPLAY_END: None,
    REPLAY_INCOMPLETE: PartlyRead,
    REPLAY_BROKEN: ArchiveError,
}
"""What each of a replay's last events is to who follows it."""

_SKIP_MAX_S = 1e9
_TELL_EVERY = AHEAD // 4
_MARKED = (Telemetry, ContactChange, EventMessage, Acknowledgement, CommandUpdate, Snapshot)
_SAID_KEPT = 4096
"""So many events of the decoding are remembered; the recording has each a moment later, or never."""

_Said = tuple[str, str, int, int | None]


class ReplaySession:
    """Controls a replay, and publishes each of its messages once.

    Everything that was published in the pass is published again once: an event comes either from decoding the bytes
    again, or from the recording. No list of names decides that. A recording has an event always after the bytes that it
    came from, so the decoded one is there first; if the recorded one comes then, it is the same. What decoding cannot
    give (commands, a relay's gap, a full disk, frames before a jump) comes from the recording.

    After a jump it is the other way round: what is decoded only for its context finds lock and limits again, at times
    when the pass had them already. So there the recording alone is believed, up to the place that was jumped to.

    Attributes:
        pace: how far it runs ahead of its viewer.
    """

    def __init__(self, link: ReplayLink, published: Callable[[], int]) -> None:
        """Args: what it moves; how many messages the station has published so far."""
        self.pace = ReplayFlowControl(published, time.monotonic, waiting=link.state().paused)
        self._link = link
        self._jumps = 0
        self._counted_from = 0
        self._context_until = 0
        self._said: deque[_Said] = deque(maxlen=_SAID_KEPT)

    def jumped(self, at: int, until: int) -> None:
        """Decoding restarts from scratch at the place ``at``; what is before ``until`` is its context."""
        self._jumps += 1
        self._counted_from = at
        self._context_until = until
        self._said.clear()

    def says(self, outcome: ReceiverEvent) -> bool:
        """Whether to publish a decoded event."""
        if isinstance(outcome, ContactChange | EventMessage) and outcome.ert < self._context_until:
            return False
        if isinstance(outcome, EventMessage):
            self._said.append(_key(outcome))
        return True

    def is_new(self, news: RecordedMessage) -> bool:
        """Whether the next recorded message is not published yet; to be called once for each."""
        if isinstance(news, ContactChange):
            return news.ert < self._context_until
        if not isinstance(news, EventMessage) or _key(news) not in self._said:
            return True
        self._said.remove(_key(news))
        return False

    def obey(self, order: ReplayControl) -> None:
        """Execute a request.

        Raises:
            ArchiveError: the recording has no index of frames to step by.
            CallerError: the request lacks something, or the recording does not reach so far.
        """
        self.pace.go()
        link = self._link
        orders: dict[str, Callable[[], None]] = {
            "play": lambda: link.play(True),
            "pause": lambda: link.play(False),
            "seek": lambda: link.seek(_given(order.to, "a time to seek")),
            "skip": lambda: link.skip(_nanoseconds(_given(order.seconds, "how many seconds to skip"))),
            "step": lambda: link.step(_some(order.frames)),
            "next": link.next_event,
            "previous": lambda: link.next_event(back=True),
            "loss": link.next_loss,
            "speed": lambda: link.set_speed(_given(order.speed, "a speed")),
        }
        orders[order.action]()

    def mark(self, message: M) -> M:
        """The message as one of a replay."""
        if isinstance(message, LinkStatus):
            return msgspec.structs.replace(
                message, replay=True, detail=self._link.describe(), playback=self._playback()
            )
        if isinstance(message, _MARKED):
            return msgspec.structs.replace(message, replay=True)
        return message

    def _playback(self) -> PlaybackStatus:
        state = self._link.state()
        return PlaybackStatus(
            recording=encodable(self._link.path),
            jumps=self._jumps,
            counted_from=self._counted_from,
            **state._asdict(),
        )


class ReplayClient(StationClient):
    """The viewer that a replay is played for: the replay starts when it has joined, and waits when it is slow."""

    waited_for: ClassVar[bool] = True

    def __init__(self, station: Endpoints, clock: Callable[[], int], *, paused: bool = False) -> None:
        """Prepare; ``paused``: start paused."""
        super().__init__(station, clock)
        self._paused = paused
        self._told = 0

    async def connect(self) -> Snapshot:
        """Join the station, then let it play."""
        snapshot = await super().connect()
        await self._tell()
        if not self._paused:
            await self.request(ReplayControl(action="play"))
            self._paused = True  # a viewer that comes back after a silence finds it as it left it
        return snapshot

    async def messages(self) -> AsyncIterator[Update]:
        """As of every viewer; that the last one was dealt with shows in that the next is asked for."""
        async for update in super().messages():
            yield update
            if self.heard - self._told >= _TELL_EVERY or isinstance(update, Heartbeat):
                await self._tell()

    async def _tell(self) -> None:
        heard = self.heard
        with contextlib.suppress(StationGone):  # `messages` finds a lost station by itself
            await self.request(ReplayAck(messages=heard))
            self._told = heard


def last_words(end: EndOfStream) -> tuple[Severity, str, str]:
    """Severity, name and text of the event that says that a replay is over, and why."""
    if end.fault:
        return "WARNING_HI", REPLAY_BROKEN, f"the replay ends here: {end.fault}"
    if end.lack:
        return "WARNING_HI", REPLAY_INCOMPLETE, f"the recording ends here; it {end.lack}"
    return "ACTIVITY_HI", REPLAY_END, "the recording ends here"


def replay_is_over(message: AnyMessage) -> bool:
    """Whether this is a replay's last message, or a status after it.

    Raises:
        ArchiveError: it is over because its recording cannot be read on.
        PartlyRead: something was missing on the way.
    """
    events = message.events if isinstance(message, Snapshot) else [message]
    last = next((e for e in events if isinstance(e, EventMessage) and e.name in _ENDS), None)
    if last is not None and (error := _ENDS[last.name]) is not None:
        raise error(last.text)
    return last is not None


def _key(event: EventMessage) -> _Said:
    """What makes an event this one. Its text is left out: another version may say the same in other words."""
    return event.source, event.name, event.ert, event.scet


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
