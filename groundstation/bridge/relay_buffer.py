"""What a bridge has read and no station has acknowledged: in order, bounded, counting what it dropped. Sans-I/O.

    put ─▶ [ unsent ] ─▶ take ─▶ [ sent, not acknowledged ] ─▶ acknowledged: forgotten

Rules:
1. Everything is kept until it is acknowledged. A station that comes back says what it has: the rest is sent again.
2. When there is no more room, the oldest that was never sent goes. What was sent is never dropped, so that what is
   dropped was received by no station. The port's latest state is never dropped, only older ones: a station that missed
   a change would go on with the wrong state.
3. Sequences run on over what was dropped: the station sees the gap and counts it.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from groundstation.links.relay_protocol import PortState

ENTRY_COST = 200
"""Bytes of memory that an entry takes besides its data, about."""


class Entry(NamedTuple):
    """Bytes of one read, or a change of the port (then without bytes). ``ert`` in ns."""

    seq: int
    ert: int
    data: bytes
    port: PortState | None = None

    @property
    def cost(self) -> int:
        """Memory, about."""
        return len(self.data) + ENTRY_COST


class RelayBuffer:
    """Entries on their way to a station.

    Attributes:
        acked: everything up to this sequence was acknowledged.
        port: how the port stood after it.
        dropped: entries that were dropped, and ``dropped_bytes`` of data in them.
    """

    def __init__(self, limit: int) -> None:
        """Args: how many bytes of memory to use."""
        self.acked = 0
        self.port: PortState | None = None
        self.dropped = 0
        self.dropped_bytes = 0
        self._limit = limit
        self._used = 0
        self._last = 0
        self._sent: deque[Entry] = deque()
        self._unsent: deque[Entry] = deque()

    @property
    def waiting(self) -> int:
        """Bytes of data that no station has acknowledged."""
        return sum(len(entry.data) for entries in (self._sent, self._unsent) for entry in entries)

    @property
    def last_sent(self) -> int:
        """The sequence of the newest entry that was sent."""
        return self._sent[-1].seq if self._sent else self.acked

    def put(self, ert: int, data: bytes, port: PortState | None = None) -> None:
        """Keep an entry, dropping older ones if there is no room."""
        self._last += 1
        entry = Entry(self._last, ert, data, port)
        self._unsent.append(entry)
        self._used += entry.cost
        port_change: Entry | None = None
        while self._used > self._limit and self._unsent:
            oldest = self._unsent.popleft()
            if oldest.port is None or oldest.port.disturbance == "moment":
                self._drop(oldest)
                continue
            if port_change is not None:
                self._drop(port_change)
            port_change = oldest
        if port_change is not None:
            self._unsent.appendleft(port_change)

    def take(self) -> Entry | None:
        """What is to be sent now; from here on it counts as sent."""
        if not self._unsent:
            return None
        self._sent.append(self._unsent.popleft())
        return self._sent[-1]

    def put_back(self) -> None:
        """What was taken last could not be sent."""
        self._unsent.appendleft(self._sent.pop())

    def acknowledged(self, seq: int) -> None:
        """A station has everything up to ``seq``."""
        while self._sent and self._sent[0].seq <= seq:
            self._forget(self._sent.popleft())

    def resume(self, seq: int) -> None:
        """A station has everything up to ``seq``, acknowledged or not: go on behind it."""
        while self._sent and self._sent[-1].seq > seq:
            self._unsent.appendleft(self._sent.pop())
        while self._unsent and self._unsent[0].seq <= seq:
            self._sent.append(self._unsent.popleft())

    def _drop(self, entry: Entry) -> None:
        self._used -= entry.cost
        self.dropped += 1
        self.dropped_bytes += len(entry.data)

    def _forget(self, entry: Entry) -> None:
        self._used -= entry.cost
        self.acked = entry.seq
        if entry.port is not None and entry.port.disturbance != "moment":
            self.port = entry.port
