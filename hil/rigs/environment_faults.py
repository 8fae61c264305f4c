"""Applies faults of the link and the target, for both rigs: one table says what each kind does with a rig's levers.

Rules:
1. What is over ends before anything begins: of two outages that touch, the second stays.
2. In real time a fault of the target acts after the frame before its time, since the target sends the next one before
   the rig can act; a fault of the link acts before the frame of its time is passed on.
3. In lockstep a fault lasts from the time at which it was due. In real time it lasts from the time at which it acted:
   a host that was late does not shorten it.
To add a kind: its class in `hil.faults.environment`, and its line in `ACTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hil.faults import EnvironmentFault, MemoryFlip, Unit
from hil.rigs.scheduled_fault import ScheduledFault
from hil.verdict.flight_record import FlightRecord
from hil.verdict.result import Moment


class Levers(Protocol):
    """What a rig can do to the link and to the target."""

    def unplug(self, fault: ScheduledFault) -> None:
        """Take away the station's port, or its ZeroMQ peer. What is on its way is lost."""

    def plug(self, fault: ScheduledFault) -> None:
        """Give it back."""

    def hold(self) -> None:
        """Keep the link open and pass nothing on."""

    def release(self) -> None:
        """Pass on what was held."""

    def reset(self) -> None:
        """Pull the target's reset pin."""

    def power_off(self) -> None:
        """Take the target's power."""

    def power_on(self) -> None:
        """Give it back."""

    def hang(self, *, for_good: bool) -> None:
        """Stop the target's clocks."""

    def resume(self) -> None:
        """Let them run again."""

    def flip(self, address: int, mask: int) -> None:
        """Flip bits of a byte of the target's memory."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a rig does when a fault begins, and when it ends."""

    begin: Callable[[Levers, ScheduledFault], None]
    end: Callable[[Levers, ScheduledFault], None] = lambda rig, fault: None


def _flip(rig: Levers, fault: ScheduledFault) -> None:
    assert isinstance(fault.spec, MemoryFlip)
    rig.flip(fault.spec.address, fault.spec.mask)


_OUTAGE = Action(lambda rig, fault: rig.unplug(fault), lambda rig, fault: rig.plug(fault))
ACTIONS: dict[str, Action] = {
    "unplug": _OUTAGE,
    "hangup": _OUTAGE,
    "peer_killed": _OUTAGE,
    "peer_stopped": Action(lambda rig, _: rig.hold(), lambda rig, _: rig.release()),
    "reset": Action(lambda rig, _: rig.reset()),
    "power_off": Action(lambda rig, _: rig.power_off(), lambda rig, _: rig.power_on()),
    "hang": Action(lambda rig, fault: rig.hang(for_good=not fault.lasts), lambda rig, _: rig.resume()),
    "memory_flip": Action(_flip),
}
"""Faults of link and target, by kind."""


class EnvironmentFaults:
    """The faults of link and target of one flight."""

    def __init__(self, rig: Levers, record: FlightRecord, *, lead: int = 0) -> None:
        """Prepare the faults of a scenario.

        Args:
            rig: carries them out.
            record: of the flight; gets what was done, and when.
            lead: in real time, by how much faults of the target come early, in ns of the mission; 0: in lockstep.
        """
        self._rig = rig
        self._record = record
        self._lead = lead
        faults = enumerate(record.scenario.faults)
        watches = record.triggers.faults
        self._faults = [
            ScheduledFault(n, spec, watches.get(n)) for n, spec in faults if isinstance(spec, EnvironmentFault)
        ]

    def act(self, scet: int, line: int, time: int, last: Unit | None = None) -> None:
        """End and begin what is due.

        Args:
            scet: mission time, as the target's frames carry it.
            line: the line's time, by which durations are counted.
            time: the station's time, for the record.
            last: the frame that was sent last; None: no new one.
        """
        for fault in self._faults:
            if fault.is_over(line):
                ACTIONS[fault.spec.kind].end(self._rig, fault)
                fault.end(self._record.occurrences, time)
                self._mark(f"{fault.spec.kind} is over", time)
        for fault in self._faults:
            early = self._lead if fault.spec.family == "target" else 0
            if fault.is_due(scet + early, last):
                began = line if self._lead else min(fault.planned, line)
                self._record.occurrences.append(fault.begin(began, time))
                ACTIONS[fault.spec.kind].begin(self._rig, fault)
                self._mark(f"{fault.spec.kind} begins" if fault.lasts else fault.spec.kind, time)

    @property
    def open(self) -> bool:
        """A fault acts that is still to end."""
        return any(fault.open for fault in self._faults)

    @property
    def by_frames(self) -> bool:
        """A fault begins with a frame, a byte, an onboard event or a parameter."""
        return any(fault.by_frames for fault in self._faults)

    @property
    def next_times(self) -> list[int]:
        """When faults are to begin or to end, as far as times say so."""
        return [time for fault in self._faults if (time := fault.next_time) is not None]

    def _mark(self, text: str, time: int) -> None:
        self._record.moments.append(Moment(time=time, lane="fault", text=text, tone="bad"))
