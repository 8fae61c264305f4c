"""The bus's fly-by by tick, from small integer tables: straight lines between their entries.

Lengths are in 0.1 km and angles in 0.01°, so that no rounding shows in what is sent. Before entry the range to the
lander is a straight line from 0 at separation [A], and no elevation is defined: the lander is no place on Mars yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hil.lander.physics.fixed import div, isqrt
from hil.lander.physics.orbit_table import (
    ALTITUDE,
    BOW_SHOCK_TICK,
    ELEVATION,
    ENTRY_INDEX,
    SEGMENTS,
    SLANT_RANGE,
    SUN_ANGLE,
)

SEPARATION_TICK = -146_370
"""05:01:56 UTC [S]."""
LAST_TICK = 40_600
"""An hour after the closest approach, where the encounter ends."""

_RADIUS_M = 3_396_000
"""Mars [C]."""
_EXCESS_CMS = 263_400
"""v∞ in cm/s [C]."""
_TWICE_GM = 856_567_400_000_000_000
"""2·GM in cm²/s² times m."""
_LIGHT = 29_979
"""The speed of light in 100 m a second, over 10,000: 1 / _LIGHT of 1,000 · 0.1 km is 0.01 ms."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the bus is at a tick.

    Attributes:
        altitude: 0.1 km above the sphere of 3,396 km.
        zenith: solar zenith angle in 0.01°: 0 over the subsolar point.
        slant_range: 0.1 km, bus to lander.
        elevation: 0.01° above the lander's horizon; 0 before entry.
    """

    altitude: int
    zenith: int
    slant_range: int
    elevation: int

    @property
    def altitude_km(self) -> int:
        """The nearest kilometre."""
        return (self.altitude + 5) // 10

    @property
    def radius_km(self) -> int:
        """From the centre of Mars."""
        return self.altitude_km + _RADIUS_M // 1_000

    @property
    def slant_range_km(self) -> int:
        """The nearest kilometre."""
        return (self.slant_range + 5) // 10

    @property
    def speed_ms(self) -> int:
        """Speed of the bus in m/s: v² = v∞² + 2·GM/r."""
        radius_m = _RADIUS_M + self.altitude * 100
        # 6.9e10 + 8.6e17 / 3.4e6
        return (isqrt(_EXCESS_CMS * _EXCESS_CMS + _TWICE_GM // radius_m) + 50) // 100

    @property
    def light_time(self) -> int:
        """From the lander to the bus in 0.01 ms."""
        return (self.slant_range * 1_000 + _LIGHT // 2) // _LIGHT


def geometry_at(tick: int) -> Geometry:
    """The geometry at a tick.

    Args:
        tick: `SEPARATION_TICK` to `LAST_TICK`.
    """
    index, past, step = _place(tick)
    after_entry = index - ENTRY_INDEX
    return Geometry(
        altitude=_between(ALTITUDE, index, past, step),
        zenith=abs(_between(SUN_ANGLE, index, past, step)),
        slant_range=_between(SLANT_RANGE, after_entry, past, step) if tick >= 0 else _parting(tick),
        elevation=_folded(_between(ELEVATION, after_entry, past, step)) if tick >= 0 else 0,
    )


def in_sheath(tick: int) -> bool:
    """The bus has crossed the bow shock. It stays inside to the end of the encounter."""
    return tick >= BOW_SHOCK_TICK


def _parting(tick: int) -> int:
    """The range grows evenly from separation to entry."""
    # 20,291 · 146,370 = 3.0e9
    return SLANT_RANGE[0] * (tick - SEPARATION_TICK) // -SEPARATION_TICK


def _folded(elevation: int) -> int:
    """Of an elevation that goes on beyond the zenith, the one above the nearer horizon."""
    return 18_000 - elevation if elevation > 9_000 else elevation


def _place(tick: int) -> tuple[int, int, int]:
    """Index of the entry at or before a tick, how many ticks after it the tick is, and the step to the next."""
    index = 0
    for (start, step), (end, _) in pairwise(SEGMENTS):
        if tick < end:
            break
        index += (end - start) // step
    else:
        start, step = SEGMENTS[-1]
    since = tick - start
    return index + since // step, since % step, step


def _between(table: Sequence[int], index: int, past: int, step: int) -> int:
    """A straight line from an entry to the next."""
    low = table[index]
    # 1,900 · 600 = 1.1e6
    return low + div((table[index + 1] - low) * past, step) if past else low
