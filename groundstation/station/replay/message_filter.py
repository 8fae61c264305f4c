"""Which messages of a replay are published: everything that was published in the pass, once. Sans-I/O.

An event comes either from decoding the bytes again, or from the recording. No list of names decides that. A recording
has an event always after the bytes that it came from, so the decoded one is there first; if the recorded one follows,
it is the same. What decoding cannot give (commands, a relay's gap, a full disk, frames before a jump) comes from the
recording.

After a jump it is the other way round: what is decoded only for its context finds lock and limits again, at times when
the pass had them already. So there the recording alone is believed, up to the place that was jumped to.
"""

from __future__ import annotations

from collections import deque

from groundstation.downlink.receiver import ReceiverEvent
from groundstation.links.base import RecordedMessage
from groundstation.messages.wire import ContactChange, EventMessage

_DECODED_KEPT = 4096
"""How many decoded events are remembered; the recording has each a moment later, or never."""

_Identity = tuple[str, str, int, int | None]


class ReplayFilter:
    """Lets each message through once."""

    def __init__(self) -> None:
        self._context_until = 0
        self._decoded: deque[_Identity] = deque(maxlen=_DECODED_KEPT)

    def jumped(self, until: int) -> None:
        """Decoding restarts from scratch; what is before ``until`` is its context."""
        self._context_until = until
        self._decoded.clear()

    def should_publish(self, outcome: ReceiverEvent) -> bool:
        """Whether to publish a decoded event."""
        if isinstance(outcome, ContactChange | EventMessage) and outcome.ert < self._context_until:
            return False
        if isinstance(outcome, EventMessage):
            self._decoded.append(_identity(outcome))
        return True

    def is_unseen(self, message: RecordedMessage) -> bool:
        """Whether the next recorded message is not published yet; to be called once for each."""
        if isinstance(message, ContactChange):
            return message.ert < self._context_until
        if not isinstance(message, EventMessage) or _identity(message) not in self._decoded:
            return True
        self._decoded.remove(_identity(message))
        return False


def _identity(event: EventMessage) -> _Identity:
    """What makes an event this one. Its text is left out: another version may word it differently."""
    return event.source, event.name, event.ert, event.scet
