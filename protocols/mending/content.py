"""What lies in a data field: of a good frame by its lengths, of a damaged one by what is most likely.

A damaged field is taken apart from a place where a packet begins: the next packet there is one of those declared, with
a sequence count that its neighbours leave open, or an idle packet, or unknown. Of all ways to take the rest apart the
one with the highest score wins. A bit that is as expected counts for it, a wrong one against it, each by the logarithm
of how likely it is; an unknown bit counts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, MIN_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER, NO_PACKET_START
from protocols.mending.history import UNSPOILT, History, Neighbour, Spoilt, Window
from protocols.mending.shapes import SEQUENCE_BITS, SEQUENCE_START, Leaf, Shape
from protocols.mending.syndromes import block_syndrome
from protocols.sync.frames import TransferFrame

_RIGHT, _WRONG = 0.926, -3.322
"""Logarithms (base 2) of how much more likely a bit is right, or wrong, with one error in 20 bits, than by chance."""

_FITS = 16.0
"""What a checksum that fits is worth, in bits."""

_LEAST_SCORE = 12.0
"""Of a packet, so that it is not taken for noise."""

_LONGEST = 4096
"""Bytes of a packet of variable size that is looked for."""

_TOLERATED = 3
"""One of so many constant bits of a packet may be wrong at most."""

_MOST_PARTS = 512
"""Places in a data field that are looked at."""


class Content(NamedTuple):
    """A good frame's data field.

    Attributes:
        head: the end of a packet that began earlier; all of the field, if no packet starts in it.
        starts: whether one does.
        packets: the whole packets, idle ones too.
        tail: the beginning of one that goes on in the next frame.
    """

    head: bytes
    starts: bool
    packets: tuple[bytes, ...]
    tail: bytes


def content_of(frame: TransferFrame) -> Content:
    """Take a good frame's data field apart. One without packets is empty."""
    pointer, data = frame.first_header_pointer, frame.data
    if pointer == NO_PACKET_START:
        return Content(data, False, (), b"")
    if pointer > MAX_POINTER or pointer > len(data):
        return Content(b"", False, (), b"")
    packets, at = [], pointer
    while at + HEADER_SIZE <= len(data) and at + (size := size_at(data, at)) <= len(data):
        packets.append(data[at : at + size])
        at += size
    return Content(data[:pointer], True, tuple(packets), data[at:])


def size_at(data: bytes, at: int = 0) -> int:
    """Bytes of the packet that begins there, by its header."""
    return HEADER_SIZE + 1 + (data[at + 4] << 8 | data[at + 5])


def apid_of(packet: bytes) -> int:
    """A packet's APID."""
    return (packet[0] & 7) << 8 | packet[1]


def sequence_of(packet: bytes) -> int:
    """A packet's sequence count."""
    return (packet[2] & 0x3F) << 8 | packet[3]


@dataclass(frozen=True, slots=True)
class Expected:
    """A packet that may come: which of its first ``bits`` are known, and what its other fields may hold.

    ``shape`` is None for an idle packet, ``sequence`` if it may be any. ``size`` in bytes. ``spoilt``: how often its
    source spoils bits before it makes a checksum.
    """

    shape: Shape | None
    sequence: int | None
    size: int
    bits: int
    mask: int
    value: int
    cells: tuple[tuple[Leaf, Window | None], ...] = ()
    spoilt: Spoilt = UNSPOILT


class Placed(NamedTuple):
    """A packet where it is taken to lie: ``start`` in bytes of the data field, negative if in an earlier frame.

    ``before`` are its bytes there.
    """

    expected: Expected
    start: int
    before: bytes = b""


class Reading(NamedTuple):
    """A data field taken apart, and the score of that. Behind ``end`` nothing is known."""

    score: float
    packets: tuple[Placed, ...]
    end: int


def expect(shape: Shape, sequence: int | None, size: int, history: History, after: Neighbour | None) -> Expected:
    """A declared packet with this sequence count, or any; ``after`` is the next good one of its type."""
    bits, mask, value = shape.bits, shape.mask, shape.value
    if sequence is not None:
        shift = bits - SEQUENCE_START - SEQUENCE_BITS
        mask |= ((1 << SEQUENCE_BITS) - 1) << shift
        value |= sequence << shift
    if shape.packet.size is None:
        mask |= 0xFFFF << bits - 48
        value |= (size - HEADER_SIZE - 1) << bits - 48
    cells: list[tuple[Leaf, Window | None]] = []
    for leaf, window in history.windows(sequence, after):
        if window is not None and window.low == window.high and leaf.kind != "float":
            shift = bits - leaf.start - leaf.bits
            mask |= ((1 << leaf.bits) - 1) << shift
            value |= leaf.raw_of(int(window.low)) << shift
        else:
            cells.append((leaf, window))
    return Expected(shape, sequence, size, bits, mask, value, tuple(cells), history.spoilt())


