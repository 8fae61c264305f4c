"""Whether a profile may fit a sample: cheaper than its decoder, which looks for frames at every byte where none is."""

from __future__ import annotations

import re

from groundstation.captures.guessing.fecf_search import places_of
from protocols.profile import LinkProfile
from protocols.sync.arbiter import arbiter_of
from protocols.words import FrameFailure

SMALLEST = 1 << 18
"""Captures of fewer bytes are simply decoded."""
_TRIED = 500
_TRIED_CODED = 40
"""Blocks that are tried; those that have to be corrected cost more."""
_WINDOW = 1 << 17


def may_fit(data: bytes, profile: LinkProfile) -> bool:
    """False only if no frame is at any ASM, or, where there is none, at any place with a FECF, of the first windows.

    Args:
        data: a sample.
        profile: of bytes, not of bits.
    """
    failures: tuple[FrameFailure, ...] = ("CRC", "RS")
    judge = arbiter_of(profile)
    if profile.asm:
        places = [match.end() for match in re.finditer(re.escape(profile.asm), data)]
        step = max(1, len(places) // (_TRIED_CODED if profile.rs_depth else _TRIED))
        blocks = [data[at : at + profile.block_length] for at in places[::step]]
        whole = [each for each in blocks if len(each) == profile.block_length]
        return any(judge(each) not in failures for each in whole)
    if not profile.fecf or profile.randomised:
        return True
    windows = range(0, max(1, len(data) - _WINDOW // 2), max(_WINDOW, len(data) // 8))
    return any(places_of(data[at : at + _WINDOW], profile.frame_length, profile.block_length) for at in windows)
