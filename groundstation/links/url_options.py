"""What stands behind the question mark of a link's URL."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from groundstation.errors import CallerError


def url_options(url: str, query: str, known: Iterable[str]) -> Mapping[str, str]:
    """Read ``option=value&…``.

    Raises:
        CallerError: it is something else, or an option is unknown.
    """
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError as error:
        raise CallerError(f"{url}: after the question mark comes option=value, not {query!r}") from error
    for name in options:
        if name not in known:
            raise CallerError(unknown("link option", name, known))
    return options


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, what was perhaps meant, and what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"unknown {what} {name!r}: {guess}known: {', '.join(names) or 'none'}"
