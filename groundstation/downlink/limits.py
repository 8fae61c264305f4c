"""Limit states with persistence: one odd sample is shown, only a run of them is an event.

A limit on change is an event at once, for a step is over with the next sample: it is not in the run of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundstation.downlink.steps import Rise, RiseMeter
from groundstation.messages.base import Value
from protocols.declare.dictionary import Packet
from protocols.decode.judging.verdicts import Verdicts
from protocols.structures.fields import Limits
from protocols.words import LimitState

PERSISTENCE = 3
"""Samples in a row before a change of state is an event."""


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A parameter's state changed and stayed so for `PERSISTENCE` samples. ``evidence`` tells of a rise."""

    parameter: str
    state: LimitState
    previous: LimitState
    value: float
    evidence: str = ""


@dataclass(slots=True)
class _Run:
    settled: LimitState = "GREEN"
    candidate: LimitState = "GREEN"
    count: int = 0
    step: LimitState = "GREEN"
    meter: RiseMeter | None = None


class LimitMonitor:
    """Watches every parameter that has limits, by packet and name."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, _Run]] = {}

    def check(
        self,
        packet: Packet,
        values: dict[str, Value],
        invalid: list[str],
        scet: int,
        *,
        late: bool = False,
        verdicts: Verdicts | None = None,
    ) -> tuple[dict[str, LimitState], list[LimitChange]]:
        """States of this sample (only those not GREEN) and the changes that have persisted; ``scet`` in ns.

        A value that is not valid has no state: its run stands still. So it does for a sample that comes ``late``, and
        for one that ``verdicts`` calls unusable, which raises no limit.
        """
        if verdicts:
            invalid = [*invalid, *(name for name, verdict in verdicts.items() if verdict.quality == "unusable")]
        states: dict[str, LimitState] = {}
        changes: list[LimitChange] = []
        runs = self._runs.setdefault(packet.definition.name, {})
        for name, limits in packet.limited_in(values):
            value = values[name]
            if isinstance(value, str):
                continue
            low, high = limits.green
            green = low <= value <= high
            if green and name not in runs and limits.step_s is None:  # nearly all: GREEN, and so they always were
                continue
            if name in invalid:
                continue
            state: LimitState = "GREEN" if green else limits.state(value)
            if state != "GREEN":
                states[name] = state
            if not late:
                run = runs.setdefault(name, _Run())
                changes += _follow(run, limits, name, state, value, scet)
                states |= _worse(name, state, run.step)
        return states, changes


def _follow(run: _Run, limits: Limits, name: str, state: LimitState, value: float, scet: int) -> list[LimitChange]:
    """The changes with a sample: of the step to it, and of the value."""
    changes = _step(run, limits, name, value, scet) if limits.step_s is not None else []
    if state == run.settled:
        run.count = 0
    elif (change := _persist(run, name, state, value)) is not None:
        changes.append(change)
    return changes


def _step(run: _Run, limits: Limits, name: str, value: float, scet: int) -> list[LimitChange]:
    """The change of state with a sample of a parameter that has limits on change, if there is one."""
    if run.meter is None:
        assert limits.step_s is not None
        run.meter = RiseMeter(limits.step_s)
    rise = run.meter.take(scet, value)
    state: LimitState = "GREEN" if rise is None else limits.step_state(rise.by)
    previous, run.step = run.step, state
    if state == previous:
        return []
    return [LimitChange(name, state, previous, value, _evidence(rise, limits, state))]


def _worse(name: str, state: LimitState, step: LimitState) -> dict[str, LimitState]:
    """The state of a step where it is worse than that of the value."""
    return {} if step == "GREEN" or state.startswith("RED") else {name: step}


def _evidence(rise: Rise | None, limits: Limits, state: LimitState) -> str:
    if rise is None:
        return "no value to compare it with"
    limit = limits.step_red if state == "RED_HIGH" else limits.step_yellow
    limit = limits.step_red if limit is None else limit
    sign = "≤" if state == "GREEN" else ">"
    return f"{rise.change:+g} in {rise.seconds:g} s, {sign} {limit:g} in {limits.step_s:g} s"


def _persist(run: _Run, name: str, state: LimitState, value: float) -> LimitChange | None:
    """Count a sample in another state than the settled one."""
    run.count = run.count + 1 if state == run.candidate else 1
    run.candidate = state
    if run.count < PERSISTENCE:
        return None
    previous, run.settled, run.count = run.settled, state, 0
    return LimitChange(name, state, previous, value)
