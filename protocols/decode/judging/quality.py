"""Which values of a packet to believe, by the checks that the dictionary declares. Values and time in, verdicts out.

Rules:
1. What a value alone says comes first: its range, its label, the packet's time. Such a value is unusable, and no other
   check looks at it.
2. Then each value beside its history (`value_history`). Twice a second flat lines and all relations are looked at
   (`relation_checks`), and who loses there is marked at once.
3. A parameter whose flag is marked (`valid_if`) is marked as its flag is, if it is not unusable by itself. What is
   unusable by one check stays so, whatever another one says.
4. A packet older than one before it is judged by rule 1 alone. Some in a row that go on from there are a spacecraft
   that started again: everything begins from scratch.
5. The state is bounded by the number of checks. The same packets in the same order give the same verdicts, live, in a
   replay, and from a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from protocols.declare.checks import (
    Check,
    Clock,
    FlatLine,
    Labels,
    Motion,
    OnlyWhile,
    Order,
    Range,
    Rate,
    Relation,
)
from protocols.declare.dictionary import Dictionary, Packet
from protocols.decode.judging.relation_checks import AnyRelation, MotionRelation, StaticRelation, settle
from protocols.decode.judging.run_checks import FlatLineJudge, OrderJudge
from protocols.decode.judging.value_history import ValueHistory
from protocols.decode.judging.verdicts import ALL_GOOD, Verdict, Verdicts, suspect, unusable
from protocols.structures.codec import Value
from protocols.units import NS_PER_S

_STEP_S = 0.19
"""How often relations say how a value moves: in between it moves as they said."""
_LOOK_S = 0.5
"""How often all relations are looked at."""
_AGAIN = 3
"""Packets in a row that are older than one before them: the spacecraft started again."""

C = TypeVar("C", bound=Check)
_Bounds = tuple[str, float, float]
"""Name, lowest and highest value."""
_Tracked = tuple[ValueHistory, str | None]
"""A parameter and the flag that it depends on."""


class QualityMonitor:
    """Judges the packets of one spacecraft, in the order in which they come."""

    def __init__(self, dictionary: Dictionary) -> None:
        by_packet: dict[str, list[Check]] = {}
        for check in dictionary.checks:
            by_packet.setdefault(_split(check.parameter)[0], []).append(check)
        self._judges = {name: _PacketJudge(dictionary.by_name[name], checks) for name, checks in by_packet.items()}

    def checked(self, packet: Packet) -> tuple[str, ...]:
        """The parameters of a packet that a check is declared for, in their order."""
        judge = self._judges.get(packet.definition.name)
        return () if judge is None else judge.checked

    def judge(
        self, packet: Packet, values: Mapping[str, Value], time: int | None, void: Collection[str] | None = None
    ) -> Verdicts | None:
        """What is wrong with the values of a packet; None if no check is declared for it.

        Args:
            packet: its declaration.
            values: as decoded; those that a check is declared for are enough.
            time: of the packet, in ns UTC since 1970; None: unknown.
            void: those that mean nothing: they are not judged. By default what `Packet.void` says.
        """
        judge = self._judges.get(packet.definition.name)
        if judge is None:
            return None
        return judge.judge(values, packet.void(values) if void is None else void, time)


class _PacketJudge:
    """Judges the packets of one type."""

    def __init__(self, packet: Packet, checks: Sequence[Check]) -> None:
        names = {_split(check.parameter)[1] for check in checks}
        self.checked = tuple(each.name for each in packet.parameters if each.name in names)
        self._ranges: list[_Bounds] = [(_split(c.parameter)[1], c.low, c.high) for c in _of(Range, checks)]
        tracked = {_split(c.parameter)[1] for c in _of(Rate, checks)}
        self._tracked_ranges = {bounds[0]: bounds for bounds in self._ranges if bounds[0] in tracked}
        self._untracked_ranges = [bounds for bounds in self._ranges if bounds[0] not in tracked]
        self._labels = [_split(c.parameter)[1] for c in _of(Labels, checks)]
        self._clocks = [(_split(c.parameter)[1], c.epoch, c.step_ns) for c in _of(Clock, checks)]
        self._flags = {condition.name: condition.flag for condition in packet.conditional if condition.name in names}
        self._checks = checks
        self._run = _Run(checks, self._flags)
        self._base = 0
        self._last: int | None = None
        self._older = 0

    def judge(self, values: Mapping[str, Value], void: Collection[str], time: int | None) -> Verdicts:
        """What is wrong with a packet's values."""
        found: dict[str, Verdict] = {}
        if time is None or not self._is_in_order(time):
            self._judge_alone(values, time, found)
            self._judge_ranges(self._ranges, values, void, found)
            return found or ALL_GOOD
        run, now = self._run, (time - self._base) / NS_PER_S
        self._judge_alone(values, time, found)
        self._judge_ranges(self._untracked_ranges, values, void, found)
        others = run.pass_led(values, now)
        if others:
            ranges = self._tracked_ranges
            chosen = [ranges[each.name] for each, _ in others if each.name in ranges]
            self._judge_ranges(chosen, values, void, found)
        run.judge(others, values, void, now, found)
        return found or ALL_GOOD

    @staticmethod
    def _judge_ranges(
        ranges: Iterable[_Bounds], values: Mapping[str, Value], void: Collection[str], found: dict[str, Verdict]
    ) -> None:
        for name, low, high in ranges:
            if not low <= values[name] <= high and name not in void:  # type: ignore[operator]  # numbers, as declared
                found[name] = unusable(Range.name)

    def _judge_alone(self, values: Mapping[str, Value], time: int | None, found: dict[str, Verdict]) -> None:
        for name in self._labels:
            if not isinstance(values[name], str):
                found[name] = unusable(Labels.name)
        if time is not None:
            for name, epoch, step in self._clocks:
                if values[name] != (time - epoch) // step:
                    found[name] = unusable(Clock.name)

    def _is_in_order(self, time: int) -> bool:
        """Whether it is not older than one before it; another run begins where it is the last of some that are."""
        if self._last is not None and time < self._last:
            self._older += 1
            if self._older < _AGAIN:
                return False
            self._last = None
        if self._last is None:
            self._run = _Run(self._checks, self._flags)
            self._base = time - time % NS_PER_S
        self._last, self._older = time, 0
        return True


