"""Flight profiles: how a descent ends, and how long its pass is. A lander in READY learns its profile by telecommand.

`historical` falls silent at 09:11:05, as on 12 March 1974; `soft-landing` fires its retrorockets in time, lands, and
sends on to the end of its pass at 09:13:28.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hil.lander.modes import PROFILES
from hil.lander.physics.dynamics import TICK_NS
from protocols.lander import EPOCH

FlightProfile = Literal["historical", "soft-landing"]

FIRST_LANDER_TICK = 880
"""In which the lander sends its first frame."""
_BUS_TICKS = 10
"""The bus sends a frame in every tenth tick; the last frame of every pass is one of these."""


@dataclass(frozen=True, slots=True)
class PassPlan:
    """What a profile makes of the pass.

    Attributes:
        ticks: how long it is.
        label: of the argument of SELECT_PROFILE.
        silent: tick from which the lander sends nothing more.
    """

    ticks: int
    label: str
    silent: int

    @property
    def frames(self) -> int:
        """How many it has if nothing is commanded: of the bus, and of the lander in each tick of its window."""
        return (self.ticks - 1) // _BUS_TICKS + 1 + self.silent - FIRST_LANDER_TICK

    @property
    def length(self) -> int:
        """From the mission's epoch to its end, in ns."""
        return self.ticks * TICK_NS

    @property
    def last_frame(self) -> int:
        """Mission time of its last frame, one of the bus, in ns."""
        return EPOCH + (self.ticks - 1) // _BUS_TICKS * _BUS_TICKS * TICK_NS

    @property
    def loss(self) -> int:
        """Mission time from which the lander is not heard any more, in ns."""
        return EPOCH + self.silent * TICK_NS


PASSES: dict[FlightProfile, PassPlan] = {
    "historical": PassPlan(PROFILES[0].end, "HISTORICAL", 3120),
    "soft-landing": PassPlan(PROFILES[1].end, "SOFT_LANDING", PROFILES[1].end),
}
"""The pass of each profile."""
