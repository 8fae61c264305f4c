"""Pseudo-randomiser of TM and AOS links, CCSDS 131.0-B §10: h(x) = x⁸ + x⁷ + x⁵ + x³ + 1, all ones at the start.

The sequence is added (exclusive or) to the frame or codeblock after the ASM, and restarts with each. It repeats
after 255 bits, which is also 255 bytes.
"""

from __future__ import annotations

from functools import lru_cache

from protocols.structures.codec import Buffer


def _period() -> bytes:
    """The sequence's 255 bytes: bit n+8 is the sum of bits n+7, n+5, n+3 and n."""
    register, value = 0xFF, 0
    for _ in range(255 * 8):
        value = value << 1 | register >> 7
        feedback = (register >> 7 ^ register >> 4 ^ register >> 2 ^ register) & 1
        register = (register << 1 | feedback) & 0xFF
    return value.to_bytes(255, "big")


_PERIOD = _period()


@lru_cache(maxsize=16)
def _sequence(length: int) -> int:
    """The first ``length`` bytes of the sequence as one number."""
    return int.from_bytes((_PERIOD * (length // 255 + 1))[:length], "big")


def randomize(data: Buffer) -> bytes:
    """``data`` with the sequence added. It is its own inverse.

    Args:
        data: one frame or codeblock without its ASM, of any length.
    """
    length = len(data)
    return (int.from_bytes(data, "big") ^ _sequence(length)).to_bytes(length, "big")
