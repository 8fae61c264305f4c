"""An act of a scenario, before, while and after it is done: what both rigs know of it."""

from __future__ import annotations

from dataclasses import replace

from hil.faults import Act, Trigger, Unit
from hil.record import Deed


class PendingAct:
    """One fault of the link or the target.

    Attributes:
        number: its place in the scenario.
        fault: as declared.
        deed: since it was done.
    """

    def __init__(self, number: int, fault: Act) -> None:
        assert fault.at is not None  # a scenario is checked for that
        self.number = number
        self.fault = fault
        self.deed: Deed | None = None
        self._trigger = Trigger(fault.at)
        self._began = 0

    @property
    def lasts(self) -> bool:
        """It will be undone."""
        return self.fault.span is not None

    @property
    def open(self) -> bool:
        """It was done, and is to be undone."""
        return self.deed is not None and self.lasts and self.deed.ended is None

    @property
    def planned(self) -> int:
        """Mission time at which it was due, once it was."""
        return self._trigger.began or 0

    @property
    def next_time(self) -> int | None:
        """When something is to be done about it, if a time says so."""
        at = self.fault.at
        if self.deed is None:
            return at.value if at is not None and at.kind == "scet" and isinstance(at.value, int) else None
        return self._end if self.open else None

    def is_due(self, scet: int, last: Unit | None) -> bool:
        """Whether it is to be done now, at that mission time or behind that frame; for the first time."""
        return self.deed is None and self._trigger.begins(scet, last)

    def begin(self, line: int, time: int) -> Deed:
        """It is done: at that time of the line, and of the station."""
        self._began = line
        self.deed = Deed(self.number, self.fault.kind, time)
        return self.deed

    def is_over(self, line: int) -> bool:
        """Whether it is to be undone now."""
        return self.open and line >= self._end

    def end(self, deeds: list[Deed], time: int) -> None:
        """It is undone: the deed in the record is the whole one."""
        assert self.deed is not None
        ended = replace(self.deed, ended=time)
        deeds[deeds.index(self.deed)] = self.deed = ended

    @property
    def _end(self) -> int:
        return self._began + (self.fault.span.value if self.fault.span is not None else 0)
