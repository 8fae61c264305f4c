"""What the station knows now, for a viewer that joins late: bounded, and always ready."""

from __future__ import annotations

from collections import deque

from groundstation.messages.base import PROTOCOL
from groundstation.messages.commanding import CommandUpdate, UplinkStatus
from groundstation.messages.declared import (
    channels_of,
    commands_of,
    display_of,
    light_times_of,
    mission_events_of,
    parameters_of,
    relays_of,
)
from groundstation.messages.losses import LossBook
from groundstation.messages.usable import UsableTally
from groundstation.messages.wire import (
    Acknowledgement,
    AnyMessage,
    ContactChange,
    EventMessage,
    History,
    HistoryRequest,
    LinkStatus,
    MilestoneInfo,
    Snapshot,
    Telemetry,
)
from groundstation.viewer.flight import Flight, tells_restart
from protocols.declare.mission import Mission

EVENTS_KEPT = 200
CONTACTS_KEPT = 100
COMMANDS_KEPT = 100
ACKNOWLEDGEMENTS_KEPT = 100
SAMPLES_KEPT = 1000
WARNINGS_KEPT = 100
_WARNINGS = ("WARNING_LO", "WARNING_HI", "FATAL")


class SnapshotCache:
    """The last telemetry of every packet, the last contacts and events, the last state of the last commands.

    Attributes:
        display: what a viewer shows first.
        losses: the last one of every channel.
    """

    def __init__(self, mission: Mission, station: str, pid: int, started: int) -> None:
        self.losses = LossBook()
        self.display = display_of(mission.display)
        self._mission = mission
        self._dictionary = dictionary = mission.dictionary
        self._station = station
        self._pid = pid
        self._started = started
        self._telemetry: dict[str, Telemetry] = {}
        self._contacts: deque[ContactChange] = deque(maxlen=CONTACTS_KEPT)
        self._events: deque[tuple[int, EventMessage]] = deque(maxlen=EVENTS_KEPT)
        self._warnings: deque[tuple[int, EventMessage]] = deque(maxlen=WARNINGS_KEPT)
        self._count = 0
        plots = (plot for view in self.display.views for plot in view.plots)
        self._flight = Flight(kept=SAMPLES_KEPT, first=[(plot.packet, plot.name) for plot in plots])
        self._usable = UsableTally(self.display.phase)
        self._counted_flight = self._flight.number
        self._periods = {name: packet.definition.period_ms for name, packet in dictionary.by_name.items()}
        self._acknowledgements: deque[Acknowledgement] = deque(maxlen=ACKNOWLEDGEMENTS_KEPT)
        self._commands: dict[int, CommandUpdate] = {}
        self._uplink: UplinkStatus | None = None

    def put(self, message: AnyMessage) -> None:
        """Remember a message that goes to the viewers."""
        if isinstance(message, Telemetry):
            self._keep(message)
            self._flight.add(message, self._periods)
            if self._flight.number != self._counted_flight:
                self._usable, self._counted_flight = UsableTally(self.display.phase), self._flight.number
            self._usable.take(message)
        elif isinstance(message, ContactChange):
            self._contacts.append(message)
            self.losses.take(message)
            if message.verdict is not None and not message.revised:
                self._flight.lose(message.verdict)
        elif isinstance(message, Acknowledgement):
            self._acknowledgements.append(message)
            self.losses.take(message)
        elif isinstance(message, EventMessage):
            self._put_event(message)
        elif isinstance(message, CommandUpdate):
            self._commands[message.command] = message
            if len(self._commands) > COMMANDS_KEPT:
                del self._commands[min(self._commands)]
        elif isinstance(message, UplinkStatus):
            self._uplink = message

    def _put_event(self, message: EventMessage) -> None:
        if self._events and _is_repeat(message, self._events[-1][1]):
            self._events[-1] = self._events[-1][0], message
            return
        self._count += 1
        self._events.append((self._count, message))
        if message.severity in _WARNINGS:
            self._warnings.append((self._count, message))
        if tells_restart(message):
            self._flight.restarted()

    def _keep(self, message: Telemetry) -> None:
        """The newest of its packet, unless one that came late is older than what is here."""
        known = self._telemetry.get(message.packet)
        if known is None or not message.late or message.scet > known.scet:
            self._telemetry[message.packet] = message

    def history(self, request: HistoryRequest) -> History:
        """The curves that a viewer asks for."""
        decimals = {(p.packet, p.name): p.decimals for p in parameters_of(self._dictionary)}
        return self._flight.history(request.parameters, request.samples, decimals)

    def snapshot(self, link: LinkStatus, sequences: dict[str, int]) -> Snapshot:
        """All of it, with the sequences of what was published so far."""
        return Snapshot(
            protocol=PROTOCOL,
            station=self._station,
            pid=self._pid,
            started=self._started,
            mission=self._dictionary.name,
            dictionary_hash=self._dictionary.hash_text,
            parameters=parameters_of(self._dictionary),
            timeline=[
                MilestoneInfo(name=m.name, label=m.label, scet=m.scet, mark=m.mark) for m in self._mission.timeline
            ],
            display=self.display,
            mission_events=mission_events_of(self._mission),
            channels=channels_of(self._dictionary),
            light_times=light_times_of(self._mission),
            relays=relays_of(self._mission),
            link=link,
            telemetry=list(self._telemetry.values()),
            contacts=list(self._contacts),
            events=[event for _, event in sorted((dict(self._warnings) | dict(self._events)).items())],
            flight=self._flight.number,
            clock=self._flight.clock,
            clock_vcid=self._flight.clock_vcid,
            losses=self.losses.losses,
            acknowledgements=list(self._acknowledgements),
            commands=list(self._commands.values()),
            uplink=self._uplink,
            known_commands=commands_of(self._dictionary),
            sequences=sequences,
            usable=self._usable.rows(),
        )


def _is_repeat(event: EventMessage, before: EventMessage) -> bool:
    """Whether the spacecraft sent an event again: a lander that waits sends its BOOT every second."""
    same = (event.source, event.name, event.text) == (before.source, before.name, before.text)
    return same and event.scet is not None and event.scet == before.scet
