"""Which mission a scenario is for, and what its times mean.

Rules:
1. The lander of `hil.lander` is the oracle of one mission, MARS-6. A scenario of another one has no oracle: its machine
   flies whatever it flies, in real time, and what it should have sent is known to none.
2. Times of MARS-6 are times of 12 March 1974. A time of another mission has its date, ``2031-05-01T12:00:00Z``, and is
   compared with what the frames carry (SCET); or it is counted from the first packet that carries one: ``+12.5 s``.
3. Another mission has no planned end: `scenario.until` says when the flight is over.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hil.faults import At, in_flight, mission_day
from hil.lander.flight_profile import FlightSpan
from hil.scenario.flown_part import FlownPart
from protocols.declare.dictionary import Dictionary
from protocols.declare.loading import DEFAULT, load_mission
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError
from protocols.lander import MARS6, MISSION
from protocols.units import NS_PER_S

NO_ORACLE = "no oracle: judged by conservation, losses, commands and expectations"
"""What a verdict says then."""


def mission_of(name: str) -> Mission:
    """The mission of a name.

    Raises:
        ValueError: there is none.
    """
    if name == DEFAULT:
        return MISSION
    try:
        return load_mission(name)
    except DeclarationError as error:
        raise ValueError(f"scenario.mission: {error}") from error


def has_oracle(dictionary: Dictionary) -> bool:
    """Whether `hil.lander` can say what a machine of this mission has to send."""
    return dictionary.hash == MARS6.hash


def check_time(place: str, at: At, mission: Mission, span: FlightSpan = "encounter") -> None:
    """Whether a flight of a mission over a span can have a time.

    Raises:
        ValueError: it cannot, or it is no time; with the place.
    """
    if has_oracle(mission.dictionary):
        try:
            in_flight(at.value if at.kind == "scet" and isinstance(at.value, int) else 0, span)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        return
    wanted = 'a time of this mission has its date, "2031-05-01T12:00:00Z", or counts from the first packet, "+12 s"'
    if at.kind not in ("scet", "elapsed"):
        raise ValueError(f"{place}: {wanted}; not a {at.kind}")
    if at.kind == "scet" and mission_day(int(at.value)):
        raise ValueError(f"{place}: {wanted}")


def resolved(at: At | None, first: int) -> At | None:
    """A place with its mission time, if it is counted from the first packet, which came at ``first``."""
    return At("scet", first + int(at.value)) if at is not None and at.kind == "elapsed" else at


def with_times(entry: Any, first: int) -> Any:
    """A fault, command, loss or expectation with all its times as mission times."""
    changed: dict[str, Any] = {}
    for name in ("at", "until", "start"):
        at = getattr(entry, name, None)
        if isinstance(at, At) and at.kind == "elapsed":
            changed[name] = resolved(at, first)
    between = getattr(entry, "between", None)
    if between is not None and any(at.kind == "elapsed" for at in between):
        changed["between"] = tuple(resolved(at, first) for at in between)
    return msgspec.structs.replace(entry, **changed) if changed else entry


def open_part(start: At | None, until: At | None) -> FlownPart:
    """What is flown of a mission that has no oracle: from its first packet to the end that its scenario gives.

    Before the first packet both are counted from it.
    """
    begin = 0 if start is None else int(start.value)
    end = begin + NS_PER_S if until is None else int(until.value)
    return FlownPart(begin, end, False, begin)
