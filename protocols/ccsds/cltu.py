"""CLTUs, CCSDS 231.0-B: codeblocks of the modified BCH code (63,56) between a start and a tail sequence.

Rules of the receiving end:
1. Single-error correction (§3): one wrong bit of a codeblock is put right, two are seen. A codeblock that would need
   correction is refused if its filler bit is 1: no sent codeblock has that, the tail does (CCSDS 230.1-G).
2. SEARCH looks for a start sequence with at most one wrong bit; DECODE takes codeblocks until one is refused. If that
   is the tail, with at most one wrong bit, reception was complete.
3. A CLTU whose tail was received is believed whole. After any other the search goes on one byte behind its start: a
   false start, or bytes lost or added, may hide a true start within it. A start that is in step with codeblocks already
   taken is passed over, so no byte is decoded more than eight times. What comes out twice, the FECF sorts out.
4. The stream is one of bytes: a start sequence that is not aligned to them is not found.
5. Any bytes at all may come; nothing raises. Every byte is accounted for: in = taken + skipped + pending.
6. What comes out depends on the bytes alone, never on how they were cut into reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

START = b"\xeb\x90"
"""Start sequence (§5.2.2)."""
TAIL = b"\xc5" * 7 + b"\x79"
"""Tail sequence (§5.2.4): no codeblock, and no codeblock with one wrong bit."""
INFO_SIZE = 7
BLOCK_SIZE = 8
FILL = b"\x55"
"""Fills the last codeblock (§3.4)."""
MAX_DATA = 147 * INFO_SIZE
"""Information bytes of a CLTU around the longest TC frame, 1024 bytes."""

_GENERATOR = 0x45 << 1  # x⁷ + x⁶ + x² + 1 without its leading term, left-aligned in a byte

Ending = Literal["TAIL", "REFUSED", "TOO_LONG"]


def _division_table() -> bytes:
    table = bytearray()
    for value in range(256):
        remainder = value
        for _ in range(8):
            remainder = (remainder << 1 ^ (_GENERATOR if remainder & 0x80 else 0)) & 0xFF
        table.append(remainder)
    return bytes(table)


_DIVISION = _division_table()


def parity(info: bytes) -> int:
    """Eighth byte of a codeblock: seven complemented parity bits and the filler bit 0 (§3.3). ``info`` is 7 bytes."""
    remainder = 0
    for byte in info:
        remainder = _DIVISION[remainder ^ byte]
    return remainder ^ 0xFE


def _syndrome(block: bytes) -> int:
    """0 for a codeword; the filler bit does not count."""
    return (parity(block[:INFO_SIZE]) ^ block[INFO_SIZE]) & 0xFE


def _error_positions() -> dict[int, int]:
    """Which bit, as a number of 64 bits, a syndrome asks to turn over."""
    correct = bytes(INFO_SIZE) + bytes([parity(bytes(INFO_SIZE))])
    word = int.from_bytes(correct, "big")
    return {_syndrome((word ^ 1 << bit).to_bytes(BLOCK_SIZE, "big")): 1 << bit for bit in range(1, 64)}


_ERRORS = _error_positions()


@dataclass(frozen=True, slots=True)
class Codeblock:
    """Seven information bytes, and how many of the codeblock's bits were corrected: 0 or 1."""

    info: bytes
    corrected: int


def decode_block(block: bytes) -> Codeblock | None:
    """The codeblock in eight bytes, or None if it cannot be corrected (rule 1)."""
    syndrome = _syndrome(block)
    if not syndrome:
        return Codeblock(block[:INFO_SIZE], 0)
    error = _ERRORS.get(syndrome)
    if error is None or block[INFO_SIZE] & 1:
        return None
    corrected = (int.from_bytes(block, "big") ^ error).to_bytes(BLOCK_SIZE, "big")
    return Codeblock(corrected[:INFO_SIZE], 1)


def encode_cltu(frame: bytes) -> bytes:
    """The CLTU around ``frame`` (one or more TC frames), filled up to whole codeblocks."""
    data = frame + FILL * (-len(frame) % INFO_SIZE)
    infos = [data[at : at + INFO_SIZE] for at in range(0, len(data), INFO_SIZE)]
    return START + b"".join(info + bytes([parity(info)]) for info in infos) + TAIL


def _near(first: bytes, second: bytes) -> bool:
    """Whether two byte strings of one length differ in at most one bit."""
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count() <= 1


def _start_pattern() -> re.Pattern[bytes]:
    """The start sequence and its sixteen neighbours."""
    value = int.from_bytes(START, "big")
    sequences = [value, *(value ^ 1 << bit for bit in range(16))]
    return re.compile(b"|".join(re.escape(sequence.to_bytes(2, "big")) for sequence in sequences), re.DOTALL)


