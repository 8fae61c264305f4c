"""What a viewer knows of a pass: messages folded into a plain state.

Nothing here draws, waits or reads a clock: ``now`` (host nanoseconds) is an argument. Five rules:

- A value is fresh, stale or was never received, and these are three different things. At LOS values freeze and
  age; they are never cleared.
- A station that is gone leaves the link *unknown*, which is not a loss of signal.
- A message is as old as it is: one that came late counts from when it was published (`lag`), and from a second on all
  that is shown is stale.
- What the viewer missed (display gaps) is counted apart from what the link lost (link gaps).
- Ages of a replay are the recording's: they stand while it is paused, and a jump leaves nothing behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from groundstation.messages.base import Value
from groundstation.messages.commanding import CommandUpdate, UplinkStatus
from groundstation.messages.losses import LossBook
from groundstation.messages.usable import UsableTally
from groundstation.messages.wire import (
    LATE_NS,
    Acknowledgement,
    AnyMessage,
    ChannelStatus,
    ContactChange,
    DisplayInfo,
    EventMessage,
    LinkStatus,
    LossStatus,
    LosVerdict,
    MilestoneInfo,
    ParameterInfo,
    PlaybackStatus,
    RelayInfo,
    SignalState,
    Snapshot,
    Telemetry,
    ValueQuality,
    ViewInfo,
)
from groundstation.viewer.command_history import CommandHistory
from groundstation.viewer.flight import Flight, Key, tells_restart
from groundstation.viewer.history import (
    LOGGED_STATES,
    Log,
    LogEntry,
    entry_of_acknowledgement,
    entry_of_command,
    entry_of_contact,
    entry_of_event,
)
from groundstation.viewer.lag import LagMeter
from groundstation.viewer.pass_clock import PassClock
from groundstation.viewer.sequences import SequenceStatus, SequenceTracker
from protocols.item_names import declared_name, repeated_in
from protocols.units import NS_PER_MIN, NS_PER_MS, NS_PER_S
from protocols.words import LimitState

STALE_TOLERANCE = 3
STALE_FLOOR_NS = 500 * NS_PER_MS
STATION_GONE_NS = 2 * NS_PER_S
RESTART_NEWS_NS = NS_PER_MIN

Freshness = Literal["FRESH", "STALE", "NEVER"]
ShownSignal = SignalState | Literal["UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A parameter as it may be shown: ``value`` is None where none was received or the last is not valid.

    ``quality``: what is wrong with it; None: nothing, or no check looks at it.
    """

    info: ParameterInfo
    value: Value | None
    limit: LimitState
    valid: bool
    freshness: Freshness
    age_ns: int
    quality: ValueQuality | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of signal as it is shown.

    Attributes:
        since: when the channel's last good frame came, in the time of what is shown.
        last: what was last known.
        acknowledged: by whom and when; None: not acknowledged.
        regained: the change with which it ended; None: it lasts.
    """

    vcid: int | None
    channel: str
    since: int
    verdict: LosVerdict
    last: tuple[Reading, ...] = ()
    acknowledged: Acknowledgement | None = None
    regained: ContactChange | None = None


@dataclass(frozen=True, slots=True)
class _Noticed:
    """What this viewer knows of a loss beside its verdict. ``declared_ert`` tells which."""

    declared_ert: int
    since: int
    last: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    value: Value | None
    limit: LimitState
    valid: bool
    vcid: int
    at: int
    run: int
    quality: ValueQuality | None


class PassModel:
    """State of one pass as one viewer has it."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.parameters: dict[Key, ParameterInfo] = {}
        self._repeated: dict[str, frozenset[str]] = {}
        self.timeline: list[MilestoneInfo] = []
        self.mission_events: list[MilestoneInfo] = []
        self.relays: list[RelayInfo] = []
        self.link: LinkStatus | None = None
        self.channels: dict[int, ChannelStatus] = {}
        self.signals: dict[int | None, SignalState] = {}
        self.alarms = 0
        self.flight = Flight(())
        self.display = DisplayInfo()
        self.replay = False
        self.commanding = CommandHistory()
        self.log = Log()
        self.gaps = SequenceTracker()
        self.usable = UsableTally()
        self._counted_flight = 0
        self._periods: dict[str, int] = {}
        self._values: dict[Key, _Held] = {}
        self._stamps: dict[str, int] = {}
        self._book = LossBook()
        self._noticed: dict[int | None, _Noticed] = {}
        self._pass_clock = PassClock()
        self._meter = LagMeter()
        self._heard: int | None = None
        self._lost_since: int | None = None
        self._run = 0
        self.restarted_at: int | None = None

    # ------------------------------------------------------------------------------------------- folding

    def apply(self, message: AnyMessage, now: int) -> None:
        """Fold one message in. Requests and refusals are not state and change nothing."""
        self._heard, self._lost_since = now, None
        if isinstance(message, Snapshot):
            if self._is_other_station(message):
                self._meter.restart()
            self._apply_snapshot(message, now - self._meter.take(message.sent, now))
        elif message.seq == 0 or self.gaps.place(message) is not SequenceStatus.DUPLICATE:
            self._apply_news(message, now - self._meter.take(message.sent, now))

    def station_lost(self, since: int) -> None:
        """The source noticed that the station is gone, before the heartbeat would tell."""
        self._lost_since = since

    def obeyed(self, answer: Snapshot, now: int) -> None:
        """A replay executed a request; the rest of the answer comes in its order with what is published."""
        self._pass_clock.obeyed(answer.link.playback, now)

    def acknowledged(self, until: int, who: str) -> None:
        """The station took ``who``'s acknowledgement: it need not be waited for. The station's word of it follows."""
        news = self._book.acknowledge(who, until, until)
        if news is not None:
            self._book.take(news)

    def _apply_news(self, message: AnyMessage, now: int) -> None:
        if isinstance(message, Telemetry):
            self._apply_telemetry(message, now)
            self.flight.add(message, self._periods)
            if self.flight.number != self._counted_flight:
                self.usable, self._counted_flight = UsableTally(self.display.phase), self.flight.number
            self.usable.take(message)
        elif isinstance(message, LinkStatus):
            self._apply_link(message, now)
        elif isinstance(message, ContactChange):
            self.log.add(entry_of_contact(message))
            self._apply_contact(message, now)
        elif isinstance(message, EventMessage):
            self.log.add(entry_of_event(message))
            if tells_restart(message):
                self.flight.restarted()
        elif isinstance(message, Acknowledgement):
            self.log.add(entry_of_acknowledgement(message))
            self._book.take(message)
        elif isinstance(message, CommandUpdate):
            self._apply_command(message)
        elif isinstance(message, UplinkStatus):
            self.commanding.follow(message, now)

    def _apply_snapshot(self, snapshot: Snapshot, now: int) -> None:
        restarted = self._is_other_station(snapshot)
        if restarted and self.snapshot is not None:
            self._restart(self.snapshot, snapshot, now)
        if self._pass_clock.follow(snapshot.link.playback, self._heard or now):
            self._jump()
        self.snapshot = snapshot
        self.parameters = {(info.packet, info.name): info for info in snapshot.parameters}
        self._repeated = _repeated_parts(snapshot.parameters)
        self._periods = {info.packet: info.period_ms for info in snapshot.parameters}
        self.display = snapshot.display
        self.flight.plot(self.curves)
        self.timeline = sorted(snapshot.timeline, key=lambda milestone: milestone.scet)
        self.relays = snapshot.relays
        self.mission_events = sorted(snapshot.mission_events, key=lambda event: event.scet)
        if restarted:
            self.gaps = SequenceTracker()
        self.gaps.adopt(snapshot.sequences, resumed=not restarted)
        news: list[EventMessage | ContactChange | Acknowledgement] = [
            *snapshot.events,
            *snapshot.contacts,
            *snapshot.acknowledgements,
        ]
        self.log.merge([*map(_entry, news), *_ordered(snapshot.commands)], restarted=restarted)
        for telemetry in snapshot.telemetry:
            self._apply_telemetry(telemetry, now - max(0, snapshot.link.ert - telemetry.ert))
        self.flight.adopt(snapshot.flight, snapshot.clock, snapshot.clock_vcid)
        self.usable, self._counted_flight = UsableTally(self.display.phase), self.flight.number
        self.usable.adopt(snapshot.usable)
        self._apply_link(snapshot.link, now)
        self._book.adopt(snapshot.losses)
        for loss in snapshot.losses:
            self._notice(loss, snapshot.link.ert, now, replay=snapshot.replay)
        self.commanding.adopt(snapshot.commands)
        if snapshot.uplink is not None:
            self.commanding.follow(snapshot.uplink, now - max(0, snapshot.link.ert - snapshot.uplink.ert))
        self.replay = self.replay or snapshot.replay

    def _restart(self, old: Snapshot, new: Snapshot, now: int) -> None:
        """Another run of the station: what it says mixes with nothing of before, which stays as far as it is known."""
        self._run += 1
        self.restarted_at = now
        self.flight.restart()
        self.signals, self.channels, self.commanding, self._noticed = {}, {}, CommandHistory(), {}
        text = f"station {new.station} was started again (pid {old.pid}, now {new.pid}): what it knew before is stale"
        self.log.add(LogEntry(new.started, None, "WARNING_HI", "VIEWER", "STATION_RESTARTED", text, new.replay))

    def _is_other_station(self, snapshot: Snapshot) -> bool:
        old = self.snapshot
        return old is None or (old.station, old.pid, old.started) != (
            snapshot.station,
            snapshot.pid,
            snapshot.started,
        )

    def _apply_command(self, news: CommandUpdate) -> None:
        self.commanding.take(news)
        if news.state != news.previous and news.state in LOGGED_STATES:
            self.log.add(entry_of_command(news))

    def _apply_telemetry(self, message: Telemetry, now: int) -> None:
        if message.late and message.scet <= self._stamps.get(message.packet, message.scet - 1):
            return  # what is shown is newer
        self._stamps[message.packet] = message.scet
        at = message.ert if message.replay else now - self._backlog()
        bad = message.bad or {}
        for name, value in message.values.items():
            valid = name not in message.invalid
            held = _Held(value, message.limits.get(name, "GREEN"), valid, message.vcid, at, self._run, bad.get(name))
            self._values[message.packet, name] = held
        self.replay = message.replay

    def _apply_link(self, message: LinkStatus, now: int) -> None:
        if self._pass_clock.follow(message.playback, self._heard or now):  # a replay's time waits for its viewer
            self._jump()
        self.link, self.replay = message, message.replay
        self.signals[None] = message.state
        for channel in message.channels:
            known = self.channels.get(channel.vcid)
            if channel.last_scet is not None and known is not None and known.last_scet != channel.last_scet:
                self.flight.follow_status(channel.last_scet, channel.vcid)
            self.channels[channel.vcid] = channel
            self.signals[channel.vcid] = channel.state

    def _jump(self) -> None:
        """A replay seeks: what was received before is not its context."""
        self.log, self._values, self._stamps, self.signals, self.channels = Log(), {}, {}, {}, {}
        self._book, self._noticed = LossBook(), {}
        self.commanding = CommandHistory()
        self.flight.jump()
        self.usable = UsableTally(self.display.phase)

    def _apply_contact(self, change: ContactChange, now: int) -> None:
        self.signals[change.vcid] = change.state
        if change.verdict is not None and not change.revised:
            self.flight.lose(change.verdict)
        self._book.take(change)
        for loss in self._book.losses:
            self._notice(loss, change.ert, now, replay=change.replay)

    def _notice(self, loss: LossStatus, ert: int, now: int, *, replay: bool) -> None:
        """Keep what was last known before a loss that is new here; ``ert`` is the station's time at ``now``."""
        known, verdict = self._noticed.get(loss.vcid), loss.verdict
        if known is not None and known.declared_ert == verdict.declared_ert:
            return
        since = verdict.last_ert if replay else now - max(0, ert - verdict.last_ert)
        last: tuple[Reading, ...] = ()
        if loss.regained is None:
            last = tuple(self.reading(key, now) for key in self.plotted if key in self._values)
        self._noticed[loss.vcid] = _Noticed(verdict.declared_ert, since, last)
        self.alarms += loss.acknowledged is None and not replay

    # ------------------------------------------------------------------------------------------- asking

    @property
    def clock(self) -> int | None:
        """The mission's time."""
        return self.flight.clock

    def restarted_ns(self, now: int) -> int | None:
        """How long ago the station was started again, for as long as that is news."""
        if self.restarted_at is None or now - self.restarted_at > RESTART_NEWS_NS:
            return None
        return max(0, now - self.restarted_at)

    @property
    def losses(self) -> dict[int | None, Loss]:
        """The last loss of every channel (None: of the link), acknowledged or not, ended or not."""
        return {status.vcid: self._loss(status) for status in self._book.losses}

    @property
    def open_until(self) -> int | None:
        """When the last unacknowledged loss was declared; None if there is none. A replay has none."""
        pending = [loss.verdict.declared_ert for loss in self._book.losses if loss.acknowledged is None]
        return max(pending) if pending and not self.replay else None

    def _loss(self, status: LossStatus) -> Loss:
        noticed = self._noticed[status.vcid]
        return Loss(
            vcid=status.vcid,
            channel=status.channel,
            since=noticed.since,
            verdict=status.verdict,
            last=noticed.last,
            acknowledged=status.acknowledged,
            regained=status.regained,
        )

    @property
    def playback(self) -> PlaybackStatus | None:
        """Where a replay stands; None: what is shown is live."""
        return self._pass_clock.playback

    def pass_time(self, now: int) -> int:
        """The time of what is shown: host time, or that of the recording that is played.

        That one stands while the station that plays it is gone.
        """
        if self.playback is not None and self._heard is not None:
            now = min(now, self._heard + STATION_GONE_NS)
        return self._pass_clock.at(now)

    def age(self, since: int, now: int) -> int:
        """How long ago something was, in the time of what is shown."""
        return max(0, self.pass_time(now) - since)

    @property
    def packets(self) -> list[str]:
        """The packets this station knows, in its own order, then any that arrived undeclared."""
        return list(dict.fromkeys([key[0] for key in (*self.parameters, *self._values)]))

    @property
    def plotted(self) -> list[Key]:
        """The parameters with a curve."""
        return [(plot.packet, plot.name) for plot in self.display.plots]

    @property
    def views(self) -> list[ViewInfo]:
        """What can be shown, in the order of the keys; a station that declares no views has one."""
        display = self.display
        return display.views or [ViewInfo(name="telemetry", packets=display.packets, plots=display.plots)]

    @property
    def curves(self) -> list[Key]:
        """All parameters with a curve in any view, those shown first in front."""
        plots = [plot for view in self.views for plot in view.plots]
        return list(dict.fromkeys([*self.plotted, *((plot.packet, plot.name) for plot in plots)]))

    def last_scet(self, packet: str) -> int | None:
        """The onboard time of a packet's last values."""
        return self._stamps.get(packet)

    def keys(self, packet: str) -> list[Key]:
        """The parameters of a packet in the station's order, then the items of repeated ones that arrived."""
        keys = dict.fromkeys((*self.parameters, *self._values))
        return [key for key in keys if key[0] == packet and "[]" not in key[1]]

    def reading(self, key: Key, now: int) -> Reading:
        """A parameter as it may be shown now."""
        info = self._info(key)
        held = self._values.get(key)
        if held is None:
            return Reading(info, None, "GREEN", True, "NEVER", 0)
        age = self.age(held.at, now)
        frozen = held.run != self._run or self.signal(held.vcid, now) in ("LOS", "UNKNOWN")
        late = age > max(info.period_ms * NS_PER_MS * STALE_TOLERANCE, STALE_FLOOR_NS)
        freshness: Freshness = "STALE" if frozen or late or self.is_late(now) else "FRESH"
        value = held.value if held.valid else None
        return Reading(info, value, held.limit, held.valid, freshness, age, held.quality if held.valid else None)

    def _info(self, key: Key) -> ParameterInfo:
        """What is declared of a parameter; of the item of a repeated one, ``points[3].x``, what is of all."""
        info = self.parameters.get(key)
        if info is not None:
            return info
        info = self.parameters.get((key[0], declared_name(key[1], self._repeated.get(key[0], ()))))
        return _undeclared(key) if info is None else msgspec.structs.replace(info, name=key[1])

    def gone_ns(self, now: int) -> int | None:
        """For how long the station has been gone, or None while it is there."""
        if self._lost_since is not None:
            return max(0, now - self._lost_since)
        if self._heard is None or now - self._heard < STATION_GONE_NS:
            return None
        return now - self._heard

    def behind_ns(self, now: int) -> int:
        """How old what is shown is: on its way, in a queue, or because nothing follows. A replay that waits is not."""
        return self._meter.age(now) + self._backlog()

    def compare_clocks(self, sent: int, now: int) -> None:
        """An answer of the station that is not shown came at ``now``: it says what its clock was."""
        self._meter.compare(sent, now)

    def is_late(self, now: int) -> bool:
        """Whether what is shown is too old to be called live."""
        return self._heard is not None and self.behind_ns(now) >= LATE_NS

    def is_current(self, now: int) -> bool:
        """Whether the station is there, and what is shown no older than it may be."""
        return self._heard is not None and not self.is_late(now) and self.gone_ns(now) is None

    def is_live(self, now: int) -> bool:
        """Whether what is shown happens now."""
        return not self.replay and self.is_current(now)

    def lag_ns(self, now: int) -> int:
        """`behind_ns` as it is shown: a moment without messages is not lag until it makes what is shown late."""
        return self.behind_ns(now) if self.is_late(now) else self._meter.lag + self._backlog()

    def armed_ns(self, now: int) -> int | None:
        """How long critical commands are allowed; None if they are not, or if that is unknown: the station is gone."""
        return None if self.gone_ns(now) is not None else self.commanding.armed_ns(now)

    def _backlog(self) -> int:
        return 0 if self.link is None else self.link.backlog_ms * NS_PER_MS

    def signal(self, vcid: int | None, now: int) -> ShownSignal:
        """State of a channel (None: the link); unknown while the station is gone."""
        if self.gone_ns(now) is not None:
            return "UNKNOWN"
        return self.signals.get(vcid, "NO_SIGNAL")

    def value(self, key: Key) -> Value | None:
        """The newest value of a parameter; None if none came, or it means nothing."""
        held = self._values.get(key)
        return None if held is None else held.value

    def due_from(self, vcid: int) -> int | None:
        """From when (SCET) a channel is expected that is not yet, by the mission's clock; None: it is expected."""
        channel = self.channels.get(vcid)
        begin = None if channel is None or channel.frames else channel.expected_from
        clock = self.clock
        return begin if begin is not None and (clock is None or clock < begin) else None

    def packet_vcid(self, packet: str) -> int | None:
        """The channel a packet last came over."""
        return next((held.vcid for key, held in self._values.items() if key[0] == packet), None)

    def mission_elapsed(self) -> int | None:
        """Nanoseconds of mission time since the milestone that it counts from: for Mars 6 atmospheric entry."""
        zero = self.milestone(self.display.zero)
        if zero is None or self.clock is None:
            return None
        return self.clock - zero.scet

    def milestone(self, name: str) -> MilestoneInfo | None:
        """A planned moment by its name."""
        return next((milestone for milestone in self.timeline if milestone.name == name), None)

    def clock_frozen(self, now: int) -> bool:
        """Whether the mission clock stands: the channel that drives it is silent, or what is shown is late."""
        silent = self.signal(self.flight.clock_vcid, now) in ("LOS", "UNKNOWN")
        return silent or self.flight.earlier or self.is_late(now)

    def last_loss(self) -> Loss | None:
        """The loss to read up on, acknowledged or not: the one that the banner shows or showed."""
        return next(iter(self._ranked(self.losses.values())), None)

    def banner_loss(self) -> Loss | None:
        """The loss to show: first that of the channel of the first packet shown, then the link's, then any.

        Active before ended. A replay shows none.
        """
        if self.replay:
            return None
        return next(iter(self._ranked(loss for loss in self.losses.values() if loss.acknowledged is None)), None)

    def _ranked(self, losses: Iterable[Loss]) -> list[Loss]:
        main = self.packet_vcid(self.display.packets[0]) if self.display.packets else None
        rank: dict[int | None, int] = {main: 0, None: 1} if main is not None else {None: 1}
        return sorted(losses, key=lambda loss: (loss.regained is not None, rank.get(loss.vcid, 2)))


def _ordered(commands: Iterable[CommandUpdate]) -> list[LogEntry]:
    """What a log says of commands whose last state is all that is known."""
    return [entry_of_command(news) for news in commands if news.state in LOGGED_STATES]


def _entry(item: EventMessage | ContactChange | Acknowledgement) -> LogEntry:
    if isinstance(item, Acknowledgement):
        return entry_of_acknowledgement(item)
    return entry_of_event(item) if isinstance(item, EventMessage) else entry_of_contact(item)


def _repeated_parts(parameters: Iterable[ParameterInfo]) -> dict[str, frozenset[str]]:
    """The repeated parts of each packet that has some."""
    names: dict[str, list[str]] = {}
    for info in parameters:
        names.setdefault(info.packet, []).append(info.name)
    return {packet: repeated for packet, each in names.items() if (repeated := repeated_in(each))}


def _undeclared(key: Key) -> ParameterInfo:
    return ParameterInfo(packet=key[0], name=key[1], unit="", decimals=2, description="not declared", period_ms=1000)
