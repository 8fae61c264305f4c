"""What a wrong bit does to a CRC-16: the checksum is linear, so that each bit has its own syndrome."""

from __future__ import annotations

from functools import cache

from protocols.ccsds.crc import crc16

PERIOD = 32767
"""Bits after which syndromes come again. In longer blocks two wrong bits may look like none."""

_POLYNOMIAL = 0x1021


@cache
def _table() -> tuple[int, ...]:
    """The syndromes of the last bit of a block, the one before it, and so on."""
    table, syndrome = [], _POLYNOMIAL
    for _ in range(PERIOD):
        table.append(syndrome)
        syndrome = syndrome << 1 ^ (0x1_0000 | _POLYNOMIAL if syndrome & 0x8000 else 0)
    return tuple(table)


def bit_syndrome(distance: int) -> int:
    """The syndrome of a wrong bit that is so many bits before the last one of its block."""
    return _table()[distance % PERIOD]


def block_syndrome(block: bytes) -> int:
    """The syndrome of a block that ends with its CRC-16; 0: nothing is wrong, or it does not show."""
    return crc16(block)
