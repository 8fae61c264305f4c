"""Numbers of lost frames and packets in words, with their certainty: what is not known is never shown as 0."""

from __future__ import annotations

from protocols.words import Certainty

_FORMS: dict[Certainty, str] = {"EXACT": "{}", "ABOUT": "about {}", "AT_LEAST": "at least {}", "UNKNOWN": "unknown"}
_SHORT: dict[Certainty, str] = {"EXACT": "{:,}", "ABOUT": "~{:,}", "AT_LEAST": "{:,}+", "UNKNOWN": "?"}


def lost_text(count: int, certainty: Certainty) -> str:
    """In a table: "256", "at least 3", "about 500", "unknown"."""
    return _FORMS[certainty].format(count)


def lost_short(count: int, certainty: Certainty) -> str:
    """Where there is little room: "1,256", "3+" for at least 3, "~500", "?"."""
    return _SHORT[certainty].format(count)


def frames_lost(count: int | None, certainty: Certainty) -> str:
    """In a sentence: "1 frame lost", "about 256 frames lost", "an unknown number of frames lost"."""
    if count is None or certainty == "UNKNOWN":
        return "an unknown number of frames lost"
    return f"{lost_text(count, certainty)} {'frame' if count == 1 else 'frames'} lost"
