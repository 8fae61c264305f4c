"""The lander proper, on VC0, and on VC1 once it has landed: it flies, measures, and sends while it may."""

from __future__ import annotations

from dataclasses import dataclass

from hil.lander.chip import Chip
from hil.lander.downlink import Downlink
from hil.lander.instruments import Readings, measure
from hil.lander.physics.descent import descend
from hil.lander.physics.dynamics import ENTRY_STATE, TICK_MS, TICKS_PER_S, State
from hil.lander.sequencer import (
    HISTORICAL,
    Milestone,
    Phase,
    Sequence,
    altimeter_locked,
    on_ground,
    phase_at,
    step,
    surface_at,
    transmits_at,
)
from hil.lander.systems.surface import READING_PHASE, READING_TICKS, SWEEP_PHASE, SWEEP_TICKS, SurfaceStation
from hil.lander.systems.vitals import Vitals, due_at
from hil.lander.systems.wear import Wear
from protocols.lander import LANDER, MARS6, SURFACE


@dataclass(frozen=True, slots=True)
class CommandCounts:
    """Telecommands carried out, and those refused or failed; both modulo 65,536."""

    accepted: int = 0
    rejected: int = 0

    def count(self, accepted: bool) -> CommandCounts:
        """One more."""
        if accepted:
            return CommandCounts(self.accepted + 1 & 0xFFFF, self.rejected)
        return CommandCounts(self.accepted, self.rejected + 1 & 0xFFFF)