class _Run:
    """What is known of a packet's parameters since the spacecraft started."""

    def __init__(self, checks: Sequence[Check], flags: Mapping[str, str]) -> None:
        self._flags = flags
        self._histories = {c.parameter: ValueHistory(c) for c in _of(Rate, checks)}
        by_path = self._histories
        tracked: list[_Tracked] = [(history, flags.get(history.name)) for history in by_path.values()]
        self._independent = [each for each in tracked if each[1] is None]
        self._dependent = [each for each in tracked if each[1] is not None]
        self._relations: list[AnyRelation] = []
        self._motions: list[MotionRelation] = []
        for check in checks:
            if isinstance(check, Relation | Motion):
                self._relate(check)
        self._orders = [OrderJudge(c) for c in _of(Order, checks)]
        self._conditions = [(_split(c.parameter)[1], by_path[c.of], c.low, c.high) for c in _of(OnlyWhile, checks)]
        self._flats = [FlatLineJudge(c, by_path[c.parameter], by_path[c.follows]) for c in _of(FlatLine, checks)]
        self._now: float | None = None
        self._looked = 0.0

    def _relate(self, check: Relation | Motion) -> None:
        target = self._histories[check.parameter]
        sources = tuple(self._histories[path] for path in check.others)
        relation: AnyRelation
        if isinstance(check, Motion):
            relation = motion = MotionRelation(check, target, sources)
            self._motions.append(motion)
            target.link(motion, motion=motion)
        else:
            relation = static = StaticRelation(check, target, sources)
            target.link(static, lead=static if static.is_evidence else None)
        for source in sources:
            source.link(relation)
        self._relations.append(relation)

    def pass_led(self, values: Mapping[str, Value], now: float) -> list[_Tracked]:
        """Take the values that are just where they should be, as most are; those that have to be judged are left."""
        others = self._dependent[:]
        for tracked in self._independent:
            history = tracked[0]
            if not history.passes(values[history.name], now):  # type: ignore[arg-type]  # a number, as declared
                others.append(tracked)
        return others

    def judge(
        self,
        others: Iterable[_Tracked],
        values: Mapping[str, Value],
        void: Collection[str],
        now: float,
        found: dict[str, Verdict],
    ) -> None:
        """Add what is wrong with the values of a packet to what is found already.

        Args:
            others: the parameters that `pass_led` left.
            values: as decoded.
            void: those that mean nothing.
            now: of the packet, in s.
            found: by rule 1.
        """
        self._judge_words(values, now, found)
        for history, flag in others:
            self._judge_tracked(history, flag, values, void, now, found)
        gap = 0.0 if self._now is None else now - self._now
        if gap >= _STEP_S or self._now is None:
            for motion in self._motions:
                motion.advance(now, gap)
            self._now = now
        if now - self._looked >= _LOOK_S:
            self._looked = now
            for flat in self._flats:
                self._judge_flat(flat, values, void, now, found)
            for loser, relation in settle(self._relations, now):
                loser.lose(relation.name, relation)
                if loser.name not in void:
                    found.setdefault(loser.name, suspect(relation.name))

    def _judge_words(self, values: Mapping[str, Value], now: float, found: dict[str, Verdict]) -> None:
        """Enumerations and flags."""
        for order in self._orders:
            if order.name not in found and not order.fits(values[order.name]):
                found[order.name] = suspect(Order.name)
        for flag, of, low, high in self._conditions:
            if values[flag] and not _is_unusable(found, flag) and not _may_be(of, now, low, high):
                found[flag] = unusable(OnlyWhile.name)

    def _judge_tracked(
        self,
        history: ValueHistory,
        flag: str | None,
        values: Mapping[str, Value],
        void: Collection[str],
        now: float,
        found: dict[str, Verdict],
    ) -> None:
        name = history.name
        if flag is not None and (flag in found or name in void):
            if flag in found:
                history.forget()
                if name not in void and not _is_unusable(found, name):
                    found[name] = found[flag]
            return
        if name in found:
            history.fail(found[name])
            return
        value = cast("float", values[name])
        verdict = None if flag is not None and history.passes(value, now) else history.judge(value, now)
        if verdict is not None:
            found[name] = verdict

    def _judge_flat(
        self,
        flat: FlatLineJudge,
        values: Mapping[str, Value],
        void: Collection[str],
        now: float,
        found: dict[str, Verdict],
    ) -> None:
        history = flat.history
        if history.name in void or not flat.is_flat(cast("float", values[history.name]), now):
            return
        if history.usable:
            history.lose(FlatLine.name)
            found.setdefault(history.name, suspect(FlatLine.name))


def _is_unusable(found: Mapping[str, Verdict], name: str) -> bool:
    """Whether a value is found to be unusable: no other check makes it better than that."""
    return name in found and found[name].quality == "unusable"


def _may_be(history: ValueHistory, now: float, low: float, high: float) -> bool:
    """Whether a value may lie between bounds, as far as it is known."""
    if not history.is_known(now):
        return True
    unsure = history.slack(now) - history.check.window
    return low - unsure <= history.at(now) <= high + unsure


def _split(path: str) -> tuple[str, str]:
    packet, _, name = path.partition(".")
    return packet, name


def _of(kind: type[C], checks: Sequence[Check]) -> list[C]:
    return [check for check in checks if isinstance(check, kind)]
