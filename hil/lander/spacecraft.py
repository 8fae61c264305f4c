"""The software lander with its bus: one tick of 100 ms in, the bytes of that tick out.

    sequence, state ──▶ milestones, readings ──▶ packets ──▶ VC0 frame ─┐
    relay ────────────────────────────────────▶ packets ──▶ VC2 frame ─┴▶ bytes

A deterministic machine of integers: the same ticks give the same bytes, on every machine. It holds its own state and
nothing else; whoever steps it decides what time a tick takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hil.lander.dynamics import ENTRY_STATE, State, advance
from hil.lander.instruments import Readings, measure
from hil.lander.packetizer import TICK_NS, Packetizer
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
from hil.lander.transmitter import Transmitter
from protocols.ccsds.clcw import Clcw
from protocols.lander import BUS, EPOCH, LANDER, MARS6, SCID
from protocols.profile import UART, LinkProfile

TICKS_PER_S = 10
PASS_TICKS = 3220
"""The bus goes on for ten seconds after the historical loss of signal, then the pass ends [A]."""

_RELAY_HOLD_TICKS = 5
_RELAY_LOCK_EVENT = 32
_RELAY_LOST_EVENT = 33
_SLANT_RANGE_KM = ((0, 2030), (3120, 1690), (4550, 1610))
"""Bus to lander by tick [C]; straight lines between [A]."""


@dataclass(frozen=True, slots=True)
class _Relay:
    """The bus's relay receiver: the tick of the last lander frame it heard, and how many it heard."""

    last_tick: int | None = None
    frames: int = 0
    locked: bool = False


class Spacecraft:
    """Mars 6 on its descent: the lander on VC0, its bus on VC2."""

    def __init__(self, sequence: Sequence = HISTORICAL, profile: LinkProfile = UART) -> None:
        self.tick = 0
        self._sequence = sequence
        self._state: State = ENTRY_STATE
        self._readings = Readings()
        self._relay = _Relay()
        self._packetizer = Packetizer(MARS6, EPOCH)
        self._transmitter = Transmitter(SCID, profile, (LANDER, BUS))
        self._events = 0

    @property
    def scet(self) -> int:
        """Mission time of the tick that comes next, in ns."""
        return EPOCH + self.tick * TICK_NS

    @property
    def finished(self) -> bool:
        """The pass is over: nothing more will be sent."""
        return self.tick >= PASS_TICKS

    def step(self) -> bytes:
        """Fly one tick; the frames that it sends, in wire order. Nothing once the pass is over."""
        if self.finished:
            return b""
        tick = self.tick
        self._sequence, passed = step(self._sequence, tick, self._state.altitude_mm)
        self._readings = measure(self._state, tick, altimeter_locked(self._sequence, tick), self._readings)
        self._report(tick, passed)
        sent = self._lander_frame(tick) if transmits_at(self._sequence, tick) else b""
        if tick % TICKS_PER_S == 0:
            sent += self._bus_frame(tick)
        self._state = advance(self._state, vehicle_at(self._sequence, tick))
        self.tick = tick + 1
        return sent

    def _report(self, tick: int, passed: tuple[Milestone, ...]) -> None:
        """Queue the events of milestones; during blackout they wait aboard until the lander is heard."""
        if phase_at(self._sequence, tick) is Phase.LOST:
            return
        for milestone in passed:
            altitude_m, speed_ms = self._state.altitude_mm // 1000, self._state.speed_mms // 1000
            values = {"number": int(milestone), "tick": tick, "a": altitude_m, "b": speed_ms}
            self._transmitter.queue(LANDER, self._packetizer.build("LANDER_EVENT", tick, values))
            self._events += 1

    def _lander_frame(self, tick: int) -> bytes:
        if tick % TICKS_PER_S == 0:
            self._transmitter.queue(LANDER, self._packetizer.build("LANDER_HK", tick, self._housekeeping(tick)))
        self._relay = _Relay(tick, self._relay.frames + 1, self._relay.locked)
        return self._transmitter.frame(LANDER, self._packetizer.build("DESCENT", tick, self._science(tick)), Clcw())

    def _science(self, tick: int) -> dict[str, int]:
        state, readings = self._state, self._readings
        return {
            "tick": tick,
            "phase": int(phase_at(self._sequence, tick)),
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

    def _housekeeping(self, tick: int) -> dict[str, int]:
        return {
            "tick": tick,
            "dictionary_hash": MARS6.hash,
            "frames_sent": self._transmitter.sent[LANDER],
            "events_sent": self._events,
            "commands_accepted": 0,
            "commands_rejected": 0,
            "transmitter_on": 1,
            "backlog": min(self._transmitter.backlog(LANDER), 0xFFFF),
        }

    def _bus_frame(self, tick: int) -> bytes:
        silence = 0xFFFF if self._relay.last_tick is None else min(tick - self._relay.last_tick, 0xFFFF)
        locked = silence <= _RELAY_HOLD_TICKS
        if locked != self._relay.locked:
            self._relay_event(tick, locked)
        values = {
            "tick": tick,
            "dictionary_hash": MARS6.hash,
            "slant_range": _slant_range_km(tick),
            "relay_frames": self._relay.frames,
            "relay_lock": locked,
            "relay_silence": silence,
        }
        return self._transmitter.frame(BUS, self._packetizer.build("BUS_HK", tick, values), Clcw())

    def _relay_event(self, tick: int, locked: bool) -> None:
        number = _RELAY_LOCK_EVENT if locked else _RELAY_LOST_EVENT
        values = {"number": number, "tick": tick, "a": self._relay.frames, "b": 0}
        self._transmitter.queue(BUS, self._packetizer.build("BUS_EVENT", tick, values))
        self._relay = _Relay(self._relay.last_tick, self._relay.frames, locked)


def _slant_range_km(tick: int) -> int:
    """Distance from bus to lander; constant after the last known point."""
    for (t0, r0), (t1, r1) in pairwise(_SLANT_RANGE_KM):
        if tick <= t1:
            return r0 - (r0 - r1) * (tick - t0) // (t1 - t0)
    return _SLANT_RANGE_KM[-1][1]