_START_PATTERN = _start_pattern()
_START_PREFIXES = frozenset(bytes([value]) for value in (START[0], *(START[0] ^ 1 << bit for bit in range(8))))


@dataclass(frozen=True, slots=True)
class Cltu:
    """What one CLTU carried.

    Attributes:
        offset: where its start sequence begins in the stream, in bytes.
        data: information bytes, fill included: one or more TC frames.
        corrected: bits that were put right in its codeblocks.
        ending: TAIL if it was received whole.
    """

    offset: int
    data: bytes
    corrected: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class CltuCount:
    """Where the bytes went: into CLTUs, past them, or into what waits for more."""

    total: int
    taken: int
    skipped: int
    pending: int

    @property
    def conserved(self) -> bool:
        """Whether no byte was lost or counted twice."""
        return self.total == self.taken + self.skipped + self.pending


class CltuReceiver:
    """Feed it bytes as they come; it gives CLTUs in stream order. Keeps one CLTU of ``max_data`` at most.

    Args:
        max_data: information bytes after which a CLTU without end is closed as TOO_LONG.
    """

    def __init__(self, max_data: int = MAX_DATA) -> None:
        self._max_data = max_data
        self._buffer = b""
        self._offset = 0
        self._total = 0
        self._taken = 0
        self._skipped = 0
        self._taken_end = 0
        self._blocks: list[Codeblock] | None = None
        self._run_ends = [0] * BLOCK_SIZE

    def count(self) -> CltuCount:
        """Where every byte went so far."""
        return CltuCount(self._total, self._taken, self._skipped, len(self._buffer))

    def feed(self, data: bytes) -> list[Cltu]:
        """Take bytes, give the CLTUs they complete."""
        self._total += len(data)
        buffer = self._buffer + data
        found: list[Cltu] = []
        position = 0
        while True:
            if self._blocks is None:
                position = self._search(buffer, position)
            after = self._decode(buffer, position, found)
            if after is None:
                break
            position = after
        self._buffer = buffer[position:]
        self._offset += position
        return found

    def _search(self, buffer: bytes, position: int) -> int:
        """SEARCH: to the next start sequence, or to where half of one may stand at the end."""
        match = _START_PATTERN.search(buffer, position)
        while match and self._in_step(match.start()):
            match = _START_PATTERN.search(buffer, match.start() + 1)
        if match:
            self._blocks = []
            at = match.start()
        else:
            at = len(buffer) - (buffer[max(position, len(buffer) - 1) :] in _START_PREFIXES)
        self._pass_over(position, at)
        return at

    def _in_step(self, start: int) -> bool:
        """Whether the codeblocks after a start sequence have been decoded before (rule 3)."""
        start += self._offset
        return start + len(START) < self._run_ends[start % BLOCK_SIZE]

    def _decode(self, buffer: bytes, start: int, found: list[Cltu]) -> int | None:
        """DECODE: one codeblock of the CLTU at ``start``. Returns where to go on, or None to wait for more bytes."""
        if self._blocks is None:
            return None
        at = start + len(START) + BLOCK_SIZE * len(self._blocks)
        raw = buffer[at : at + BLOCK_SIZE]
        if len(raw) < BLOCK_SIZE:
            return None
        block = decode_block(raw)
        if block is None:
            whole = _near(raw, TAIL)
            return self._close(start, at + BLOCK_SIZE if whole else at, "TAIL" if whole else "REFUSED", found)
        if (len(self._blocks) + 1) * INFO_SIZE > self._max_data:
            return self._close(start, at, "TOO_LONG", found)
        self._blocks.append(block)
        return start

    def _close(self, start: int, end: int, ending: Ending, found: list[Cltu]) -> int:
        """Give the CLTU, if it has any codeblock; returns where the search goes on (rule 3)."""
        blocks, self._blocks = self._blocks, None
        if blocks:
            data = b"".join(block.info for block in blocks)
            found.append(Cltu(self._offset + start, data, sum(block.corrected for block in blocks), ending))
            self._taken_end = max(self._taken_end, self._offset + end)
        self._run_ends[(self._offset + start) % BLOCK_SIZE] = self._offset + end
        after = end if blocks and ending == "TAIL" else start + 1
        self._pass_over(start, after)
        return after

    def _pass_over(self, start: int, end: int) -> None:
        """Count bytes that the search leaves behind."""
        taken = max(0, min(self._offset + end, self._taken_end) - self._offset - start)
        self._taken += taken
        self._skipped += end - start - taken
