"""A stream of bare packets to packets: space packets and encapsulation packets, with nothing between them to lock on.

Rules:
1. A packet is as long as its header says. It is believed when another header, or the end of the stream, follows it: a
   damaged length would lead anywhere. So a packet comes out when the next header is there, the last one with `finish`.
2. A header is believed if its first two bytes (version, type, APID) were seen in a packet before; one that is new, if
   its version is known and a header follows its own packet in turn.
3. Where no header is, the search goes on one byte further. It takes the next place from which `CHAIN` headers follow
   each other, all of them seen before; while none was, `_FIRST_CHAIN` of a known version. The end may come sooner; if
   none was seen, only where the stream starts. While none was, a packet that holds as many headers as lead to its own
   end is noise that points to one: the first of these is taken.
4. Six zero bytes are fill, never a header: APID 0 with one byte of a segment is not what they mean.
5. What comes out depends on the bytes alone, never on how they were cut into reads.
6. Every byte is accounted for: in = good + skipped + pending. Good ones lie in packets or are the ``skip`` bytes before
   one. Any bytes at all may come; nothing raises.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec
import numpy as np

from protocols.capture_profile import PacketsProfile
from protocols.ccsds import encapsulation
from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.sync.deframer import ByteCount

CHAIN = 4
"""Headers that follow each other where the search takes hold."""
_FIRST_CHAIN = 8
"""The same, while none is known."""
_LEAST = HEADER_SIZE + 1
_UNIFORM = 16
"""Packets of one size in a row, after which more of them are looked for at once."""
_FILL = bytes(HEADER_SIZE)
_HEADS_KEPT = 4096
_WAIT = -1
"""More bytes are needed to say."""
_NO = -2
"""Not a packet."""


class StreamPacket(msgspec.Struct, frozen=True, gc=False):
    """A packet. ``offset`` is where it starts in the stream; ``apid`` is None for encapsulation packets."""

    offset: int
    apid: int | None
    sequence: int
    data: bytes


class Pieces(NamedTuple):
    """Packets that lie in ``stream``, which is at ``offset`` of all bytes: where each starts and ends in it."""

    stream: bytes
    offset: int
    starts: list[int]
    ends: list[int]

    def cut(self) -> list[bytes]:
        """The bytes of each."""
        stream = self.stream
        return [stream[start:end] for start, end in zip(self.starts, self.ends, strict=True)]

    def packets(self) -> list[StreamPacket]:
        """The packets."""
        offset = self.offset
        return [_packet(offset + start, data) for start, data in zip(self.starts, self.cut(), strict=True)]


class PacketSplitter:
    """Feed it bytes as they come; it gives packets in stream order. Keeps a few packets of the longest size at most."""

    def __init__(self, profile: PacketsProfile) -> None:
        self.profile = profile
        versions = {*profile.packet_versions, encapsulation.VERSION}
        self._is_known = bytes(first >> 5 in versions for first in range(256))
        self._skip = profile.skip
        self._heads: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None
        self._tail = b""
        self._offset = 0
        self._total = self._good = self._skipped = 0
        self._locked = False
        self._ended = False
        self._cut_off = False

    def count(self) -> ByteCount:
        """Where every byte went so far."""
        return ByteCount(self._total, self._good, 0, 0, self._skipped, len(self._tail))

    def feed(self, data: bytes) -> list[StreamPacket]:
        """Take bytes, give the packets that they complete."""
        return self.find(data).packets()

    def finish(self) -> list[StreamPacket]:
        """The stream has ended: give what was waiting for more."""
        return self.find(None).packets()

    def find(self, data: bytes | None) -> Pieces:
        """Take bytes (None: the stream has ended) and find the packets that they complete, without cutting them out."""
        self._total += len(data or b"")
        self._ended = self._ended or data is None
        buffer, base = self._tail + (data or b""), self._offset
        starts: list[int] = []
        ends: list[int] = []
        self._split(buffer, starts, ends)
        return Pieces(buffer, base, starts, ends)

    def _split(self, buffer: bytes, starts: list[int], ends: list[int]) -> None:
        at: int | None = 0
        position = 0
        while at is not None:
            position = at
            if self._locked:
                position = self._take_plain(buffer, position, starts, ends)
                at = self._split_one(buffer, position, starts, ends)
            else:
                at = self._search(buffer, position)
        self._tail = buffer[position:]
        self._offset += position

    def _take_plain(self, buffer: bytes, at: int, starts: list[int], ends: list[int]) -> int:
        """In LOCK: the packets from ``at`` on whose head was seen before, and so was the next one's. Nearly all are."""
        skip, heads = self._skip, self._heads
        start = at + skip
        if buffer[start : start + 2] not in heads:
            return at
        began, add_start, add_end = at, starts.append, ends.append
        last, size, same = len(buffer) - HEADER_SIZE, 0, 0
        while start <= last:
            end = start + _LEAST + (buffer[start + 4] << 8 | buffer[start + 5])
            after = end + skip
            if buffer[after : after + 2] not in heads:
                break
            add_start(start)
            add_end(end)
            same = same + 1 if end - start == size else 0
            start, size = after, end - start
            if same == _UNIFORM:
                start, same = self._take_uniform(buffer, start, size, starts, ends), 0
        self._good += start - skip - began
        return start - skip

    def _take_uniform(self, buffer: bytes, start: int, size: int, starts: list[int], ends: list[int]) -> int:
        """In LOCK: packets of one APID and one size from ``start`` on, up to where the last of them starts."""
        step = size + self._skip
        count = (len(buffer) - start) // step
        rows = np.frombuffer(buffer, np.uint8, count * step, start).reshape(count, step)
        alike = (rows[:, :2] == rows[0, :2]).all(axis=1) & (rows[:, 4:6] == rows[0, 4:6]).all(axis=1) if count else rows
        if count < 2 or size != _LEAST + (int(rows[0, 4]) << 8 | int(rows[0, 5])):
            return start
        other = np.flatnonzero(~alike)
        end = start + step * ((int(other[0]) if len(other) else count) - 1)
        starts += range(start, end, step)
        ends += range(start + size, end + size, step)
        return end

    def _split_one(self, buffer: bytes, at: int, starts: list[int], ends: list[int]) -> int | None:
        """In LOCK: the packet that is due at ``at``. Returns where to go on, or None to wait for more."""
        end = self._end(buffer, at)
        if end == _WAIT or end > len(buffer):
            self._cut_off = self._ended and at + self._skip < len(buffer)
            return self._lose(at) if self._cut_off else None
        follows = self._follows(buffer, end) if end != _NO else _NO
        if follows == _WAIT:
            return None
        if follows == _NO:
            return self._lose(at)
        start = at + self._skip
        starts.append(start)
        ends.append(end)
        head = buffer[start : start + 2]
        is_space = head[0] >> 5 != encapsulation.VERSION
        if is_space and head != _FILL[:2] and head not in self._heads and len(self._heads) < _HEADS_KEPT:
            self._heads.add(head)
            self._pattern = None
        self._good += end - at
        return end

    def _lose(self, at: int) -> int:
        self._locked = False
        return at

    def _follows(self, buffer: bytes, at: int) -> int:
        """Whether a header or the end follows at ``at`` (rules 1 and 2): something from 0 on, `_NO` or `_WAIT`."""
        after = self._end(buffer, at)
        if after == _WAIT:
            return at if self._ended else _WAIT
        if after == _NO or buffer[at + self._skip :][:2] in self._heads:
            return after
        if after > len(buffer):
            return at if self._ended else _WAIT
        last = self._end(buffer, after)
        return at if last == _WAIT and self._ended else last

    def _search(self, buffer: bytes, start: int) -> int | None:
        """In SEARCH: to the next place where packets begin; None to wait for more."""
        last = len(buffer) - self._skip - HEADER_SIZE
        at = start
        while at <= last:
            at = self._next_head(buffer, at, last)
            verdict = self._chain(buffer, at) if at <= last else _WAIT
            if verdict == _WAIT:
                break
            if verdict != _NO and (self._heads or not self._swallows(buffer, at)):
                self._locked = True
                break
            at += 1
        if not self._locked and self._ended:
            at = start if self._cut_off else len(buffer)
        self._skipped += at - start
        return at if self._locked or at > start else None

    def _next_head(self, buffer: bytes, at: int, last: int) -> int:
        """The next place from ``at`` to ``last`` where a packet may begin; behind ``last`` if there is none."""
        if self._pattern is None and self._heads:
            self._pattern = re.compile(b"|".join(map(re.escape, self._heads)), re.DOTALL)
        if self._pattern is None:
            while at <= last and not self._is_known[buffer[at + self._skip]]:
                at += 1
            return at
        found = self._pattern.search(buffer, at + self._skip, last + self._skip + 2)
        return found.start() - self._skip if found else last + 1

    def _may_begin(self, buffer: bytes, at: int) -> bool:
        head = buffer[at + self._skip : at + self._skip + 2]
        return head in self._heads if self._heads else self._is_known[head[0]] > 0

    def _chain(self, buffer: bytes, at: int) -> int:
        """Whether enough headers follow each other from ``at`` on: as `_follows` says it."""
        links, place = (CHAIN if self._heads else _FIRST_CHAIN), at
        for _ in range(links):
            end = self._end(buffer, place)
            if end == _NO or (end != _WAIT and not self._may_begin(buffer, place)):
                return _NO
            if end == _WAIT or end > len(buffer):
                whole = place > at and (place == len(buffer) if self._heads else self._offset + at == 0)
                return (place if whole else _NO) if self._ended else _WAIT
            place = end
        return place

    def _swallows(self, buffer: bytes, at: int) -> bool:
        """Whether `CHAIN` headers inside the packet at ``at`` lead to where it ends."""
        end = self._end(buffer, at)
        for start in range(at + 1, end):
            place, links = start, 0
            while 0 <= place < end:
                place, links = self._end(buffer, place), links + 1
            if place == end and links >= CHAIN:
                return True
        return False

    def _end(self, buffer: bytes, at: int) -> int:
        """Where the packet that is due at ``at`` ends, be it there or not; `_WAIT`: its header is not; `_NO`: none."""
        start = at + self._skip
        left = len(buffer) - start
        if left <= 0:
            return _WAIT
        first = buffer[start]
        if not self._is_known[first] or (not first and buffer[start : start + HEADER_SIZE] == _FILL):
            return _NO
        wrapped = first >> 5 == encapsulation.VERSION
        if left < (encapsulation.header_size(first) if wrapped else HEADER_SIZE):
            return _WAIT
        if wrapped:
            size = encapsulation.size_of(buffer, start)
            return start + size if size else _NO
        return start + _LEAST + (buffer[start + 4] << 8 | buffer[start + 5])


def _packet(offset: int, data: bytes) -> StreamPacket:
    if data[0] >> 5 == encapsulation.VERSION:
        return StreamPacket(offset, None, 0, data)
    return StreamPacket(offset, (data[0] & 7) << 8 | data[1], (data[2] & 0x3F) << 8 | data[3], data)
