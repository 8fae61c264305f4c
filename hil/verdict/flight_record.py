"""What a flight leaves behind for its judges: the recording, the channel with its log, and what the rig did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from groundstation.links.base import NamedLink
from groundstation.messages.commanding import CommandUpdate
from hil.channel.channel import Channel
from hil.scenario.scenario import Mode, Scenario
from hil.scenario.triggers import Triggers
from hil.verdict.host_watch import Lateness
from hil.verdict.oracle import Script
from hil.verdict.result import Moment
from protocols.declare.mission import Mission
from protocols.lander import EPOCH, MISSION

BOARD = "board"
"""The name of the target that is a board on the bench."""


@dataclass(frozen=True, slots=True)
class FaultOccurrence:
    """A fault of the link or the target: when it began and when it was undone, in ns of the station's
    time: the mission's in lockstep, the host's in real time."""

    fault: int
    kind: str
    began: int
    ended: int | None = None


@dataclass(slots=True)
class FlightRecord:
    """One flight.

    Attributes:
        scenario: what was flown.
        target: its name.
        mode: with a clock or without.
        speed: mission seconds a second.
        recording: the station's archive.
        channel: all that was sent and delivered, and the log of faults; of several links, that of the bus.
        relays: the channels of the scenario's relays, in their order.
        triggers: the parameters that faults and commands wait for.
        start: the station's time at tick 0, in ns.
        script: what reached the target, as the oracle wants it; None if it is unknown at which tick it came.
        ready: whether the target had waited for START.
        comparable: bytes of the target's stream that the oracle can speak of: up to the first reset, for instance; None
            is all.
        steps: calls of `step`, for the oracle to fly as far.
        fell_short: in lockstep: the target did not send all that the oracle sent in these steps.
        occurrences: faults of link and target.
        commands: the last that was said of each command, by its place in the scenario.
        refused: commands that the station refused, and why.
        published_ms: for each chunk how long it took from the port to a subscriber.
        booted: builds that the target said it was, in hex, one for each start.
        moments: what the rig itself saw.
        provenance: what flew on what.
        console: what the target had to say for people.
        error: why it broke off: a target that died, Ctrl-C; empty if it did not.
        exit_code: what the command line exits with after such an error.
        raised: what broke it off, if that is to be raised again when the bundle is written.
        left: why it was ended before its end although nothing failed: its viewer was closed; empty if it was not.
        lateness: of the host, in real time.
        watched: a viewer was on the same computer, which may spoil times in milliseconds.
        heard_until: the station's time, in ns, up to which it listened to a flight that was to end early: what it
            declares later is not of the flight. None: it listened till the pass was over.
        mission: that it is for.
        epoch: mission time with which the flight begins, in ns.
        closed: the station's time at which the pass was over, in ns; what came later is not judged. None: all is.
    """

    scenario: Scenario
    target: str
    mode: Mode
    speed: float
    recording: Path
    channel: Channel
    triggers: Triggers
    start: int
    script: Script | None = ()
    ready: bool = False
    comparable: int | None = None
    steps: int = 0
    fell_short: bool = False
    occurrences: list[FaultOccurrence] = field(default_factory=list)
    commands: dict[int, CommandUpdate] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    published_ms: list[float] = field(default_factory=list)
    booted: list[str] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    provenance: dict[str, str] = field(default_factory=dict)
    console: str = ""
    error: str = ""
    exit_code: int = 1
    raised: BaseException | None = None
    left: str = ""
    lateness: Lateness | None = None
    watched: bool = False
    heard_until: int | None = None
    closed: int | None = None
    relays: list[Channel] = field(default_factory=list)
    mission: Mission = MISSION
    epoch: int = EPOCH

    @property
    def vcid(self) -> int:
        """The channel whose signal is judged: the mission's first."""
        return self.mission.dictionary.channels[0].vcid

    def channel_of(self, relay: str | None) -> Channel:
        """The channel of a relay's link; None: the bus's."""
        names = [each.name for each in self.scenario.relays]
        return self.channel if relay is None else self.relays[names.index(relay)]

    @property
    def links(self) -> list[NamedLink]:
        """The links of the station, if it had several."""
        relays = self.scenario.relays
        names = [self.mission.relays[0].name, *(each.name for each in relays)] if relays else []
        return [NamedLink(name, f"{self.mode}:{name}") for name in names]

    @property
    def flown(self) -> bool:
        """The target sent something after its start."""
        return bool(self.channel.account("down").sent)
