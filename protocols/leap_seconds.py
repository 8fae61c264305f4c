"""Leap seconds: the days that ended with one, and how far TAI is ahead of UTC.

A clock that counts all seconds, as GPS receivers and many onboard clocks do, runs ahead of UTC by one more after each
of these days. Times are nanoseconds since 1970-01-01, UTC or on the scale of such a clock; a leap second itself is the
first second of the next day, as in CDS.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from protocols.units import NS_PER_DAY, NS_PER_S

LEAP_DAYS = frozenset(
    [date(year, 6, 30) for year in (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015)]
    + [date(year, 12, 31) for year in (*range(1972, 1980), 1987, 1989, 1990, 1995, 1998, 2005, 2008, 2016)]
)
"""Days that ended with a leap second."""

ANNOUNCED_UNTIL = date(2026, 12, 31)
"""No other day until then does."""

_TAI_AHEAD_1972 = 10
_EPOCH = date(1970, 1, 1)

STEPS_UTC = tuple(
    NS_PER_DAY * days
    for days in sorted([(date(1972, 1, 1) - _EPOCH).days, *((d - _EPOCH).days + 1 for d in LEAP_DAYS)])
)
"""UTC from which on TAI is ahead by 10, 11, 12 … seconds; before, it is taken as equal."""

STEPS_TAI = tuple(utc + NS_PER_S * (_TAI_AHEAD_1972 + n) for n, utc in enumerate(STEPS_UTC))
"""The same in TAI."""

AHEAD = (0, *range(_TAI_AHEAD_1972, _TAI_AHEAD_1972 + len(STEPS_UTC)))
"""By how many seconds, before the first step and after each."""


def tai_of(utc_ns: int) -> int:
    """TAI of a UTC time."""
    ahead: int = AHEAD[bisect_right(STEPS_UTC, utc_ns)]
    return utc_ns + NS_PER_S * ahead


def utc_of(tai_ns: int) -> int:
    """UTC of a TAI time."""
    ahead: int = AHEAD[bisect_right(STEPS_TAI, tai_ns)]
    return tai_ns - NS_PER_S * ahead
