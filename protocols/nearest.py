"""What somebody meant who wrote an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """The hint that ends an error about an unknown name."""
    known = list(names)
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    if near:
        return f"; did you mean {folded[near[0]]!r}?"
    return f"; there are {', '.join(known)}" if known else "; there are none"
