"""What viewers missed, as the station knows it. PUB drops for a slow viewer silently, so there are two sources:

- the socket, which reports once, at the moment, that it begins to drop for a viewer;
- the viewer, which counts missed messages by the sequences, and reports them when it receives again.
"""

from __future__ import annotations

from groundstation.errors import CallerError
from groundstation.formats.counted import counted
from groundstation.messages.throttle import EventThrottle
from groundstation.messages.wire import DropReport
from groundstation.security.authorization import Principal

KNOWN = 256
"""Viewers that are told apart; what earlier ones missed stays in the sum."""

NAME_MAX = 64
MISSED_MAX = 2**53
"""The sum stays a number that every viewer can read."""


class Viewers:
    """Adds up what viewers report.

    Attributes:
        missed: messages, over all viewers since the station started.
    """

    def __init__(self, slow: EventThrottle) -> None:
        """Args: the log of viewers that do not keep up."""
        self.missed = 0
        self._slow = slow
        self._reported: dict[str, int] = {}
        self._stalls = 0

    def report(self, report: DropReport, caller: Principal) -> None:
        """A viewer says how many messages it has missed so far.

        Raises:
            CallerError: it cannot be.
        """
        if report.missed < 0 or not 0 < len(report.viewer) <= NAME_MAX:
            raise CallerError(f"a viewer has a name of up to {NAME_MAX} characters, and has missed 0 messages or more")
        more = report.missed - self._reported.pop(report.viewer, 0)
        if len(self._reported) >= KNOWN:
            del self._reported[next(iter(self._reported))]
        self._reported[report.viewer] = report.missed
        if more > 0:
            self.missed = min(self.missed + more, MISSED_MAX)
            self._slow.note(
                f"missed {caller.key}", f"{caller.label('a viewer')} missed {counted(report.missed, 'message')} so far"
            )

    def stalls(self, count: int) -> None:
        """Note how many times in all the sockets began to drop messages for a viewer."""
        if count > self._stalls:
            self._stalls = count
            self._slow.note("stall", "a viewer does not keep up: messages to it are dropped, to no other viewer")
