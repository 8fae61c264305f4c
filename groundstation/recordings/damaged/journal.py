"""Which pages of a recording stand in its journal (SQLite's write-ahead log), read without SQLite.

SQLite gives up at the first frame of the log that is damaged, without a word, and shows the recording as it was before.
This looks on:

1. A frame belongs to the log if it has the log's salts; others are left over from an earlier round of it.
2. Each frame's checksum goes on from that of the frame before, as that frame states it. So a damaged frame costs
   itself alone; the one after a damaged header cannot be checked, and is taken.
3. What stands after the last commit was never committed, and is left out.

The format is SQLite's own, https://sqlite.org/fileformat2.html#walformat, and does not change.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from groundstation.recordings.creation import is_journal

HEADER_SIZE = 32
FRAME_HEADER_SIZE = 24
_SETTLE_S = 0.05
"""A station that writes may begin a new round of the log while it is read."""

_BATCH = 256
"""Frames checked at a time."""

_U32 = npt.NDArray[np.uint32]


@dataclass(slots=True)
class Journal:
    """The committed pages of a log.

    Attributes:
        pages: where the newest version of each page begins in the log's file, by the page's number.
        damaged: how many frames before the last commit could not be used.
        frames: how many frames were looked at.
    """

    pages: dict[int, int] = field(default_factory=dict)
    damaged: int = 0
    frames: int = 0


def read_journal(path: Path) -> Journal:
    """Read a log; one that does not begin as one holds nothing.

    Raises:
        OSError: it cannot be read.
    """
    journal = Journal()
    with path.open("rb") as file:
        head = file.read(HEADER_SIZE)
        if len(head) < HEADER_SIZE or not is_journal(head):
            return journal
        magic, _, page_size, _, *salts = struct.unpack(">6I", head[:24])
        if not 512 <= page_size <= 65536:
            return journal
        log = _Log(">u4" if magic & 1 else "<u4", page_size, (salts[0], salts[1]))
        seed = np.frombuffer(head, ">u4", 2, 24).astype(np.uint32)
        while data := file.read(_BATCH * log.frame_size):
            seed = log.feed(data, seed)
    return log.committed()


def is_damaged(path: Path) -> bool:
    """Whether frames of a log are damaged that SQLite passes over, with all that stand behind them.

    Raises:
        OSError: it cannot be read.
    """
    first = read_journal(path)
    if not first.damaged:
        return False
    time.sleep(_SETTLE_S)
    return read_journal(path).damaged == first.damaged


class _Log:
    def __init__(self, order: str, page_size: int, salts: tuple[int, int]) -> None:
        self.frame_size = FRAME_HEADER_SIZE + page_size
        self._order = order
        self._salts = np.array(salts, np.uint32)
        self._known = True
        self._frames: list[tuple[int, bool, bool]] = []
        """Page number, whether it commits, whether it can be used; of every frame so far."""

    def feed(self, data: bytes, seed: _U32) -> _U32:
        """Look at some more frames; the checksum that the last one states."""
        count = len(data) // self.frame_size
        if not count:
            return seed
        table = np.frombuffer(data, np.uint8, count * self.frame_size).reshape(count, self.frame_size)
        heads = np.ascontiguousarray(table[:, :FRAME_HEADER_SIZE]).view(">u4").astype(np.uint32)
        stated = heads[:, 4:6]
        before = np.concatenate((seed[None, :], stated[:-1]))
        ours = (heads[:, 2:4] == self._salts).all(axis=1)
        fits = (_checksums(table, self._order, before) == stated).all(axis=1)
        follows = np.concatenate(([self._known], ours[:-1]))
        usable = ours & (fits | ~follows)
        self._known = bool(ours[-1])
        self._frames += zip(heads[:, 0].tolist(), ((heads[:, 1] != 0) & ours).tolist(), usable.tolist(), strict=True)
        last: _U32 = stated[-1]
        return last

    def committed(self) -> Journal:
        journal = Journal(frames=len(self._frames))
        last = max((n for n, (_, commits, usable) in enumerate(self._frames) if commits and usable), default=-1)
        for n, (page, _, usable) in enumerate(self._frames[: last + 1]):
            if usable:
                journal.pages[page] = HEADER_SIZE + n * self.frame_size + FRAME_HEADER_SIZE
            else:
                journal.damaged += 1
        return journal


def _checksums(table: npt.NDArray[np.uint8], order: str, seeds: _U32) -> _U32:
    """The checksum of each frame: over the first eight bytes of its header and its page.

    Word by word it is ``a += x + b; b += y + a``, which is linear: all words at once are a product with powers of a
    matrix, modulo 2³².
    """
    covered = np.concatenate((table[:, :8], table[:, FRAME_HEADER_SIZE:]), axis=1)
    words = np.ascontiguousarray(covered).view(order).astype(np.uint32)
    power, first, second = _weights(words.shape[1] // 2)
    even, odd = words[:, 0::2], words[:, 1::2]
    sums = [even @ first[:, row] + odd @ second[:, row] + seeds @ power[row] for row in range(2)]
    return np.stack(sums, axis=1)


@lru_cache(maxsize=4)
def _weights(pairs: int) -> tuple[_U32, _U32, _U32]:
    """What the seed, the first and the second word of each pair come to in the end."""
    first, second = np.empty((pairs, 2), np.uint32), np.empty((pairs, 2), np.uint32)
    a, b, c, d = 1, 0, 0, 1  # a power of ((1, 1), (1, 2))
    for n in reversed(range(pairs)):
        first[n] = (a + b) % 2**32, (c + d) % 2**32  # x adds (x, x)
        second[n] = b, d  # y adds (0, y)
        a, b, c, d = (a + b) % 2**32, (a + 2 * b) % 2**32, (c + d) % 2**32, (c + 2 * d) % 2**32
    return np.array(((a, b), (c, d)), np.uint32), first, second
