"""How old what a viewer shows is, measured without a clock in common with its station. Sans-I/O.

Rules:
1. Every message carries ``sent``: when the station published it, by the station's own steady clock. The Earth received
   time would not do: a bridge stamps it by another clock, a loss is dated back to its deadline, and in a replay it runs
   at the replay's speed, stands while the replay is paused or waits, and jumps. ``sent`` does none of that.
2. A message that came at ``now`` has ``now - sent`` between the two clocks: their offset, and its time on the way. The
   least such difference is the offset and the shortest way; what a message has above it is how late it came. A snapshot
   is asked for apart from the stream, so a viewer that joins behind a full queue knows the offset all the same; and the
   shortest answer there is, behind a line on which a snapshot takes seconds.
3. Clocks drift: the least may rise by 100 ppm, and drift is not lag.
4. ``now`` is when the message is *used*: what it waited in this viewer's own queue makes it old as well.
5. What came last grows old while nothing follows; a station publishes something every half second.
6. Another run of a station has another clock: `restart`.
"""

from __future__ import annotations

from groundstation.messages.wire import LATE_NS
from protocols.units import NS_PER_S

REPORT_EVERY_NS = NS_PER_S
"""At most every second a viewer that writes lines says how late they are."""

RISE_PPM = 100
"""How far two hosts' clocks may drift apart: what computers' quartzes keep."""


class LagMeter:
    """Feed it every message that is used, in order.

    Attributes:
        lag: how late the last one came, in ns.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.lag = 0
        self._least: int | None = None
        self._least_at = 0
        self._used_at = 0

    def restart(self) -> None:
        """Another run of the station: its clock is another one."""
        self._least, self.lag = None, 0

    def take(self, sent: int, now: int) -> int:
        """A message was used.

        Args:
            sent: when it was published, in ns of the station's clock; 0 if nothing says so.
            now: in ns of this viewer's clock.

        Returns:
            How late it came, in ns, 0 or more.
        """
        if sent:
            self.lag = now - sent - self.compare(sent, now)
        self._used_at = now
        return self.lag

    def compare(self, sent: int, now: int) -> int:
        """The least difference of the two clocks, with one more comparison: an answer that is not shown will do."""
        difference = now - sent
        least = difference if self._least is None else min(difference, self._risen(self._least, now))
        self._least, self._least_at = least, now
        return least

    def age(self, now: int) -> int:
        """How old what is shown is at ``now``, in ns: the last message's lag, and how long ago it came."""
        return self.lag + max(0, now - self._used_at)

    def _risen(self, least: int, now: int) -> int:
        return least + max(0, now - self._least_at) * RISE_PPM // 1_000_000


class LagReports:
    """When a viewer that writes lines says how late they are: from a second on, and when that is over."""

    def __init__(self) -> None:
        """Nothing was late."""
        self._late = False
        self._said = 0

    def due(self, behind: int, now: int) -> bool:
        """Whether to say that it is so much ``behind`` at ``now``, both in ns."""
        late = behind >= LATE_NS
        if late == self._late and not (late and now - self._said >= REPORT_EVERY_NS):
            return False
        self._late, self._said = late, now
        return True
