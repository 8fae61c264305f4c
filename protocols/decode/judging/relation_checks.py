"""Relations between parameters: whether what is known of them agrees, and who is wrong where it does not.

Rules:
1. A relation compares what is known of its parties, not single values: those are their histories' to judge.
2. One that disagrees has to do so several times in a row: values in a packet are of slightly different times.
3. The party that loses is the one with the most relations against it, less those for it; then one that is not trusted
   yet, or since the shortest time; then the one that the relation is about. Its relations say nothing then, and the
   rest is looked at again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from protocols.declare.checks import Bound, Motion, Relation
from protocols.decode.judging.value_history import ValueHistory

_STATIC_STRIKES, _MOTION_STRIKES = 2, 3
"""Looks in a row at which a relation disagrees before anyone is blamed."""
_OLD_S, _RECENT_S = 2.0, 0.5
"""Since its last good value, a party is too old to be compared; a change is."""
_MARK_S, _MARKS = 0.9, 5
"""Between the moments that a change is counted from, and how many there are."""
_SLOPE_OVER_S = 3.0
"""A slope over longer says nothing of a rate now."""
_CHANGE_SHARE, _SLOPE_SHARE = 0.6, 0.3
"""Of a window: how far off a change may be, and what a slope was taken from."""


class StaticRelation:
    """A value beside others at one time."""

    is_static = True

    def __init__(self, check: Relation, target: ValueHistory, sources: tuple[ValueHistory, ...]) -> None:
        self.check, self.target, self.sources = check, target, sources
        self.name = check.name
        self.is_evidence = not isinstance(check, Bound)
        self.parties = (target, *sources)
        self._strikes = 0

    def restart(self) -> None:
        """One of them begins from scratch."""
        self._strikes = 0

    def expected(self, time: float) -> float | None:
        """What the value should be, by the others; None while they are unknown."""
        for source in self.sources:
            if not source.is_known(time):
                return None
        return self.check.expected(self.target.at(time), *(source.at(time) for source in self.sources))

    def outcome(self, now: float, stand_in: ValueHistory | None = None, value: float = 0.0) -> bool | None:
        """Whether they agree, with ``value`` in place of what is known of one of them; None: nothing can be said."""
        target, time = self.target, self.target.sampled(now)
        if target is not stand_in and (not target.usable or now - target.good_time > _OLD_S):
            return None
        own = value if target is stand_in else target.at(time)
        others = []
        for source in self.sources:
            if source is stand_in:
                others.append(value - source.slope_now * (now - time))
            elif source.is_known(now):
                others.append(source.at(time))
            else:
                return None
        expected = self.check.expected(own, *others)
        off = abs(own - expected) - self.check.allowed(expected)
        if off <= 0.0:
            return True
        return None if off <= self._unsure(now, own, others, expected, stand_in) else False

    def _unsure(
        self, now: float, own: float, others: list[float], expected: float, stand_in: ValueHistory | None
    ) -> float:
        """How far off what is expected may be, since it is not known well what it is expected from."""
        total = 0.0
        for index, source in enumerate(self.sources):
            if source is not stand_in:
                moved = [*others]
                moved[index] += source.slack(now) - source.check.window
                total += abs(self.check.expected(own, *moved) - expected)
        return total

    def disagrees(self, now: float) -> bool | None:
        """Whether it has come to that; None: nothing can be said."""
        outcome = self.outcome(now)
        if outcome is None:
            return None
        self._strikes = 0 if outcome else self._strikes + 1
        return None if 0 < self._strikes < _STATIC_STRIKES else not outcome


class MotionRelation:
    """How fast a value changes, by others."""

    is_static = False
    is_evidence = True

    def __init__(self, check: Motion, target: ValueHistory, sources: tuple[ValueHistory, ...]) -> None:
        self.check, self.target, self.sources = check, target, sources
        self.name = check.name
        self.parties = (target, *sources)
        self._strikes = 0
        self._rate: float | None = None
        self._moved = self._loose = 0.0
        self._marks: deque[tuple[float, float, float, float]] = deque(maxlen=_MARKS)

    def restart(self) -> None:
        """One of them begins from scratch."""
        self._strikes, self._rate = 0, None
        self._marks.clear()

    def rate(self, own: float, now: float) -> float | None:
        """How fast it should change at this value; None while that is unknown."""
        first = self.sources[0]
        if not first.is_known(now):
            return None
        if len(self.sources) == 1:
            return self.check.per_second(own, first.at(now))  # type: ignore[call-arg]  # as many as it has others
        second = self.sources[1]
        if not second.is_known(now):
            return None
        return self.check.per_second(own, first.at(now), second.at(now))  # type: ignore[call-arg]  # as many

    def advance(self, now: float, gap: float) -> None:
        """A packet came, ``gap`` s after the one before: the target moves on."""
        target = self.target
        rate = self.rate(target.at(now), now) if target.usable else None
        if rate is None:
            target.stop()
            if self._rate is not None:
                self.restart()
            return
        if self._rate is not None:
            self._moved += (self._rate + rate) / 2 * gap
            self._loose += target.check.bend * gap * gap / 4
        self._rate = rate
        target.move(rate, now)
        if target.good_time == now and (not self._marks or now - self._marks[-1][0] >= _MARK_S):
            self._marks.append((now, target.trend.value, self._moved, self._loose))

    def disagrees(self, now: float) -> bool | None:
        """Whether it has come to that; None: nothing can be said."""
        target = self.target
        if not self._marks or target.good_time < now or now - self._marks[0][0] < _MARK_S:
            return None
        began, value, moved, loose = self._marks[0]
        off = abs(target.trend.value - value - self._moved + moved)
        allowed = _CHANGE_SHARE * target.check.window + self.check.drift * (now - began) + self._loose - loose
        self._strikes = 0 if off <= allowed else self._strikes + 1
        return None if 0 < self._strikes < _MOTION_STRIKES else off > allowed

    def outcome(self, now: float, stand_in: ValueHistory | None = None, value: float = 0.0) -> bool | None:
        """Whether they agree, with ``value`` in place of what is known of a source; None: nothing can be said."""
        target = self.target
        if target is stand_in or not target.usable or now - target.good_time > _RECENT_S:
            return None
        slope = target.trend.mean_slope()
        if slope is None or slope[1] > _SLOPE_OVER_S:
            return None
        others = []
        for source in self.sources:
            if source is not stand_in and not source.is_known(now):
                return None
            others.append(value if source is stand_in else source.at(now))
        allowed = self.check.drift + _SLOPE_SHARE * target.check.window / slope[1]
        return abs(self.check.per_second(target.at(now), *others) - slope[0]) <= allowed


AnyRelation = StaticRelation | MotionRelation


def settle(relations: Sequence[AnyRelation], now: float) -> list[tuple[ValueHistory, AnyRelation]]:
    """Look at all relations: the histories that lose what they are worth, with a relation against each."""
    agree: list[AnyRelation] = []
    against: list[AnyRelation] = []
    for relation in relations:
        disagrees = relation.disagrees(now)
        if disagrees is not None:
            (against if disagrees else agree).append(relation)
    lost = []
    while against:
        loser = _loser(agree, against)
        lost.append((loser, next(relation for relation in against if loser in relation.parties)))
        agree = [relation for relation in agree if loser not in relation.parties]
        against = [relation for relation in against if loser not in relation.parties]
    return lost


def _loser(agree: Sequence[AnyRelation], against: Sequence[AnyRelation]) -> ValueHistory:
    score: dict[ValueHistory, int] = {}
    for relation in against:
        for party in relation.parties:
            score[party] = score.get(party, 0) - 1
    for relation in agree:
        for party in relation.parties:
            if party in score:
                score[party] += 1
    about = {relation.target for relation in against}
    return min(score, key=lambda party: (score[party], party.state == "TRUSTED", -party.since, party not in about))
