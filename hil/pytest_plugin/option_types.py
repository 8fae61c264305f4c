"""The numbers of pytest's ``--hil-…`` options, within the limits that the commands have."""

from __future__ import annotations

import argparse
import math

SEEDS = range(2**63)
BAUDS = range(50, 100_000_001)


def seed(text: str) -> int:
    """A random seed. Raises argparse.ArgumentTypeError otherwise."""
    return _integer(text, SEEDS)


def baud(text: str) -> int:
    """A baud rate. Raises argparse.ArgumentTypeError otherwise."""
    return _integer(text, BAUDS)


def seconds(text: str) -> float:
    """A time to wait. Raises argparse.ArgumentTypeError otherwise."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: expected a number of seconds, 0 or more")
    return found


def _integer(text: str, limits: range) -> int:
    try:
        found = int(text)
    except ValueError:
        found = limits.stop
    if found not in limits:
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: expected an integer of {limits[0]} to {limits[-1]}")
    return found
