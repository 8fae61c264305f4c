"""What is known of one parameter from its values so far, and whether the next one fits.

Rules:
1. A value is judged before it is learnt from, and only good ones are learnt from: one that is wrong does not poison
   those after it.
2. There are two predictions: where its own last good values lead (`Trend`), and how a relation to others says it moves.
   A value that fits either is good: the others may be wrong, and its own last good value may be old. Who is wrong where
   the two go apart, `relation_checks` settles.
3. Windows grow while good values are missing. A value that fits only a window that has grown much is taken as good, but
   learnt from when the next ones agree with it: the first value after a gap may be as wrong as any.
4. Values that fit neither are a true jump or a stuck word. They are believed when they agree among themselves for a
   time and with the relations, or, if no relation can say anything, for a long time: a true jump does not lock a check
   for ever.
5. A history that relations have contradicted is LOST: it says nothing for others any more. Its values are marked, but
   for those that the relation which leads it confirms: a stuck word that the truth passes by is not wrong then.
6. Bounded: a fixed number of numbers for each parameter.
"""

from __future__ import annotations

from math import floor, inf, isfinite
from typing import Literal, Protocol

from protocols.declare.checks import Motion, Rate
from protocols.decode.judging.value_trend import LEARNT, Trend
from protocols.decode.judging.verdicts import Verdict, suspect, unusable

State = Literal["NEW", "TENTATIVE", "TRUSTED", "LOST"]
"""No value came; some came; enough came that agree; they were contradicted."""

_LED_GAIN = 0.1
"""Share of a deviation that is learnt where a relation leads: so little that a stuck value drops out."""
_GROWN, _LAPSED = 2.0, 8.0
"""A window so many times its declared width has grown much, and tells nothing any more."""
_FAR = 3.0
"""So many windows off a value is unusable."""
_LED_SHARE = 0.1
"""How far off what a relation says of a change may be, as a share of the change."""
_HITS = 3
"""Values that agree before anything is believed of them."""
_QUICK_S, _UNPROVEN_S = 0.15, 30.0
"""How long a jump has to last that relations confirm, and one of which they can say nothing."""
_MOVED_ALIKE, _MOVED_FAR = 0.8, 2.0
"""Windows that a jump's values may be off how a relation says that they move, and that it has to say that they do."""
_FRESH_S = 0.11
"""A good value so old at most is known to be known."""
_REPEATED = 10
"""Values in a row that fit no window that has lapsed: what was known before is not known any more."""
_CANDIDATE_GAIN = 0.4
"""Share of a deviation that a jump learns where a relation says how it moves."""
_BIAS_OVER = 10
"""Values that a relation's mean error is taken over."""


class Link(Protocol):
    """A relation between parameters, as one of them sees it."""

    @property
    def name(self) -> str:
        """Of the check."""

    @property
    def is_static(self) -> bool:
        """Whether it is between values at one time; else it says how one changes."""

    @property
    def is_evidence(self) -> bool:
        """Whether it speaks for a value that fits it, as a mere bound does not."""

    @property
    def parties(self) -> tuple[ValueHistory, ...]:
        """Those that it is between."""

    def outcome(self, now: float, stand_in: ValueHistory | None = None, value: float = 0.0) -> bool | None:
        """Whether they agree, with ``value`` in place of what is known of one of them; None: nothing can be said."""

    def restart(self) -> None:
        """One of them begins from scratch."""


class Lead(Link, Protocol):
    """A relation that says what a value is."""

    def expected(self, time: float) -> float | None:
        """What it should be; None while that is unknown."""


class MotionLead(Link, Protocol):
    """A relation that says how fast a value changes."""

    @property
    def check(self) -> Motion:
        """As declared."""

    def rate(self, own: float, now: float) -> float | None:
        """How fast it should change at this value; None while that is unknown."""


class _Candidate:
    """Values that were not predicted, and may be true.

    ``near``: the first was in reach of the last good one. ``rejoins``: they fit where a relation leads.
    """

    __slots__ = ("began", "first", "hits", "led", "misses", "moved", "near", "rejoins", "time", "value")

    def __init__(
        self, value: float, time: float, led: float | None = None, *, near: bool = False, rejoins: bool = False
    ) -> None:
        self.first = self.value = value
        self.began = self.time = time
        self.moved = 0.0
        self.hits, self.misses = 1, 0
        self.led = led
        self.near = near
        self.rejoins = rejoins


