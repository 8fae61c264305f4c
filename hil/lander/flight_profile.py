"""Flight profiles: how a descent ends, and what its pass is if nothing is commanded. A lander in READY learns its
profile, its span and its seed by telecommand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hil.lander.modes import AFTER_CRASH_TICKS, PROFILES
from hil.lander.physics.dynamics import TICK_MS, TICK_NS
from hil.lander.physics.orbit import LAST_TICK, SEPARATION_TICK
from hil.lander.sequencer import RELAY_SET_MS, SURFACE_MS
from hil.lander.systems.surface import READING_PHASE, READING_TICKS, SWEEP_PHASE, SWEEP_TICKS
from protocols.lander import EPOCH

FlightProfile = Literal[
    "historical",
    "soft-landing",
    "degraded",
    "parachute-fails",
    "main-fails",
    "cone-sticks",
    "retros-early",
    "retros-late",
    "retros-never",
    "altimeter-blind",
]
"""By their numbers on the wire."""
FlightSpan = Literal["descent", "encounter"]
"""What of the mission is flown: from entry to the end of the pass, or from separation to an hour after the fly-by."""


@dataclass(frozen=True, slots=True)
class FlightPlan:
    """What a lander in READY is told before it flies.

    Attributes:
        profile: what happens in the descent.
        span: what of the mission is flown.
        seed: of the failing chip and of the instruments' noise, 32 bits; 0 is the default.
    """

    profile: FlightProfile = "historical"
    span: FlightSpan = "descent"
    seed: int = 0


HISTORICAL = FlightPlan()
"""As it is from power on."""

FIRST_LANDER_TICK = 880
"""In which the lander sends its first frame."""
_BUS_TICKS = 10
"""The bus sends a frame in every tenth tick."""
_SURFACE_TICKS = range(SURFACE_MS // TICK_MS, RELAY_SET_MS // TICK_MS)
"""In which a landed lander is heard on VC1."""


@dataclass(frozen=True, slots=True)
class PassPlan:
    """What a profile makes of the pass.

    Attributes:
        end: the first tick that is not flown any more.
        label: of the argument of SELECT_PROFILE.
        silent: tick from which the lander sends nothing more on VC0.
        lands: it is heard again from the surface, on VC1.
        crashes: it hits the ground too fast while it is heard.
        first: the tick with which it begins.
    """

    end: int
    label: str
    silent: int
    lands: bool = False
    crashes: bool = False
    first: int = 0

    @property
    def frames(self) -> int:
        """How many it has if nothing is commanded: of the bus, and of the lander in each tick of its window."""
        bus = (self.end - 1 - self.first) // _BUS_TICKS + 1
        return bus + self.silent - FIRST_LANDER_TICK + len(self.surface_ticks)

    @property
    def surface_ticks(self) -> list[int]:
        """Ticks with a frame on VC1."""
        return [tick for tick in _SURFACE_TICKS if _has_surface_frame(tick)] if self.lands else []

    @property
    def begin(self) -> int:
        """Mission time of its first tick, in ns."""
        return EPOCH + self.first * TICK_NS

    @property
    def over(self) -> int:
        """Mission time at which it is over, in ns."""
        return EPOCH + self.end * TICK_NS

    @property
    def last_frame(self) -> int:
        """Mission time of its last frame, one of the bus, in ns."""
        return EPOCH + (self.end - 1) // _BUS_TICKS * _BUS_TICKS * TICK_NS

    @property
    def loss(self) -> int:
        """Mission time from which the lander is not heard any more on VC0, in ns."""
        return EPOCH + self.silent * TICK_NS


def _has_surface_frame(tick: int) -> bool:
    return tick % READING_TICKS == READING_PHASE or tick % SWEEP_TICKS == SWEEP_PHASE


def _crash(label: str, ground: int) -> PassPlan:
    """The pass of a lander that hits the ground in a tick; the frame of that tick is its last."""
    return PassPlan(ground + AFTER_CRASH_TICKS, label, ground + 1, crashes=True)


_HISTORICAL, _SOFT_LANDING, _DEGRADED = PROFILES[:3]
PASSES: dict[FlightProfile, PassPlan] = {
    "historical": PassPlan(_HISTORICAL.end, "HISTORICAL", 3_120),
    "soft-landing": PassPlan(_SOFT_LANDING.end, "SOFT_LANDING", 3_128, lands=True),
    "degraded": PassPlan(_DEGRADED.end, "DEGRADED", 3_120),
    "parachute-fails": _crash("PARACHUTE_FAILS", 2_486),
    "main-fails": _crash("MAIN_FAILS", 2_642),
    "cone-sticks": _crash("CONE_STICKS", 3_044),
    "retros-early": _crash("RETROS_EARLY", 3_137),
    "retros-late": _crash("RETROS_LATE", 3_125),
    "retros-never": _crash("RETROS_NEVER", 3_125),
    "altimeter-blind": _crash("ALTIMETER_BLIND", 3_125),
}
"""The descent's pass of each profile; a test flies them all."""


def pass_of(profile: FlightProfile, span: FlightSpan = "descent") -> PassPlan:
    """The pass of a profile over a span. The encounter is as long with every profile."""
    descent = PASSES[profile]
    return descent if span == "descent" else replace(descent, first=SEPARATION_TICK, end=LAST_TICK)


def longest_pass(span: FlightSpan) -> PassPlan:
    """The pass that is over last."""
    return max((pass_of(profile, span) for profile in PASSES), key=lambda plan: plan.end)
