"""Frame synchronisation, said a second time: a whole stream at once, for the prediction of what a station finds.

It follows the rules of `protocols.sync.deframer` for frames with an ASM and an FECF, and shares no code with it: that
one takes bytes as they come, many frames in one go, and keeps its state between reads; this one looks at each place in
turn. So a fault in either shows as a difference.

1. SEARCH: at the next ASM. If the block behind it fits its FECF it is a frame, and LOCK begins at its end. If not it is
   a reject, and the search goes on one byte further.
2. LOCK: where the last frame ended. If the block fits it is a frame, whatever its ASM. If not it is a reject, of type
   CRC if its ASM is there, and the next place is the ASM that begins inside it, in SEARCH; without one a frame
   further, in SEARCH after `FLYWHEEL` such steps in a row.
3. A failed block in LOCK is judged when the next ASM could be seen whole; what is not whole yet is nothing.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import NamedTuple

from protocols.profile import LinkProfile

FLYWHEEL = 2


class Found(NamedTuple):
    """A place where a frame is, or should be. ``marked``: its ASM is there."""

    offset: int
    good: bool
    marked: bool


def find_frames(stream: bytes, profile: LinkProfile) -> Iterator[Found]:
    """All frames and rejects of a stream, in its order."""
    asm, size = profile.asm, profile.cadu_length
    at, locked, steps = 0, False, 0
    while True:
        if not locked:
            at = stream.find(asm, at)
        if at < 0 or len(stream) - at < size:
            return
        marked = stream.startswith(asm, at)
        good = not binascii.crc_hqx(stream[at + len(asm) : at + size], 0xFFFF)
        if good:
            yield Found(at, True, marked)
            at, locked, steps = at + size, True, 0
        elif not locked:
            yield Found(at, False, marked)
            at += 1
        elif len(stream) - at < size + len(asm) - 1:
            return
        else:
            yield Found(at, False, marked)
            inside = stream.find(asm, at + 1, at + size + len(asm) - 1)
            steps += 1
            locked = inside < 0 and steps <= FLYWHEEL
            at = at + size if inside < 0 else inside
