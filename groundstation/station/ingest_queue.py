"""From the reader thread to the decoding thread: the queue between, the wake-up, and the lock on decoding.

Rules:
1. Reports are decoded in the order in which they were put.
2. The thread that holds the `DecodeLock` decodes and publishes. The event loop waits for it; the reader thread takes it
   only when it is free and not waited for, and then only for what it has just put: it must be back at its port soon.
3. So a frame that comes while the loop has nothing to do is decoded where it was read. To wake another thread would
   take longer than to decode it.
4. A busy loop is woken once, however much waits for it: the pipe that wakes it is small, it is the one that signals
   come through, and a signal that finds it full is lost.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

from groundstation.links.base import Chunk
from groundstation.station.recorder import ArchivedReport

QUEUE_LIMIT = 20_000
"""Reports between a link's reader and decoding. A recording's reader waits when half of them are there."""

_ROOM_EVERY = 0.01


class DecodeLock:
    """A lock for one event loop and one reader thread. Its holder may enter it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting = 0

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._waiting += 1  # only the event loop ever comes here
            self._lock.acquire()
            self._waiting -= 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def try_acquire(self) -> bool:
        """Take the lock if it is free and not waited for: for the reader thread. True: it has to `release` it."""
        return not self._waiting and self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Release what `try_acquire` took."""
        self._lock.release()


class IngestQueue:
    """Reports that were archived and not yet decoded. Bounded, in number and in bytes; counts what did not fit.

    Attributes:
        held: callers that can wait have to wait, although there is room.
    """

    def __init__(self, limit: int, size_limit: int = 64 << 20) -> None:
        """Args: how many reports, and how many bytes in them."""
        self.held = False
        self._reports: deque[ArchivedReport] = deque()
        self._limit = limit
        self._size_limit = size_limit
        self._size = 0
        self._lock = threading.Lock()
        self._overrun = 0

    @property
    def empty(self) -> bool:
        """Nothing waits, and all refused reports have been reported."""
        return not self._reports and not self._overrun

    @property
    def oldest(self) -> ArchivedReport | None:
        """What has waited longest."""
        with self._lock:
            return self._reports[0] if self._reports else None

    def put(self, report: ArchivedReport) -> None:
        """From the reader thread."""
        with self._lock:
            size = self._size + _size_of(report)
            if len(self._reports) >= self._limit or size > self._size_limit:
                self._overrun += 1
            else:
                self._size = size
                self._reports.append(report)

    def wait_for_room(self, give_up: Callable[[], bool]) -> None:
        """Block a reader that can wait, as that of a recording."""
        while (self.held or len(self._reports) >= self._limit // 2) and not give_up():
            time.sleep(_ROOM_EVERY)

    def take(self) -> ArchivedReport | None:
        """The next report, if one waits."""
        with self._lock:
            if not self._reports:
                return None
            report = self._reports.popleft()
            self._size -= _size_of(report)
            return report

    def give_up(self) -> int:
        """Forget what waits; how many reports that were."""
        with self._lock:
            count = len(self._reports)
            self._reports.clear()
            self._size = 0
        return count

    def take_overrun(self) -> int:
        """How many reports were refused since the last call."""
        with self._lock:
            overrun, self._overrun = self._overrun, 0
        return overrun


def _size_of(kept: ArchivedReport) -> int:
    return len(kept.report.data) if isinstance(kept.report, Chunk) else 0
