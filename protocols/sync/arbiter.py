"""Is this block a frame? The checks that a link profile has, in the order of the receiving end.

Rules:
1. The block is derandomised, then corrected by Reed–Solomon, then its FECF is checked. All that the profile has must
   agree: constant bytes and the pseudo-random sequence itself are valid codewords, so the FECF counts even after
   Reed–Solomon.
2. With Reed–Solomon alone, Reed–Solomon is the arbiter, and `ASM_SLACK` asks for a nearly whole ASM besides.
3. Check symbols that are not to be decoded (another code, or another basis) are cut off, and check nothing.
4. With neither, nothing can be checked: the ASM must be whole, and bare frames are taken as they come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from protocols.ccsds.crc import crc16
from protocols.ccsds.randomizer import randomize
from protocols.profile import LinkProfile
from protocols.words import FrameFailure

ASM_SLACK = 8
"""One bit in so many of the ASM may be wrong where Reed–Solomon is the only arbiter."""


class Good(NamedTuple):
    """The frame that a block holds, and how many bytes of the block had to be corrected."""

    frame: bytes
    corrected: int


Arbiter = Callable[[bytes], Good | FrameFailure]


def arbiter_of(profile: LinkProfile, *, correct: bool = True) -> Arbiter:
    """The function that judges blocks (what follows an ASM) of this profile; not to ``correct``: clean ones only."""
    checks: Arbiter = _check_fecf if profile.fecf else _accept
    if profile.rs_depth and not profile.rs_decode:
        checks = _stripped(profile.frame_length, checks)
    elif profile.rs_depth:
        checks = _with_reed_solomon(profile.rs_depth, checks, correct)
    return _derandomised(checks) if profile.randomised else checks


def asm_slack(profile: LinkProfile) -> int | None:
    """How many bits of the ASM may be wrong in LOCK; None if the FECF makes up for all of it."""
    if profile.fecf:
        return None
    return len(profile.asm) * 8 // ASM_SLACK if profile.rs_depth and profile.rs_decode else 0


def _check_fecf(block: bytes) -> Good | FrameFailure:
    return "CRC" if crc16(block) else Good(block, 0)


def _accept(block: bytes) -> Good | FrameFailure:
    return Good(block, 0)


def _stripped(length: int, then: Arbiter) -> Arbiter:
    def judge(block: bytes) -> Good | FrameFailure:
        return then(block[:length])

    return judge


def _with_reed_solomon(depth: int, then: Arbiter, correct: bool) -> Arbiter:
    from protocols.ccsds import reed_solomon  # noqa: PLC0415 - it needs numpy, which the UART profile does not wait for

    def judge(block: bytes) -> Good | FrameFailure:
        decoded = reed_solomon.decode(block, depth, correct=correct)
        if decoded is None:
            return "RS"
        verdict = then(decoded.data)
        return Good(decoded.data, decoded.corrected) if isinstance(verdict, Good) else verdict

    return judge


def _derandomised(then: Arbiter) -> Arbiter:
    def judge(block: bytes) -> Good | FrameFailure:
        return then(randomize(block))

    return judge
