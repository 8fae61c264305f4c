"""Limit states with persistence: one odd sample is shown, only a run of them is an event."""

from __future__ import annotations

from dataclasses import dataclass

from groundstation.messages.base import Value
from protocols.declare.dictionary import Packet
from protocols.decode.quality import Verdicts
from protocols.words import LimitState

PERSISTENCE = 3
"""Samples in a row before a change of state is an event."""


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A parameter's state changed and stayed so for `PERSISTENCE` samples."""

    parameter: str
    state: LimitState
    previous: LimitState
    value: float


@dataclass(slots=True)
class _Run:
    settled: LimitState = "GREEN"
    candidate: LimitState = "GREEN"
    count: int = 0


class LimitMonitor:
    """Watches every parameter that has limits, by packet and name."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, _Run]] = {}

    def check(
        self,
        packet: Packet,
        values: dict[str, Value],
        invalid: list[str],
        *,
        late: bool = False,
        verdicts: Verdicts | None = None,
    ) -> tuple[dict[str, LimitState], list[LimitChange]]:
        """States of this sample (only those not GREEN) and the changes that have persisted.

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
            if name in invalid or isinstance(value, str):
                continue
            low, high = limits.green
            state: LimitState = "GREEN" if low <= value <= high else limits.state(value)
            if state != "GREEN":
                states[name] = state
            if late:
                continue
            run = runs.get(name)
            if run is None:
                run = runs[name] = _Run()
            if state == run.settled:
                run.count = 0
            elif (change := _persist(run, name, state, value)) is not None:
                changes.append(change)
        return states, changes


def _persist(run: _Run, name: str, state: LimitState, value: float) -> LimitChange | None:
    """Count a sample in another state than the settled one."""
    run.count = run.count + 1 if state == run.candidate else 1
    run.candidate = state
    if run.count < PERSISTENCE:
        return None
    previous, run.settled, run.count = run.settled, state, 0
    return LimitChange(name, state, previous, value)
