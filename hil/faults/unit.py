"""What the channel moves, and what it writes down: units, and the log of what was done to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import msgspec

StreamDirection = Literal["down", "up"]
ByteEffect = Literal["lost", "changed", "added", "held", "done"]
"""What was done to bytes; ``done`` is something done to the link or the target."""

LOG_LIMIT = 200_000
"""Entries of a log; more are counted."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A frame on its way, a piece of one, or bytes that are in none. Never reordered but by a fault.

    Attributes:
        data: as they are now.
        due: when the last of them is at the other end, in ns of the line's time.
        scet: mission time that the frame carries; of bytes in no frame, that of the frame before.
        number: of the frame in its direction, from 0; pieces of a frame share it.
        origin: offset of the first byte in the sender's stream; None for line noise.
        events: names of the onboard events that the frame completes.
    """

    data: bytes
    due: int
    scet: int
    number: int
    origin: int | None
    events: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """Offset after the last byte in the sender's stream; for line noise, its own length."""
        return (self.origin or 0) + len(self.data)

    def part(self, start: int, stop: int | None = None) -> Unit:
        """A piece of it, by its own bytes."""
        origin = None if self.origin is None else self.origin + start
        return Unit(self.data[start:stop], self.due, self.scet, self.number, origin, self.events)

    def with_data(self, data: bytes) -> Unit:
        """The same place with other bytes; as many."""
        return Unit(data, self.due, self.scet, self.number, self.origin, self.events)

    def later(self, ns: int) -> Unit:
        """Delayed."""
        return Unit(self.data, self.due + ns, self.scet, self.number, self.origin, self.events)


class FaultLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One effect of one fault.

    Attributes:
        fault: its place in the scenario, from 0.
        kind: its name.
        direction: down or up; empty for what is done to the link or the target.
        at: the line's time, in ns.
        scet: mission time of the frame, in ns.
        frame: its number in its direction.
        offset: of the first byte, in the sender's stream.
        effect: what was done to them.
        length: bytes that were lost, changed, added or held.
        what: in words.
    """

    fault: int
    kind: str
    direction: str
    at: int
    scet: int
    frame: int
    offset: int
    effect: ByteEffect
    length: int
    what: str


@dataclass(slots=True)
class FaultLog:
    """What was done, in order. Bounded: ``dropped`` counts what found no room.

    Attributes:
        totals: bytes by direction and effect, of all entries, dropped ones too.
        counts: entries of each fault, and ``touched`` the bytes of its entries by effect; of dropped ones too.
    """

    entries: list[FaultLogEntry] = field(default_factory=list)
    dropped: int = 0
    totals: Counter[tuple[str, ByteEffect]] = field(default_factory=Counter)
    counts: Counter[int] = field(default_factory=Counter)
    touched: Counter[tuple[int, ByteEffect]] = field(default_factory=Counter)

    def add(self, entry: FaultLogEntry) -> None:
        """Write down."""
        self.totals[entry.direction, entry.effect] += entry.length
        self.counts[entry.fault] += 1
        self.touched[entry.fault, entry.effect] += entry.length
        if len(self.entries) < LOG_LIMIT:
            self.entries.append(entry)
        else:
            self.dropped += 1


@dataclass(frozen=True, slots=True)
class Note:
    """The log, as one fault in one direction writes it."""

    log: FaultLog
    fault: int
    kind: str
    direction: StreamDirection

    def __call__(self, unit: Unit, effect: ByteEffect, what: str, start: int = 0, length: int | None = None) -> None:
        """Something was done to ``length`` bytes of a unit, from ``start`` on; to all of them by default."""
        self.log.add(
            FaultLogEntry(
                fault=self.fault,
                kind=self.kind,
                direction=self.direction,
                at=unit.due,
                scet=unit.scet,
                frame=unit.number,
                offset=(unit.origin or 0) + start,
                effect=effect,
                length=len(unit.data) - start if length is None else length,
                what=what,
            )
        )
