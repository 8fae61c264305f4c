"""Faults that lose, repeat or move whole frames, or stop them all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Annotated

import msgspec

from hil.faults.spec import Count, Effect, PerFrame, PerUnit, Probability, Spec, require
from hil.faults.unit import Note, Unit


class Silence(Spec, frozen=True, kw_only=True, tag="silence"):
    """The port stays open; what is sent is lost."""

    def effect(self, random: Random) -> Effect:
        return _Silence()


class _Silence(PerUnit):
    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        note(unit, "lost", "nothing comes through")
        return []


class FrameDrop(Spec, frozen=True, kw_only=True, tag="frame_drop"):
    """Each frame is lost with the probability ``p``."""

    p: Probability = 1.0

    @property
    def by_chance(self) -> bool:
        """Whether a frame is hit."""
        return self.p < 1

    def check(self) -> None:
        """It can hit one."""
        require(self.p != 0, "p is 0: no frame would ever be lost")

    def effect(self, random: Random) -> Effect:
        return _FrameDrop(self.p, random)


class _FrameDrop(PerFrame):
    def __init__(self, p: float, random: Random) -> None:
        super().__init__()
        self._p = p
        self._random = random

    def _decide(self) -> bool:
        return self._random.random() < self._p

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        if not self._decided(unit):
            return [unit]
        note(unit, "lost", "the frame is lost")
        return []


class FrameDup(Spec, frozen=True, kw_only=True, tag="frame_dup"):
    """Each frame comes twice with the probability ``p``."""

    p: Probability = 1.0

    @property
    def by_chance(self) -> bool:
        """Whether a frame is hit."""
        return self.p < 1

    def check(self) -> None:
        """It can hit one."""
        require(self.p != 0, "p is 0: no frame would ever come twice")

    def effect(self, random: Random) -> Effect:
        return _FrameDup(self.p, random)


class _FrameDup(_FrameDrop):
    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        if not self._decided(unit):
            return [unit]
        note(unit, "added", "the frame comes twice")
        return [unit, unit]


class FrameReorder(Spec, frozen=True, kw_only=True, tag="frame_reorder"):
    """Each frame, with the probability ``p``, is overtaken by the next ``gap``: relays do that, wires never."""

    p: Probability = 1.0
    gap: Count = 1

    @property
    def by_chance(self) -> bool:
        """Whether a frame is hit."""
        return self.p < 1

    def check(self) -> None:
        """It can hit one."""
        require(self.p != 0, "p is 0: no frame would ever be overtaken")

    def effect(self, random: Random) -> Effect:
        return _Reorder(self.p, self.gap, random)


@dataclass(slots=True)
class _Held:
    unit: Unit
    left: int


class _Reorder:
    def __init__(self, p: float, gap: int, random: Random) -> None:
        self._p = p
        self._gap = gap
        self._random = random
        self._held: deque[_Held] = deque()

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        if self._random.random() < self._p and not self._held:
            note(unit, "held", f"overtaken by the next {self._gap}")
            self._held.append(_Held(unit, self._gap))
            return []
        for held in self._held:
            held.left -= 1
        out = [unit]
        while self._held and self._held[0].left <= 0:
            out.append(self._held.popleft().unit)
        return out

    def close(self) -> list[Unit]:
        out = [held.unit for held in self._held]
        self._held.clear()
        return out


class BurstLoss(Spec, frozen=True, kw_only=True, tag="burst_loss"):
    """Frames are lost in bursts: the model of Gilbert and Elliott, with its parameters in the order of tc-netem(8).

    Attributes:
        p: from good to bad, at each frame.
        r: from bad to good.
        lost_in_bad: loss while it is bad, 1 - h.
        lost_in_good: loss while it is good, 1 - k.
    """

    p: Probability
    r: Probability
    lost_in_bad: Probability = msgspec.field(default=1.0, name="1-h")
    lost_in_good: Probability = msgspec.field(default=0.0, name="1-k")

    @property
    def by_chance(self) -> bool:
        """Whether it gets bad, and what is lost then."""
        return True

    def check(self) -> None:
        """It can lose a frame."""
        loses = self.lost_in_good or (self.p and self.lost_in_bad)
        require(bool(loses), "with this p, 1-h and 1-k no frame would ever be lost")

    def effect(self, random: Random) -> Effect:
        return _Gilbert(self, random)


class _Gilbert(PerFrame):
    def __init__(self, spec: BurstLoss, random: Random) -> None:
        super().__init__()
        self._spec = spec
        self._random = random
        self._bad = False

    def _decide(self) -> bool:
        spec, random = self._spec, self._random
        if random.random() < (spec.r if self._bad else spec.p):
            self._bad = not self._bad
        return random.random() < (spec.lost_in_bad if self._bad else spec.lost_in_good)

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        if not self._decided(unit):
            return [unit]
        note(unit, "lost", "the frame is lost in a burst" if self._bad else "the frame is lost")
        return []


class Overrun(Spec, frozen=True, kw_only=True, tag="overrun"):
    """The receiver does not read during the window: a FIFO keeps what it can hold, and is read at the end.

    Attributes:
        fifo: bytes that it holds.
        drop: which bytes are lost when it is full: the ``new`` or the ``old``.
    """

    fifo: Annotated[int, msgspec.Meta(ge=0)]
    drop: Annotated[str, msgspec.Meta(pattern="^(new|old)$")] = "new"

    def effect(self, random: Random) -> Effect:
        return _Fifo(self.fifo, self.drop == "old")


class _Fifo:
    def __init__(self, size: int, drop_old: bool) -> None:
        self._size = size
        self._old = drop_old
        self._kept: deque[Unit] = deque()
        self._count = 0
        self._last: Unit | None = None

    def apply(self, unit: Unit, note: Note) -> list[Unit]:
        note(unit, "held", "nothing reads the FIFO")
        self._last = unit
        self._kept.append(unit)
        self._count += len(unit.data)
        while (over := self._count - self._size) > 0:
            self._lose(over, note)
        return []

    def _lose(self, over: int, note: Note) -> None:
        """Up to ``over`` bytes, of the oldest or the newest."""
        unit = self._kept.popleft() if self._old else self._kept.pop()
        lost = min(over, len(unit.data))
        rest = len(unit.data) - lost
        self._count -= lost
        if self._old:
            note(unit, "lost", "overrun: the oldest bytes are lost", 0, lost)
            if rest:
                self._kept.appendleft(unit.part(lost))
        else:
            note(unit, "lost", "overrun: the newest bytes are lost", rest, lost)
            if rest:
                self._kept.append(unit.part(0, rest))

    def close(self) -> list[Unit]:
        """All at once, as late as the last of them."""
        out = [unit.later(max(0, self._last.due - unit.due)) for unit in self._kept if self._last is not None]
        self._kept.clear()
        self._count = 0
        return out
