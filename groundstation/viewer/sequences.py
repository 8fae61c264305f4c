"""What one viewer missed, from the sequences alone. Sans-I/O."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from groundstation.messages.wire import AnyMessage, Heartbeat, topic_of


class SequenceStatus(Enum):
    """Where a message stands in its topic."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    RESTART = "restart"


class SequenceTracker:
    """Follows the sequence of every topic from a snapshot on.

    At or below the snapshot's sequence a message is a duplicate: it was published while the snapshot was on its way.
    But one subscription never delivers a sequence twice, and no heartbeat falls behind what is known: if it does, the
    station has started again.

    Attributes:
        missed: messages that never arrived, by topic.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.missed: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._delivered: dict[str, int] = {}

    @property
    def heard(self) -> int:
        """Messages up to where this viewer is, over all topics; what it missed counts as heard."""
        return sum(self._last.values())

    @property
    def total(self) -> int:
        """Messages that never arrived, over all topics."""
        return sum(self.missed.values())

    def adopt(self, sequences: Mapping[str, int], *, resumed: bool) -> None:
        """Continue from a snapshot, over a fresh subscription.

        Args:
            sequences: of the snapshot.
            resumed: the same run of the station as before: what it has published since was missed.
        """
        if resumed:
            self._catch_up(sequences)
        self._last = dict(sequences)
        self._delivered = {}

    def place(self, message: AnyMessage) -> SequenceStatus:
        """Take the next message of the subscription, and count what is missing before it."""
        topic = topic_of(message)
        if message.seq <= self._delivered.get(topic, 0):
            return SequenceStatus.RESTART
        self._delivered[topic] = message.seq
        if message.seq <= self._last.get(topic, 0):
            return SequenceStatus.DUPLICATE
        if isinstance(message, Heartbeat):
            if self._goes_back(message.sequences):
                return SequenceStatus.RESTART
            self._catch_up(message.sequences)
        self._catch_up({topic: message.seq - 1})
        self._last[topic] = message.seq
        return SequenceStatus.NEXT

    def _goes_back(self, sequences: Mapping[str, int]) -> bool:
        others = ((topic, last) for topic, last in self._last.items() if topic != "heartbeat")
        return any(sequences.get(topic, 0) < last for topic, last in others)

    def _catch_up(self, sequences: Mapping[str, int]) -> None:
        for topic, seq in sequences.items():
            missing = seq - self._last.get(topic, 0)
            if missing > 0:
                self.missed[topic] = self.missed.get(topic, 0) + missing
                self._last[topic] = seq
