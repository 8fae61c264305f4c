"""What a descent must look like: the same spacecraft, flown once more without any link in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from hil.lander.spacecraft import Spacecraft
from protocols.lander import EPOCH


@dataclass(frozen=True, slots=True)
class Burst:
    """The bytes of one tick and its mission time in ns; empty when nothing is sent."""

    scet: int
    data: bytes


def fly(link_drop: int | None = None) -> Iterator[Burst]:
    """A whole pass, tick by tick.

    Args:
        link_drop: mission time in ns from which the link carries nothing; that instant itself is silent.
    """
    craft = Spacecraft()
    while not craft.finished:
        scet = craft.scet
        data = craft.step()
        yield Burst(scet, b"" if link_drop is not None and scet >= link_drop else data)


@dataclass(frozen=True, slots=True)
class Expectation:
    """The stream of a whole pass: its SHA-256, its length in bytes, and the end of the pass in ns."""

    sha256: str
    length: int
    end: int


def expect(link_drop: int | None = None) -> Expectation:
    """Fly the oracle."""
    digest, length, end = hashlib.sha256(), 0, EPOCH
    for burst in fly(link_drop):
        digest.update(burst.data)
        length, end = length + len(burst.data), burst.scet
    return Expectation(digest.hexdigest(), length, end)
