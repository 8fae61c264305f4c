"""Targets that are stepped: no clock runs, so a flight is exact, and as fast as the target.

The Python lander is stepped in this process, any other machine by telecommand: `hil.targets.stepping` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from hil.errors import Unsupported
from hil.lander.flight_profile import HISTORICAL, FlightPlan
from hil.lander.spacecraft import Spacecraft
from hil.targets import MACHINES, PROGRAM, UNPACED, ProgramMachine
from hil.targets.stepping import SteppedMachine, faults_of
from hil.targets.telecommands import order, plan_cltus
from hil.verdict.oracle import call, historical_bursts

Capabilities = frozenset[str]


class SteppableTarget(Protocol):
    """A lander whose ticks the rig lets fly."""

    name: str
    ready: bool
    """It waited for START, so the oracle has to."""
    script: list[tuple[int, bytes]]
    """All that went up, each with how many calls of `step` came before it: what the oracle has to get."""
    steps: int
    """Calls of `step` so far."""

    def begin(self, plan: FlightPlan = HISTORICAL) -> None:
        """Switch it on and bring it to the first tick, with the plan of the flight.

        Raises:
            MachineFailed: it does not start.
        """

    def advance(self, ticks: int, uplink: Sequence[bytes]) -> Iterable[bytes]:
        """Give it what came up, one CLTU after the other, and let so many ticks fly: the bytes of each, as they come.

        Answers are in those of the first.

        Raises:
            MachineFailed: it does not answer.
        """

    @property
    def over(self) -> bool:
        """The pass is over: no tick will send anything more."""

    def reset(self) -> None:
        """Pull its reset pin: it waits in READY, and its greetings are not heard."""

    def power(self, on: bool) -> None:
        """Take its power, or give it back."""

    def hang(self, stands: bool) -> None:
        """Let it stand, or go on."""

    def flip(self, address: int, mask: int) -> None:
        """Turn over bits of a byte of its memory."""

    @property
    def booted(self) -> list[str]:
        """Builds that it said it was."""

    def provenance(self) -> dict[str, str]:
        """What it is: build, hash, emulator."""

    @property
    def console(self) -> str:
        """What it had to say for people."""

    def close(self) -> None:
        """Switch it off. Idempotent."""


class SteppedSoftware:
    """The Python lander, in this process. As long as nothing goes up it sends what it sent in its last flight here: it
    is the oracle, and is flown once (`historical_bursts`).
    """

    name = "software"
    console = ""

    def __init__(self) -> None:
        self.ready = False
        self.script: list[tuple[int, bytes]] = []
        self.steps = 0
        self._flown = historical_bursts()
        self._craft: Spacecraft | None = None

    def begin(self, plan: FlightPlan = HISTORICAL) -> None:
        """It starts by itself, unless it has to be told its flight before."""
        if plan != HISTORICAL:
            start = plan_cltus(plan) + order("START")
            self.ready, self._craft = True, Spacecraft()
            self.script.append((0, start))
            self._craft.receive(start)

    def advance(self, ticks: int, uplink: Sequence[bytes]) -> list[bytes]:
        """Let so many ticks fly."""
        self.script += [(self.steps, data) for data in uplink]
        first, self.steps = self.steps, self.steps + ticks
        if self._craft is None and not uplink:
            sent = list(self._flown[first : self.steps])
            return sent + [b""] * (ticks - len(sent))
        craft = self._flying(first)
        answered = call(craft, b"".join(uplink)).data
        return [answered, *(call(craft, b"").data for _ in range(ticks - 1))]

    def _flying(self, steps: int) -> Spacecraft:
        """A lander that has made so many steps."""
        if self._craft is None:
            self._craft = Spacecraft()
            self._craft.start()
            for _ in range(steps):
                self._craft.step()
        return self._craft

    @property
    def over(self) -> bool:
        """The pass is over."""
        return self.steps >= len(self._flown) if self._craft is None else self._craft.finished

    def reset(self) -> None:
        """Start from scratch."""
        self._craft = Spacecraft()

    def power(self, on: bool) -> None:
        """Start from scratch, too."""
        self._craft = Spacecraft()

    def hang(self, stands: bool) -> None:
        """Nothing: it is not stepped while it stands."""

    def flip(self, address: int, mask: int) -> None:
        """Not of Python's objects."""
        raise Unsupported("the memory of the software lander cannot be written")

    @property
    def booted(self) -> list[str]:
        """It has none."""
        return []

    def provenance(self) -> dict[str, str]:
        """It is what the package is."""
        return {}

    def close(self) -> None:
        """Nothing to give back."""


STEPPED: dict[str, Callable[[], SteppableTarget]] = {
    **{name: partial(SteppedMachine, make) for name, make in UNPACED.items()},
    "software": SteppedSoftware,
}
"""Targets that can be flown in lockstep: all machines, and one that needs none."""

UNMACHINED = {"software"}
"""Those that are stepped in this process, without a machine."""

SUPPORTED_FAULTS: dict[str, Capabilities] = {
    **{name: faults_of(kind) for name, kind in MACHINES.items()},
    PROGRAM: faults_of(ProgramMachine),
}
"""Faults of the target that each can have."""
