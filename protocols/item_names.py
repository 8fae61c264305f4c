"""Names of repeated parameters: declared with ``[]`` for the index, ``points[].x``, decoded with it, ``points[3].x``.

Items of an array of fixed length are declared one by one, ``samples[0]``, ``samples[1]``: these keep their number, also
within a repeated part (``points[].y[0]``). So it takes the declared names to read a decoded one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_INDEX = re.compile(r"\[\d*\]")
_REPEATED = "[]"


def repeated_in(names: Iterable[str]) -> frozenset[str]:
    """The repeated parts in which declared names lie: ``points`` and ``points[].x`` of ``points[].x[].y``."""
    return frozenset(name[: at.start()] for name in names for at in _INDEX.finditer(name) if at[0] == _REPEATED)


def declared_name(name: str, repeated: Collection[str]) -> str:
    """The declared name of a decoded one, by the repeated parts of its packet."""
    if not repeated or "[" not in name:
        return name
    declared, end = "", 0
    for at in _INDEX.finditer(name):
        declared += name[end : at.start()]
        declared += _REPEATED if declared in repeated else at[0]
        end = at.end()
    return declared + name[end:]


def of_same_item(other: str, name: str, declared: str) -> str:
    """``points[].ok`` for ``points[3].x``, which is declared as ``points[].x``, is ``points[3].ok``."""
    for number, place in zip(_INDEX.findall(name), _INDEX.findall(declared), strict=True):
        if place == _REPEATED:
            other = other.replace(_REPEATED, number, 1)
    return other
