"""Names that come from a file, a message or a test, where they become part of a path."""

from __future__ import annotations

import re

from groundstation.errors import CallerError

_DERIVED = 100
LONGEST = 200
"""Bytes; a file system takes 255, and endings like ``.sqlite`` still have to fit."""


def file_name(text: str, what: str = "name") -> str:
    """The same text, if it can be the name of one file or folder and of nothing else.

    Args:
        text: the name, as it was read.
        what: what it names and where it stands, for the error.

    Raises:
        CallerError: it is empty or too long, begins with a dot or a dash, or has a slash, a backslash or a character
            that cannot be seen in it.
    """
    fits = 0 < len(text) <= LONGEST and len(text.encode(errors="replace")) <= LONGEST
    if not fits or text[0] in ".-" or "/" in text or "\\" in text or not text.isprintable():
        shown = text if len(text) <= LONGEST else f"{text[:40]}…"
        raise CallerError(
            f"{what}: {shown!r} cannot name a file: expected up to {LONGEST} bytes without slashes or control "
            "characters that do not begin with . or -"
        )
    return text


def as_file_name(text: str) -> str:
    """A name for a file or folder after a text that can be anything: what does not belong in one becomes a dash."""
    name = re.sub(r"[^\w.]+", "-", text).encode()[:_DERIVED].decode(errors="ignore")
    return name.strip("-.") or "unnamed"
