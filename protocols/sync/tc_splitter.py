"""A stream of bare TC transfer frames to frames. They differ in length and have no marker between them.

Rules:
1. A frame is as long as its header says, and its FECF fits. The search goes on one byte further where none is.
2. Where a good frame ends, the next one is believed at once; elsewhere only if its spacecraft was heard before, or if
   the end follows: 16 bits of FECF pass once in 65,536 by chance. One that is not believed waits for another one of its
   spacecraft, and comes out with it.
3. Without a FECF a frame needs another header of the same spacecraft after it, or the end of the stream.
4. What comes out depends on the bytes alone. Every byte is accounted for: in = good + skipped + pending.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.ccsds.crc import crc16
from protocols.ccsds.tc_frame import HEADER_SIZE, MAX_SIZE
from protocols.sync.deframer import ByteCount

_FIXED = 0xCC
"""Bits of a frame's first byte that are 0: its version, and two that are spare."""
_REACH = 2 * MAX_SIZE + HEADER_SIZE
_FECF = 2


class TcPiece(NamedTuple):
    """The bytes of a frame, and where they start in the stream."""

    offset: int
    data: bytes


class TcSplitter:
    """Feed it bytes as they come; it gives frames in stream order. Keeps two frames of the longest size at most."""

    def __init__(self, *, fecf: bool = True) -> None:
        self._fecf = fecf
        self._least = HEADER_SIZE + 1 + (_FECF if fecf else 0)
        self._tail = b""
        self._offset = 0
        self._total = self._good = self._skipped = 0
        self._expected = 0
        self._scids: set[int] = set()
        self._doubtful: TcPiece | None = None

    def count(self) -> ByteCount:
        """Where every byte went so far."""
        return ByteCount(self._total, self._good, 0, 0, self._skipped, len(self._tail))

    def feed(self, data: bytes) -> list[TcPiece]:
        """Take bytes, give the frames that they complete."""
        self._total += len(data)
        return self._split(self._tail + data, ended=False)

    def finish(self) -> list[TcPiece]:
        """The stream has ended: give what was waiting for more."""
        return self._split(self._tail, ended=True)

    def _split(self, buffer: bytes, *, ended: bool) -> list[TcPiece]:
        found: list[TcPiece] = []
        at, length, cut = 0, len(buffer), -1
        while at < length and (ended or length - at >= _REACH):
            size = self._size(buffer, at)
            if size and self._believed(buffer, at, size, ended=ended):
                self._believe_the_doubtful(buffer, at, found)
                found.append(TcPiece(self._offset + at, buffer[at : at + size]))
                self._scids.add(_scid(buffer, at))
                self._good += size
                at += size
                self._expected = self._offset + at
                cut = -1
            else:
                cut = at if ended and self._is_cut(buffer, at) else cut
                self._skipped += 1
                at += 1
        if cut >= 0:  # nothing was found in it
            self._skipped -= at - cut
            at = cut
        self._tail = buffer[at:]
        self._offset += at
        return found

    def _believe_the_doubtful(self, buffer: bytes, at: int, found: list[TcPiece]) -> None:
        """A frame at ``at`` is believed: so is one of its spacecraft that was not."""
        doubtful, self._doubtful = self._doubtful, None
        if doubtful is not None and _scid(doubtful.data, 0) == _scid(buffer, at):
            found.append(doubtful)
            self._good += len(doubtful.data)
            self._skipped -= len(doubtful.data)

    def _size(self, buffer: bytes, at: int) -> int:
        """The size of the frame at ``at``; 0 if none is there whole."""
        size = self._said(buffer, at)
        if not size or at + size > len(buffer):
            return 0
        return 0 if self._fecf and crc16(buffer[at : at + size]) else size

    def _said(self, buffer: bytes, at: int) -> int:
        """The size that a header says; 0 if it is none."""
        if at + HEADER_SIZE > len(buffer) or buffer[at] & _FIXED or buffer[at] & 0x30 == 0x10:
            return 0
        size = ((buffer[at + 2] & 3) << 8 | buffer[at + 3]) + 1
        return size if size >= self._least else 0

    def _believed(self, buffer: bytes, at: int, size: int, *, ended: bool) -> bool:
        """Rules 2 and 3."""
        scid, end = _scid(buffer, at), at + size
        if self._fecf and (self._expected == self._offset + at or scid in self._scids):
            return True
        if end == len(buffer) and ended:
            return True
        if not self._fecf:
            return self._said(buffer, end) > 0 and _scid(buffer, end) == scid
        last, start = self._doubtful, self._offset + at
        if last is not None and _scid(last.data, 0) == scid and last.offset + len(last.data) <= start:
            return True
        if last is None or last.offset + len(last.data) <= start:
            self._doubtful = TcPiece(start, buffer[at:end])
        return False

    def _is_cut(self, buffer: bytes, at: int) -> bool:
        """Whether a frame begins here, after a good one, that the end of the stream cut off."""
        said = self._said(buffer, at)
        return self._expected == self._offset + at and bool(said) and at + said > len(buffer)


def _scid(buffer: bytes, at: int) -> int:
    return (buffer[at] & 3) << 8 | buffer[at + 1]
