"""How many frames are missing, where a count may have turned over."""

from __future__ import annotations

from protocols.counts.lost import Lost, at_least
from protocols.counts.pace import Pace
from protocols.words import Certainty


def frames_between(pace: Pace, before: int | None, after: int | None) -> int | None:
    """How many frames are missing between two times; None if nothing tells."""
    return None if before is None or after is None else pace.frames_in(after - before)


def tolerance_of(expected: int) -> int:
    """How far a count may be from what is expected by the spacecraft's time."""
    return max(2, expected // 50)


def with_turns(least: int, modulus: int, expected: int, tolerance: int, certainty: Certainty, floor: int = 0) -> Lost:
    """A count modulo ``modulus`` with as many turns as bring it nearest to what is expected by time.

    It is exact where time has no room for a turn. With turns it is as sure as ``certainty`` says if it is within the
    tolerance, and about right within an eighth of a turn.
    """
    room = expected + expected // 20 + 2
    fewest, most = max(0, -(-(floor - least) // modulus)), max(0, (room - least) // modulus)
    if most <= fewest:
        return Lost(least + fewest * modulus)
    count = least + min(most, max(fewest, round((expected - least) / modulus))) * modulus
    apart = abs(count - expected)
    if apart <= min(tolerance, modulus // 8):
        return Lost(count, certainty)
    return Lost(count, "ABOUT") if apart <= modulus // 8 else at_least(max(least, floor))
