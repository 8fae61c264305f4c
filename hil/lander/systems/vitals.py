"""The packet LANDER_SYSTEMS: accelerometer over a second, swing, retrorockets, battery, transmitter. All of it [A].

Rules:
1. Peak and mean are of the accelerometer's counts in the ten ticks up to this one.
2. The lander swings ±20° from the moment the drogue opens: a period of 10 s under the drogue, 16 s under the main
   parachute [A], in phase where one follows the other. Once the parachute is released and on the ground it does not.
3. The battery gives 28 V less 0.25 Ω of the current, less 0.01 V for each 50 A·s that were drawn since entry.
"""

from __future__ import annotations

from hil.lander.physics.dynamics import TICK_MS, TICKS_PER_S
from hil.lander.sequencer import Sequence, on_ground, retro_at, thrust_at

PHASE = 5
"""LANDER_SYSTEMS is of the ticks at which ``tick % 10`` is this."""

_QUARTER = (0, 16, 31, 47, 62, 77, 91, 104, 118, 130, 141, 152, 162, 171, 178, 185, 190, 194, 198, 199, 200)
"""200 sin x in steps of 4.5°: a quarter of a swing, in 0.1°."""
_QUARTER_PARTS = 200
_TABLE_PARTS = 10
"""A swing has 800 parts: one is 12.5 ms under the drogue and 20 ms under the main parachute."""

_HUNDREDTH_KN_MN = 10_000
_IDLE_CA = 80
_RADIO_CA = 320
"""0.8 A for the instruments, 3.2 A for the transmitter, in 0.01 A."""
_FULL_CV = 2_800
_DROP_MA_S = 50_000
_RADIATED_DW = 200
"""20 W, in 0.1 W."""


class Vitals:
    """What LANDER_SYSTEMS and the battery's fields of SURFACE report. It counts from entry."""

    def __init__(self) -> None:
        self._peak = 0
        self._sum = 0
        self._drawn_ma_s = 0
        self._radiates = False

    def observe(self, tick: int, deceleration: int, radiates: bool) -> None:
        """One tick: the accelerometer's count, and whether the transmitter is on."""
        if due_at(tick - 1):
            self._peak = self._sum = 0
        self._peak = max(self._peak, deceleration)
        self._sum += deceleration
        self._radiates = radiates
        # 0.01 A for 0.1 s is 1 mA s.
        self._drawn_ma_s += self._current_ca()

    def report(self, sequence: Sequence, tick: int) -> dict[str, int]:
        """The packet's values at a tick at which it is due."""
        return {
            "tick": tick,
            "peak_deceleration": self._peak,
            "mean_deceleration": (self._sum + TICKS_PER_S // 2) // TICKS_PER_S,
            "swing": swing_at(sequence, tick),
            "retro": int(retro_at(sequence, tick)),
            "thrust": thrust_at(sequence, tick) // _HUNDREDTH_KN_MN,
            **self.battery(),
        }

    def battery(self) -> dict[str, int]:
        """Battery and transmitter at the last tick."""
        current = self._current_ca()
        return {
            "battery_voltage": _FULL_CV - current // 4 - self._drawn_ma_s // _DROP_MA_S,
            "battery_current": current,
            "transmitter_power": _RADIATED_DW if self._radiates else 0,
        }

    def _current_ca(self) -> int:
        return _IDLE_CA + _RADIO_CA if self._radiates else _IDLE_CA


def swing_at(sequence: Sequence, tick: int) -> int:
    """Angle under the parachute in 0.1°."""
    now = tick * TICK_MS
    if now < sequence.drogue_ms or now >= sequence.retro_fire_ms or on_ground(sequence, tick):
        return 0
    under_drogue_ms = min(now, sequence.main_ms) - sequence.drogue_ms
    under_main_ms = max(now - sequence.main_ms, 0)
    part = (under_drogue_ms * 2 // 25 + under_main_ms // 20) % (4 * _QUARTER_PARTS)
    half, past = part // (2 * _QUARTER_PARTS), part % (2 * _QUARTER_PARTS)
    if past > _QUARTER_PARTS:
        past = 2 * _QUARTER_PARTS - past
    index, between = past // _TABLE_PARTS, past % _TABLE_PARTS
    angle = _QUARTER[index]
    if between:
        angle += (_QUARTER[index + 1] - angle) * between // _TABLE_PARTS
    return -angle if half else angle


def due_at(tick: int) -> bool:
    """Whether LANDER_SYSTEMS is of this tick."""
    return tick % TICKS_PER_S == PHASE
