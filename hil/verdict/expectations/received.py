"""The parameters that a scenario's expectations name, as they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.downlink.receiver import FrameNote
from groundstation.links.base import Chunk
from groundstation.messages.base import Value
from groundstation.messages.onboard_clock import OnboardClock
from groundstation.messages.text import utc
from groundstation.messages.wire import EventMessage, Telemetry
from hil.channel.frame_splitter import SentFrame
from hil.scenario.expectation import Expect
from hil.scenario.flown_part import FlownPart
from protocols.declare.mission import Mission


@dataclass(frozen=True, slots=True)
class Point:
    """A value: onboard time in ns, and the frame with which it came, in words."""

    scet: int
    value: Value
    frame: str

    @property
    def place(self) -> str:
        """Where it came."""
        return f"at {utc(self.scet, 3)}{self.frame}"


@dataclass(slots=True)
class Series:
    """What came of one parameter, in the order of the onboard time once it is sorted."""

    points: list[Point] = field(default_factory=list)
    void: list[int] = field(default_factory=list)
    odd: int = 0


class ReceivedParameters:
    """The parameters that expectations name, as they came. Show it all that is decoded, in order."""

    def __init__(self, expectations: Sequence[Expect]) -> None:
        """Args: which parameters are wanted."""
        names = [each.parameter for each in expectations]
        names += [each.within.of for each in expectations if each.within is not None]
        self._series = {name: Series() for name in names}
        self._packets: dict[str, list[tuple[str, str]]] = {}
        for full in self._series:
            packet, _, name = full.partition(".")
            self._packets.setdefault(packet, []).append((full, name))
        self._clocks = {packet: OnboardClock() for packet in self._packets}
        self.events: list[tuple[str, int]] = []

    def take(self, message: Telemetry, frames: Iterable[FrameNote]) -> None:
        """One packet, and the frames that the same read completed."""
        wanted = self._packets.get(message.packet)
        if wanted is None:
            return
        sure = self._clocks[message.packet].follow(message.scet)
        frame = ""
        for note in frames:
            if note.vcid == message.vcid and (not frame or (note.scet or 0) <= message.scet):
                frame = f", VC{note.vcid} frame {note.vcfc}"
        for full, name in wanted:
            series, value = self._series[full], message.values.get(name)
            if not sure:
                series.odd += 1
            elif value is None:
                series.void.append(message.scet)
            else:
                series.points.append(Point(message.scet, value, frame))

    def take_event(self, event: EventMessage) -> None:
        """One onboard event."""
        if event.scet is not None:
            self.events.append((event.name, event.scet))

    def series(self, name: str) -> Series:
        """All that came of a parameter, by the onboard time."""
        found = self._series[name]
        found.points.sort(key=lambda point: point.scet)
        return found


def sent_parameters(
    expectations: Sequence[Expect], cuts: Iterable[SentFrame], part: FlownPart, mission: Mission
) -> ReceivedParameters:
    """The parameters that expectations name, as a target sent them in a part of its pass."""
    parameters, receiver = ReceivedParameters(expectations), receiver_of(mission, "sent:")
    receiver.judges_quality = False
    for cut in cuts:
        if cut.scet is None or not part.start <= cut.scet < part.end:
            continue
        for outcome in receiver.process(Chunk(cut.scet, cut.data)):
            if isinstance(outcome, Telemetry):
                parameters.take(outcome, receiver.frames)
            elif isinstance(outcome, EventMessage):
                parameters.take_event(outcome)
    return parameters