class ValueHistory:
    """Feed it the values of one parameter in order of time, in s from any whole second, and in the parameter's unit.

    Attributes:
        check: as declared.
        name: of the parameter.
        state: what its values are worth for others.
        trend: its last good values.
        usable: it has good values.
        since: when it was trusted again; 0: from the beginning.
        moves: a relation says at each packet how it changes.
    """

    def __init__(self, check: Rate) -> None:
        self.check = check
        self.name = check.parameter.partition(".")[2]
        self.state: State = "NEW"
        self.usable = False
        self.trend = Trend(check)
        self.since = 0.0
        self.moves = False
        self._width, self._every = check.window, check.every_ms / 1000
        self._value = self._time = self._slope = 0.0
        self._slack = check.window
        self._began, self._hits, self._failed = 0.0, 0, 0
        self._reason, self._contradicted = check.name, False
        self._against: Link | None = None
        self._candidate: _Candidate | None = None
        self._links: tuple[Link, ...] = ()
        self._lead: Lead | None = None
        self._motion: MotionLead | None = None
        self._led: float | None = None
        self._bias, self._biased = 0.0, 0
        self._raw, self._until = 0.0, -inf

    def link(self, relation: Link, *, lead: Lead | None = None, motion: MotionLead | None = None) -> None:
        """Before the first value: it belongs together with others; given once more as what it is if it leads."""
        self._links = (*self._links, relation)
        self._lead = self._lead or lead
        self._motion = self._motion or motion

    # -------------------------------------------------------------------------------------- what others see

    @property
    def good_time(self) -> float:
        """Of the last good value."""
        return self.trend.time

    def sampled(self, now: float) -> float:
        """When the instrument measured what a packet of this time has."""
        return floor(now / self._every + 1e-6) * self._every if self._every else now

    def at(self, time: float) -> float:
        """The best estimate."""
        return self._value + self._slope * (time - self._time)

    def slack(self, time: float) -> float:
        """How far off the estimate may be."""
        gap = time - self._time
        if gap <= 0.0:
            return self._slack
        check = self.check
        grown = check.per_second * gap
        if self.trend.sloped or self.moves:
            grown = min(check.bend * gap * gap / 2, grown)
        return self._slack + grown

    @property
    def slope_now(self) -> float:
        """How fast it changes, if a relation says so; else 0."""
        return self._slope if self.moves else 0.0

    def is_known(self, time: float) -> bool:
        """Whether the estimate is worth anything."""
        if not self.usable:
            return False
        fresh = self._slack <= self._width and time - self._time <= _FRESH_S
        return fresh or self.slack(time) <= _LAPSED * self._width

    def move(self, rate: float, now: float) -> None:
        """A relation says how fast it changes now: go on to now."""
        gap = now - self._time
        if gap > 0.0:
            motion = self._motion
            assert motion is not None
            self._value += ((self._slope if self.moves else rate) + rate) / 2 * gap
            self._slack += motion.check.drift * gap + self.check.bend * gap * gap / 4
            self._time = now
        self._slope, self.moves = rate, True

    def stop(self) -> None:
        """No relation says how it changes now."""
        self.moves = False

    def lose(self, reason: str, against: Link | None = None) -> None:
        """What was taken for good was not; ``against`` is the relation that says so."""
        self.state, self._reason, self._contradicted, self._candidate = "LOST", reason, True, None
        self.usable, self._until = False, -inf
        self._against = against
        for link in self._links:
            link.restart()

    def forget(self) -> None:
        """It means nothing now; what comes next begins from scratch."""
        self.state, self._candidate = "NEW", None
        self.usable, self._until = False, -inf

    def fail(self, verdict: Verdict) -> None:
        """Another check found the value wrong."""
        self._failed += 1
        if self.state == "NEW" and self._failed >= _HITS:
            self.lose(verdict.reason)

    # ------------------------------------------------------------------------------------------------ judging

    def passes(self, value: float, now: float) -> bool:
        """Whether it is just where it should be, as most values are, which is learnt in short; else it is for `judge`.

        So is a value that the instrument measured before.
        """
        if now < self._until:
            return value == self._raw
        if self._every or self.state != "TRUSTED" or self._failed >= _HITS:
            return False
        trend, width = self.trend, self._width
        own_off = value - trend.value - trend.slope * (now - trend.time)
        if not (-width <= own_off <= width and trend.sloped):
            return False
        own = value - (1.0 - LEARNT) * own_off
        if self.moves:
            off = value - self._value - self._slope * (now - self._time)
            if not -width <= off <= width:
                return False
            self._value = value - (1.0 - _LED_GAIN) * off
        elif self._lead is None and self._motion is None:
            self._value = own
        else:
            return False
        trend.learn(own, now)
        if not self.moves:
            self._slope = trend.slope
        self._time, self._slack, self._led = now, width, None
        self._failed, self._candidate = 0, None
        return True

    def judge(self, value: float, now: float) -> Verdict | None:
        """What is wrong with the value of a packet of this time; None: nothing. NaN and infinity are unusable."""
        if not isfinite(value):
            self._failed += 1
            return unusable(self.check.name)
        time = self.sampled(now)
        if self.state == "NEW":
            contradiction = self._contradiction(value, now)
            if contradiction is None:
                self._begin(value, time, "TENTATIVE")
                return None
            self.lose(contradiction)
        if self.state == "LOST":
            off = self._off_lead(value, time)
            believed = self._weigh_candidate(value, now, self.check.settle_s)
            if believed or (off is not None and off <= self._width):
                return None
            return (unusable if off is not None and off > _FAR * self._width else suspect)(self._reason)
        return self._judge_known(value, now, time)

    def _judge_known(self, value: float, now: float, time: float) -> Verdict | None:
        trend = self.trend
        led, predicted, led_window = self._led_to(time)
        window, off = trend.window(time), value - trend.at(time)
        fits, fits_led = -window <= off <= window, predicted is not None and abs(value - predicted) <= led_window
        narrow = window <= _GROWN * self._width or (not trend.sloped and window <= _LAPSED * self._width)
        if fits_led and self._failed >= _HITS:
            assert predicted is not None
            self._rejoin(value, predicted, time)
            return None
        if fits_led or (fits and narrow):
            own = trend.smoothed(value, window, off) if fits else value
            estimate = own
            if fits_led and predicted is not None:
                estimate = value - (1.0 - _LED_GAIN) * self._width / led_window * (value - predicted)
                own = estimate if not fits and abs(value - estimate) <= self._width / 2 else own
            self._accept(value, time, led, estimate, own)
            return None
        self._reason = self.check.name
        may_pend = fits and (window <= _LAPSED * self._width or not self.is_known(time))
        if may_pend and self._is_borne_out(value, now):
            self._pend(value, time)
            return None
        far_led = predicted is not None and abs(value - predicted) > _FAR * led_window
        return self._doubt(value, now, time, far=far_led or abs(off) > _FAR * window)

    def _doubt(self, value: float, now: float, time: float, *, far: bool) -> Verdict | None:
        """A value that fits no window."""
        self._failed += 1
        if self._failed >= _REPEATED and not self.is_known(time):
            self.lose(self.check.name)
        if self._weigh_candidate(value, now, _QUICK_S if self.state == "TENTATIVE" else self.check.settle_s):
            return None
        return (unusable if far else suspect)(self.check.name)

    def _led_to(self, time: float) -> tuple[float | None, float | None, float]:
        """What the relation says that the value is, where that leads from the estimate, and how far off it may be."""
        if self.moves:
            return None, self.at(time), self.slack(time)
        if self._lead is None:
            return None, None, 0.0
        led = self._led if time <= self.trend.time else self._lead.expected(time)
        if led is None or self._led is None:
            return led, None, 0.0
        moved = led - self._led
        return led, self._value + moved, self._width + _LED_SHARE * abs(moved)

    def _rejoin(self, value: float, predicted: float, time: float) -> None:
        """After several that did not fit, one fits where a relation leads: learn from it once it has moved likewise."""
        candidate = self._candidate
        if candidate is None or candidate.led is None or not candidate.rejoins:
            candidate = self._candidate = _Candidate(value, time, predicted, rejoins=True)
        moved = predicted - (candidate.led or 0.0)
        if abs(value - candidate.first - moved) > _MOVED_ALIKE * self._width:
            self._candidate = _Candidate(value, time, predicted, rejoins=True)
            return
        candidate.hits += 1
        if candidate.hits >= _HITS and (abs(moved) > self._width or time - candidate.began >= 2 * self.check.settle_s):
            self._begin(value, time, self.state, keep_slope=True)

    def _accept(self, value: float, time: float, led: float | None, estimate: float, own: float) -> None:
        self.trend.learn(own, time)
        self._value, self._time, self._slack, self._led = estimate, time, self._width, led
        if not self.moves:
            self._slope = self.trend.slope
        self._failed, self._candidate = 0, None
        if self._every:
            self._raw, self._until = value, time + self._every - 1e-6
        if self.state == "TENTATIVE":
            self._hits += 1
            if self._hits >= _HITS and time - self._began >= self.check.settle_s:
                self.state = "TRUSTED"
        elif led is not None:
            self._biased += 1
            self._bias += (value - led - self._bias) / min(self._biased, _BIAS_OVER)

    def _begin(self, value: float, time: float, state: State, *, keep_slope: bool = False) -> None:
        self.state, self._contradicted, self._candidate, self._against = state, False, None, None
        self.usable, self._until = True, -inf
        self.trend.begin(value, time, keep_slope=keep_slope)
        self._value, self._time, self._slack = value, time, self._width
        self._began, self._hits, self._failed = time, 1, 0
        self._led = None if self._lead is None else self._lead.expected(time)
        if not keep_slope:
            self._slope = 0.0
            for link in self._links:
                link.restart()

    def _off_lead(self, value: float, time: float) -> float | None:
        """How far it is from what the leading relation says, less what that was off before; None: it says nothing."""
        if self._lead is None or self._biased < _HITS:
            return None
        led = self._lead.expected(time)
        return None if led is None else abs(value - led - self._bias)

    # --------------------------------------------------------------------------------------------- candidates

    def _pend(self, value: float, time: float) -> None:
        """A value in a window that has grown: the next ones decide."""
        candidate = self._candidate
        if (
            candidate is None
            or candidate.rejoins
            or abs(value - candidate.value) > self._width + self.check.per_second * min(time - candidate.time, 0.5)
        ):
            self._candidate = _Candidate(value, time)
            return
        candidate.hits += 1
        candidate.value, candidate.time = value, time
        if candidate.hits >= _HITS:
            self._begin(value, time, self.state, keep_slope=True)

    def _propose(self, value: float, now: float, time: float) -> None:
        led = None if self._lead is None else self._lead.expected(time)
        reach = self._width + self.check.per_second * (time - self.trend.time)
        near = not self._contradicted and abs(value - self.trend.value) <= reach
        self._candidate = _Candidate(value, time, led, near=near)

    def _weigh_candidate(self, value: float, now: float, settle_s: float) -> bool:
        """Whether this value completes a jump that is believed: then the history goes on from there."""
        time, candidate = self.sampled(now), self._candidate
        if candidate is None or candidate.rejoins:
            self._propose(value, now, time)
            return False
        if not self._fits_candidate(candidate, value, now, time):
            candidate.misses += 1
            if candidate.misses > candidate.hits:
                self._propose(value, now, time)
            return False
        if candidate.hits < _HITS or not self._moves_as_led(candidate, time):
            return False
        lasted = time - candidate.began
        if self._against is not None and not self._is_withdrawn(candidate, now, lasted):
            return False
        agree, disagree = self._votes(candidate.value, now, static_only=True)
        settle_s = _QUICK_S if agree and not disagree else settle_s
        return lasted >= settle_s and self._believe(candidate, now, lasted, settle_s)

    def _believe(self, candidate: _Candidate, now: float, lasted: float, settle_s: float) -> bool:
        """Go on from a jump that lasted long enough, if the relations let it; else begin to look at it again."""
        agree, disagree = self._votes(candidate.value, now)
        alike = self._moves_alike(candidate, now)
        agree, disagree = agree + (alike is True), disagree + (alike is False)
        needed = settle_s if candidate.near or settle_s == _QUICK_S or not self._links else _UNPROVEN_S
        if agree > disagree or (not disagree and lasted >= needed):
            self._begin(candidate.value, candidate.time, "TRUSTED")
            self.since = candidate.time
            return True
        if disagree:
            self._propose(candidate.value, now, candidate.time)
        return False

    def _is_withdrawn(self, candidate: _Candidate, now: float, lasted: float) -> bool:
        """Whether the relation that spoke against the history has nothing against what comes now, or lost its say."""
        assert self._against is not None
        if any(party.state == "LOST" for party in self._against.parties if party is not self):
            return True
        outcome = self._against.outcome(now, self, candidate.value)
        return lasted >= _UNPROVEN_S if outcome is None else outcome

    def _fits_candidate(self, candidate: _Candidate, value: float, now: float, time: float) -> bool:
        check, gap = self.check, time - candidate.time
        rate = None if self._motion is None else self._motion.rate(candidate.value, now)
        grown = check.bend * gap * gap / 2 + (check.per_second * gap if rate is None else 0.0)
        moved = 0.0 if rate is None else rate * gap
        off = value - candidate.value - moved
        if abs(off) > self._width * (2.0 + gap) or abs(off) > self._width + grown:
            return False
        candidate.moved += moved
        candidate.value += moved + (off if rate is None else _CANDIDATE_GAIN * off)
        candidate.time = time
        candidate.hits += 1
        return True

    def _moves_as_led(self, candidate: _Candidate, time: float) -> bool:
        """Whether a jump's values may be judged: after a contradiction they have to move as the lead does."""
        if not self._contradicted or self._lead is None or self._biased < _HITS or candidate.led is None:
            return True
        led = self._lead.expected(time)
        if led is None:
            return True
        moved = led - candidate.led
        if abs(candidate.value - candidate.first - moved) > _MOVED_ALIKE * self._width:
            self._candidate = None
            return False
        return abs(moved) > self._width or time - candidate.began >= _UNPROVEN_S

    def _moves_alike(self, candidate: _Candidate, now: float) -> bool | None:
        """Whether a jump's values move as the relation says; None: it says nothing, or they hardly move."""
        if self._motion is None or self._motion.rate(candidate.value, now) is None:
            return None
        if abs(candidate.value - candidate.first - candidate.moved) > _MOVED_ALIKE * self._width:
            return False
        return True if abs(candidate.moved) > _MOVED_FAR * self._width else None

    def _votes(self, value: float, now: float, *, static_only: bool = False) -> tuple[int, int]:
        """How many relations speak for and against a value.

        One that says the same of what is predicted says nothing: it does not tell the two apart.
        """
        agree = disagree = 0
        predicted = self.at(self.sampled(now)) if self.is_known(now) else None
        for link in self._links:
            if static_only and not link.is_static:
                continue
            outcome = link.outcome(now, self, value)
            if outcome is None or (predicted is not None and link.outcome(now, self, predicted) is outcome):
                continue
            agree += outcome and link.is_evidence
            disagree += not outcome
        return agree, disagree

    def _is_borne_out(self, value: float, now: float) -> bool:
        agree, disagree = self._votes(value, now, static_only=True)
        return agree >= disagree

    def _contradiction(self, value: float, now: float) -> str | None:
        """The relation to trusted others that speaks against a first value, unless as many speak for it."""
        agree, against = 0, ""
        disagree = 0
        for link in self._links:
            if not link.is_static or any(each.state != "TRUSTED" for each in link.parties if each is not self):
                continue
            outcome = link.outcome(now, self, value)
            agree += outcome is True and link.is_evidence
            if outcome is False:
                disagree, against = disagree + 1, link.name
        return against if disagree > agree else None
