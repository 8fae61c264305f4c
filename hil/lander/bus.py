"""The flyby bus, on VC2: it relays the lander, reports itself once a second, measures, and answers telecommands.

All that it has to say of a second goes in one frame: housekeeping, then the one measurement that is due, then what
waits. No two measurements are due in the same second.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum

from hil.lander.bus_instruments import seeded
from hil.lander.downlink import Downlink
from hil.lander.physics.dynamics import TICKS_PER_S
from hil.lander.physics.orbit import Geometry, geometry_at
from hil.lander.physics.orbit_table import BOW_SHOCK_TICK
from protocols.lander import BUS, MARS6, RESET_REASONS

_RELAY_HOLD_TICKS = 5
_SURFACE_HOLD_TICKS = 105
"""On the surface the lander sends every 10 s."""
_SURFACE_TICK = 4_550
_RELAY_MASK = 1_500
"""The relay passes nothing from an elevation below 15° [A]."""
_RELAY_LOCK_EVENT = 32
_RELAY_LOST_EVENT = 33
_BOOT_EVENT = 34
_FAULT_EVENT = 35
_RELAY_SET_EVENT = 36
_BOW_SHOCK_EVENT = 37
_BUILD_BITS = 0x7FFFFFFF
_CHANNELS = ("proton_1", "proton_2", "proton_3", "proton_4", "electron_1", "electron_2")


class ResetReason(IntEnum):
    """Why a machine started; the numbers are those of the event BOOT."""

    UNKNOWN = 0
    POWER_ON = 1
    PIN = 2
    BROWN_OUT = 3
    WATCHDOG = 4
    SOFTWARE = 5

    @property
    def words(self) -> str:
        """For people, as the event BOOT has it."""
        return RESET_REASONS[self]


@dataclass(frozen=True, slots=True)
class FaultTrace:
    """What a fault of the machine left behind: the fields of the packet FAULT_TRACE."""

    pc: int
    lr: int
    cfsr: int
    stack: int


class Bus:
    """The bus, from power on."""

    def __init__(self, downlink: Downlink) -> None:
        self._downlink = downlink
        self._instruments = seeded(0)
        self._heard: int | None = None
        self._frames = 0
        self._locked = False

    def seed(self, seed: int) -> None:
        """What the instruments' noise comes from. In READY, before they have measured."""
        self._instruments = seeded(seed)

    def hear(self, tick: int) -> None:
        """A lander frame came at this tick."""
        self._heard = tick
        self._frames += 1

    def transmit(self, tick: int) -> bytes:
        """The frame of this tick: on whole seconds, or for what waits."""
        if tick % TICKS_PER_S:
            return self._downlink.frame(BUS) if self._downlink.transmitter.waits(BUS) else b""
        geometry = geometry_at(tick)
        self._watch_relay(tick)
        self._watch_way(tick, geometry)
        return self._downlink.frame(BUS, self._housekeeping(tick, geometry) + self._measurement(tick, geometry))

    def greet(self, tick: int, reset_reason: ResetReason, build_id: int, fault: FaultTrace | None) -> bytes:
        """One frame that says that the machine is up, and which fault ended the run before."""
        boot = {"number": _BOOT_EVENT, "tick": tick, "a": int(reset_reason), "b": build_id & _BUILD_BITS}
        build = self._downlink.packetizer.build
        packets = self._housekeeping(tick, geometry_at(tick)) + build("BUS_EVENT", tick, boot)
        if fault is not None:
            packets += build("FAULT_TRACE", tick, {"number": _FAULT_EVENT, "tick": tick, **asdict(fault)})
        return self._downlink.frame(BUS, packets)

    def _watch_relay(self, tick: int) -> None:
        """Whether the lander is heard; a change is an event."""
        locked = self._silence(tick) <= (_RELAY_HOLD_TICKS if tick < _SURFACE_TICK else _SURFACE_HOLD_TICKS)
        if locked != self._locked:
            self._report(tick, _RELAY_LOCK_EVENT if locked else _RELAY_LOST_EVENT, self._frames)
            self._locked = locked

    def _watch_way(self, tick: int, geometry: Geometry) -> None:
        """What the second passes on the way past Mars is an event."""
        before = tick - TICKS_PER_S
        if before < BOW_SHOCK_TICK <= tick:
            self._report(tick, _BOW_SHOCK_EVENT, geometry.altitude_km)
        if tick > 0 and geometry.elevation < _RELAY_MASK <= geometry_at(before).elevation:
            self._report(tick, _RELAY_SET_EVENT, geometry.elevation, self._frames)

    def _report(self, tick: int, number: int, a: int, b: int = 0) -> None:
        self._downlink.queue(BUS, "BUS_EVENT", tick, {"number": number, "tick": tick, "a": a, "b": b})

    def _silence(self, tick: int) -> int:
        """Ticks since a lander frame."""
        return 0xFFFF if self._heard is None else min(tick - self._heard, 0xFFFF)

    def _housekeeping(self, tick: int, geometry: Geometry) -> bytes:
        values = {
            "tick": tick,
            "dictionary_hash": MARS6.hash,
            "slant_range": geometry.slant_range_km,
            "elevation": geometry.elevation,
            "relay_frames": self._frames & 0xFFFF,
            "relay.horizon": tick >= 0,
            "relay.lock": self._locked,
            "relay_silence": self._silence(tick),
        }
        return self._downlink.packetizer.build("BUS_HK", tick, values)

    def _measurement(self, tick: int, geometry: Geometry) -> bytes:
        """The packet that is due in this second, if one is; by the tick modulo a minute."""
        of_minute = tick % 600
        if of_minute % 100 == 0:
            name, values = "MAGNETOMETER", self._magnetometer(tick, geometry)
        elif of_minute % 100 == 20:
            name, values = "BUS_ORBIT", _orbit(geometry)
        elif of_minute % 200 == 50:
            name, values = "PLASMA", self._plasma(tick, geometry)
        elif of_minute == 70:
            name, values = "COSMIC_RAYS", self._cosmic_rays(geometry)
        elif of_minute == 80:
            name, values = "MICROMETEOROIDS", self._micrometeoroids()
        elif of_minute == 90:
            name, values = "PARTICLES", self._particles(tick)
        else:
            return b""
        return self._downlink.packetizer.build(name, tick, {"tick": tick} | values)

    def _magnetometer(self, tick: int, geometry: Geometry) -> dict[str, int]:
        axes, self._instruments = self._instruments.measure_field(tick, geometry)
        return dict(zip(("bx", "by", "bz"), axes, strict=True))

    def _plasma(self, tick: int, geometry: Geometry) -> dict[str, int]:
        plasma, self._instruments = self._instruments.measure_plasma(tick, geometry)
        return asdict(plasma)

    def _cosmic_rays(self, geometry: Geometry) -> dict[str, int]:
        rate, self._instruments = self._instruments.count_cosmic_rays(geometry)
        return {"rate": rate}

    def _micrometeoroids(self) -> dict[str, int]:
        impacts, self._instruments = self._instruments.count_meteoroids()
        return {"impacts": impacts}

    def _particles(self, tick: int) -> dict[str, int]:
        counts, self._instruments = self._instruments.count_particles(tick)
        return dict(zip(_CHANNELS, counts, strict=True))


def _orbit(geometry: Geometry) -> dict[str, int]:
    return {
        "range": geometry.radius_km,
        "altitude": geometry.altitude_km,
        "speed": geometry.speed_ms,
        "light_time": geometry.light_time,
    }
