"""What a viewer keeps of the past: bounded, and honest about what it dropped or never got.

Every buffer has a bound and a counter; a bound that is reached is shown, never silent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from groundstation.messages import ContactChange, EventMessage, Severity, SignalState

SAMPLES_KEPT = 6000
ENTRIES_KEPT = 500
REWIND_NS = 5_000_000_000
SETTLE_NS = 2_000_000_000

_CONTACT_SEVERITY: dict[SignalState, Severity] = {
    "LOS": "WARNING_HI",
    "DEGRADED": "WARNING_LO",
    "LOCKED": "ACTIVITY_HI",
    "ACQUIRING": "ACTIVITY_LO",
    "NO_SIGNAL": "ACTIVITY_LO",
}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log. ``scet`` is None where only the time of reception is known."""

    ert: int
    scet: int | None
    severity: Severity
    source: str
    name: str
    text: str
    replay: bool = False


def entry_of_event(event: EventMessage) -> LogEntry:
    """The log line of an event."""
    return LogEntry(event.ert, event.scet, event.severity, event.source, event.name, event.text, event.replay)


def entry_of_contact(change: ContactChange) -> LogEntry:
    """The log line of a change of contact, with its verdict or the outage that ended."""
    text = "verdict revised" if change.revised else f"was {change.previous}"
    if change.verdict is not None:
        text = f"{change.verdict.cause}{' (revised)' * change.revised}: {change.verdict.evidence}"
    if change.outage_ms is not None:
        text = f"after {change.outage_ms / 1000:.1f} s, {change.outage_lost or 0} frames lost"
    name, severity = f"{change.channel} {change.state}", _CONTACT_SEVERITY[change.state]
    return LogEntry(change.ert, None, severity, "CONTACT", name, text, change.replay)


class Series:
    """Samples of one parameter over SCET. A rewind (a replay that was moved) starts it anew."""

    def __init__(self, kept: int = SAMPLES_KEPT) -> None:
        self.samples: deque[tuple[int, float]] = deque(maxlen=kept)
        self.dropped = 0

    def add(self, scet: int, value: float) -> None:
        """Append; a sample older than the last one is out of order and left out."""
        if self.samples:
            behind = self.samples[-1][0] - scet
            if behind > REWIND_NS:
                self.samples.clear()
            elif behind >= 0:
                return
        if len(self.samples) == self.samples.maxlen:
            self.dropped += 1
        self.samples.append((scet, value))


class Log:
    """The last events and changes of contact."""

    def __init__(self, kept: int = ENTRIES_KEPT) -> None:
        self.entries: deque[LogEntry] = deque(maxlen=kept)
        self.dropped = 0

    def add(self, entry: LogEntry) -> None:
        """Append, dropping the oldest when full."""
        if len(self.entries) == self.entries.maxlen:
            self.dropped += 1
        self.entries.append(entry)

    def merge(self, entries: list[LogEntry]) -> None:
        """Append those of a snapshot that are newer than what is here, in order of reception."""
        newest = self.entries[-1].ert if self.entries else -1
        for entry in sorted(entries, key=lambda entry: entry.ert):
            if entry.ert > newest:
                self.add(entry)


class SequenceWatch:
    """Display gaps: what the station published and this viewer never saw, by topic.

    Right after a snapshot, messages with known numbers are echoes that were on their way; later, a number that
    falls back means that the station started anew.
    """

    def __init__(self) -> None:
        self.missed: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._since = 0

    @property
    def total(self) -> int:
        """Messages missed over all topics."""
        return sum(self.missed.values())

    def baseline(self, sequences: dict[str, int], now: int, *, restarted: bool) -> None:
        """Take a snapshot's numbers as known: what it holds was not missed."""
        if restarted:
            self.missed.clear()
        self._last = dict(sequences)
        self._since = now

    def accept(self, topic: str, seq: int, now: int) -> bool:
        """Count a message. False if it is an echo that the snapshot already covered."""
        if seq == 0:
            return True
        last = self._last.get(topic)
        if last is not None and seq <= last:
            if now - self._since < SETTLE_NS:
                return False
            last = None
        if last is not None:
            self._miss(topic, seq - last - 1)
        self._last[topic] = seq
        return True

    def reconcile(self, sequences: dict[str, int]) -> None:
        """Compare with a heartbeat. One socket keeps the order: what has not come by now was dropped."""
        for topic, seq in sequences.items():
            last = self._last.get(topic, 0)
            if seq > last:
                self._miss(topic, seq - last)
            # A heartbeat was taken before it got its own number.
            self._last[topic] = max(seq, last)

    def _miss(self, topic: str, count: int) -> None:
        if count > 0:
            self.missed[topic] = self.missed.get(topic, 0) + count
