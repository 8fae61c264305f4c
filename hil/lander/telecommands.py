"""What each telecommand needs and does. The reports about it are the spacecraft's, not this file's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.lander.bus import Bus
from hil.lander.commanding import Order
from hil.lander.downlink import Downlink
from hil.lander.modes import PROFILES, MissionClock, Mode, Span
from hil.lander.probe import CommandCounts, Probe
from hil.lander.sequencer import deploy_parachute, fire_retrorockets
from protocols.lander import BUS

REAL_TIME = 100
"""SCALE's argument, in hundredths."""


@dataclass(slots=True)
class Machine:
    """What commands act on.

    Attributes:
        clock: mode and tick.
        downlink: what sends.
        probe: the lander.
        bus: the flyby bus.
        counts: of commands.
        scale: the pace that ports are asked for, mission time over real time in hundredths.
        profile: number of what happens in the descent.
        span: from which tick to which it flies.
        seed: of the failing chip and of the instruments' noise; 0 is the default.
    """

    clock: MissionClock
    downlink: Downlink
    probe: Probe
    bus: Bus
    counts: CommandCounts
    scale: int = REAL_TIME
    profile: int = 0
    span: Span = Span.DESCENT
    seed: int = 0

    def plan(self, profile: int, span: Span) -> None:
        """Choose what is flown. In READY."""
        self.profile, self.span = profile, span
        self.probe.sequence = PROFILES[profile].sequence
        self.clock = self.clock.planned(PROFILES[profile], span)

    def end_with_crash(self) -> None:
        """The lander crashed in this tick: a flight of the descent alone is over soon."""
        if self.span is Span.DESCENT and PROFILES[self.profile].ends_with_crash:
            self.clock = self.clock.crashed()

    def begin(self) -> None:
        """RUNNING at the first tick, with every counter of the stream at zero."""
        self.downlink.restart()
        self.probe.begin(PROFILES[self.profile].degraded, self.seed)
        self.clock = self.clock.started()

    def power_on(self) -> None:
        """Everything but the pace as after power on."""
        self.downlink.restart()
        self.clock = MissionClock()
        self.probe = Probe(self.downlink)
        self.bus = Bus(self.downlink)
        self.counts = CommandCounts()
        self.profile, self.span, self.seed = 0, Span.DESCENT, 0


def allowed(order: Order, machine: Machine) -> bool:
    """Whether the command can be carried out, and would have an effect."""
    return _ALLOWED.get(order.name, _always)(machine)


def carry_out(order: Order, machine: Machine) -> None:
    """Do what an allowed command says."""
    _EFFECTS[order.name](machine, *order.arguments)


def resets_counters(order: Order) -> bool:
    """Whether the command clears the queues, so that its reports have to be sent before."""
    return order.name in ("START", "RESET")


def _always(machine: Machine) -> bool:
    return True


def _in_flight(machine: Machine) -> bool:
    return machine.clock.mode is not Mode.READY


def _parachute_left(machine: Machine) -> bool:
    sequence = machine.probe.sequence
    return _in_flight(machine) and deploy_parachute(sequence, machine.clock.tick) is not sequence


def _retros_armed(machine: Machine) -> bool:
    sequence = machine.probe.sequence
    return _in_flight(machine) and fire_retrorockets(sequence, machine.clock.tick) is not sequence


def _mode_is(mode: Mode) -> Callable[[Machine], bool]:
    return lambda machine: machine.clock.mode is mode


_ALLOWED: dict[str, Callable[[Machine], bool]] = {
    "START": _mode_is(Mode.READY),
    "HOLD": _mode_is(Mode.RUNNING),
    "RESUME": _mode_is(Mode.HELD),
    "STEP": _mode_is(Mode.HELD),
    "REQUEST_HK": _in_flight,
    "DEPLOY_PARACHUTE": _parachute_left,
    "FIRE_RETROS": _retros_armed,
    "SELECT_PROFILE": _mode_is(Mode.READY),
    "SELECT_SPAN": _mode_is(Mode.READY),
    "SEED": _mode_is(Mode.READY),
}
"""The others are allowed always."""


def _ping(machine: Machine) -> None:
    machine.downlink.queue(BUS, "ALIVE", machine.clock.tick, {"tick": machine.clock.tick})


def _hold(machine: Machine) -> None:
    machine.clock = machine.clock.held()


def _resume(machine: Machine) -> None:
    machine.clock = machine.clock.started()


def _step(machine: Machine, ticks: int) -> None:
    machine.clock = machine.clock.stepping(ticks)


def _scale(machine: Machine, factor: int) -> None:
    machine.scale = factor


def _transmitter(machine: Machine, on: int) -> None:
    machine.probe.transmitter_on = on != 0


def _frame_rate(machine: Machine, period: int) -> None:
    machine.probe.period = period


def _request_hk(machine: Machine) -> None:
    machine.probe.queue_housekeeping(machine.clock.tick, machine.counts)


def _deploy_parachute(machine: Machine) -> None:
    machine.probe.sequence = deploy_parachute(machine.probe.sequence, machine.clock.tick)


def _fire_retros(machine: Machine) -> None:
    machine.probe.sequence = fire_retrorockets(machine.probe.sequence, machine.clock.tick)


def _select_profile(machine: Machine, number: int) -> None:
    machine.plan(number, machine.span)


def _select_span(machine: Machine, number: int) -> None:
    machine.plan(machine.profile, Span(number))


def _seed(machine: Machine, seed: int) -> None:
    machine.seed = seed
    machine.bus.seed(seed)


def _inject_fault(machine: Machine, fault: int, level: int, seed: int) -> None:
    machine.probe.chip = machine.probe.chip.inject(fault, level, seed)


def _clear_faults(machine: Machine, fault: int) -> None:
    machine.probe.chip = machine.probe.chip.clear(fault)


_EFFECTS: dict[str, Callable[..., None]] = {
    "PING": _ping,
    "START": Machine.begin,
    "HOLD": _hold,
    "RESUME": _resume,
    "STEP": _step,
    "SCALE": _scale,
    "RESET": Machine.power_on,
    "TRANSMITTER": _transmitter,
    "FRAME_RATE": _frame_rate,
    "REQUEST_HK": _request_hk,
    "DEPLOY_PARACHUTE": _deploy_parachute,
    "FIRE_RETROS": _fire_retros,
    "SELECT_PROFILE": _select_profile,
    "INJECT_FAULT": _inject_fault,
    "CLEAR_FAULTS": _clear_faults,
    "SELECT_SPAN": _select_span,
    "SEED": _seed,
}
