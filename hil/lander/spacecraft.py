"""The software lander with its bus: telecommands and ticks of 100 ms in, the bytes they lead to out.

    uplink ──▶ commands ──▶ mission clock, sequence, chip …
    sequence, state ──▶ milestones, readings ──▶ packets ──▶ VC0 frame ─┐
    relay, reports ───────────────────────────▶ packets ──▶ VC2 frame ─┴▶ bytes

A deterministic machine of integers: the same commands at the same ticks give the same bytes, on every machine. It holds
its own state and nothing else; the caller that steps it decides how long a tick takes. ``docs/lander.md`` describes it.
"""

from __future__ import annotations

from hil.lander.bus import Bus, FaultTrace, ResetReason
from hil.lander.commanding import CommandReceiver, Failure, Order, Refusal
from hil.lander.downlink import Downlink
from hil.lander.modes import MissionClock, Mode
from hil.lander.physics.dynamics import TICK_NS
from hil.lander.probe import CommandCounts, Probe
from hil.lander.telecommands import Machine, allowed, carry_out, resets_counters
from protocols.ccsds.pus import ACK_ACCEPTANCE, ACK_COMPLETION
from protocols.lander import BUS, EPOCH
from protocols.profile import UART, LinkProfile

MAX_WAITING = 8
"""Commands that may wait for the next tick [A]."""


class Spacecraft:
    """Mars 6 on its descent: the lander on VC0, its bus on VC2. After power on it is READY."""

    def __init__(self, profile: LinkProfile = UART, made: list[bytes] | None = None) -> None:
        """Args: how frames look, and what gets each frame as it is made, before a chip that fails spoils it."""
        self._receiver = CommandReceiver()
        self._waiting: list[Order] = []
        downlink = Downlink(profile, self._receiver.clcw, made)
        self._machine = Machine(MissionClock(), downlink, Probe(downlink), Bus(downlink), CommandCounts())

    @property
    def mode(self) -> Mode:
        """READY, RUNNING or HELD."""
        return self._machine.clock.mode

    @property
    def tick(self) -> int:
        """The tick that comes next."""
        return self._machine.clock.tick

    @property
    def scet(self) -> int:
        """Mission time of the tick that comes next, in ns."""
        return EPOCH + self.tick * TICK_NS

    @property
    def scale(self) -> int:
        """The pace that SCALE asked the port for: mission time over real time, in hundredths."""
        return self._machine.scale

    @property
    def finished(self) -> bool:
        """The pass is over: no tick will be flown before a RESET."""
        return self._machine.clock.over

    @property
    def flies(self) -> bool:
        """The next `step` flies a tick, unless a command that waits says otherwise."""
        return self._machine.clock.flies

    @property
    def meant(self) -> bytes | None:
        """The body of the last tick's science as it was before the chip spoilt it; None: it did not."""
        return self._machine.probe.meant

    @property
    def science(self) -> bytes | None:
        """The body of the last tick's science as it is in its frame; None: there is none."""
        return self._machine.probe.science

    @property
    def frames_dropped(self) -> int:
        """TC frames that were damaged or not for this spacecraft."""
        return self._receiver.dropped

    def start(self) -> None:
        """Do what START does, without a command and its reports. In READY."""
        self._machine.begin()

    def hello(self, reset_reason: ResetReason, build_id: int, fault: FaultTrace | None = None) -> bytes:
        """Report that the machine is up: one VC2 frame with BUS_HK and the event BOOT. Only in READY.

        Args:
            reset_reason: why it runs.
            build_id: what runs; 31 bits of it are sent.
            fault: what ended the run before, if it was one; it is in the same frame.
        """
        if self.mode is not Mode.READY:
            return b""
        return self._machine.bus.greet(self.tick, reset_reason, build_id, fault)

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the uplink, however they are cut.

        Returns:
            The answer, to be sent at once. Empty while ticks are flown: the answer comes with the next.
        """
        return b"".join(self._answer(found) for found in self._receiver.receive(data))

    def step(self) -> bytes:
        """Apply what waits and fly one tick, if one is to be flown; the frames that are sent, in wire order."""
        waiting, self._waiting = self._waiting, []
        sent = b"".join(self._apply(order) for order in waiting)
        if not self.flies:
            return sent
        machine, tick = self._machine, self.tick
        if tick >= 0:
            sent += self._fly_probe(tick)
        sent += machine.bus.transmit(tick)
        if tick >= 0:
            machine.probe.move(tick)
        machine.clock = machine.clock.flown()
        return sent

    def _fly_probe(self, tick: int) -> bytes:
        """The lander's tick, but for its motion. Before entry it coasts: it neither moves nor measures nor sends."""
        machine = self._machine
        machine.probe.observe(tick)
        if machine.probe.crashes(tick):
            machine.end_with_crash()
        frames = machine.probe.transmit(tick, machine.counts)
        for _ in frames:
            machine.bus.hear(tick)
        return b"".join(frames)

    def _answer(self, found: Order | Refusal) -> bytes:
        """Apply a command, let it wait, or refuse it."""
        stopped = self._machine.clock.stopped
        if isinstance(found, Refusal):
            self._refuse(found)
        elif stopped:
            return self._apply(found)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(found)
        else:
            self._refuse(Refusal(found.request, Failure.BUSY))
        return self._machine.downlink.flush(BUS) if stopped else b""

    def _apply(self, order: Order) -> bytes:
        """Carry a command out and report; the reports themselves if the clock stood before or stands now."""
        machine = self._machine
        was_stopped, possible = machine.clock.stopped, allowed(order, machine)
        machine.counts = machine.counts.count(possible)
        self._verify(order, possible)
        sent = b""
        if possible:
            if resets_counters(order):
                sent = machine.downlink.flush(BUS)
            carry_out(order, machine)
        if was_stopped or machine.clock.stopped:
            sent += machine.downlink.flush(BUS)
        return sent

    def _verify(self, order: Order, possible: bool) -> None:
        if order.acknowledge & ACK_ACCEPTANCE:
            self._report("COMMAND_ACCEPTED", order.request)
        if not possible:
            self._report("COMMAND_FAILED", order.request, Failure.WRONG_STATE)
        elif order.acknowledge & ACK_COMPLETION:
            self._report("COMMAND_COMPLETED", order.request)

    def _refuse(self, refusal: Refusal) -> None:
        self._machine.counts = self._machine.counts.count(False)
        self._report("COMMAND_REFUSED", refusal.request, refusal.failure)

    def _report(self, name: str, request: int, failure: Failure | None = None) -> None:
        values = {"request": request, "tick": self.tick}
        if failure is not None:
            values["failure"] = failure
        self._machine.downlink.queue(BUS, name, self.tick, values)
