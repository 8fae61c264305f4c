"""The parameters that a mission wants drawn in a report, as they came.

Rules:
1. A value that is not good is not drawn: one nonsense value would stretch the scale. Nor is one at a nonsense time.
2. A flight may last for hours. Of a parameter there are at most `_MOST` blocks, all of as many values; of a block the
   least and the greatest stay, so that no peak is lost, and of equal ones the first and the last. When there is no room
   left, two blocks become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from groundstation.messages.onboard_clock import OnboardClock
from groundstation.messages.wire import Telemetry
from hil.verdict.result import Curve
from protocols.declare.dictionary import Dictionary
from protocols.declare.display import Plot

Point = tuple[int, float]
"""Mission time in ns, and a value."""

_Block = tuple[Point, Point]
"""The least and the greatest of some values."""

_MOST = 200
_GATHERED = 4096
_NUMBERS = (int, float)
_value = itemgetter(1)
_HUGE = 1e300
"""No scale can be made for values beyond."""


class ReceivedCurves:
    """Show it all that is decoded, in order."""

    def __init__(self, plots: Sequence[Plot]) -> None:
        """Args: what is drawn, in its order."""
        self._tracks = {plot.parameter: _Track() for plot in plots}
        self._packets: dict[str, list[tuple[str, _Track]]] = {}
        for plot in plots:
            self._packets.setdefault(plot.packet, []).append((plot.name, self._tracks[plot.parameter]))
        self._clocks = {packet: OnboardClock() for packet in self._packets}

    def take(self, message: Telemetry) -> None:
        """One packet."""
        wanted = self._packets.get(message.packet)
        if wanted is None or not self._clocks[message.packet].follow(message.scet):
            return
        values, bad, scet = message.values, message.bad or (), message.scet
        for name, track in wanted:
            value = values.get(name)
            if value.__class__ in _NUMBERS and abs(value) < _HUGE and name not in bad:
                track.take(scet, value)

    def curves(self, dictionary: Dictionary) -> list[Curve]:
        """Those of which something came. Args: of the mission, which has the units."""
        found = []
        for parameter, track in self._tracks.items():
            if points := track.points():
                packet, _, name = parameter.partition(".")
                unit = next(each.unit for each in dictionary.by_name[packet].parameters if each.name == name)
                found.append(Curve(parameter=parameter, unit=unit, points=points))
        return found


class _Track:
    """One parameter. Values are gathered first, since one at a time would cost each flight 30 ms."""

    def __init__(self) -> None:
        self._gathered: list[Point] = []
        self._blocks: list[_Block] = []
        self._size = self._in_last = 1

    def take(self, time: int, value: float) -> None:
        """The next value."""
        self._gathered.append((time, value))
        if len(self._gathered) == _GATHERED:
            self._make_blocks()

    def points(self) -> list[Point]:
        """What is left, in order of time."""
        self._make_blocks()
        return sorted({(time, float(value)) for block in self._blocks for time, value in block})

    def _make_blocks(self) -> None:
        while len(self._blocks) * self._size - self._size + self._in_last + len(self._gathered) > _MOST * self._size:
            pairs = [self._blocks[at : at + 2] for at in range(0, len(self._blocks), 2)]
            self._in_last += self._size * (len(self._blocks) % 2 == 0)
            self._blocks = [_block([point for block in pair for point in block]) for pair in pairs]
            self._size *= 2
        begin = 0
        while begin < len(self._gathered):
            if self._in_last >= self._size or not self._blocks:
                self._blocks.append((self._gathered[begin],) * 2)
                self._in_last = 0
            end = begin + self._size - self._in_last
            points = self._gathered[begin:end]
            self._blocks[-1] = _block([*(self._blocks[-1] if self._in_last else ()), *points])
            self._in_last += len(points)
            begin = end
        self._gathered.clear()


def _block(points: list[Point]) -> _Block:
    """The least and the greatest; of equal ones the first and the last."""
    low, high = min(points, key=_value), max(points, key=_value)
    return (low, high) if low[1] < high[1] else (points[0], points[-1])
