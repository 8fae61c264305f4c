"""What a check says of a value that is not good."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from protocols.words import BadQuality


class Verdict(NamedTuple):
    """What is wrong with a value: ``reason`` is the name of the check that found it."""

    quality: BadQuality
    reason: str


Verdicts = Mapping[str, Verdict]
"""By parameter name; a value that is not in it is good."""
ALL_GOOD: Verdicts = MappingProxyType({})


@cache
def suspect(reason: str) -> Verdict:
    """It does not fit the others."""
    return Verdict("suspect", reason)


@cache
def unusable(reason: str) -> Verdict:
    """It cannot be true."""
    return Verdict("unusable", reason)
