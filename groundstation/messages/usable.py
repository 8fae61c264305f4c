"""How many values were usable, by phase of the flight and by parameter: a tally of what the station says."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundstation.messages.base import Int64
from groundstation.messages.wire import Telemetry, UsableShare

PHASES_MAX = 32
OTHER = "other"
"""What phases beyond `PHASES_MAX` are counted as."""


class _Count(msgspec.Struct):
    """Values of one parameter in one phase that are not good, or mean nothing."""

    suspect: int = 0
    unusable: int = 0
    void: int = 0


class UsableTally:
    """Feed it telemetry in order. Bounded by the phases and the declared parameters."""

    def __init__(self, phase: tuple[str, str] | None = None) -> None:
        """Args: the packet and name of the parameter that says where the spacecraft stands; None: there is none."""
        self._where = phase
        self._phase = ""
        self._packets: dict[tuple[str, str], int] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._counts: dict[tuple[str, str, str], _Count] = {}
        self._before: dict[tuple[str, str, str], UsableShare] = {}

    def take(self, message: Telemetry) -> None:
        """Count the values of a packet that was judged."""
        bad = message.bad
        if bad is None:
            return
        self._follow(message)
        packet, phase = message.packet, self._phase
        self._packets[phase, packet] = self._packets.get((phase, packet), 0) + 1
        if packet not in self._names:
            self._names[packet] = tuple(message.values)
        for name, each in bad.items():
            count = self._count(phase, packet, name)
            if each.quality == "suspect":
                count.suspect += 1
            else:
                count.unusable += 1
        for name in message.invalid:
            self._count(phase, packet, name).void += 1

    def adopt(self, rows: Iterable[UsableShare]) -> None:
        """Begin with what a station has counted."""
        self._packets, self._counts = {}, {}
        self._before = {(row.phase, row.packet, row.parameter): row for row in rows}

    def rows(self) -> list[UsableShare]:
        """By phase in the order in which they came, then by packet and parameter."""
        found = dict(self._before)
        for (phase, packet), packets in self._packets.items():
            for name in self._names[packet]:
                key = (phase, packet, name)
                count, before = self._counts.get(key, _Count()), self._before.get(key)
                good = packets - count.suspect - count.unusable - count.void
                found[key] = UsableShare(
                    phase=phase,
                    packet=packet,
                    parameter=name,
                    good=good + (before.good if before else 0),
                    suspect=count.suspect + (before.suspect if before else 0),
                    unusable=count.unusable + (before.unusable if before else 0),
                )
        return list(found.values())

    def _follow(self, message: Telemetry) -> None:
        """The phase is the last good one that was said."""
        if self._where is None or message.packet != self._where[0] or self._where[1] in (message.bad or {}):
            return
        phase = str(message.values.get(self._where[1], ""))
        if phase == self._phase:
            return
        known = {each for each, _ in self._packets} | {each for each, _, _ in self._before}
        self._phase = phase if phase in known or len(known) < PHASES_MAX else OTHER

    def _count(self, phase: str, packet: str, name: str) -> _Count:
        key = (phase, packet, name)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count()
        return count


class UsableTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All values of all phases."""

    good: Int64 = 0
    suspect: Int64 = 0
    unusable: Int64 = 0


def usable_total(rows: Iterable[UsableShare]) -> UsableTotal:
    """The sum."""
    rows = list(rows)
    return UsableTotal(
        good=sum(row.good for row in rows),
        suspect=sum(row.suspect for row in rows),
        unusable=sum(row.unusable for row in rows),
    )
