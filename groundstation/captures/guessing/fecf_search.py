"""Frames of any length at any place, found by their FECF alone: no marker, no known length, no known start.

The CRC is linear. With P[n] the CRC of the first n bytes from 0, and F its preset, the bytes i … j are a frame if

    P[j] = x^8(j-i) (P[i] + F)          in the polynomials modulo the generator

Divided by x^8j, the left side depends on j alone and the right one on i alone. So all pairs are found by sorting: those
of one true length pile up, while those that fit by chance, one in 65,536, are spread over all lengths.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int64]

LONGEST = 65536
_SHORTEST = 8
_PRESET = 0xFFFF
_ORDER = 32767
"""x^8 to this power is 1."""
_CANDIDATES = 12
_LEAST = 3
"""Frames of one length and one distance that are evidence."""


@dataclass(frozen=True, slots=True)
class Spaced:
    """Frames with a fitting FECF, ``distance`` bytes apart, from ``start`` on; ``count`` of ``due`` places have one."""

    length: int
    distance: int
    start: int
    count: int
    due: int


@cache
def _tables() -> tuple[npt.NDArray[np.uint16], Words]:
    """By power of x^-8: what each bit of a byte adds, and the preset."""
    step = np.array([binascii.crc_hqx(b"\0", state) for state in range(1 << 16)], np.uint16)
    back = np.empty(1 << 16, np.uint16)
    back[step] = np.arange(1 << 16, dtype=np.uint16)
    rows = [[*(binascii.crc_hqx(bytes([1 << bit]), 0) for bit in range(8)), _PRESET]]
    for _ in range(_ORDER - 1):
        rows.append(back[rows[-1]].tolist())
    table = np.array(rows, np.uint16)
    return np.ascontiguousarray(table[:, :8].T), np.ascontiguousarray(table[:, 8])


def find_spaced(data: bytes) -> list[Spaced]:
    """Lengths at which frames follow each other at equal distances, the one with the most bytes first.

    Args:
        data: some hundred kilobytes.
    """
    ends, starts = _sides(data)
    first, last = _pairs(ends, starts)
    lengths = last - first
    counts = np.bincount(lengths, minlength=1)
    chance = (len(data) + 1 - np.arange(len(counts))) / (1 << 16)
    excess = np.where(counts >= _LEAST, (counts - chance) / np.sqrt(chance + 1), 0)
    best = np.argsort(excess)[::-1][:_CANDIDATES]
    found = [_spaced(first[lengths == length], int(length), len(data)) for length in best if excess[length] > 0]
    return sorted((each for each in found if each is not None), key=lambda each: -each.count * each.length)


def places_of(data: bytes, length: int, distance: int) -> list[int]:
    """Where two frames of a length with a fitting FECF start so far apart."""
    if len(data) < distance + length:
        return []
    ends, starts = _sides(data)
    fits = ends[length:] == starts[: len(starts) - length]
    return np.flatnonzero(fits[: len(fits) - distance] & fits[distance:]).tolist()


def _sides(data: bytes) -> tuple[Words, Words]:
    """Both sides of the equation: by end (n bytes before it), and by start."""
    bits, preset = _tables()
    octets = np.frombuffer(data, np.uint8)
    power = np.arange(len(octets) + 1) % _ORDER
    # Bit by bit: what a byte adds is the sum of what its bits add, at the power of the place after it.
    terms = np.zeros(len(octets), np.uint16)
    for bit in range(8):
        terms ^= bits[bit][power[1:]] * (octets >> bit & 1)
    ends = np.concatenate(([np.uint16(0)], np.bitwise_xor.accumulate(terms)))
    return ends, ends ^ preset[power]


def _pairs(ends: Words, starts: Words) -> tuple[Ints, Ints]:
    """All places i < j with a fitting CRC between them."""
    order = np.argsort(ends, kind="stable")
    ranked = ends[order]
    low, high = np.searchsorted(ranked, starts, "left"), np.searchsorted(ranked, starts, "right")
    width = high - low
    first = np.repeat(np.arange(len(starts)), width)
    rank = np.arange(len(first)) - np.repeat(width.cumsum() - width, width) + np.repeat(low, width)
    last = order[rank]
    fits = (last - first >= _SHORTEST) & (last - first <= LONGEST)
    return first[fits], last[fits]


def _spaced(places: Ints, length: int, size: int) -> Spaced | None:
    """The longest row of equal distances among the places where frames of a length start."""
    known = set(places.tolist())
    steps, counts = np.unique(np.diff(places), return_counts=True)
    best: Spaced | None = None
    for step in [length, *steps[np.argsort(counts)[::-1]][:4].tolist()]:
        if step < length:
            continue
        phases, many = np.unique(places % step, return_counts=True)
        phase = int(phases[many.argmax()])
        start = next(place for place in places.tolist() if place % step == phase)
        due = (size - length - start) // step + 1
        count = sum(start + n * step in known for n in range(due))
        if count >= _LEAST and count * 4 >= due and (best is None or count > best.count):
            best = Spaced(length, int(step), start, count, due)
    return best
