"""The flyby bus, on VC2: it relays the lander, tells of itself once a second, and answers telecommands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from itertools import pairwise

from hil.lander.downlink import Downlink
from hil.lander.physics.dynamics import TICKS_PER_S
from protocols.lander import BUS, MARS6, RESET_REASONS

_RELAY_HOLD_TICKS = 5
_RELAY_LOCK_EVENT = 32
_RELAY_LOST_EVENT = 33
_BOOT_EVENT = 34
_FAULT_EVENT = 35
_BUILD_BITS = 0x7FFFFFFF
_SLANT_RANGE_KM = ((0, 2030), (3120, 1690), (4550, 1610))
"""Bus to lander by tick [C]; straight lines between [A]."""


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
        self._heard: int | None = None
        self._frames = 0
        self._locked = False

    def hear(self, tick: int) -> None:
        """A lander frame came at this tick."""
        self._heard = tick
        self._frames += 1

    def transmit(self, tick: int) -> bytes:
        """The frame of this tick: on whole seconds, or for what waits."""
        if tick % TICKS_PER_S == 0:
            self._watch_relay(tick)
            return self._downlink.frame(BUS, self._housekeeping(tick))
        return self._downlink.frame(BUS) if self._downlink.transmitter.waits(BUS) else b""

    def greet(self, tick: int, reset_reason: ResetReason, build_id: int, fault: FaultTrace | None) -> bytes:
        """One frame that says that the machine is up, and which fault ended the run before."""
        boot = {"number": _BOOT_EVENT, "tick": tick, "a": int(reset_reason), "b": build_id & _BUILD_BITS}
        build = self._downlink.packetizer.build
        packets = self._housekeeping(tick) + build("BUS_EVENT", tick, boot)
        if fault is not None:
            packets += build("FAULT_TRACE", tick, {"number": _FAULT_EVENT, "tick": tick, **asdict(fault)})
        return self._downlink.frame(BUS, packets)

    def _watch_relay(self, tick: int) -> None:
        """A change is an event."""
        locked = self._silence(tick) <= _RELAY_HOLD_TICKS
        if locked != self._locked:
            number = _RELAY_LOCK_EVENT if locked else _RELAY_LOST_EVENT
            event = {"number": number, "tick": tick, "a": self._frames, "b": 0}
            self._downlink.queue(BUS, "BUS_EVENT", tick, event)
            self._locked = locked

    def _silence(self, tick: int) -> int:
        """Ticks since a lander frame."""
        return 0xFFFF if self._heard is None else min(tick - self._heard, 0xFFFF)

    def _housekeeping(self, tick: int) -> bytes:
        values = {
            "tick": tick,
            "dictionary_hash": MARS6.hash,
            "slant_range": _slant_range_km(tick),
            "relay_frames": self._frames & 0xFFFF,
            "relay.lock": self._locked,
            "relay_silence": self._silence(tick),
            "relay.horizon": False,
            "elevation": 0,
        }
        return self._downlink.packetizer.build("BUS_HK", tick, values)


def _slant_range_km(tick: int) -> int:
    """Distance from bus to lander; constant after the last known point."""
    for (t0, r0), (t1, r1) in pairwise(_SLANT_RANGE_KM):
        if tick <= t1:
            return r0 - (r0 - r1) * (tick - t0) // (t1 - t0)
    return _SLANT_RANGE_KM[-1][1]
