"""Field names of a declaration as other languages can bear them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from protocols.errors import DeclarationError

_ODD = re.compile(r"[^A-Za-z0-9]+")


def identifier(name: str) -> str:
    """``request.apid`` → ``request_apid``, ``axis[2]`` → ``axis_2``, ``MARS-6`` → ``MARS_6``."""
    return _ODD.sub("_", name).strip("_")


def check_distinct(where: str, names: Iterable[str]) -> None:
    """Refuse names that fall together once they are identifiers.

    Raises:
        DeclarationError: two of them do.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(identifier(name), name)
        if other != name:
            raise DeclarationError(where, f"{other!r} and {name!r} are both {identifier(name)!r} when exported")
