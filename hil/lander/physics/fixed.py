"""Integer arithmetic that Python and C11 do alike.

Python's `//` floors, C's `/` truncates; they agree on numbers that are not negative. So the lander divides
possibly negative numbers with `div` alone, and writes `//` only where neither side can be negative.
"""

from __future__ import annotations

from collections.abc import Sequence


def div(numerator: int, denominator: int) -> int:
    """Quotient truncated toward zero, which is C's `/`.

    Args:
        numerator: any number.
        denominator: greater than 0.
    """
    if numerator < 0:
        return -(-numerator // denominator)
    return numerator // denominator


def isqrt(square: int) -> int:
    """Largest integer whose square is not above `square`, bit by bit.

    Args:
        square: 0 to 2**62 - 1: the first bit tried is 2**60 at most, so that every sum fits in int64.
    """
    if square == 0:
        return 0
    bit = 1 << (square.bit_length() - 1 & ~1)  # the highest power of four that is not above it
    root = 0
    while bit:
        trial = root + bit
        root >>= 1
        if square >= trial:
            square -= trial
            root += bit
        bit >>= 2
    return root


def interpolate(table: Sequence[int], position: int, step: int) -> int:
    """Linear interpolation in a table whose entry `i` stands at ``i * step``.

    Args:
        table: at least one entry.
        position: in the unit of `step`; outside the table the nearest end is the answer.
        step: greater than 0.
    """
    if position <= 0:
        return table[0]
    index = position // step
    if index >= len(table) - 1:
        return table[-1]
    low = table[index]
    return low + div((table[index + 1] - low) * (position - index * step), step)
