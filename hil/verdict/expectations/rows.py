"""The scenario's expectations, held against what the station received: a row each, with the value that decides, what
passes, and where that value came.

Rules:
1. Values are those that the station shows: calibrated, rounded to the declared decimals. Time is the packets' own
   (SCET): a window takes a packet stamped exactly at its beginning and leaves the one stamped exactly at its end.
2. Without a value nothing passes: a parameter that never came, or was void all the time, is FAIL, with the count. So
   is ``monotonic`` with one value, which has nothing before it.
3. An onboard event that opens or closes the window and never came is UNSET, with its name: nothing says what belongs
   to the window. A run with such a row does not pass.
4. Not compared, and counted in the note: void values (`valid_if`), values of packets whose onboard time cannot be
   right (`OnboardClock`), and for ``within`` those without a fresh value of the other parameter. NaN is compared, and
   passes nothing. A late frame's values count: they are in their place by their own time.
5. A window that begins or ends outside of the flown part of a pass is not applicable (NA). Nor is an expectation of
   what the target did not send in that part: a value that means something, or an event of the window.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from groundstation.messages.base import Value
from groundstation.messages.text import utc
from hil.faults import At
from hil.faults.when import is_nan, shown
from hil.scenario.expectation import Expect, Within
from hil.scenario.flown_part import FlownPart
from hil.scenario.parameters import find_parameter
from hil.scenario.scenario import State
from hil.verdict.expectations.received import Point, ReceivedParameters, Series
from hil.verdict.result import Measurement, Number
from protocols.declare.dictionary import Dictionary
from protocols.units import NS_PER_MS, NS_PER_S

_PERIODS = 3
_AGE_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class _Window:
    """From when to before when; None: from the start, to the end. ``lack``: which event never came."""

    begin: int | None = None
    end: int | None = None
    lack: str = ""

    def holds(self, scet: int) -> bool:
        """Whether a time is in it."""
        return (self.begin is None or scet >= self.begin) and (self.end is None or scet < self.end)

    @property
    def text(self) -> str:
        """In words."""
        begin = "" if self.begin is None else f" from {utc(self.begin, 3)}"
        return begin + ("" if self.end is None else f" to {utc(self.end, 3)}")


@dataclass(frozen=True, slots=True)
class _Finding:
    """What decides an expectation."""

    value: Value | None
    passes: bool
    note: str


Sent = Callable[[], ReceivedParameters]
"""What the target sent in the part that was flown, and only that, where it is known to have sent what it had to."""


def expectation_rows(
    expectations: Sequence[Expect],
    received: ReceivedParameters,
    dictionary: Dictionary,
    part: FlownPart,
    sent: Sent | None = None,
) -> list[Measurement]:
    """A row for each expectation of a scenario.

    Args:
        expectations: checked.
        received: what came.
        dictionary: of the mission.
        part: of the pass that was flown.
        sent: what was sent in it; None: the whole pass was flown, or none knows what had to be sent.
    """
    return [_row(n, each, received, dictionary, part, sent) for n, each in enumerate(expectations)]


def _row(
    n: int,
    expect: Expect,
    received: ReceivedParameters,
    dictionary: Dictionary,
    part: FlownPart,
    sent: Sent | None,
) -> Measurement:
    name = f"expect[{n}] {expect.parameter}"
    unit = find_parameter(name, expect.parameter, dictionary).unit
    limit = _limit(expect)
    state: State
    if why := _not_flown(expect, part):
        return Measurement(name=name, value=None, unit=unit, limit=limit, state="NA", note=f"not applicable: {why}")
    window = _window(expect, received.events)
    series = received.series(expect.parameter)
    points = [point for point in series.points if window.holds(point.scet)]
    if (window.lack or len(points) < _least(expect)) and sent is not None and (why := _not_sent(expect, sent())):
        value, state, note = None, "NA", f"not applicable: flown{part.text}: {why}"
    elif window.lack:
        value, state, note = None, "NA" if part.cut and sent is None else "UNSET", window.lack
    elif not points:
        void = sum(map(window.holds, series.void))
        came = f"{void:,} values came, all void" if void else "no value of it came"
        value, state, note = None, "FAIL", f"{came}{window.text}{_odd(series)}"
    else:
        finding = _find(expect, points, received, dictionary)
        void = sum(map(window.holds, series.void))
        more = (f", {void:,} void" if void else "") + _odd(series)
        value, state = finding.value, "PASS" if finding.passes else "FAIL"
        note = f"{finding.note}; {len(points):,} values{window.text}{more}"
    rounded = round(value, 6) if isinstance(value, float) else value
    return Measurement(name=name, value=rounded, unit=unit, limit=limit, state=state, note=note)


def _odd(series: Series) -> str:
    return f", {series.odd:,} with an impossible onboard time" if series.odd else ""


def _not_flown(expect: Expect, part: FlownPart) -> str:
    """Why a time of its window was not flown; empty: it was."""
    if expect.between is None:
        return ""
    begin, end = (int(at.value) if at.kind == "scet" else None for at in expect.between)
    why = "" if begin is None else part.lack(begin)
    # The part may end with the window: what is stamped with its end is in neither.
    return why or ("" if end is None or end == part.end else part.lack(end))


def _not_sent(expect: Expect, sent: ReceivedParameters) -> str:
    """Why nothing that was sent in the part can decide; empty: something can."""
    window = _window(expect, sent.events)
    if window.lack:
        return window.lack
    count = sum(window.holds(point.scet) for point in sent.series(expect.parameter).points)
    if count >= _least(expect):
        return ""
    return "one value of it was sent, with nothing before it" if count else "no value of it was sent"


def _least(expect: Expect) -> int:
    """How many values it takes to judge it."""
    return 1 if expect.monotonic is None else 2


def _window(expect: Expect, events: Sequence[tuple[str, int]]) -> _Window:
    if expect.between is None:
        return _Window()
    first, last = expect.between
    begin = _time_of(first, events, None)
    if begin is None:
        return _Window(lack=f"the window never opened: no onboard event {first.value} came")
    end = _time_of(last, events, begin)
    if end is None:
        return _Window(begin, lack=f"the window never closed: no onboard event {last.value} came after {utc(begin, 3)}")
    if end <= begin:
        return _Window(begin, end, f"the window opened at {utc(begin, 3)}, not before its end, {utc(end, 3)}")
    return _Window(begin, end)


def _time_of(at: At, events: Sequence[tuple[str, int]], after: int | None) -> int | None:
    if at.kind == "scet":
        return int(at.value)
    times = [scet for name, scet in events if name == at.value and (after is None or scet > after)]
    return min(times, default=None)


def _limit(expect: Expect) -> str:
    """What passes, in words."""
    once = ", at least once" if expect.at_least_once else ""
    if expect.equals is not None:
        return f"= {shown(expect.equals)}{once}"
    if expect.monotonic is not None:
        return "never falls" if expect.monotonic == "increasing" else "never rises"
    if expect.within is not None:
        return f"within {expect.within.by.value:g} of {expect.within.of}{once}"
    low, high = (None if bound is None else bound.value for bound in (expect.min, expect.max))
    if high is None:
        return f"≥ {low:g}{once}"
    return f"≤ {high:g}{once}" if low is None else f"{low:g} … {high:g}{once}"


def _find(expect: Expect, points: list[Point], received: ReceivedParameters, dictionary: Dictionary) -> _Finding:
    """Which of some values decides, and how."""
    if expect.monotonic is not None:
        return _monotonic(points, rising=expect.monotonic == "increasing")
    if expect.within is not None:
        return _within(expect.within, points, received, dictionary, once=expect.at_least_once)
    if expect.equals is not None:
        wanted = expect.equals
        return _decide(points, lambda value: 0.0 if value == wanted else 1.0, once=expect.at_least_once)
    low, high = (None if bound is None else bound.value for bound in (expect.min, expect.max))
    return _decide(points, lambda value: _beyond(value, low, high), once=expect.at_least_once)


def _beyond(value: Value, low: float | None, high: float | None) -> float:
    """How far a value is beyond its bounds; less than 0: so far within."""
    if isinstance(value, str) or is_nan(value):
        return float("inf")
    return max(*([] if low is None else [low - value]), *([] if high is None else [value - high]), float("-inf"))


def _decide(points: Sequence[Point], beyond: Callable[[Value], float], *, once: bool) -> _Finding:
    """By the worst value, or the best one if that is enough; of equals the first."""
    chosen, best = points[0], beyond(points[0].value)
    for point in points[1:]:
        distance = beyond(point.value)
        if distance < best if once else distance > best:
            chosen, best = point, distance
    return _Finding(chosen.value, best <= 0, chosen.place)


def _monotonic(points: Sequence[Point], *, rising: bool) -> _Finding:
    """By the greatest step the wrong way."""
    if len(points) == 1:
        return _Finding(None, False, f"nothing to compare {shown(points[0].value)} with, {points[0].place}")
    most: Number = 0
    note = f"{points[0].place} … {utc(points[-1].scet, 3)}"
    for before, after in pairwise(points):
        a, b = before.value, after.value
        if isinstance(a, str) or isinstance(b, str):
            continue
        step = a - b if rising else b - a
        if step > most or is_nan(step):
            most = step
            note = f"{shown(b)} after {shown(a)}, {after.place}"
    return _Finding(most, most <= 0, f"greatest {'fall' if rising else 'rise'} {note}" if most else note)


def _within(
    within: Within, points: Sequence[Point], received: ReceivedParameters, dictionary: Dictionary, *, once: bool
) -> _Finding:
    """By the greatest difference, or the least one if that is enough."""
    others, age = received.series(within.of).points, _age(within, dictionary)
    times = [other.scet for other in others]
    differences: list[Point] = []
    for point in points:
        at = bisect_right(times, point.scet) - 1
        if at < 0 or point.scet - times[at] > age:
            continue
        a, b = point.value, others[at].value
        if not isinstance(a, str) and not isinstance(b, str):
            place = f"{point.frame}: {shown(a)} and {shown(b)}"
            differences.append(Point(point.scet, abs(a - b), place))
    stale = len(points) - len(differences)
    left = f", {stale:,} without a value of {within.of} of the last {age / NS_PER_MS:g} ms" if stale else ""
    if not differences:
        return _Finding(None, False, f"nothing to compare with{left}")
    finding = _decide(differences, lambda value: _beyond(value, None, within.by.value), once=once)
    return _Finding(finding.value, finding.passes, f"{finding.note}{left}")


def _age(within: Within, dictionary: Dictionary) -> int:
    """How old a value of the other parameter may be, in ns."""
    if within.age is not None:
        return within.age.value
    period = find_parameter("within.of", within.of, dictionary).period_ms
    return _PERIODS * period * NS_PER_MS if period else _AGE_NS
