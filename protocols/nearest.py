"""The hint that ends an error about an unknown name: the one place that words it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], *, none: str = "there are none") -> str:
    """What was probably meant, or else all that there is, as the end of a sentence.

    Args:
        name: as it was typed.
        names: those that would have been right, in the order to list them in.
        none: said if there is no right one.
    """
    known = list(names)
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    if near:
        return f"; did you mean {folded[near[0]]!r}?"
    return f"; known: {', '.join(known)}" if known else f"; {none}"
