"""The commands of a scenario that were not given yet: those of a time in order, and those that wait for a parameter."""

from __future__ import annotations

from hil.scenario.scenario import Command, Scenario
from hil.scenario.triggers import Triggers


class PendingCommands:
    """Ask it again and again: each command is handed out once."""

    def __init__(self, scenario: Scenario, triggers: Triggers) -> None:
        """Args: what is flown, and what its commands wait for."""
        numbered = [*enumerate(scenario.commands)]
        timed = [(int(command.at.value), n, command) for n, command in numbered if command.at is not None]
        self._timed = sorted(timed, key=lambda entry: entry[0])
        self._waiting = [(watch, n, scenario.commands[n]) for n, watch in triggers.commands.items()]

    def due(self, scet: int) -> list[tuple[int, Command]]:
        """Those to be given at a mission time, by their places in the scenario."""
        out: list[tuple[int, Command]] = []
        while self._timed and self._timed[0][0] <= scet:
            _, n, command = self._timed.pop(0)
            out.append((n, command))
        if self._waiting:
            out += [(n, command) for watch, n, command in self._waiting if watch.fired is not None]
            self._waiting = [entry for entry in self._waiting if entry[0].fired is None]
        return out

    @property
    def next_time(self) -> int | None:
        """When the next one is due, if a time says so."""
        return self._timed[0][0] if self._timed else None

    @property
    def wait(self) -> bool:
        """One waits for a parameter."""
        return bool(self._waiting)

    @property
    def names(self) -> list[str]:
        """What was not given yet."""
        return [*(command.name for _, _, command in self._timed), *(command.name for _, _, command in self._waiting)]