class Probe:
    """The lander, from power on. Commands set its attributes; nothing else outside does.

    Attributes:
        sequence: when each thing happens or happened.
        chip: what corrupts its frames.
        transmitter_on: while off it makes neither frames nor science and housekeeping packets of its own accord.
        period: frames are made on ticks divisible by it.
        events: event packets since start.
        meant: the body of this tick's science as it was before the chip spoilt it; None: it did not.
        science: the body of this tick's science as it is in its frame; None: there is none.
    """

    def __init__(self, downlink: Downlink) -> None:
        self.sequence: Sequence = HISTORICAL
        self.chip = Chip()
        self.transmitter_on = True
        self.period = 1
        self.events = 0
        self.meant: bytes | None = None
        self.science: bytes | None = None
        self._downlink = downlink
        self._state: State = ENTRY_STATE
        self._readings = Readings()
        self._vitals = Vitals()
        self._systems: dict[str, int] | None = None
        self._wear: Wear | None = None
        self._surface = SurfaceStation(0)

    def begin(self, degraded: bool, seed: int) -> None:
        """What START does with the lander.

        Args:
            degraded: its chip fails with time.
            seed: of the chip and of the surface instruments' noise; 0 is the default.
        """
        self.events = 0
        self._systems = None
        self._wear = Wear(seed) if degraded else None
        self._surface = SurfaceStation(seed)

    def observe(self, tick: int) -> None:
        """The sequencer steps and the instruments measure."""
        self.sequence, passed = step(self.sequence, tick, self._state.altitude_mm, self._state.speed_mms)
        self._readings = measure(self._state, tick, altimeter_locked(self.sequence, tick), self._readings)
        self._vitals.observe(tick, self._readings.deceleration, self._radiates(tick))
        if passed:
            self._report(tick, passed)

    def crashes(self, tick: int) -> bool:
        """True in the tick that is the end of the lander."""
        return self.sequence.crashed and self.sequence.ground_ms == tick * TICK_MS

    def transmit(self, tick: int, counts: CommandCounts) -> list[bytes]:
        """The frame of this tick, if one is due and the lander transmits; on the ground what waits comes after it."""
        self.meant = self.science = None
        if not self._radiates(tick):
            return []
        if surface_at(self.sequence, tick):
            return self._transmit_surface(tick)
        if self._wear is not None:
            self._wear.age(tick)
        if tick % TICKS_PER_S == 0:
            self.queue_housekeeping(tick, counts)
        last = on_ground(self.sequence, tick)  # in which the event of the ground needs the room, whatever the period
        if due_at(tick) and not last:
            self._systems = self._vitals.report(self.sequence, tick)
        if tick % self.period and not last:
            return []
        frames = [self._transmit_descent(tick)]
        while last and self._downlink.transmitter.waits(LANDER):
            frames.append(self._frame(b""))
        return frames

    def move(self, tick: int) -> None:
        """The motion from this tick to the next."""
        self._state = descend(self._state, self.sequence, tick)

    def queue_housekeeping(self, tick: int, counts: CommandCounts) -> None:
        """Let LANDER_HK wait for the next frame."""
        transmitter = self._downlink.transmitter
        values = {
            "tick": tick,
            "dictionary_hash": MARS6.hash,
            "frames_sent": transmitter.sent[LANDER],
            "events_sent": self.events,
            "commands_accepted": counts.accepted,
            "commands_rejected": counts.rejected,
            "transmitter_on": self.transmitter_on,
            "backlog": transmitter.backlog(LANDER),
        }
        self._downlink.queue(LANDER, "LANDER_HK", tick, values)

    def _radiates(self, tick: int) -> bool:
        on_air = transmits_at(self.sequence, tick) or surface_at(self.sequence, tick)
        return self.transmitter_on and on_air

    def _transmit_descent(self, tick: int) -> bytes:
        """A frame on VC0: DESCENT, and LANDER_SYSTEMS if one is there that was not sent yet."""
        packetizer = self._downlink.packetizer
        meant = packetizer.body("DESCENT", self._science(tick))
        body, self.chip = self.chip.spoil_body(self._worn_body(meant))
        self.meant, self.science = None if body == meant else meant, body
        packets = packetizer.wrap("DESCENT", tick, body)
        if self._systems is not None:
            packets += packetizer.build("LANDER_SYSTEMS", self._systems["tick"], self._systems)
            self._systems = None
        return self._frame(packets)

    def _frame(self, packets: bytes) -> bytes:
        """A frame on VC0, as the chip lets it out."""
        frame = self._downlink.frame(LANDER, packets)
        if self._wear is not None:
            frame = self._wear.spoil_frame(frame)
        frame, self.chip = self.chip.spoil_frame(frame)
        return frame

    def _worn_body(self, body: bytes) -> bytes:
        return body if self._wear is None else self._wear.spoil_body(body)

    def _transmit_surface(self, tick: int) -> list[bytes]:
        """A frame on VC1, with the one packet that is due."""
        if tick % READING_TICKS == READING_PHASE:
            values = self._surface.read(tick, self.sequence.ground_ms) | self._vitals.battery()
            name = "SURFACE"
        elif tick % SWEEP_TICKS == SWEEP_PHASE:
            values, name = self._surface.sweep(), "SPECTRUM"
        else:
            return []
        return [self._downlink.frame(SURFACE, self._downlink.packetizer.build(name, tick, {"tick": tick} | values))]

    def _report(self, tick: int, passed: tuple[Milestone, ...]) -> None:
        """Queue the events of milestones; during blackout they wait aboard until the lander is heard."""
        if phase_at(self.sequence, tick) is Phase.LOST:
            return
        for milestone in passed:
            state = self._state
            at_ground = milestone in (Milestone.TOUCHDOWN, Milestone.IMPACT)
            first = state.speed_mms // 10 if at_ground else state.altitude_mm // 1000
            values = {"number": int(milestone), "tick": tick, "a": first, "b": state.speed_mms // 1000}
            self._downlink.queue(LANDER, "LANDER_EVENT", tick, values)
            self.events += 1

    def _science(self, tick: int) -> dict[str, int]:
        state, readings = self._state, self._readings
        return {
            "tick": tick,
            "phase": int(phase_at(self.sequence, tick)),
            "altitude": state.altitude_mm,
            "speed": state.speed_mms,
            "vertical_speed": state.vertical_mms,
            "deceleration": readings.deceleration,
            "temperature": readings.temperature,
            "pressure": readings.pressure,
            "altimeter_lock": readings.altimeter_lock,
            "radio_altitude": readings.radio_altitude,
            "radio_altitude_low": readings.radio_altitude_low,
            "pump_current": readings.pump_current,
        }
