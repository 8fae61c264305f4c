"""Bytes to frames: search, lock, flywheel. Bits to frames is `bit_sync`, by the same rules.

Rules:
1. The arbiter (`arbiter`: FECF, Reed–Solomon or both) decides. A frame is good when it fits; in LOCK even if its ASM
   is damaged, in SEARCH only after a whole ASM.
2. SEARCH looks for an ASM. A candidate that does not fit is a reject, and the search goes on one byte further: the
   rejected bytes may hold a true frame.
3. LOCK expects the next frame where the last one ended. If that does not fit, an ASM that starts inside it wins
   (bytes were lost or added); only if there is none does the flywheel step over a whole frame. After `FLYWHEEL`
   steps without a good frame the lock is given up.
4. Reed–Solomon also mends a frame whose last bytes are missing, and takes the next ASM's first bytes for its own. So if
   the frame after a corrected one does not fit, an ASM that starts in those bytes wins them back.
5. Bare frames (no ASM) start with the stream, in LOCK. If the lock is given up, the search takes the next place
   where two good frames follow each other; without a FECF there is no such search, and the flywheel goes on.
6. What comes out depends on the bytes alone, never on how they were cut into reads. So a failed frame in LOCK is
   judged only when the next ASM could be seen.
7. In SEARCH every ASM-like place costs a try. What a try may cost is bounded: see `CORRECTIONS`.
8. Every byte is accounted for, always: in = good + corrected + rejected + skipped + pending. Corrected bytes are those
   of good frames that Reed–Solomon changed; rejected ones lie in a reject and in no good frame; skipped ones lie in
   neither.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Literal, NamedTuple

from protocols.profile import LinkProfile
from protocols.sync.arbiter import Arbiter, Good, arbiter_of, asm_slack
from protocols.tuples import maker
from protocols.words import RejectReason

FLYWHEEL = 2
"""Frames in a row that the flywheel may step over."""

CORRECTIONS = 4
"""Candidates in a frame's length of SEARCH that Reed–Solomon may correct; beyond, only clean ones are taken."""

_STRIDE = 64
"""Frames that are looked at in one go."""

SyncState = Literal["SEARCH", "LOCK"]


class Frame(NamedTuple):
    """A good frame without ASM and check symbols. ``offset`` is where its ASM starts in the stream.

    ``corrected`` counts the bytes that Reed–Solomon changed, check symbols included. A tuple, because a live stream
    makes one every microsecond.
    """

    offset: int
    data: bytes
    asm_damaged: bool = False
    inverted: bool = False
    corrected: int = 0


class Reject(NamedTuple):
    """A place where a frame should have been: CRC or RS failed after an ASM, or (SYNC) the ASM is not there either.

    ``data`` is the candidate with its ASM, kept for salvage; a later good frame may overlap it.
    """

    offset: int
    data: bytes
    reason: RejectReason


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


_make_frame = maker(Frame)


@lru_cache
def _layout(marker: int, block: int, frames: int) -> struct.Struct:
    """Cuts so many frames in a row into ASM and frame, alternating: one call instead of a slice for each."""
    return struct.Struct(f"{marker}s{block}s" * frames)


def _clean(frames: tuple[bytes, ...]) -> int:
    """How many frames in a row have a fitting FECF."""
    if not any(map(binascii.crc_hqx, frames, repeat(0xFFFF))):
        return len(frames)
    return next(n for n, frame in enumerate(frames) if binascii.crc_hqx(frame, 0xFFFF))


