"""Seeds of the generators aboard: one generator for each instrument, all from the seed that SEED sets.

Each is xorshift32 (`hil.lander.chip.draw`), started with the seed, or the default if that is 0, xor a constant of
the instrument: four letters of its name.
"""

from __future__ import annotations

from enum import IntEnum

from hil.lander.chip import SEED_FOR_ZERO


class Generator(IntEnum):
    """Who draws."""

    CHIP = 0x43484950
    THERMOMETER = 0x5448524D
    BAROMETER = 0x4241524F
    SPECTROMETER = 0x53504543
    MAGNETOMETER = 0x4D41474E
    PLASMA_TRAPS = 0x504C4153
    COSMIC_RAYS = 0x434F534D
    MICROMETEOROIDS = 0x4D494352
    PARTICLES = 0x5A48454D


def start(seed: int, generator: Generator) -> int:
    """The state in which a generator starts, which is never 0."""
    return ((seed or SEED_FOR_ZERO) ^ generator) or SEED_FOR_ZERO
