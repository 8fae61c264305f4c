"""When a fault is on: from a mission time, frame, byte or onboard event, for a time, some frames or some bytes.

    at = "09:11:05"                      mission UTC on 12 March 1974; also "1974-03-12T09:11:05.250Z", or with an
                                         offset, which is converted: "12:11:05+03:00"
    at = { frame = 100 }                 the hundred and first frame of its direction
    at = { byte = 13200 }                that byte of its direction's stream
    at = "+12.5 s"                       so long after the first packet; of Mars 6, after entry
    at = { event = "DROGUE" }            from the frame on that completes the onboard event's packet
    for = "2.5 s"    for = "300 ms"      mission time
    for = { frames = 3 }   for = { bytes = 40 }

Rules:
1. Mission time is what the frame carries, not when it passes: a frame stamped exactly at the start is in the window,
   one stamped exactly at its end is not.
2. Without ``at`` a window is open from the first unit on, without ``for`` it stays open.
3. Windows open once. One that waits for a parameter (`hil.faults.when`) opens with the unit that comes next.
4. Frames are in a window whole, except where bytes are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from groundstation.messages.text import utc
from hil.faults.unit import Unit
from hil.faults.when import Watch
from hil.lander.flight_profile import FlightSpan, PassPlan, longest_pass
from protocols.times import utc_ns
from protocols.units import NS_PER_DAY, NS_PER_MIN, NS_PER_MS, NS_PER_S

_TIME = re.compile(r"(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)")
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(ms|s|min)")
_MOST = 1_000_000_000
"""Of what is counted: frames and bytes."""
_UNITS = {"ms": NS_PER_MS, "s": NS_PER_S, "min": NS_PER_MIN}
_DAY = "1974-03-12"
_MIDNIGHT = utc_ns(f"{_DAY}T00:00:00")


class At:
    """Where a window opens. ``value`` is ns of SCET, ns since the first packet, a number of a frame, an offset, or an
    event's name.

    A plain class, since msgspec would read a dataclass in its own way and not ask `parse`.
    """

    __slots__ = ("kind", "value")

    def __init__(self, kind: Literal["scet", "elapsed", "frame", "byte", "event"], value: int | str) -> None:
        self.kind = kind
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, At) and (self.kind, self.value) == (other.kind, other.value)

    def __hash__(self) -> int:
        return hash((self.kind, self.value))

    @classmethod
    def parse(cls, text: Any) -> At:
        """From TOML; the forms are in this file's docstring.

        Raises:
            ValueError: none of these forms.
        """
        if isinstance(text, datetime):
            if text.tzinfo is None:
                raise ValueError(f"{text.isoformat()} has no zone: add Z for UTC, or write the time as text")
            return cls("scet", utc_ns(text.isoformat()))
        if isinstance(text, str) and text.startswith("+"):
            return cls("elapsed", span_ns(text[1:].strip()))
        if isinstance(text, str):
            return cls("scet", mission_time(text))
        if isinstance(text, dict) and len(text) == 1:
            ((key, value),) = text.items()
            if key in ("frame", "byte") and type(value) is int and 0 <= value <= _MOST:
                return cls("frame" if key == "frame" else "byte", value)
            if key == "event" and isinstance(value, str):
                return cls("event", value)
        raise ValueError('a place is "09:11:05", { frame = N }, { byte = N } or { event = "NAME" }')


class For:
    """How long a window stays open. ``value`` in ns, frames or bytes. A plain class, as `At`."""

    __slots__ = ("kind", "value")

    def __init__(self, kind: Literal["ns", "frames", "bytes"], value: int) -> None:
        self.kind = kind
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, For) and (self.kind, self.value) == (other.kind, other.value)

    def __hash__(self) -> int:
        return hash((self.kind, self.value))

    @classmethod
    def parse(cls, text: Any) -> For:
        """From TOML; the forms are in this file's docstring.

        Raises:
            ValueError: none of these forms.
        """
        if isinstance(text, str):
            if not (ns := span_ns(text)):
                raise ValueError(f"{text!r} is over at once: a length is more than 0")
            return cls("ns", ns)
        if isinstance(text, dict) and len(text) == 1:
            ((key, value),) = text.items()
            if key in ("frames", "bytes") and type(value) is int and 0 < value <= _MOST:
                return cls("frames" if key == "frames" else "bytes", value)
        raise ValueError('a length is "2.5 s", "300 ms", { frames = N } or { bytes = N }')


def mission_time(text: str) -> int:
    """``09:11:05.250`` of 12 March 1974, or a whole date and time, as ns since 1970.

    Raises:
        ValueError: neither.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"invalid time {text!r}: expected a time such as 09:11:05 or 1974-03-12T09:11:05Z")
    return utc_ns(f"{found[1] or _DAY}T{found[2]}")


