"""The conditions on telemetry that a scenario's faults and commands wait for, in one flight."""

from __future__ import annotations

from collections.abc import Mapping

from groundstation.messages.wire import Telemetry
from hil.faults import Watch, When
from hil.scenario.parameters import check_when
from hil.scenario.scenario import Scenario
from protocols.declare.dictionary import Dictionary


class Triggers:
    """Show it all that the station decodes, in order.

    Attributes:
        faults: the watch of each fault that waits for a parameter, by its place in the scenario.
        commands: likewise of the commands.
    """

    def __init__(self, scenario: Scenario, dictionary: Dictionary) -> None:
        """Args: what is flown, and what its parameters are."""
        self.faults: Mapping[int, Watch] = {
            n: _watch(fault.when, dictionary) for n, fault in enumerate(scenario.faults) if fault.when is not None
        }
        self.commands: Mapping[int, Watch] = {
            n: _watch(command.when, dictionary)
            for n, command in enumerate(scenario.commands)
            if command.when is not None
        }
        self._all = [*self.faults.values(), *self.commands.values()]

    @property
    def waiting(self) -> bool:
        """One has not fired yet."""
        return any(watch.fired is None for watch in self._all)

    def take(self, message: Telemetry) -> None:
        """One decoded packet."""
        for watch in self._all:
            watch.take(message)


def _watch(when: When, dictionary: Dictionary) -> Watch:
    return Watch(when, check_when("when", when, dictionary).unit)
