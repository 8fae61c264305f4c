"""A fault of the link or the target, before, while and after it acts: what both rigs know of it."""

from __future__ import annotations

from dataclasses import replace

from hil.faults import EnvironmentFault, Trigger, Unit, Watch
from hil.verdict.flight_record import FaultOccurrence


class ScheduledFault:
    """One fault of the link or the target.

    Attributes:
        number: its place in the scenario.
        spec: as declared.
        occurrence: since it acted.
    """

    def __init__(self, number: int, spec: EnvironmentFault, watch: Watch | None = None) -> None:
        """Args: its place in the scenario, as declared, and the condition that it waits for."""
        assert spec.at is not None or watch is not None  # a scenario is checked for that
        self.number = number
        self.spec = spec
        self.occurrence: FaultOccurrence | None = None
        self._trigger = Trigger(spec.at, watch)
        self._began = 0

    @property
    def lasts(self) -> bool:
        """It will be undone."""
        return self.spec.span is not None

    @property
    def open(self) -> bool:
        """It acted, and is to be undone."""
        return self.occurrence is not None and self.lasts and self.occurrence.ended is None

    @property
    def planned(self) -> int:
        """Mission time at which it was due, once it was."""
        return self._trigger.began or 0

    @property
    def next_time(self) -> int | None:
        """When it is to begin or to end, if a time says so."""
        at = self.spec.at
        if self.occurrence is None:
            return at.value if at is not None and at.kind == "scet" and isinstance(at.value, int) else None
        return self._end if self.open else None

    @property
    def by_frames(self) -> bool:
        """It begins with a frame, a byte, an onboard event or a parameter, not at a time."""
        if self.spec.at is None:
            return self.occurrence is None
        return self.spec.at.kind != "scet"

    def is_due(self, scet: int, last: Unit | None) -> bool:
        """Whether it is to begin now, at that mission time or after that frame; for the first time."""
        return self.occurrence is None and self._trigger.begins(scet, last)

    def begin(self, line: int, time: int) -> FaultOccurrence:
        """It begins: at that time of the line, and of the station."""
        self._began = line
        self.occurrence = FaultOccurrence(self.number, self.spec.kind, time)
        return self.occurrence

    def is_over(self, line: int) -> bool:
        """Whether it is to end now."""
        return self.open and line >= self._end

    def end(self, occurrences: list[FaultOccurrence], time: int) -> None:
        """It ends: the occurrence in the record is the whole one."""
        assert self.occurrence is not None
        ended = replace(self.occurrence, ended=time)
        occurrences[occurrences.index(self.occurrence)] = self.occurrence = ended

    @property
    def _end(self) -> int:
        return self._began + (self.spec.span.value if self.spec.span is not None else 0)
