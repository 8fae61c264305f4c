"""The losses of signal that follow from what a flight does to link and target.

A test, or `hil fly --link-drop`, says what goes wrong, and just that has to be seen: the link that it drops at 09:10:00
is lost then, by silence, and no other loss passes. What is over before the loss with which the profile ends (the
historical one at 09:11:05) leaves that one to come.
Where nothing takes the signal away the scenario lists no loss, as in a file without [[loss]]: such as follow from lost
frames are then excused. A chip that fails damages the last frames before any loss: it may be found some seconds early,
by what came of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from groundstation.messages.text import utc
from hil.faults import Spec
from hil.lander.flight_profile import FlightProfile
from hil.scenario.scenario import Scenario, last_loss, parse_scenario
from hil.scenario.toml import to_toml
from hil.verdict.frames.predict import CONTACT_FRAMES
from hil.verdict.limits import PERIOD_MS
from protocols.times import utc_ns
from protocols.units import NS_PER_MS

_FIRST_FRAME = utc_ns("1974-03-12T09:07:21")
_PERIOD = PERIOD_MS * NS_PER_MS
_TIMEOUT = 300 * NS_PER_MS
"""What is over sooner is not a loss."""
_CAUSES: dict[str, list[str]] = {
    "silence": ["SILENCE"],
    "unplug": ["PORT"],
    "hangup": ["PORT"],
    "peer_killed": ["RELAY"],
    "peer_stopped": ["SILENCE"],
    "hang": ["SILENCE"],
    "power_off": ["SILENCE", "LANDER_ONLY"],
    "reset": ["SILENCE", "LANDER_ONLY"],
}
"""What takes the signal away, and what the station finds to be the cause. A target that boots greets over its bus, if
its clock runs."""
_DAMAGED = ["LANDER_ONLY", "CRC", "SYNC"]
"""What the station may find instead if a chip fails."""
_FOR_GOOD = {"reset", "power_off"}
"""After these the lander waits for START."""


def with_losses(tables: dict[str, Any], name: str) -> Scenario:
    """The scenario of these tables, with the losses that follow from its faults if it lists none.

    Args:
        tables: of a scenario's TOML.
        name: of the scenario, for errors.

    Raises:
        ScenarioError: it cannot be flown; with the place.
    """
    scenario = parse_scenario(to_toml(tables), name)
    losses = None if "loss" in tables else losses_of(scenario.faults, scenario.head.profile)
    if losses is None or not scenario.head.has_oracle:
        return scenario
    return parse_scenario(to_toml({**tables, "loss": losses}), name)


def losses_of(faults: Iterable[Spec], profile: FlightProfile = "historical") -> list[dict[str, Any]] | None:
    """Tables [[loss]]; None if there is no outage.

    Faults that begin with a frame, a byte or an event are not known in time, and left out.
    """
    end = last_loss(profile)
    last, outages = int(end.at.value), sorted(_outages(faults))
    if not any(begin <= last for begin, _, _ in outages):
        return None
    losses, locked = [], _locked(_FIRST_FRAME)
    for begin, over, causes in outages:
        if begin > last:
            break
        if begin > locked:
            more = ["LANDER_ONLY"] if last < over < math.inf else []  # the bus comes back, and alone
            more += _DAMAGED if profile == "degraded" else []
            losses.append({"at": utc(begin, 3), "cause": list(dict.fromkeys([*causes, *more]))})
        locked = max(locked, _locked(over))
    if last > locked:
        losses.append({"at": utc(last, 3), "cause": end.causes})
    return losses


def _locked(since: float) -> float:
    """The mission time of the frame with which the signal is there, if frames come from a time on."""
    return -(-since // _PERIOD) * _PERIOD + (CONTACT_FRAMES - 1) * _PERIOD if since < math.inf else since


def _outages(faults: Iterable[Spec]) -> Iterator[tuple[int, float, list[str]]]:
    """From when to when no signal comes, and why."""
    for fault in faults:
        if fault.kind not in _CAUSES or fault.direction == "up" or fault.at is None or fault.at.kind != "scet":
            continue
        begin, end = int(fault.at.value), math.inf
        if fault.span is not None and fault.kind not in _FOR_GOOD:
            if fault.span.kind != "ns" or fault.span.value < _TIMEOUT:
                continue
            end = begin + fault.span.value
        yield begin, end, _CAUSES[fault.kind]
