"""The bus's instruments: tick, geometry and random numbers in, raw counts out. Shapes and noise are [A], levels [R].

Rules:
1. Each instrument has a generator of its own (`hil.lander.systems.noise`), so that what one draws changes nothing in
   another. It draws only when it measures.
2. The solar wind becomes the magnetosheath within 20 s about the bow shock; there values depend on the solar zenith
   angle, from the nose (0°) to the flank (90° and more).
3. What is counted is a Poisson number: drawn exactly below a mean of 50, as a normal number above.
4. All is made of integers that fit in 32 bits, but for roots and the planet's solid angle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hil.lander.chip import draw
from hil.lander.physics.fixed import div, isqrt
from hil.lander.physics.orbit import SEPARATION_TICK, Geometry
from hil.lander.physics.orbit_table import BOW_SHOCK_TICK
from hil.lander.systems.noise import Generator, start

_SHOCK_HALF_TICKS = 100
"""The jump at the bow shock takes 20 s."""

FIELD_MAX = 1_280
"""128 nT: 0.1 nT a count."""
_FIELD_PT = 3_000
"""Of the solar wind."""
_PARKER_DECIDEG = 570
_TURN_DECIDEG = 200
_TURN_TICKS = 36_000
"""The field turns in the ecliptic from −20° to +20° in an hour, and back."""
_FIELD_NOSE, _FIELD_FLANK = 4_000, 1_700
"""‰ of the solar wind's."""
_FIELD_WIND_NOISE, _FIELD_SHEATH_NOISE = 50, 300
"""‰ of the field, on each axis."""

ENERGY_MAX = 6_000
"""6 keV/q: 1 eV/q a count."""
CURRENT_MAX = 10_000
"""1e-9 A: 1e-13 A a count."""
_SPEED_KMS = 420
_SPEED_NOSE, _SPEED_FLANK = 400, 800
"""‰ of the solar wind's."""
_DENSITY = 250
"""0.01 /cm³."""
_TEMPERATURE = 600
"""100 K."""
_SPEED_NOISE, _PLASMA_NOISE = 20, 100
"""‰."""

_COSMIC_HALF = 1_350_000
"""Half the mean of a minute in thousandths: 4.5 /cm²/s on 10 cm² [A]."""
_RADIUS_HM = 33_960
"""Mars in 0.1 km [C]."""

IMPACTS_MAX = 255
_IMPACT_BELOW = 858_993
"""2·10⁻⁴ impacts a second, of 2³²."""

_PARTICLES = (600_000, 180_000, 60_000, 18_000, 3_000_000, 300_000)
"""Means of a minute in thousandths: 10, 3, 1, 0.3 protons and 50, 5 electrons /cm²/s/sr, on 1 cm² sr [A]."""
_DRIFT_TICKS = 72_000
"""The fluxes drift from 80 % to 120 % in two hours, and back."""

_EXACT_BELOW = 50_000
_UNIFORMS = 12
"""Their sum is normal enough, and its deviation is that of one number's range."""
_UNIT_POISSON = (
    1_580_030_168,
    3_160_060_337,
    3_950_075_422,
    4_213_413_783,
    4_279_248_374,
    4_292_415_292,
    4_294_609_778,
    4_294_923_276,
    4_294_962_463,
)
"""Poisson with mean 1: the number is at most k if a draw is below the entry k."""


@dataclass(frozen=True, slots=True)
class Plasma:
    """A measurement of the plasma traps.

    Attributes:
        energy: of the peak, 1 eV/q.
        current: at the peak, 1e-13 A.
        speed: km/s.
        density: 0.01 /cm³.
        temperature: 100 K.
    """

    energy: int
    current: int
    speed: int
    density: int
    temperature: int


