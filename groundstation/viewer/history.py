"""What a viewer keeps of the past: bounded, and honest about what it dropped or never got.

Every buffer has a bound and a counter; a bound that is reached is shown, never silent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from groundstation.messages.commanding import FINAL_STATES, CommandState, CommandUpdate
from groundstation.messages.lost_text import frames_lost
from groundstation.messages.onboard_clock import AHEAD_NS, REWIND_NS, OnboardClock
from groundstation.messages.wire import Acknowledgement, ContactChange, EventMessage, SignalState
from protocols.units import NS_PER_DAY
from protocols.words import Severity

SAMPLES_KEPT = 6000
ENTRIES_KEPT = 500
NO_GAP = 1 << 62
_APART_NS = NS_PER_DAY
"""A step ahead by more than a day is not an outage: the clock was set."""

LOGGED_STATES: tuple[CommandState, ...] = ("QUEUED", *FINAL_STATES)
"""The states of a command that are worth a line of the log; all of them are in its history."""

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
        lost = frames_lost(change.outage_lost, change.outage_lost_certainty)
        text = f"after {change.outage_ms / 1000:.1f} s, {lost}"
    elif change.restarted:
        text = "it restarted"
    name, severity = f"{change.channel} {change.state}", _CONTACT_SEVERITY[change.state]
    return LogEntry(change.ert, None, severity, "CONTACT", name, text, change.replay)


def entry_of_acknowledgement(news: Acknowledgement) -> LogEntry:
    """The log line of losses that an operator has acknowledged."""
    text = f"{', '.join(loss.channel for loss in news.losses)} LOS by {news.who}"
    return LogEntry(news.ert, None, "COMMAND", "STATION", "ACKNOWLEDGED", text, news.replay)


def entry_of_command(news: CommandUpdate) -> LogEntry:
    """The log line of a command that was ordered or ended."""
    text = f"{news.command} {news.state} by {news.who}"
    severity: Severity = "WARNING_LO" if news.state in ("FAILED", "TIMEOUT") else "COMMAND"
    if news.detail:
        text += f": {news.detail}"
    return LogEntry(news.ert, None, severity, "COMMAND", news.name, text, news.replay)


class Series:
    """Samples of one parameter over SCET, from the first to the last, thinned when they become too many.

    Time that runs back by a lot (a mission flown again) starts it from scratch, and so does a clock that was set; one
    sample with a nonsense time does neither, and is left out.

    Attributes:
        samples: (SCET, value) in order; the newest is always there.
        starts: the SCETs of those that do not join to the one before.
        stride: one of so many is kept between a start and the last before the next.
        dropped: samples that the bound pushed out, where there is hardly anything but starts.
        odd: samples left out because nothing confirmed their time.
    """

    def __init__(self, kept: int = SAMPLES_KEPT) -> None:
        self.samples: list[tuple[int, float]] = []
        self.starts: set[int] = set()
        self.stride = 1
        self.dropped = 0
        self.odd = 0
        self._kept = kept
        self._gap = NO_GAP
        self._since = 0
        self._clock = OnboardClock()
        self._held: tuple[int, float] | None = None
        self._jumped = False

    def jump(self) -> None:
        """The next samples come from elsewhere: what lies behind them is not known any more, what lies before is."""
        self._jumped, self._held = True, None
        self._clock = OnboardClock(trusting=False)

    def clear(self) -> None:
        """Another flight; its first sample may have come already, and waits to be confirmed."""
        self.samples, self.starts, self.stride, self._since = [], set(), 1, 0
        self._clock = OnboardClock()

    def load(self, samples: Sequence[tuple[int, float]], starts: Collection[int]) -> None:
        """Take these, in order, in place of all up to the last of them; what is newer stays."""
        last = samples[-1][0]
        newer = [sample for sample in self.samples if sample[0] > last]
        self.starts = {*starts, *(scet for scet in self.starts if scet > last)}
        if newer and newer[0][0] - last <= self._gap:
            self.starts.discard(newer[0][0])
        self.samples = [*samples, *newer]

    def add(self, scet: int, value: float, gap: int = NO_GAP) -> None:
        """Append; a sample older than the last one is out of order and left out. More than ``gap`` ns on, it starts."""
        self._gap = gap
        if not self._clock.follow(scet):
            self.odd += self._held is not None
            self._held = scet, value
            return
        held, self._held = self._held, None
        if held is not None and 0 <= scet - held[0] <= AHEAD_NS:
            self._append(*held)
        else:
            self.odd += held is not None
        self._append(scet, value)

    def thinned(self, most: int) -> tuple[list[tuple[int, float]], set[int]]:
        """At most so many of the samples, and which of them are starts."""
        samples, stride = self.samples, 1
        while len(samples) > most and stride < len(self.samples):
            stride *= 2
            samples = _every(stride, self.samples, self.starts)
        samples = samples[-most:]
        return samples, {scet for scet, _ in samples if scet in self.starts} | {samples[0][0]} if samples else set()

    def _append(self, scet: int, value: float) -> None:
        if self._jumped:
            self._jumped = False
            while self.samples and self.samples[-1][0] >= scet:
                self.samples.pop()
        ahead = scet - self.samples[-1][0] if self.samples else _APART_NS + 1
        if ahead < -REWIND_NS or ahead > _APART_NS:
            self.clear()
        elif ahead <= 0:
            return
        if not self.samples or ahead > self._gap:
            self.starts.add(scet)
            self._since = 0
        elif (self._since - 1) % self.stride:
            self.samples.pop()  # the newest so far, and not one to keep
        self._since += 1
        self.samples.append((scet, value))
        if len(self.samples) > self._kept:
            self._thin()

    def _thin(self) -> None:
        self.stride *= 2
        self.samples = _every(2, self.samples, self.starts)
        if len(self.samples) > self._kept * 3 // 4:
            few = len(self.samples) - self._kept // 2
            self.dropped += few
            self.samples = self.samples[few:]
            self.starts &= {scet for scet, _ in self.samples}


def _every(stride: int, samples: Sequence[tuple[int, float]], starts: Collection[int]) -> list[tuple[int, float]]:
    """One of so many, but every start, and every last one before a start."""
    kept, since = [], 0
    for index, sample in enumerate(samples):
        since = 0 if sample[0] in starts else since + 1
        last = index + 1 == len(samples) or samples[index + 1][0] in starts
        if last or since % stride == 0:
            kept.append(sample)
    return kept


class Log:
    """The last events and changes of contact."""

    def __init__(self, kept: int = ENTRIES_KEPT) -> None:
        self.entries: deque[LogEntry] = deque(maxlen=kept)
        self.dropped = 0

    def add(self, entry: LogEntry) -> None:
        """Append, dropping the oldest when full.

        An event that the spacecraft sends again and again, as a lander that waits sends its BOOT every second, is one
        line with its newest time: an hour of them would leave nothing else in the log.
        """
        if entry.scet is not None and self.entries and replace(self.entries[-1], ert=entry.ert) == entry:
            self.entries[-1] = entry
            return
        if len(self.entries) == self.entries.maxlen:
            self.dropped += 1
        self.entries.append(entry)

    def merge(self, entries: list[LogEntry], *, restarted: bool = False) -> None:
        """Append those of a snapshot that are not here, in order of reception.

        None is older than what is here, unless the station was ``restarted``: its clock may be another.
        """
        here = Counter(self.entries)
        newest = self.entries[-1].ert if self.entries and not restarted else -1
        for entry in sorted(entries, key=lambda entry: entry.ert):
            if here[entry]:
                here[entry] -= 1
            elif entry.ert >= newest:
                self.add(entry)
