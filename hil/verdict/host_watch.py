"""How late the host is: a thread that does nothing but sleep, and look at the clock when it wakes.

Rules:
1. What is due while the host is late for a time L comes up to L late, evenly: so one hold-up of L says how late all was
   that was due in it, and the figures count time, not wakes.
2. All hold-ups are counted by their length; when they were is kept of the longest ones.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from protocols.units import NS_PER_MS, NS_PER_S

_WAKE_NS = 2_000_000
_UNIT_NS = 100_000
"""By which lengths are counted."""
_LONGEST = 10**11 // _UNIT_NS
_KEPT = 1000


@dataclass(frozen=True, slots=True, order=True)
class HoldUp:
    """The host was late: for how long, and when it was over again. In ns of the station's time."""

    lasted: int
    over: int


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the host was in a flight.

    Attributes:
        p99_ms: what was due at any moment came no later than that, in 99 % of the time.
        longest: the longest hold-ups.
    """

    p99_ms: float
    longest: tuple[HoldUp, ...]

    def worst_ms(self, since: int | None = None, until: int | None = None) -> float:
        """The longest hold-up in a span of the station's time, in ms; without one, of the flight."""
        found = (
            each.lasted
            for each in self.longest
            if (since is None or each.over >= since) and (until is None or each.over - each.lasted <= until)
        )
        return max(found, default=0) / NS_PER_MS

    @property
    def text(self) -> str:
        """In words."""
        return f"the host was up to {self.worst_ms():.1f} ms late, and in 99 % of the time up to {self.p99_ms:.1f} ms"


class HostWatch:
    """Watches while it is entered."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Args: of the station's time, in ns."""
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="host-watch", daemon=True)
        self.tally = LatenessTally()

    def __enter__(self) -> HostWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        due = self._clock() + _WAKE_NS
        while not self._over.wait(max(0, due - self._clock()) / NS_PER_S):
            now = self._clock()
            self.tally.wake(due, now)
            due = now + _WAKE_NS


class LatenessTally:
    """What becomes of the wakes: show it each."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._longest: list[HoldUp] = []
        self._first: int | None = None
        self._last = 0

    def wake(self, due: int, now: int) -> None:
        """It was to wake at ``due``, and did now."""
        self._first = due if self._first is None else self._first
        self._last = now
        late = max(0, now - due)
        self._counts[min(late // _UNIT_NS, _LONGEST)] += 1
        if late >= _WAKE_NS:
            held = HoldUp(late, now)
            (heapq.heappush if len(self._longest) < _KEPT else heapq.heappushpop)(self._longest, held)

    @property
    def lateness(self) -> Lateness:
        """So far."""
        counts, longest = sorted(self._counts.copy().items(), reverse=True), tuple(sorted(self._longest, reverse=True))
        room = (self._last - (self._first or 0)) // _UNIT_NS / 100
        beyond, number, p99 = 0.0, 0, 0
        for n, (length, count) in enumerate(counts):
            shorter = counts[n + 1][0] if n + 1 < len(counts) else 0
            number += count
            # Between two lengths, each unit less is one unit more of every longer hold-up.
            if beyond + number * (length - shorter) > room:
                p99 = length - int((room - beyond) // number)
                break
            beyond += number * (length - shorter)
        return Lateness(p99 * _UNIT_NS / NS_PER_MS, longest)
