"""The parameters that a mission wants drawn in a report, as they came.

Rules:
1. A value that is not good is not drawn: one nonsense value would stretch the scale. Nor is one at a nonsense time.
2. A flight may last for hours. Of a parameter there are at most `_MOST` blocks, all of as many values; of a block the
   least and the greatest stay, so that no peak is lost, and of equal ones the first and the last. When there is no room
   left, two blocks become one.
"""

from __future__ import annotations

from collections.abc import Sequence

from groundstation.messages.onboard_clock import OnboardClock
from groundstation.messages.wire import Telemetry
from hil.verdict.result import Curve
from protocols.declare.dictionary import Dictionary
from protocols.declare.display import Plot

Point = tuple[int, float]
"""Mission time in ns, and a value."""

_MOST = 200
"""Even."""
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
        for name, track in wanted:
            value = message.values.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _HUGE:
                continue
            if message.bad is None or name not in message.bad:
                track.take(message.scet, float(value))

    def curves(self, dictionary: Dictionary) -> list[Curve]:
        """Those of which something came. Args: of the mission, which has the units."""
        found = []
        for parameter, track in self._tracks.items():
            packet, _, name = parameter.partition(".")
            units = {each.name: each.unit for each in dictionary.by_name[packet].parameters}
            if points := track.points():
                found.append(Curve(parameter=parameter, unit=units.get(name, ""), points=points))
        return found


class _Track:
    """One parameter."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Point, Point]] = []
        self._size = 1
        self._in_last = 1

    def take(self, time: int, value: float) -> None:
        """The next value."""
        block = ((time, value), (time, value))
        if self._in_last < self._size:
            self._blocks[-1] = _joined(self._blocks[-1], block)
            self._in_last += 1
            return
        if len(self._blocks) == _MOST:
            self._blocks = [_joined(a, b) for a, b in zip(self._blocks[::2], self._blocks[1::2], strict=True)]
            self._size *= 2
        self._blocks.append(block)
        self._in_last = 1

    def points(self) -> list[Point]:
        """What is left, in order of time."""
        return sorted({point for block in self._blocks for point in block})


def _joined(earlier: tuple[Point, Point], later: tuple[Point, Point]) -> tuple[Point, Point]:
    """The least and the greatest of both blocks."""
    points = [*earlier, *later]
    low, high = min(points, key=_value), max(points, key=_value)
    return (low, high) if low[1] < high[1] else (points[0], points[-1])


def _value(point: Point) -> float:
    return point[1]
