"""Time in a drawing. All drawings are in mission time; the line's time is laid on it by the flight's pace.

In lockstep both are the same. In real time the line's clock is the host's: tick 0 of the one is drawn at tick 0 of the
other, and its pace is the flight's speed. That is for the eye alone: no measurement is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hil.verdict.result import RunResult
from protocols.lander import LANDER, MARS6
from protocols.units import NS_PER_HOUR, NS_PER_MS, NS_PER_S

PERIODS_NS = {channel.vcid: channel.period_ms * NS_PER_MS for channel in MARS6.channels}
"""Of the frames of each virtual channel, in mission time."""
PERIOD_NS = PERIODS_NS[LANDER]

_BEFORE, _AFTER = 600 * NS_PER_S, 6 * NS_PER_HOUR
"""The encounter takes more than five hours."""
_STEPS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``first`` to ``last``, in ns of mission time, over the whole width."""

    first: int
    last: int

    @property
    def attributes(self) -> dict[str, int]:
        """Its ends in ms, of a drawing's element, for the script."""
        return {"data_first": self.first // NS_PER_MS, "data_last": self.last // NS_PER_MS}

    def x(self, time: int) -> float:
        """Place in percent of the width."""
        return 100 * (time - self.first) / (self.last - self.first)

    def holds(self, time: int) -> bool:
        """Whether a time is on it."""
        return self.first <= time <= self.last

    def clip(self, start: int, end: int) -> tuple[int, int] | None:
        """The part of a span that is on it."""
        start, end = max(start, self.first), min(end, self.last)
        return (start, end) if start <= end else None

    def ticks(self, most: int) -> Iterator[int]:
        """Round times, at most so many."""
        span = self.last - self.first
        step = next((s * NS_PER_S for s in _STEPS_S if span <= s * NS_PER_S * most), span)
        return iter(range(-(-self.first // step) * step, self.last + 1, step))


def pace(result: RunResult) -> float:
    """Mission seconds in a second of the line."""
    return result.speed if result.mode == "realtime" and result.speed > 0 else 1.0


def line_to_mission(result: RunResult, time: int) -> int:
    """Where a time of the line is drawn."""
    return result.epoch + round((time - result.start) * pace(result))


def whole(result: RunResult) -> Axis:
    """All that happened, from entry on; but for what lies so far away that a broken clock must have said so."""
    epoch, least = result.epoch, 60 * NS_PER_S if result.is_mars6 else NS_PER_S
    here = [time for time in _times(result) if _is_near(result, time)]
    first, last = min([epoch, *here]), max([epoch + least, *here])
    return Axis(first, last + (last - first) // 25)


def unseen(result: RunResult) -> int:
    """How much lies outside of it."""
    return sum(not _is_near(result, time) for time in _times(result))


def _is_near(result: RunResult, time: int) -> bool:
    return result.epoch - _BEFORE <= time <= result.epoch + _AFTER


def _times(result: RunResult) -> list[int]:
    """All that is drawn, in mission time."""
    line = [mark.time for mark in result.frames] + [moment.time for moment in result.moments]
    losses = [time for time in (result.planned_los, result.observed_los) if time is not None]
    return [line_to_mission(result, time) for time in line] + [sample.scet for sample in result.samples] + losses


def merged(spans: Iterable[tuple[int, int]], hole: int) -> list[tuple[int, int]]:
    """Spans in order of their start, those no farther apart than ``hole`` as one."""
    out: list[tuple[int, int]] = []
    for start, end in spans:
        if out and start - out[-1][1] <= hole:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
