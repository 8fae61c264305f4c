"""Which values of a packet to believe, by the checks that the dictionary declares. Values and time in, verdicts out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from protocols.declare.checks import Check, Clock, Labels, Range
from protocols.declare.dictionary import Dictionary, Packet
from protocols.structures.codec import Value
from protocols.words import BadQuality


class Verdict(NamedTuple):
    """What is wrong with a value: ``reason`` is the name of the check that found it."""

    quality: BadQuality
    reason: str


Verdicts = Mapping[str, Verdict]
"""By parameter name; a value that is not in it is good."""
ALL_GOOD: Verdicts = MappingProxyType({})
_RANGE = Verdict("unusable", Range.name)
_LABEL = Verdict("unusable", Labels.name)
_CLOCK = Verdict("unusable", Clock.name)


class QualityMonitor:
    """Judges the packets of one spacecraft, in the order of time."""

    def __init__(self, dictionary: Dictionary) -> None:
        by_packet: dict[str, list[Check]] = {}
        for check in dictionary.checks:
            by_packet.setdefault(check.parameter.partition(".")[0], []).append(check)
        self._judges = {name: _PacketJudge(checks, dictionary.by_name[name]) for name, checks in by_packet.items()}

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
            values: as decoded.
            time: of the packet, in ns UTC since 1970; None: unknown.
            void: those that mean nothing: they are not judged. By default what `Packet.void` says.
        """
        judge = self._judges.get(packet.definition.name)
        if judge is None:
            return None
        return judge.judge(values, packet.void(values) if void is None else void, time)


class _PacketJudge:
    def __init__(self, checks: Collection[Check], packet: Packet) -> None:
        names = {_name(check) for check in checks}
        self.checked = tuple(each.name for each in packet.parameters if each.name in names)
        self._ranges = [(_name(c), c.low, c.high) for c in checks if isinstance(c, Range)]
        self._labels = [_name(c) for c in checks if isinstance(c, Labels)]
        self._clocks = [(_name(c), c.epoch, c.step_ns) for c in checks if isinstance(c, Clock)]

    def judge(self, values: Mapping[str, Value], void: Collection[str], time: int | None) -> Verdicts:
        found: dict[str, Verdict] = {}
        for name, low, high in self._ranges:
            if not low <= values[name] <= high and name not in void:  # type: ignore[operator]  # a number, as declared
                found[name] = _RANGE
        for name in self._labels:
            if not isinstance(values[name], str):
                found[name] = _LABEL
        for name, epoch, step in self._clocks:
            if time is not None and values[name] != (time - epoch) // step:
                found[name] = _CLOCK
        return found or ALL_GOOD


def _name(check: Check) -> str:
    return check.parameter.partition(".")[2]
