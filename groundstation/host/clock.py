"""The time by which a process of ours lives."""

from __future__ import annotations

import time
from collections.abc import Callable


def steady_clock() -> Callable[[], int]:
    """This machine's time as it was when the clock was made, and from then on by the time that went by, asleep or not.

    A pass has one time. If the machine's clock is set during it, by hand or by NTP at boot, no silence, time-out or
    arming gets longer or shorter.
    """
    offset = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) + offset


host_clock = steady_clock()
"""Nanoseconds since 1970-01-01 UTC, for as long as this process lives."""
