"""The instruments of a landed lander, on VC1: surface thermometer and barometer, and the mass spectrometer's sweep.

Values are [A]: 230 K at touchdown, cooling by 5 K an hour; 6.1 hPa; the air as Viking found it. The spectrometer's
peaks are those of each gas by the fractions that electron impact at 70 eV leaves [R], summed, in 0.5 dB; carbon
dioxide at m/z 44 is 80 dB above one count.
"""

from __future__ import annotations

from hil.lander.chip import draw
from hil.lander.physics.dynamics import TICK_MS
from hil.lander.systems.noise import Generator, start

READING_TICKS, READING_PHASE = 100, 50
SWEEP_TICKS, SWEEP_PHASE = 600, 380
MASSES = 80
"""m/z 1 to 80."""

_TEMPERATURE = 2_200
"""230 K at touchdown: 0.05 K a count, from 120 K."""
_COOLING_MS = 36_000
"""For one count: 5 K an hour."""
_TEMPERATURE_NOISE = 2
_PRESSURE = 2_033
"""6.1 hPa: 0.003 hPa a count."""
_PRESSURE_NOISE = 1

PEAKS = {
    12: 139,  # C from CO2
    13: 100,  # 13C
    14: 112,  # N from N2
    16: 140,  # O from CO2
    17: 76,  # OH from H2O
    18: 90,  # H2O
    20: 109,  # Ar, twice charged
    22: 126,  # CO2, twice charged
    28: 142,  # CO from CO2, N2, CO
    29: 102,  # 13CO, 14N15N
    30: 86,  # C18O
    32: 103,  # O2
    34: 56,  # 16O18O
    36: 60,  # 36Ar
    38: 46,  # 38Ar
    40: 126,  # 40Ar
    44: 160,  # CO2
    45: 122,  # 13CO2
    46: 112,  # CO18O
}
"""By m/z in 0.5 dB: 95.3 % CO2, 2.7 % N2, 1.6 % Ar, 0.13 % O2, 0.07 % CO, 0.03 % H2O [R]."""
_FLOOR = 9
"""Where there is no peak, the detector's noise: 0 to 4 dB."""
_PEAK_NOISE = 1


class SurfaceStation:
    """The instruments, seeded."""

    def __init__(self, seed: int) -> None:
        self._thermometer = start(seed, Generator.THERMOMETER)
        self._barometer = start(seed, Generator.BAROMETER)
        self._spectrometer = start(seed, Generator.SPECTROMETER)
        self._sweeps = 0

    def read(self, tick: int, ground_ms: int) -> dict[str, int]:
        """Counts of thermometer and barometer; the lander is on the ground since `ground_ms`."""
        self._thermometer = draw(self._thermometer)
        self._barometer = draw(self._barometer)
        cooled = (tick * TICK_MS - ground_ms) // _COOLING_MS
        return {
            "temperature": _TEMPERATURE - cooled + _noise(self._thermometer, _TEMPERATURE_NOISE),
            "pressure": _PRESSURE + _noise(self._barometer, _PRESSURE_NOISE),
        }

    def sweep(self) -> dict[str, int]:
        """The next sweep: its number, from 1, and the intensity at each m/z."""
        self._sweeps += 1
        return {"sweep": self._sweeps} | {
            f"intensity[{mass - 1}]": self._intensity(mass) for mass in range(1, MASSES + 1)
        }

    def _intensity(self, mass: int) -> int:
        self._spectrometer = draw(self._spectrometer)
        peak = PEAKS.get(mass)
        return self._spectrometer % _FLOOR if peak is None else peak + _noise(self._spectrometer, _PEAK_NOISE)


def _noise(drawn: int, most: int) -> int:
    """From ``-most`` to ``most``."""
    return drawn % (2 * most + 1) - most