@dataclass(frozen=True, slots=True)
class BusInstruments:
    """What the instruments keep: the states of their generators, and how many micrometeoroids have hit."""

    magnetometer: int
    plasma: int
    cosmic: int
    meteoroids: int
    particles: int
    impacts: int = 0

    def measure_field(self, tick: int, geometry: Geometry) -> tuple[tuple[int, int, int], BusInstruments]:
        """The magnetic field in 0.1 nT along x (to the sun), y (against the orbital motion) and z (north)."""
        share = _sheath_share(tick)
        sheath = _FIELD_NOSE - (_FIELD_NOSE - _FIELD_FLANK) * _flank(geometry.zenith) // 1_000
        field = _FIELD_PT * (1_000 + (sheath - 1_000) * share // 1_000) // 1_000
        noise = _FIELD_WIND_NOISE + (_FIELD_SHEATH_NOISE - _FIELD_WIND_NOISE) * share // 1_000
        angle = _PARKER_DECIDEG - _TURN_DECIDEG + _to_and_fro(tick, _TURN_TICKS) // 90
        state, axes = self.magnetometer, []
        for mean in (-field * _sine(900 - angle), field * _sine(angle), 0):
            state = draw(state)
            picotesla = div(mean, 1_000) + div(field * _spread(state, noise), 1_000)
            axes.append(_clipped(div(picotesla + (50 if picotesla >= 0 else -50), 100), FIELD_MAX))
        return (axes[0], axes[1], axes[2]), replace(self, magnetometer=state)

    def measure_plasma(self, tick: int, geometry: Geometry) -> tuple[Plasma, BusInstruments]:
        """The ions, as the traps see them through an aperture of 1 cm² [A]."""
        share = _sheath_share(tick)
        sheath = _SPEED_NOSE + (_SPEED_FLANK - _SPEED_NOSE) * _flank(geometry.zenith) // 1_000
        first = draw(self.plasma)
        second = draw(first)
        third = draw(second)
        speed = _SPEED_KMS * (1_000 + _spread(first, _SPEED_NOISE)) * (1_000 - (1_000 - sheath) * share // 1_000)
        speed //= 1_000_000
        density = _DENSITY * (1_000 + 2 * share) // 1_000 * (1_000 + _spread(second, _PLASMA_NOISE)) // 1_000
        temperature = _TEMPERATURE * (1_000 + 14 * share) // 1_000 * (1_000 + _spread(third, _PLASMA_NOISE)) // 1_000
        reading = Plasma(
            # Half a proton's mass is 0.00522 eV/(km/s)²; a proton's charge a second in (0.01 /cm³)·(km/s) 1.602e-16 A.
            energy=min(speed * speed * 522 // 100_000, ENERGY_MAX),
            current=min(density * speed * 10 // 6_242, CURRENT_MAX),
            speed=speed,
            density=density,
            temperature=temperature,
        )
        return reading, replace(self, plasma=third)

    def count_cosmic_rays(self, geometry: Geometry) -> tuple[int, BusInstruments]:
        """Counts of the last minute: fewer where the planet covers the sky."""
        # √(r² − R²) / r; 453,942 · 521,862 = 2.4e11
        altitude = geometry.altitude
        open_sky = isqrt(altitude * (altitude + 2 * _RADIUS_HM))
        mean = _COSMIC_HALF + _COSMIC_HALF * open_sky // (_RADIUS_HM + altitude)
        count, state = poisson(self.cosmic, mean)
        return count, replace(self, cosmic=state)

    def count_meteoroids(self) -> tuple[int, BusInstruments]:
        """Impacts since start, after the last minute's: each second has its chance."""
        state, impacts = self.meteoroids, self.impacts
        for _ in range(60):
            state = draw(state)
            impacts += state < _IMPACT_BELOW
        impacts = min(impacts, IMPACTS_MAX)
        return impacts, replace(self, meteoroids=state, impacts=impacts)

    def count_particles(self, tick: int) -> tuple[tuple[int, ...], BusInstruments]:
        """Counts of the last minute: protons in four channels, then electrons in two."""
        drift = 800 + _to_and_fro(tick, _DRIFT_TICKS) // 180
        state, counts = self.particles, []
        for mean in _PARTICLES:
            count, state = poisson(state, mean * drift // 1_000)
            counts.append(count)
        return tuple(counts), replace(self, particles=state)


def seeded(seed: int) -> BusInstruments:
    """The instruments at power on.

    Args:
        seed: of all random numbers aboard; 0 is the default.
    """
    return BusInstruments(
        magnetometer=start(seed, Generator.MAGNETOMETER),
        plasma=start(seed, Generator.PLASMA_TRAPS),
        cosmic=start(seed, Generator.COSMIC_RAYS),
        meteoroids=start(seed, Generator.MICROMETEOROIDS),
        particles=start(seed, Generator.PARTICLES),
    )


def poisson(state: int, mean: int) -> tuple[int, int]:
    """A Poisson number, and the generator afterwards.

    Args:
        state: of the generator.
        mean: in thousandths, at most 4,000,000.
    """
    if mean < _EXACT_BELOW:
        return _exact_poisson(state, mean)
    total = 0
    for _ in range(_UNIFORMS):
        state = draw(state)
        total += state >> 16
    # 6,325 · 196,605 = 1.2e9
    deviation = isqrt(mean * 10) * div(total - _UNIFORMS * 65_535 // 2, 2)
    return (mean // 10 + div(deviation, 32_768) + 50) // 100, state


def _exact_poisson(state: int, mean: int) -> tuple[int, int]:
    """As many Poisson numbers of mean 1 as the mean has units; of one more each event with its fraction's chance."""
    count = 0
    for _ in range(mean // 1_000):
        state = draw(state)
        count += _unit_poisson(state)
    state = draw(state)
    for _ in range(_unit_poisson(state)):
        state = draw(state)
        count += (state >> 16) * 1_000 >> 16 < mean % 1_000
    return count, state


def _unit_poisson(drawn: int) -> int:
    return next((k for k, below in enumerate(_UNIT_POISSON) if drawn < below), len(_UNIT_POISSON))


def _spread(drawn: int, most: int) -> int:
    """A draw as one of −most … most, all alike."""
    return ((drawn >> 16) * (2 * most + 1) >> 16) - most


def _sheath_share(tick: int) -> int:
    """How much of what is about the bus is magnetosheath, in ‰."""
    inside = tick - BOW_SHOCK_TICK + _SHOCK_HALF_TICKS
    return min(max(inside * 500 // _SHOCK_HALF_TICKS, 0), 1_000) if inside > 0 else 0


def _flank(zenith: int) -> int:
    """0 ‰ at the nose, 1,000 ‰ on the flank."""
    return min(zenith // 9, 1_000)


def _to_and_fro(tick: int, half_period: int) -> int:
    """0 … half_period and back, evenly, from separation on."""
    phase = (tick - SEPARATION_TICK) % (2 * half_period)
    return min(phase, 2 * half_period - phase)


def _sine(decidegrees: int) -> int:
    """Sine of 0 … 180° in ‰, within 2 ‰ (Bhaskara)."""
    # 4,000 · 810,000 = 3.2e9
    product = decidegrees * (1_800 - decidegrees)
    return 4_000 * product // (4_050_000 - product)


def _clipped(value: int, most: int) -> int:
    return min(max(value, -most), most)
