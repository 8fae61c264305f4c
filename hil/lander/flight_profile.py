"""Flight profiles: how a descent ends, and how long its pass is. A lander in READY learns its profile by telecommand.

`historical` falls silent at 09:11:05, as on 12 March 1974; `soft-landing` fires its retrorockets in time, lands, and
sends on to the end of its pass at 09:13:28.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hil.lander.modes import PROFILES
from hil.lander.physics.dynamics import TICK_NS
from hil.lander.physics.orbit import LAST_TICK, SEPARATION_TICK
from protocols.lander import EPOCH

FlightProfile = Literal["historical", "soft-landing"]
FlightSpan = Literal["descent", "encounter"]
"""What of the mission is flown: from entry to the end of the pass, or from separation to an hour after the fly-by."""

FIRST_LANDER_TICK = 880
"""In which the lander sends its first frame."""
_BUS_TICKS = 10
"""The bus sends a frame in every tenth tick; the last frame of every pass is one of these."""


@dataclass(frozen=True, slots=True)
class PassPlan:
    """What a profile makes of the pass.

    Attributes:
        end: the first tick that is not flown any more.
        label: of the argument of SELECT_PROFILE.
        silent: tick from which the lander sends nothing more.
        first: the tick with which it begins.
    """

    end: int
    label: str
    silent: int
    first: int = 0

    @property
    def frames(self) -> int:
        """How many it has if nothing is commanded: of the bus, and of the lander in each tick of its window."""
        return (self.end - 1 - self.first) // _BUS_TICKS + 1 + self.silent - FIRST_LANDER_TICK

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
        """Mission time from which the lander is not heard any more, in ns."""
        return EPOCH + self.silent * TICK_NS


PASSES: dict[FlightProfile, PassPlan] = {
    "historical": PassPlan(PROFILES[0].end, "HISTORICAL", 3120),
    "soft-landing": PassPlan(PROFILES[1].end, "SOFT_LANDING", PROFILES[1].end),
}
"""The descent's pass of each profile."""


def pass_of(profile: FlightProfile, span: FlightSpan = "descent") -> PassPlan:
    """The pass of a profile over a span. The encounter is as long with every profile."""
    descent = PASSES[profile]
    return descent if span == "descent" else replace(descent, first=SEPARATION_TICK, end=LAST_TICK)


def longest_pass(span: FlightSpan) -> PassPlan:
    """The pass that is over last."""
    return max((pass_of(profile, span) for profile in PASSES), key=lambda plan: plan.end)