class Deframer:
    """Feed it bytes as they come; it gives frames and rejects in stream order. Keeps at most two frames.

    All positions and lengths inside are in units of the stream: bytes here, bits in `bit_sync.BitDeframer`.
    """

    _unit = 1
    """Units in a byte."""

    def __init__(self, profile: LinkProfile) -> None:
        self.profile = profile
        self._markers = self._patterns(profile.asm)
        self._marker = len(profile.asm) * self._unit
        self._can_search = bool(profile.asm) or profile.fecf
        self._cadu = profile.cadu_length * self._unit
        self._arbiter = arbiter_of(profile)
        self._hasty_arbiter = arbiter_of(profile, correct=False)
        self._tries = 0
        self._tries_end = 0
        self._slack = asm_slack(profile)
        self._strides = self._unit == 1 and profile.fecf and not (profile.rs_depth or profile.randomised)
        self._tail = b""
        self._offset = 0
        self._total = 0
        self._good = 0
        self._corrected = 0
        self._rejected = 0
        self._skipped = 0
        self._reject_end = 0
        self._refused: Reject | None = None
        self._mended = 0
        self._mended_end = -1
        self._behind = 0
        self._locked = not profile.asm
        self._inverted = False
        self._misses = 0

    @property
    def state(self) -> SyncState:
        """SEARCH or LOCK."""
        return "LOCK" if self._locked else "SEARCH"

    @property
    def pending(self) -> bytes:
        """What waits for more: at LOS, the trailing piece of a frame."""
        return self._tail[self._behind :]

    def count(self) -> ByteCount:
        """Where every byte went so far."""
        return ByteCount(
            self._total, self._good, self._corrected, self._rejected, self._skipped, pending=len(self.pending)
        )

    def feed(self, data: bytes) -> list[Frame | Reject]:
        """Take bytes, give what they complete."""
        self._total += len(data)
        buffer = self._tail + data
        found: list[Frame | Reject] = []
        position = self._behind
        while True:
            left = len(buffer) - position
            if self._locked and self._strides and left >= self._cadu:
                clean = self._plain if left < 2 * self._cadu else self._stride
                position = clean(buffer, position, found)
                left = len(buffer) - position
            if self._locked and left < self._cadu:
                break
            step = self._lock if self._locked else self._search
            after = step(buffer, position, found)
            if after is None:
                break
            position = after
        self._behind = self._mended if self._offset + position == self._mended_end else 0
        kept = position - self._behind
        self._tail = buffer[kept:]
        self._offset += kept
        return found

    def _plain(self, buffer: bytes, at: int, found: list[Frame | Reject]) -> int:
        """The one frame at ``at``, if it is clean and its ASM whole: a live link brings nearly all frames this way."""
        end, asm = at + self._cadu, self.profile.asm
        if not buffer.startswith(asm, at) or binascii.crc_hqx(frame := buffer[at + len(asm) : end], 0xFFFF):
            return at
        found.append(_make_frame((self._offset + at, frame, False, False, 0)))
        self._good += self._cadu
        self._reject_end = self._misses = 0
        return end

    def _stride(self, buffer: bytes, at: int, found: list[Frame | Reject]) -> int:
        """The clean frames from ``at`` on, many in one go. This is where a clean stream spends its time."""
        cadu, asm = self._cadu, self.profile.asm
        while whole := min((len(buffer) - at) // cadu, _STRIDE):
            parts = _layout(len(asm), cadu - len(asm), whole).unpack_from(buffer, at)
            clean = _clean(parts[1::2])
            markers, frames = parts[: 2 * clean : 2], parts[1 : 2 * clean : 2]
            damaged = repeat(False) if markers.count(asm) == clean else [marker != asm for marker in markers]
            end = at + clean * cadu
            places = range(self._offset + at, self._offset + end, cadu)
            found += map(_make_frame, zip(places, frames, damaged, repeat(False), repeat(0)))
            if clean:
                self._good += end - at
                self._reject_end = self._misses = 0
            at = end
            if clean < whole:
                break
        return at

    def _search(self, buffer: bytes, start: int, found: list[Frame | Reject]) -> int | None:
        """One step of SEARCH from ``start``. Returns where to go on, or None to wait for more."""
        at = self._find(buffer, start, len(buffer))
        found_one = at >= 0
        at = at if found_one else self._possible(buffer, start)
        if at > start:
            self._pass_over(start, at)
        if not found_one or len(buffer) - at < self._cadu:
            return at if at > start else None
        verdict = self._candidate(buffer, at, self._arbiter if self._may_correct(at) else self._hasty_arbiter)
        if isinstance(verdict, Frame):
            return self._accept(verdict, at, found)
        self._refuse(verdict, found)
        self._pass_over(at, at + 1)
        return at + 1

    def _may_correct(self, at: int) -> bool:
        """Whether the candidate of SEARCH at ``at`` is among the first in its stretch of a frame's length."""
        if self._offset + at >= self._tries_end:
            self._tries, self._tries_end = 0, self._offset + at + self._cadu
        self._tries += 1
        return self._tries <= CORRECTIONS

    def _lock(self, buffer: bytes, at: int, found: list[Frame | Reject]) -> int | None:
        """One step of LOCK at ``at``, where a frame is due and has come whole."""
        refused = self._refused
        if refused is None or refused.offset != self._offset + at:
            verdict = self._candidate(buffer, at, self._arbiter)
            if isinstance(verdict, Frame):
                return self._accept(verdict, at, found)
            if (won_back := self._win_back(buffer, at)) is not None:
                return won_back
            self._refused = refused = verdict
        reach = self._cadu + max(self._marker - 1, 0)
        if len(buffer) - at < reach:
            return None
        self._refuse(refused, found)
        return self._resume(buffer, at, reach)

    def _win_back(self, buffer: bytes, at: int) -> int | None:
        """Where an ASM starts in the bytes that a corrected frame before ``at`` had too many."""
        if self._offset + at != self._mended_end:
            return None
        self._mended_end = -1
        inside = self._find(buffer, at - self._mended, at + self._marker - 1) if self._markers else -1
        if inside < 0 or inside >= at:
            return None
        self._good -= at - inside
        return inside

    def _resume(self, buffer: bytes, at: int, reach: int) -> int:
        """After a failed frame in LOCK: to the ASM inside it, or one flywheel step on."""
        inside = self._find(buffer, at + 1, at + reach) if self._markers else -1
        self._misses += 1
        if inside >= 0 or (self._misses > FLYWHEEL and self._can_search):
            self._locked = False
        after = at + self._cadu if inside < 0 else inside
        if not (self._markers or self._locked):
            after = at + 1
        self._pass_over(at, after)
        return after

    def _candidate(self, buffer: bytes, at: int, arbiter: Arbiter) -> Frame | Reject:
        """What an arbiter makes of the place ``at``; nothing is counted yet."""
        cadu, inverted = self._cut(buffer, at)
        asm = self.profile.asm
        marked = cadu.startswith(asm)
        verdict = arbiter(cadu[len(asm) :]) if marked or self._tolerable(cadu) else "SYNC"
        if isinstance(verdict, Good):
            return Frame(self._offset + at, verdict.frame, not marked, inverted, verdict.corrected)
        return Reject(self._offset + at, cadu, verdict if marked else "SYNC")

    def _tolerable(self, cadu: bytes) -> bool:
        """Whether a damaged ASM is still good enough for this profile."""
        asm = self.profile.asm
        return self._slack is None or _bits_apart(cadu[: len(asm)], asm) <= self._slack

    def _accept(self, frame: Frame, at: int, found: list[Frame | Reject]) -> int:
        """Take a good frame at ``at``; returns where it ends."""
        found.append(frame)
        corrected = frame.corrected * self._unit
        self._corrected += corrected
        self._good += self._cadu - corrected
        self._reject_end = self._misses = 0
        self._locked, self._inverted = True, frame.inverted
        if corrected:
            self._mended, self._mended_end = corrected, frame.offset + self._cadu
        return at + self._cadu

    def _refuse(self, reject: Reject, found: list[Frame | Reject]) -> None:
        found.append(reject)
        self._reject_end = reject.offset + self._cadu

    def _pass_over(self, start: int, end: int) -> None:
        """Count what is in no good frame."""
        rejected = max(0, min(self._offset + end, self._reject_end) - self._offset - start)
        self._rejected += rejected
        self._skipped += end - start - rejected

    def _find(self, buffer: bytes, start: int, end: int) -> int:
        """Where the first whole ASM, or the first of two good bare frames, starts in ``buffer[start:end]``; -1."""
        if not self._markers:
            return self._find_bare(buffer, start)
        first = -1
        for pattern in self._markers:
            at = buffer.find(pattern, start, end)
            if at >= 0:
                first, end = at, at + self._marker - 1
        return first

    def _find_bare(self, buffer: bytes, start: int) -> int:
        for at in range(start, len(buffer) - 2 * self._cadu + 1):
            if all(isinstance(self._arbiter(self._cut(buffer, n)[0]), Good) for n in (at, at + self._cadu)):
                return at
        return -1

    def _possible(self, buffer: bytes, start: int) -> int:
        """No ASM from ``start`` on: where one may have begun that is not there whole yet."""
        if not self._markers:
            return max(start, len(buffer) - 2 * self._cadu + 1)
        places = range(max(start, len(buffer) - self._marker + 1), len(buffer))
        return next((at for at in places if any(m.startswith(buffer[at:]) for m in self._markers)), len(buffer))

    def _patterns(self, asm: bytes) -> tuple[bytes, ...]:
        """What an ASM looks like in the buffer."""
        return (asm,) if asm else ()

    def _cut(self, buffer: bytes, at: int) -> tuple[bytes, bool]:
        """The bytes of the frame at ``at``, ASM first, and whether they came inverted: never, where bytes come."""
        return buffer[at : at + self._cadu], False


def _bits_apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
