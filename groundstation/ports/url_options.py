"""What stands behind the question mark of a link's URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from groundstation.errors import CallerError
from protocols.nearest import nearest


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
    """The error about an unknown part of a URL."""
    return f"unknown {what} {name!r}{nearest(name, sorted(known), none='none is known')}"
