"""The lander's instruments: state in, raw counts out. All ranges, steps and rates are [A].

An instrument that is not due keeps its last count; one that is out of range stays at the end of its range.
The thermometer and barometer see still air: heating and ram pressure by the fall are not modelled.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.lander.physics.atmosphere import pressure_mpa, temperature_ck
from hil.lander.physics.dynamics import TICKS_PER_S, State
from hil.lander.sequencer import ALTIMETER_PERIOD_TICKS

TEMPERATURE_MAX = 4_000
"""320 K: 120 K and 0.05 K a count."""
PRESSURE_MAX = 4_000
"""12 hPa: 0.003 hPa a count."""
DECELERATION_MAX = 2_500
"""25 g: 0.01 g a count."""
RADIO_ALTITUDE_MAX = 3_500
"""7,000 m: 2 m a count."""
RADIO_ALTITUDE_LOW_MAX = 1_000
"""100 m: 0.1 m a count."""
PUMP_CURRENT_MAX = 250
"""10 mA: 0.04 mA a count."""

_HUNDREDTH_G_NMS2 = 98_066_500
"""0.01 g in nm/s²: 1 g is 9.80665 m/s²."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Raw counts of the last measurement of each instrument.

    Attributes:
        temperature: 0.05 K above 120 K, 1 Hz.
        pressure: 0.003 hPa, 1 Hz.
        deceleration: 0.01 g of D/m, 10 Hz.
        altimeter_lock: the radio altimeter has an echo, 2 Hz; without it both altitudes are 0.
        radio_altitude: high channel, 2 m, 2 Hz.
        radio_altitude_low: low channel, 0.1 m, 2 Hz; full scale above 100 m.
        pump_current: mass spectrometer, 0.04 mA, 1 Hz.
    """

    temperature: int = 0
    pressure: int = 0
    deceleration: int = 0
    altimeter_lock: bool = False
    radio_altitude: int = 0
    radio_altitude_low: int = 0
    pump_current: int = 0


def measure(state: State, tick: int, locked: bool, last: Readings) -> Readings:
    """The readings at a tick.

    Args:
        state: the lander at this tick.
        tick: 0 is entry; at 0 every instrument is due.
        locked: whether the sequencer's radio altimeter has an echo.
        last: the readings of the tick before; ``Readings()`` at tick 0.
    """
    altitude = state.altitude_mm
    deceleration = _counts(state.drag_ums2 * 1_000, _HUNDREDTH_G_NMS2, DECELERATION_MAX)
    temperature, pressure, pump = last.temperature, last.pressure, last.pump_current
    lock, high, low = last.altimeter_lock, last.radio_altitude, last.radio_altitude_low
    if tick % TICKS_PER_S == 0:
        millipascal = pressure_mpa(altitude)
        temperature = _counts(temperature_ck(altitude) - 12_000, 5, TEMPERATURE_MAX)
        pressure = _counts(millipascal, 300, PRESSURE_MAX)
        pump = _counts(_pump_current_ua(millipascal), 40, PUMP_CURRENT_MAX)
    if tick % ALTIMETER_PERIOD_TICKS == 0:
        lock = locked
        high = _counts(altitude, 2_000, RADIO_ALTITUDE_MAX) if locked else 0
        low = _counts(altitude, 100, RADIO_ALTITUDE_LOW_MAX) if locked else 0
    return Readings(temperature, pressure, deceleration, lock, high, low, pump)


def _counts(value: int, step: int, highest: int) -> int:
    """The nearest count, between 0 and `highest`."""
    if value <= 0:
        return 0
    count = (value + step // 2) // step
    return count if count < highest else highest


def _pump_current_ua(millipascal: int) -> int:
    """Current of the vacuum pump in µA: 400 idle and 600 per hPa outside, 4,060 at the surface [A]."""
    return 400 + millipascal * 6 // 1_000
