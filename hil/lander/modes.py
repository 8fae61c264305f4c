"""The mission clock: whether a call of `step` flies a tick, and which. It counts ticks and knows no time.

Each change is a function from one frozen value to the next; whether it is allowed is asked first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto

from hil.lander import sequencer
from hil.lander.sequencer import NEVER, Sequence


class Mode(Enum):
    """READY stands at the first tick; RUNNING flies one with each `step`; HELD stands, but for what STEP lets fly."""

    READY = auto()
    RUNNING = auto()
    HELD = auto()


@dataclass(frozen=True, slots=True)
class Profile:
    """What SELECT_PROFILE chooses.

    Attributes:
        sequence: how the descent is planned.
        end: the tick at which the pass is over; earlier if the lander crashes and `ends_with_crash`.
        degraded: the chip fails with time.
    """

    sequence: Sequence
    end: int = 12_600
    degraded: bool = False

    @property
    def ends_with_crash(self) -> bool:
        """The pass is over ten seconds after an impact. In history it ends ten seconds after the loss of signal."""
        return self.sequence.silence_ms == NEVER


PROFILES = (
    Profile(sequencer.HISTORICAL, 3_220),
    Profile(sequencer.SOFT_LANDING),
    Profile(sequencer.HISTORICAL, 3_220, degraded=True),
    Profile(sequencer.PARACHUTE_FAILS),
    Profile(sequencer.MAIN_FAILS),
    Profile(sequencer.CONE_STICKS),
    Profile(sequencer.RETROS_EARLY),
    Profile(sequencer.RETROS_LATE),
    Profile(sequencer.RETROS_NEVER),
    Profile(sequencer.ALTIMETER_BLIND),
)
"""By their numbers on the wire. The bus goes on for ten seconds after the historical loss of signal or an impact, and
for 45 s after it has set for a lander that landed [A]."""

AFTER_CRASH_TICKS = 100

ENCOUNTER_FIRST_TICK = -146_370
"""Separation of the lander, 05:01:56 [S]."""
ENCOUNTER_END_TICK = 40_600
"""An hour after the bus's closest approach, which is 460 s after entry [C]."""


class Span(IntEnum):
    """What SELECT_SPAN chooses; the numbers are on the wire."""

    DESCENT = 0
    ENCOUNTER = 1


@dataclass(frozen=True, slots=True)
class MissionClock:
    """Where the mission stands.

    Attributes:
        mode: see `Mode`.
        tick: the next to be flown; negative before entry.
        end: the tick at which the pass is over.
        steps: how many calls of `step` still fly in HELD.
    """

    mode: Mode = Mode.READY
    tick: int = 0
    end: int = PROFILES[0].end
    steps: int = 0

    @property
    def over(self) -> bool:
        """The pass is over: nothing more will be flown."""
        return self.tick >= self.end

    @property
    def flies(self) -> bool:
        """The next call of `step` flies a tick."""
        return not self.over and (self.mode is Mode.RUNNING or self.steps > 0)

    @property
    def stopped(self) -> bool:
        """Commands do not wait for a tick: none may come."""
        return self.over or self.mode is not Mode.RUNNING

    def started(self) -> MissionClock:
        """RUNNING; from READY at the first tick, from HELD where it stood."""
        return replace(self, mode=Mode.RUNNING, steps=0)

    def planned(self, profile: Profile, span: Span) -> MissionClock:
        """At the first tick of a span, with the end that profile and span have. In READY."""
        if span is Span.ENCOUNTER:
            return replace(self, tick=ENCOUNTER_FIRST_TICK, end=ENCOUNTER_END_TICK)
        return replace(self, tick=0, end=profile.end)

    def crashed(self) -> MissionClock:
        """Over ten seconds after this tick, in which the lander crashed, if it was not to be over before."""
        return replace(self, end=min(self.end, self.tick + AFTER_CRASH_TICKS))

    def held(self) -> MissionClock:
        """HELD at this tick."""
        return replace(self, mode=Mode.HELD, steps=0)

    def stepping(self, steps: int) -> MissionClock:
        """HELD, with so many calls of `step` to fly."""
        return replace(self, steps=steps)

    def flown(self) -> MissionClock:
        """One tick later."""
        return replace(self, tick=self.tick + 1, steps=max(self.steps - 1, 0))
