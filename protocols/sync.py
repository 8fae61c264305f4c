"""Bytes to frames: search, lock, flywheel.

Rules:
1. The CRC (FECF) is the arbiter. A frame is good when its CRC fits; in LOCK even if its ASM is damaged, in SEARCH
   only after a whole ASM.
2. SEARCH looks for an ASM. A candidate whose CRC fails is a reject, and the search goes on one byte further: the
   rejected bytes may hold a true frame.
3. LOCK expects the next frame where the last one ended. If its CRC fails, an ASM that starts inside it wins (bytes
   were lost or added); only if there is none does the flywheel step over a whole frame. After `FLYWHEEL` steps
   without a good frame the lock is given up.
4. What comes out depends on the bytes alone, never on how they were cut into reads. So a failed frame in LOCK is
   judged only when the next ASM could be seen.
5. Every byte is accounted for, always: in = good + corrected + rejected + skipped + pending. Rejected bytes are
   those that lie in a reject and in no good frame; skipped ones lie in neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.ccsds.crc import crc16
from protocols.profile import LinkProfile

FLYWHEEL = 2
"""Frames in a row that the flywheel may step over."""

SyncState = Literal["SEARCH", "LOCK"]
Reason = Literal["CRC", "SYNC"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A good frame without its ASM. ``offset`` is where its ASM starts in the stream, in bytes."""

    offset: int
    data: bytes
    asm_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """A place where a frame should have been: CRC failed after an ASM, or (SYNC) neither ASM nor CRC fits.

    ``data`` is the candidate with its ASM, kept for salvage; a later good frame may overlap it.
    """

    offset: int
    data: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class ByteCount:
    """Where the bytes went. ``total`` is the sum of the others by construction of the deframer."""

    total: int
    good: int
    corrected: int
    rejected: int
    skipped: int
    pending: int

    @property
    def conserved(self) -> bool:
        """Whether no byte was lost or counted twice."""
        return self.total == self.good + self.corrected + self.rejected + self.skipped + self.pending


class Deframer:
    """Feed it bytes as they come; it gives frames and rejects in stream order. Keeps less than two frames."""

    def __init__(self, profile: LinkProfile) -> None:
        self.profile = profile
        self._asm = profile.asm
        self._cadu = profile.cadu_length
        self._tail = b""
        self._offset = 0
        self._total = 0
        self._good = 0
        self._rejected = 0
        self._skipped = 0
        self._reject_end = 0
        self._judged = -1
        self._locked = False
        self._misses = 0

    @property
    def state(self) -> SyncState:
        """SEARCH or LOCK."""
        return "LOCK" if self._locked else "SEARCH"

    @property
    def pending(self) -> bytes:
        """Bytes that wait for more: at LOS, the trailing piece of a frame."""
        return self._tail

    def count(self) -> ByteCount:
        """Where every byte went so far."""
        return ByteCount(self._total, self._good, 0, self._rejected, self._skipped, len(self._tail))

    def feed(self, data: bytes) -> list[Frame | Reject]:
        """Take bytes, give what they complete."""
        self._total += len(data)
        buffer = self._tail + data
        found: list[Frame | Reject] = []
        position = 0
        while True:
            step = self._lock if self._locked else self._search
            after = step(buffer, position, found)
            if after is None:
                break
            position = after
        kept = position if self._locked else self._skip_to_marker(buffer, position)
        self._tail = buffer[kept:]
        self._offset += kept
        return found

    def _search(self, buffer: bytes, start: int, found: list[Frame | Reject]) -> int | None:
        """One step of SEARCH from ``start``. Returns where to go on, or None to wait for more bytes."""
        at = buffer.find(self._asm, start)
        if at < 0 or len(buffer) - at < self._cadu:
            return None
        self._pass_over(start, at)
        if self._take(buffer, at, found):
            return at + self._cadu
        self._reject(buffer, at, "CRC", found)
        self._pass_over(at, at + 1)
        return at + 1

    def _lock(self, buffer: bytes, at: int, found: list[Frame | Reject]) -> int | None:
        """One step of LOCK at ``at``, where a frame is due."""
        if len(buffer) - at < self._cadu:
            return None
        if self._offset + at != self._judged and self._take(buffer, at, found):
            return at + self._cadu
        self._judged = self._offset + at
        reach = self._cadu + len(self._asm) - 1
        if len(buffer) - at < reach:
            return None
        self._reject(buffer, at, "CRC" if buffer.startswith(self._asm, at) else "SYNC", found)
        return self._resume(buffer, at, reach)

    def _resume(self, buffer: bytes, at: int, reach: int) -> int:
        """After a failed frame in LOCK: to the ASM inside it, or one flywheel step on."""
        inside = buffer.find(self._asm, at + 1, at + reach)
        self._misses += 1
        if inside >= 0 or self._misses > FLYWHEEL:
            self._locked = False
        after = inside if inside >= 0 else at + self._cadu
        self._pass_over(at, after)
        return after

    def _take(self, buffer: bytes, at: int, found: list[Frame | Reject]) -> bool:
        """Take the frame at ``at`` if its CRC fits."""
        frame = buffer[at + len(self._asm) : at + self._cadu]
        if crc16(frame):
            return False
        found.append(Frame(self._offset + at, frame, not buffer.startswith(self._asm, at)))
        self._good += self._cadu
        self._reject_end = 0
        self._locked, self._misses = True, 0
        return True

    def _reject(self, buffer: bytes, at: int, reason: Reason, found: list[Frame | Reject]) -> None:
        found.append(Reject(self._offset + at, buffer[at : at + self._cadu], reason))
        self._reject_end = self._offset + at + self._cadu

    def _pass_over(self, start: int, end: int) -> None:
        """Count bytes that are in no good frame."""
        rejected = max(0, min(self._offset + end, self._reject_end) - self._offset - start)
        self._rejected += rejected
        self._skipped += end - start - rejected

    def _skip_to_marker(self, buffer: bytes, start: int) -> int:
        """In SEARCH, drop what can be no part of an ASM; returns where the kept tail starts."""
        at = buffer.find(self._asm, start)
        if at < 0:
            at = next(
                (
                    place
                    for place in range(max(start, len(buffer) - len(self._asm) + 1), len(buffer))
                    if self._asm.startswith(buffer[place:])
                ),
                len(buffer),
            )
        self._pass_over(start, at)
        return at
