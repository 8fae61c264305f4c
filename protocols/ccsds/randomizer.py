"""Pseudo-randomisers of TM and AOS links, CCSDS 131.0-B §10: h(x) = x⁸ + x⁷ + x⁵ + x³ + 1, all ones at the start, and
of TC links, CCSDS 231.0-B §6: h(x) = x⁸ + x⁶ + x⁴ + x³ + x² + x + 1.

The sequence is added (exclusive or) to the frame or codeblock after the ASM, and restarts with each. It repeats
after 255 bits, which is also 255 bytes.
"""

from __future__ import annotations

from functools import lru_cache

from protocols.structures.codec import Buffer

_TM_TAPS = (7, 4, 2, 0)
_TC_TAPS = (7, 6, 5, 4, 3, 1)
"""Bits of the register whose sum comes in, the highest being the oldest."""


@lru_cache
def _period(taps: tuple[int, ...]) -> bytes:
    """The sequence's 255 bytes: each bit is the sum of earlier ones, eight bits back at most."""
    register, value = 0xFF, 0
    for _ in range(255 * 8):
        value = value << 1 | register >> 7
        feedback = sum(register >> tap for tap in taps) & 1
        register = (register << 1 | feedback) & 0xFF
    return value.to_bytes(255, "big")


@lru_cache(maxsize=32)
def _sequence(length: int, taps: tuple[int, ...]) -> int:
    """The first ``length`` bytes of the sequence as one number."""
    return int.from_bytes((_period(taps) * (length // 255 + 1))[:length], "big")


def randomize(data: Buffer) -> bytes:
    """``data`` with the sequence added. It is its own inverse.

    Args:
        data: one frame or codeblock without its ASM, of any length.
    """
    return _added(data, _TM_TAPS)


def randomize_tc(data: Buffer) -> bytes:
    """``data`` with the sequence of TC links added. It is its own inverse.

    Args:
        data: the frames of one CLTU, with their fill.
    """
    return _added(data, _TC_TAPS)


def _added(data: Buffer, taps: tuple[int, ...]) -> bytes:
    length = len(data)
    return (int.from_bytes(data, "big") ^ _sequence(length, taps)).to_bytes(length, "big")
