"""In which line of a scenario's file the place of an error is, ``fault[1].at`` for instance."""

from __future__ import annotations

import re

_PLACE = re.compile(r"(?P<table>[a-z_]+)(?:\[(?P<n>\d+)\])?(?:\.(?P<key>[\w-]+))?")
_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<table>[\w-]+)\s*\]")


def line_of(text: str, place: str) -> int | None:
    """The line of a place, from 1; that of its table's header if the key is not in it.

    Args:
        text: TOML of one level of tables; None is found in one with strings of several lines.
        place: as errors begin with it; what follows it is not looked at.
    """
    wanted = _PLACE.match(place)
    if wanted is None or '"""' in text or "'''" in text:
        return None
    left, header = int(wanted["n"] or 0), None
    for number, line in enumerate(text.splitlines(), 1):
        if (found := _HEADER.match(line)) is not None:
            if header is not None:
                return header
            if found["table"] == wanted["table"]:
                header = number if left == 0 else None
                left -= 1
        elif header is not None and wanted["key"] and re.match(rf"\s*[\"']?{re.escape(wanted['key'])}[\"']?\s*=", line):
            return number
    return header
