"""Counts in a sentence."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 read``, ``1,234 reads``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
