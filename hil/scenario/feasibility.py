"""What of a scenario can be known never to happen, before it flies: a fault that finds nothing to act on, a command
that is never given, a loss that cannot come. Such a scenario would pass without what it wants to see.

Rules:
1. A pass without commands is known frame by frame: the bus sends one frame a second, the lander one in each tick of its
   window, which ends as the flight profile has it.
2. With commands there are answers besides, and after SELECT_PROFILE, and where parachutes or retrorockets are
   commanded, the pass may be the longest: then only what is beyond every such pass is refused.
3. Faults may take each other's bytes away, and chance has its say. That is not foreseen here: what came of each fault
   is a row of the judgement.
"""

from __future__ import annotations

from groundstation.messages.text import utc
from hil.errors import NeverHappens
from hil.faults import At, EnvironmentFault, Spec
from hil.lander.flight_profile import FIRST_LANDER_TICK, FlightProfile, PassPlan
from hil.lander.physics.dynamics import TICK_NS
from hil.scenario.measurements import NUMBERED, OF_A_COMMAND, OF_A_LOSS
from hil.scenario.scenario import Limit, Loss, Mode, Scenario
from protocols.lander import EPOCH
from protocols.profile import UART

_BUS_NS = 10 * TICK_NS
FIRST_LANDER = EPOCH + FIRST_LANDER_TICK * TICK_NS
_ANSWERS = 100
"""No command has more frames of answers, however often it is sent."""
_HISTORICAL = frozenset(
    {
        *("ENTRY", "RELAY_LOCK", "BLACKOUT_START", "BLACKOUT_END", "DROGUE", "MAIN", "CONE_RELEASE", "ALTIMETER_LOCK"),
        *("RETRO_ARM", "RELAY_LOST"),
    }
)
_MAIN, _CONE = {"MAIN"}, {"CONE_RELEASE", "ALTIMETER_LOCK", "RETRO_ARM"}
EVENTS: dict[FlightProfile, frozenset[str]] = {
    "historical": _HISTORICAL,
    "soft-landing": _HISTORICAL | {"TOUCHDOWN", "RELAY_SET"},
    "degraded": _HISTORICAL,
    "parachute-fails": _HISTORICAL - {"DROGUE"} - _MAIN - _CONE | {"IMPACT"},
    "main-fails": _HISTORICAL - _MAIN - _CONE | {"IMPACT"},
    "cone-sticks": _HISTORICAL - _CONE | {"IMPACT"},
    "retros-early": _HISTORICAL | {"IMPACT"},
    "retros-late": _HISTORICAL | {"IMPACT"},
    "retros-never": _HISTORICAL | {"IMPACT"},
    "altimeter-blind": _HISTORICAL - {"ALTIMETER_LOCK"} | {"IMPACT"},
}
"""Onboard events of each profile's descent. A lander that comes down too early is never armed."""
_ON_THE_WAY = frozenset({"BOW_SHOCK", "RELAY_SET"})
"""More of the encounter, with every profile."""
OUTAGES = frozenset({"unplug", "hangup", "peer_killed"})
"""Faults after which a link can be found again."""
_CONTACT = 2 * TICK_NS
"""From a contact's first frame to the one with which it can be lost."""


def check_feasible(scenario: Scenario, mode: Mode | None = None, ahead: int = 0) -> None:
    """Refuse what cannot happen in a scenario's flight. Of a mission without an oracle nothing is foreseen.

    Args:
        scenario: parsed.
        mode: in which it is flown; None: not known yet.
        ahead: frames that this target sends before those of the pass.

    Raises:
        NeverHappens: something cannot.
    """
    if scenario.head.has_oracle:
        _check_pass(scenario, mode, ahead)


def _check_pass(scenario: Scenario, mode: Mode | None, ahead: int) -> None:
    try:
        for n, fault in enumerate(scenario.faults):
            _check_fault(f"fault[{n}]", fault, scenario, ahead)
        for n, command in enumerate(scenario.commands):
            if command.at is not None:
                _check_time(f"command[{n}].at", command.at, scenario, "it would never be given")
        for n, expect in enumerate(scenario.expectations):
            for at in expect.between or ():
                if at.kind == "event":
                    _check_event(f"expect[{n}].between", at, scenario)
        for n, loss in enumerate(scenario.losses):
            _check_loss(f"loss[{n}].at", loss, scenario)
        for n, limit in enumerate(scenario.limits):
            _check_limit(f"limit[{n}]", limit, scenario, mode)
    except ValueError as error:
        raise NeverHappens(f"{scenario.id}: {error}") from error


def _check_fault(place: str, fault: Spec, scenario: Scenario, ahead: int) -> None:
    if fault.family == "stream" and fault.direction == "up":
        _check_uplink(place, fault, scenario)
    elif fault.at is None:
        return
    elif fault.at.kind == "scet":
        _check_time(f"{place}.at", fault.at, scenario, "there is nothing left to act on")
        if not isinstance(fault, EnvironmentFault) and not scenario.commands:
            _check_window(place, fault, _pass(scenario))
    elif fault.at.kind == "event":
        _check_event(f"{place}.at", fault.at, scenario)
    else:
        _check_place(f"{place}.at", fault.at, scenario, ahead)