def mission_day(scet: int) -> bool:
    """Whether a time is of 12 March 1974, which is the date of a time without one."""
    return _MIDNIGHT <= scet < _MIDNIGHT + NS_PER_DAY


def in_flight(scet: int, span: FlightSpan = "encounter") -> int:
    """A mission time in ns, if a pass over a span can have it.

    Raises:
        ValueError: it is before the first tick, or after the longest pass.
    """
    longest = longest_pass(span)
    if not longest.begin <= scet <= longest.over:
        raise ValueError(f"a mission time is between {_clock(longest)} of 12 March 1974{_wider(scet, span)}")
    return scet


def _clock(plan: PassPlan) -> str:
    return f"{utc(plan.begin, 0)} and {utc(plan.over, 0)}"


def _wider(scet: int, span: FlightSpan) -> str:
    """Which span has the time, if this one has not."""
    encounter = longest_pass("encounter")
    if span == "encounter" or not encounter.begin <= scet <= encounter.over:
        return ""
    return f'; between {_clock(encounter)} with span = "encounter"'


def span_ns(text: str) -> int:
    """``2.5 s``, ``300 ms`` or ``1 min`` in ns.

    Raises:
        ValueError: something else.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"invalid time span {text!r}: expected a span such as 2.5 s or 300 ms")
    whole, _, fraction = found[1].partition(".")
    unit = _UNITS[found[2]]
    return int(whole) * unit + int(fraction.ljust(12, "0")[:12]) * unit // 10**12 if fraction else int(whole) * unit


class Gate:
    """One window in one direction. Show it every unit, in order."""

    def __init__(self, at: At | None, span: For | None, watch: Watch | None = None) -> None:
        """Args: where it opens, for how long, and the condition with which it opens instead."""
        self._at = at
        self._span = span
        self._watch = watch
        self._opened: int | None = None
        self._closed = False
        self._last = -1
        self._frames = 0
        self._bytes = 0

    @property
    def opened_at(self) -> int | None:
        """Mission time at which it opened."""
        return self._opened

    @property
    def closed(self) -> bool:
        """It is over."""
        return self._closed

    @property
    def end(self) -> int | None:
        """Mission time at which it closes, if that is known."""
        if self._opened is None or self._span is None or self._span.kind != "ns":
            return None
        return self._opened + self._span.value

    def leaves(self, unit: Unit) -> bool:
        """Whether the window is not open for a unit, and stays as it is: nothing has to be split."""
        at = self._at
        if self._watch is not None and self._opened is None:
            return self._watch.fired is None
        if self._closed or at is None or at.kind != "scet":
            return self._closed
        return self._opened is None and not _reached(at, unit)

    def split(self, unit: Unit) -> Iterator[tuple[bool, Unit]]:
        """The unit in at most three pieces, each with whether it is in the window."""
        before = self._before(unit)
        if before is None:
            yield False, unit
            return
        if before > 0:
            yield False, unit.part(0, before)
            unit = unit.part(before)
        inside = self._inside(unit)
        if inside >= len(unit.data):
            yield True, unit
            return
        if inside > 0:
            yield True, unit.part(0, inside)
        yield False, unit.part(inside)

    def _before(self, unit: Unit) -> int | None:
        """How many of the unit's bytes come before the window opens; None: all."""
        if self._opened is not None:
            return 0
        at = self._at
        skip = 0
        if at is not None and at.kind == "byte":
            assert isinstance(at.value, int)
            if unit.origin is None or unit.end <= at.value:
                return None
            skip = max(0, at.value - unit.origin)
        elif at is not None and not _reached(at, unit):
            return None
        self._opened = at.value if at is not None and at.kind == "scet" and isinstance(at.value, int) else unit.scet
        return skip

    def _inside(self, unit: Unit) -> int:
        """How many of the unit's first bytes are in the open window."""
        span = self._span
        if self._closed or span is None:
            return 0 if self._closed else len(unit.data)
        if span.kind == "bytes":
            taken = min(len(unit.data), span.value - self._bytes)
            self._bytes += taken
            self._closed = self._bytes >= span.value
            return taken
        if span.kind == "frames":
            self._frames += unit.number != self._last
            self._last = unit.number
            self._closed = self._frames > span.value
        else:
            self._closed = unit.scet >= (self._opened or 0) + span.value
        return 0 if self._closed else len(unit.data)


def _reached(at: At, unit: Unit) -> bool:
    if at.kind == "scet":
        return isinstance(at.value, int) and unit.scet >= at.value
    if at.kind == "frame":
        return isinstance(at.value, int) and unit.number >= at.value
    return at.value in unit.events
