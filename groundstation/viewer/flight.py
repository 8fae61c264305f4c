"""One flight as its telemetry shows it: the mission clock, the curves, and where in them the signal was lost.

The station keeps it for viewers that join late, a viewer for its screen. Rules:

1. Flights never mix. When a channel's onboard time steps back (the spacecraft was started again, a mission is flown
   again) the curves and loss marks of the flight before go, also those of the channels that have said nothing yet.
2. Each channel has a clock of its own: two that differ are not a step back. A time that nothing confirms moves nothing.
3. After a step back a channel moves the mission clock only once it tells the new flight's time: what the station last
   knew of a channel that is silent since is of the flight before.
4. Runs of a station never mix either. What is known of the run before stays to be seen until this one has anything.
5. Bounded: so many curves, each thinned when it is full; what has no room is counted.
6. Values that are not good are kept apart, the last `BAD_KEPT` of each: a curve through them would be none.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Mapping

from groundstation.messages.onboard_clock import REWIND_NS, OnboardClock
from groundstation.messages.wire import RESTART_EVENT, CurveData, EventMessage, History, LosVerdict, Telemetry
from groundstation.viewer.history import Series
from protocols.units import NS_PER_MIN, NS_PER_MS

Key = tuple[str, str]
CURVES_KEPT = 64
BAD_KEPT = 400
LOSS_MARKS_KEPT = 100
GAP_PERIODS = 3
_DEFAULT_PERIOD_MS = 1000
_SAME_FLIGHT_NS = NS_PER_MIN


class Flight:
    """Feed it telemetry and losses in order.

    Attributes:
        clock: the mission's time; None before any is known.
        clock_vcid: the channel that it came on.
        number: counts the flights.
        earlier: all this is of an earlier run of the station.
        loss_marks: (VCID, SCET) of the last frame before each loss of signal.
        bad: (SCET, value) of the last values of each curve that were not good.
        uncurved: samples of parameters beyond the first `CURVES_KEPT`.
    """

    def __init__(
        self, keys: Collection[Key] | None = None, kept: int | None = None, first: Collection[Key] = ()
    ) -> None:
        """What to keep.

        Args:
            keys: the parameters with a curve; None: all that have a number, as far as there is room.
            kept: how many samples each keeps.
            first: those that have room in any case, whatever comes before them.
        """
        self.clock: int | None = None
        self.clock_vcid: int | None = None
        self.number = 0
        self.earlier = False
        self.uncurved = 0
        self.series: dict[Key, Series] = {key: _series(kept) for key in keys or first}
        self.bad: dict[Key, deque[tuple[int, float]]] = {}
        self.loss_marks: deque[tuple[int, int]] = deque(maxlen=LOSS_MARKS_KEPT)
        self._open = keys is None
        self._kept = kept
        self._adopted = 0
        self._suspects: set[int] = set()
        self._clocks: dict[int, OnboardClock] = {}
        self._last: dict[int, int] = {}
        self._timed = False

    def plot(self, keys: Collection[Key]) -> None:
        """Keep the curves of these parameters; those that were kept before and are not among them go."""
        self.series = {key: self.series.get(key) or _series(self._kept) for key in keys}

    def add(self, message: Telemetry, periods_ms: Mapping[str, int]) -> None:
        """A packet came; ``periods_ms`` says how often each should.

        Packets without an onboard time move the mission clock only as long as none with one has come.
        """
        self._timed = self._timed or not message.untimed
        if not message.untimed or not self._timed:
            self.follow(message.scet, message.vcid)
        gap = periods_ms.get(message.packet, _DEFAULT_PERIOD_MS) * NS_PER_MS * GAP_PERIODS
        bad = message.bad or {}
        for name, value, series in self._curves(message):
            if name in bad:
                self._bad_of((message.packet, name)).append((message.scet, value))
            else:
                series.add(message.scet, value, gap)

    def follow(self, scet: int, vcid: int) -> None:
        """The time of a channel came."""
        clock = self._clocks.setdefault(vcid, OnboardClock())
        if not clock.follow(scet):
            return
        last = self._last.get(vcid)
        far = 0 if vcid in self._suspects else REWIND_NS
        self._suspects.discard(vcid)
        if self.earlier or (last is not None and last - scet > far):
            self.begin()
            self.clock = None
        elif last is None and not self._is_of_this_flight(scet):
            return
        self._last[vcid] = scet
        if self.clock is None or scet > self.clock:
            self.clock, self.clock_vcid = scet, vcid

    def follow_status(self, scet: int, vcid: int) -> None:
        """A status says what a channel last told: its packets have said so before, if there were any."""
        clock = self._clocks.get(vcid)
        if clock is None or clock.is_near(scet):  # an odd one stands there for a while
            self.follow(scet, vcid)

    def adopt(self, number: int, clock: int | None, vcid: int | None) -> None:
        """Take over from the station, which has followed the flight; None if it knows no time.

        Args:
            number: which of the station's flights it is: another may have begun while this viewer was away.
            clock: the mission's time.
            vcid: the channel that it came on.
        """
        if clock is None or vcid is None:
            return
        if self.earlier or number != self._adopted:
            self.begin()
        self._adopted = number
        self.number += 1
        self.clock, self.clock_vcid = clock, vcid
        self._clocks = {vcid: OnboardClock()}
        self._clocks[vcid].follow(clock)
        self._last = {vcid: clock}

    def restarted(self) -> None:
        """The spacecraft started again: from here on any step back of a channel is another flight, however short."""
        self._suspects |= set(self._last)

    def lose(self, verdict: LosVerdict) -> None:
        """A channel's signal was lost; that of the link is its channels'."""
        if verdict.last_scet is not None and verdict.vcid is not None and not self.earlier:
            self.loss_marks.append((verdict.vcid, verdict.last_scet))

    def begin(self) -> None:
        """Another flight: nothing of the one before is left but its clock's last word."""
        self.number += 1
        self.earlier = False
        self.loss_marks.clear()
        self._last.clear()
        self._suspects.clear()
        for series in self.series.values():
            series.clear()
        self.bad.clear()

    def restart(self) -> None:
        """Another run of the station: what is here stays until it says something."""
        self.earlier = True
        self._clocks.clear()
        self._last.clear()

    def jump(self) -> None:
        """A replay goes on elsewhere: what lies behind that place is not known any more, what lies before it is."""
        self.clock = self.clock_vcid = None
        self.loss_marks.clear()
        self._clocks.clear()
        self._last.clear()
        for series in self.series.values():
            series.jump()
        self.bad.clear()

    def history(self, keys: Collection[Key], samples: int, decimals: Mapping[Key, int]) -> History:
        """The curves of some parameters, each of at most so many samples."""
        curves = [
            _data(key, self.series[key].thinned(samples), decimals.get(key, 3), self.bad.get(key, ()))
            for key in keys
            if key in self.series
        ]
        return History(curves=curves, loss_marks=list(self.loss_marks))

    def load(self, history: History) -> None:
        """Take what the station kept, in place of what is here up to there; what came since stays."""
        if self.earlier and any(curve.offsets for curve in history.curves):
            self.begin()
        for curve in history.curves:
            series = self.series.get((curve.packet, curve.name))
            if series is not None and curve.offsets and not self._is_behind(series, curve.first + curve.offsets[-1]):
                series.load(_samples(curve), {curve.first + curve.offsets[index] for index in curve.starts})
                self._load_bad(curve)
        self.loss_marks = deque(sorted({*history.loss_marks, *self.loss_marks}), maxlen=LOSS_MARKS_KEPT)

    @staticmethod
    def _is_behind(series: Series, last: int) -> bool:
        """Whether a new flight has begun while an answer was on its way."""
        return bool(series.samples) and series.samples[-1][0] < last - REWIND_NS

    def _is_of_this_flight(self, scet: int) -> bool:
        """Whether a channel that says something for the first time in this flight can mean it."""
        return not self.number or self.clock is None or abs(scet - self.clock) <= _SAME_FLIGHT_NS

    def _bad_of(self, key: Key) -> deque[tuple[int, float]]:
        return self.bad.setdefault(key, deque(maxlen=BAD_KEPT))

    def _load_bad(self, curve: CurveData) -> None:
        """Those that a station kept, before what came since."""
        kept = self._bad_of((curve.packet, curve.name))
        since = list(kept)
        kept.clear()
        last = curve.first + curve.bad_offsets[-1] if curve.bad_offsets else 0
        loaded = [(curve.first + at, value) for at, value in zip(curve.bad_offsets, curve.bad_values, strict=False)]
        kept.extend([*loaded, *(sample for sample in since if sample[0] > last)])

    def _curves(self, message: Telemetry) -> Iterator[tuple[str, float, Series]]:
        """The curves of the numbers of a packet."""
        for name, value in message.values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                continue
            series = self.series.get((message.packet, name))
            if series is None and self._open:
                if len(self.series) >= CURVES_KEPT:
                    self.uncurved += 1
                    continue
                series = self.series[message.packet, name] = _series(self._kept)
            if series is not None:
                yield name, float(value), series


def tells_restart(event: EventMessage) -> bool:
    """Whether the station says with this event that the spacecraft started again."""
    return (event.source, event.name) == ("STATION", RESTART_EVENT)


def _series(kept: int | None) -> Series:
    return Series() if kept is None else Series(kept)


def _data(
    key: Key,
    thinned: tuple[list[tuple[int, float]], set[int]],
    decimals: int,
    bad: Collection[tuple[int, float]],
) -> CurveData:
    samples, starts = thinned
    first = samples[0][0] if samples else 0
    return CurveData(
        packet=key[0],
        name=key[1],
        first=first,
        offsets=[scet - first for scet, _ in samples],
        values=[round(value, decimals) for _, value in samples],
        starts=[index for index, (scet, _) in enumerate(samples) if scet in starts],
        bad_offsets=[scet - first for scet, _ in bad],
        bad_values=[round(value, decimals) for _, value in bad],
    )


def _samples(curve: CurveData) -> list[tuple[int, float]]:
    return [(curve.first + offset, value) for offset, value in zip(curve.offsets, curve.values, strict=False)]
