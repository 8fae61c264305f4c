"""A mission as data: all that a station has to be given to receive, show and command one spacecraft.

`load_mission` finds it by name. What it holds says nothing of how it is flown: that is the spacecraft's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from protocols.declare.dictionary import Dictionary, Milestone
from protocols.declare.display import Display, check_display, complete_display
from protocols.declare.references import check_known, check_parameter
from protocols.errors import DeclarationError
from protocols.profile import UART, LinkProfile
from protocols.words import Mark


@dataclass(frozen=True, slots=True)
class MissionEvent:
    """A moment of the whole mission, from the launch on. ``scet`` in ns UTC since 1970.

    Attributes:
        text: for people, with the source of the figure.
        day_only: no more than the day is known.
    """

    name: str
    label: str
    scet: int
    mark: Mark
    text: str
    day_only: bool = False


RelayHealth = Literal["ALIVE", "FAILED", "OUT_OF_RANGE"]
"""Whether a spacecraft can relay: it works, it does not any more, or it works and is too far away."""

HEALTH_WORDS: dict[RelayHealth, str] = {"ALIVE": "alive", "FAILED": "failed", "OUT_OF_RANGE": "out of range"}


_TIMES = ("s", "ms", "µs")


class Figure(NamedTuple):
    """A number and where it comes from."""

    value: float
    mark: Mark


@dataclass(frozen=True, slots=True)
class Relay:
    """Another spacecraft that can pass this one's signal on.

    Attributes:
        name: in capitals.
        description: a sentence.
        mark: of the description.
        health: whether it can relay.
        health_text: why, with the marks of what it says.
        health_mark: of the health.
        range: to the spacecraft that it would relay, in km, where the mission needs it; None: unknown.
        elevation: the parameter that says how high it stands above the horizon of that spacecraft, in degrees,
            ``PACKET.parameter``; empty: none does.
        mask: below this elevation it relays nothing, in degrees; None: not known.
        margin: of the radio link at ``range``, in dB; below 0 nothing is received. None: not known.
    """

    name: str
    description: str
    mark: Mark
    health: RelayHealth = "ALIVE"
    health_text: str = ""
    health_mark: Mark = "A"
    range: Figure | None = None
    elevation: str = ""
    mask: Figure | None = None
    margin: Figure | None = None

    @property
    def packet(self) -> str:
        """Name of the packet with its elevation."""
        return self.elevation.partition(".")[0]

    @property
    def parameter(self) -> str:
        """Name of the elevation in its packet."""
        return self.elevation.partition(".")[2]


@dataclass(frozen=True, slots=True)
class LightTime:
    """How long light takes one way, over a path that has a name: a figure, or a parameter that is received.

    Attributes:
        path: from where to where, as "Mars to Earth".
        seconds: if it is one figure for the whole flight.
        parameter: if the spacecraft sends it, ``PACKET.parameter``; else empty.
    """

    path: str
    seconds: Figure | None = None
    parameter: str = ""


@dataclass(frozen=True)
class Mission:
    """One spacecraft's mission.

    Attributes:
        dictionary: packets, commands, events, channels and the timeline.
        link_profile: how its frames lie on the wire.
        display: what a viewer shows first; complete, whatever was left to the defaults.
        ping: the command to which the spacecraft answers without doing anything; empty: it has none, and ports are
            only listened to.
        events: the moments of the whole mission, in order of time; the timeline is a part of it, seen closely.
        relays: other spacecraft that can pass the signal on.
        light_times: one way, each over the path that it names; none of them is added to any time.
        source: the name by which another process loads it; `load_mission` fills it in.
        problems: what of the file that it was read from could not be read, each with its path. A mission declared in
            Python has none: what is wrong there is an error.

    Raises:
        DeclarationError: the display, the ping, a relay or a light time names something that the dictionary does not
            have, or their figures cannot be.
    """

    dictionary: Dictionary
    link_profile: LinkProfile = UART
    display: Display = field(default_factory=Display)
    ping: str = ""
    events: tuple[MissionEvent, ...] = ()
    relays: tuple[Relay, ...] = ()
    light_times: tuple[LightTime, ...] = ()
    source: str = ""
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_display(self.dictionary, self.display)
        _check_relays(self.dictionary, self.relays)
        _check_light_times(self.dictionary, self.light_times)
        if self.ping:
            check_known(f"{self.name}.ping", "command", self.ping, self.dictionary.command_by_name)
        object.__setattr__(self, "events", tuple(sorted(self.events, key=lambda event: event.scet)))
        object.__setattr__(self, "display", complete_display(self.dictionary, self.display))

    @property
    def name(self) -> str:
        """The dictionary's."""
        return self.dictionary.name

    @property
    def timeline(self) -> tuple[Milestone, ...]:
        """The planned moments, in order of time."""
        return tuple(sorted(self.dictionary.timeline, key=lambda milestone: milestone.scet))


def _check_relays(dictionary: Dictionary, relays: Iterable[Relay]) -> None:
    names: set[str] = set()
    for relay in relays:
        where = f"{dictionary.name}.relay {relay.name}"
        if relay.name in names:
            raise DeclarationError(where, "declared twice: each relay has a name of its own")
        names.add(relay.name)
        if relay.health not in HEALTH_WORDS:
            raise DeclarationError(where, f"health {relay.health!r}: expected {', '.join(HEALTH_WORDS)}")
        if relay.range is not None and not 0 <= relay.range.value < float("inf"):
            raise DeclarationError(where, f"range of {relay.range.value:g} km: expected 0 or more")
        if relay.mask is not None and not -90 <= relay.mask.value <= 90:
            raise DeclarationError(where, f"mask of {relay.mask.value:g}°: expected -90 to 90")
        if relay.margin is not None and not abs(relay.margin.value) < float("inf"):
            raise DeclarationError(where, f"margin of {relay.margin.value:g} dB: expected a number")
        if relay.elevation:
            _check_elevation(dictionary, relay, where)
        elif relay.mask is not None and relay.health == "ALIVE":
            raise DeclarationError(where, "a mask without an elevation to compare it with: name its PACKET.parameter")


def _check_light_times(dictionary: Dictionary, light_times: Iterable[LightTime]) -> None:
    for each in light_times:
        where = f"{dictionary.name}.light_time {each.path}"
        if (each.seconds is None) == (not each.parameter):
            raise DeclarationError(where, "expected one of seconds and parameter")
        if each.seconds is not None and not 0 <= each.seconds.value < float("inf"):
            raise DeclarationError(where, f"{each.seconds.value:g} s: expected 0 or more")
        if each.parameter and check_parameter(dictionary, where, each.parameter).unit not in _TIMES:
            raise DeclarationError(where, f"{each.parameter} is not a time: expected a unit of {', '.join(_TIMES)}")


def _check_elevation(dictionary: Dictionary, relay: Relay, where: str) -> None:
    """Its elevation is a number in degrees, of a packet, and there is a mask to compare it with."""
    parameter = check_parameter(dictionary, where, relay.elevation)
    if not parameter.is_number or parameter.unit not in ("°", "deg"):
        raise DeclarationError(where, f"{relay.elevation} is in {parameter.unit or 'no unit'}: expected degrees")
    if relay.mask is None:
        raise DeclarationError(where, "an elevation without a mask: declare below which elevation it relays nothing")
