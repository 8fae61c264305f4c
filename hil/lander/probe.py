"""The lander proper, on VC0: it flies, measures, and sends while it may."""

from __future__ import annotations

from dataclasses import dataclass

from hil.lander.chip import Chip
from hil.lander.downlink import Downlink
from hil.lander.instruments import Readings, measure
from hil.lander.physics.dynamics import ENTRY_STATE, TICKS_PER_S, State, advance
from hil.lander.sequencer import (
    HISTORICAL,
    Milestone,
    Phase,
    Sequence,
    altimeter_locked,
    phase_at,
    step,
    transmits_at,
    vehicle_at,
)
from protocols.lander import LANDER, MARS6


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
    """

    def __init__(self, downlink: Downlink) -> None:
        self.sequence: Sequence = HISTORICAL
        self.chip = Chip()
        self.transmitter_on = True
        self.period = 1
        self.events = 0
        self.meant: bytes | None = None
        self._downlink = downlink
        self._state: State = ENTRY_STATE
        self._readings = Readings()

    def observe(self, tick: int) -> None:
        """The sequencer steps and the instruments measure."""
        self.sequence, passed = step(self.sequence, tick, self._state.altitude_mm)
        self._readings = measure(self._state, tick, altimeter_locked(self.sequence, tick), self._readings)
        self._report(tick, passed)

    def transmit(self, tick: int, counts: CommandCounts) -> bytes:
        """The frame of this tick, if one is due and the lander transmits."""
        self.meant = None
        if not self.transmitter_on or not transmits_at(self.sequence, tick):
            return b""
        if tick % TICKS_PER_S == 0:
            self.queue_housekeeping(tick, counts)
        if tick % self.period:
            return b""
        meant = self._downlink.packetizer.body("DESCENT", self._science(tick))
        body, self.chip = self.chip.spoil_body(meant)
        self.meant = None if body == meant else meant
        frame = self._downlink.frame(LANDER, self._downlink.packetizer.wrap("DESCENT", tick, body))
        frame, self.chip = self.chip.spoil_frame(frame)
        return frame

    def move(self, tick: int) -> None:
        """The motion from this tick to the next."""
        self._state = advance(self._state, vehicle_at(self.sequence, tick))

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

    def _report(self, tick: int, passed: tuple[Milestone, ...]) -> None:
        """Queue the events of milestones; during blackout they wait aboard until the lander is heard."""
        if phase_at(self.sequence, tick) is Phase.LOST:
            return
        for milestone in passed:
            altitude_m, speed_ms = self._state.altitude_mm // 1000, self._state.speed_mms // 1000
            values = {"number": int(milestone), "tick": tick, "a": altitude_m, "b": speed_ms}
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