def resized(expected: Expected, size: int) -> Expected:
    """The same packet of variable size with another one."""
    shift = expected.bits - 48
    value = expected.value & ~(0xFFFF << shift) | (size - HEADER_SIZE - 1) << shift
    return replace(expected, size=size, value=value)


def expect_idle(size: int, sequence: int | None, first: int, fill: int | None) -> Expected:
    """An idle packet: ``first`` are its first two bytes, ``fill`` what all its data bytes are, None if that varies."""
    bits = 8 * size
    value = (first << 16 | 3 << 14 | (sequence or 0)) << 16 | (size - HEADER_SIZE - 1)
    mask = 0xFFFF_C000_FFFF | (0 if sequence is None else 0x3FFF << 16)
    room = bits - 8 * HEADER_SIZE
    value, mask = value << room, mask << room
    if fill is not None:
        value |= int.from_bytes(bytes([fill]) * (size - HEADER_SIZE), "big")
        mask |= (1 << room) - 1
    return Expected(None, sequence, size, bits, mask, value)


class Idle(NamedTuple):
    """How a channel's idle packets look: their first two bytes, possible sequence counts, and what fills them."""

    first: int = IDLE_APID
    sequences: Sequence[int | None] = (None,)
    fill: int | None = None


class FieldReader:
    """Takes one damaged data field apart."""

    def __init__(
        self, data: bytes, expected: Sequence[tuple[Shape, Callable[[], Sequence[Expected]]]], idle: Idle
    ) -> None:
        """Args: the field, what packets may come by their shapes, worked out when asked for, and how idle ones look."""
        self._data = data
        self._expected = expected
        self._idle = idle
        self._known: dict[int, Reading] = {}

    def read(self, at: int) -> Reading:
        """The most likely way to take the field apart from ``at`` on, where a packet begins."""
        known = self._known.get(at)
        if known is not None:
            return known
        best = Reading(0.0, (), at)
        if at < len(self._data) and len(self._known) < _MOST_PARTS:
            self._known[at] = best
            for score, expected in self._options(at):
                if score < _LEAST_SCORE:
                    continue
                rest = self.read(at + expected.size)
                if score + rest.score > best.score:
                    best = Reading(score + rest.score, (Placed(expected, at), *rest.packets), rest.end)
        self._known[at] = best
        return best

    def _options(self, at: int) -> Iterator[tuple[float, Expected]]:
        for shape, packets in self._expected:
            right, wrong = self._compared(at, shape.bits, shape.mask, shape.value)
            if wrong * _TOLERATED > right:
                continue
            best = max(((self.score(at, each), each) for each in packets()), key=lambda each: each[0])
            yield best[0] + self._fits(at, shape, best[1].size), best[1]
            for size in self._sizes(at, shape):
                sized = resized(best[1], size)
                yield self.score(at, sized) + self._fits(at, shape, size), sized
        room = len(self._data) - at
        sizes = {max(room, MIN_SIZE)}
        if room >= HEADER_SIZE and MIN_SIZE <= size_at(self._data, at) < room:
            sizes.add(size_at(self._data, at))
        for size in sizes:
            idle = (expect_idle(size, n, self._idle.first, self._idle.fill) for n in self._idle.sequences)
            yield max(((self.score(at, each), each) for each in idle), key=lambda each: each[0])

    def _sizes(self, at: int, shape: Shape) -> set[int]:
        """How long a packet of variable size may be: as its header says, also with one bit of that wrong."""
        if shape.packet.size is not None or len(self._data) - at < HEADER_SIZE:
            return set()
        came = size_at(self._data, at) - HEADER_SIZE - 1
        sizes = {(came ^ wrong) + HEADER_SIZE + 1 for wrong in (0, *(1 << bit for bit in range(16)))}
        return {size for size in sizes if shape.packet.min_size <= size <= _LONGEST}

    def score(self, at: int, expected: Expected, skipped: int = 0) -> float:
        """How likely the bytes from ``at`` on are this packet's, without its first ``skipped`` bytes."""
        right, wrong = self._compared(at, expected.bits, expected.mask, expected.value, skipped)
        return right * _RIGHT + wrong * _WRONG

    def _fits(self, at: int, shape: Shape, size: int) -> float:
        """What it is worth that a packet's own checksum fits as it came."""
        checked = shape.packet.header.crc and at + size <= len(self._data)
        return _FITS if checked and not block_syndrome(self._data[at : at + size]) else 0.0

    def _compared(self, at: int, bits: int, mask: int, value: int, skipped: int = 0) -> tuple[int, int]:
        """How many known bits are as expected, and how many are not, as far as the field reaches."""
        have = self._data[at : at + bits // 8 - skipped]
        cut = bits - 8 * skipped - 8 * len(have)
        number = int.from_bytes(have, "big")
        mask = (mask >> cut) & (1 << 8 * len(have)) - 1
        wrong = ((number ^ value >> cut) & mask).bit_count()
        return mask.bit_count() - wrong, wrong
