"""A number of lost frames and how sure it is: what is not known is never said to be 0."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.words import Certainty

_ORDER: tuple[Certainty, ...] = ("EXACT", "ABOUT", "AT_LEAST", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class Lost:
    """``count`` frames or packets are missing: so many, about so many, or at least so many; 0 if nothing is known."""

    count: int = 0
    certainty: Certainty = "EXACT"

    @property
    def none(self) -> bool:
        """Certainly nothing is missing."""
        return self == NOTHING

    def __add__(self, other: Lost) -> Lost:
        """Both together."""
        count = self.count + other.count
        certainty = max(self.certainty, other.certainty, key=_ORDER.index)
        return at_least(count) if certainty == "UNKNOWN" else Lost(count, certainty)

    def less(self, count: int) -> Lost:
        """After so many of them came late."""
        left = max(0, self.count - count)
        return at_least(left) if self.certainty == "AT_LEAST" else Lost(left, self.certainty)


NOTHING = Lost()
UNKNOWN = Lost(0, "UNKNOWN")


def at_least(count: int) -> Lost:
    """At least so many; at least none is to know nothing."""
    return Lost(count, "AT_LEAST") if count else UNKNOWN
