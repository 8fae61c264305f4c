"""Numbers and yes or no in a stranger's file."""

from __future__ import annotations

from math import isfinite

from protocols.xtce_reader.xml_tree import Element

_LONGEST = 40


def whole(text: str) -> int | None:
    """A whole number, also as ``8.0`` or ``0x10``; None if it is not one."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        return int(text, 16) if text[:2].lower() == "0x" else int(text)
    except ValueError:
        number = real(text)
    return int(number) if number is not None and number == int(number) else None


def real(text: str) -> float | None:
    """A finite number; None if it is not one."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def exact(text: str) -> float | None:
    """As `real`, and whole numbers without a point stay whole: how this project's own files write a declaration."""
    number = real(text)
    return int(text) if number is not None and text.strip().lstrip("-").isdigit() else number


def is_true(element: Element, name: str, *, default: bool) -> bool:
    """A boolean attribute."""
    return {"true": True, "1": True, "false": False, "0": False}.get(element.get(name).strip().lower(), default)