def _check_uplink(place: str, fault: Spec, scenario: Scenario) -> None:
    """Nothing goes up but commands."""
    if not scenario.commands:
        raise ValueError(f'{place}.dir: "up" has nothing to act on: the scenario has no [[command]]')
    if any(command.at is None for command in scenario.commands):
        return
    first = min(int(command.at.value) for command in scenario.commands if command.at is not None)
    at, span = fault.at, fault.span
    if at is not None and at.kind == "scet" and span is not None and span.kind == "ns":
        end = int(at.value) + span.value
        if end <= first:
            raise ValueError(f"{place}.for: over at {utc(end, 3)}, before the first command is given, at {utc(first)}")


def _check_event(place: str, at: At, scenario: Scenario) -> None:
    events = EVENTS[scenario.head.profile] | (_ON_THE_WAY if scenario.head.span == "encounter" else set())
    if not scenario.commands and at.value not in events:
        raise ValueError(f"{place}: this pass has no event {at.value}; it has {', '.join(sorted(events))}")


def _check_time(place: str, at: At, scenario: Scenario, what: str) -> None:
    if int(at.value) > (last := max(_pass(scenario).last_frame, _pass(scenario).loss - TICK_NS)):
        raise ValueError(f"{place}: the pass sends its last frame at {utc(last)}: {what}")


def _check_window(place: str, fault: Spec, plan: PassPlan) -> None:
    """Whether a frame carries a time of the window, if the lander sends none from a time on."""
    if fault.at is None or fault.span is None or fault.span.kind != "ns":
        return
    begin = int(fault.at.value)
    end = begin + fault.span.value
    bus, lander = _next(begin, plan.begin, _BUS_NS), _next(begin, FIRST_LANDER, TICK_NS)
    if bus >= end and not lander < min(end, plan.loss):
        raise ValueError(
            f"{place}.for: no frame is stamped from {utc(begin, 3)} to before {utc(end, 3)}: the bus sends one at each "
            f"full second, the lander one every 0.1 s from {utc(FIRST_LANDER)} to {utc(plan.loss - TICK_NS)}"
        )


def _next(time: int, first: int, period: int) -> int:
    """The first of evenly spaced times that is not before a time."""
    return first + max(0, -(-(time - first) // period)) * period


def _check_place(place: str, at: At, scenario: Scenario, ahead: int) -> None:
    """A frame by its number, or a byte by its offset."""
    plan = _pass(scenario)
    frames = plan.frames + ahead + _ANSWERS * len(scenario.commands)
    most = frames if at.kind == "frame" else frames * UART.cadu_length
    if int(at.value) >= most:
        has = "no more than" if scenario.commands else ""
        raise ValueError(
            f"{place}: there is no {at.kind} {int(at.value):,}: the pass has {has} {most:,} {at.kind}s, "
            "counted from 0".replace("  ", " ")
        )


def _check_loss(place: str, loss: Loss, scenario: Scenario) -> None:
    last = scenario.latest_loss
    if not FIRST_LANDER + _CONTACT < int(loss.at.value) <= last:
        raise ValueError(
            f"{place}: the lander's signal can be lost after {utc(FIRST_LANDER + _CONTACT)}, with its third frame, and "
            f"not after {utc(last)}"
        )


def _check_limit(place: str, limit: Limit, scenario: Scenario, mode: Mode | None) -> None:
    """Whether its measurement is made in this flight."""
    base, _, index = limit.name.partition("[")
    if base == "byte_to_published_p99" and mode == "lockstep" and limit.mode is None:
        raise ValueError(f'{place}: in lockstep there is no {base}: add mode = "realtime"')
    if base == "reacquisition" and not any(f.kind in OUTAGES and f.span is not None for f in scenario.faults):
        raise ValueError(f"{place}: no fault takes the link away and gives it back, so that there is no {base}")
    if base == "resets" and any(fault.kind in ("reset", "power_off") for fault in scenario.faults):
        raise ValueError(f"{place}: {base} are not counted where a fault resets the target")
    if index and base not in NUMBERED:
        raise ValueError(f"{place}.name: there is no {limit.name}: {base} is one row, without a number")
    first, count = _counted(base, scenario)
    if index and count is not None and index.partition("]")[0] not in map(str, range(first, first + count)):
        raise ValueError(f"{place}.name: there is no {limit.name}: the scenario has {count}, counted from {first}")


def _counted(base: str, scenario: Scenario) -> tuple[int, int | None]:
    """From what number on a scenario's rows of a kind count, and how many there are; None: that is not known."""
    if base == "fault":
        return 0, len(scenario.faults)
    if base in OF_A_COMMAND:
        return 1, len(scenario.commands)
    losses = len(scenario.losses)
    return 1, losses if base in OF_A_LOSS else None


def _pass(scenario: Scenario) -> PassPlan:
    return scenario.longest_pass
