"""Where a recording lies when nobody says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from groundstation.folders import data_folder

_NS = 1_000_000_000
_LABEL_MAX = 48


def default_path(clock_ns: int, label: str, root: Path | None = None) -> Path:
    """A path no recording has yet: ``<root>/20261122T171234Z-<label>.sqlite``.

    Args:
        clock_ns: now, in nanoseconds since 1970-01-01 UTC.
        label: what is recorded; everything that does not belong in a file name becomes a dash.
        root: the folder of the recordings; by default ``$XDG_DATA_HOME/groundstation/passes``.
    """
    stamp = datetime.fromtimestamp(clock_ns // _NS, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = re.sub(r"[^A-Za-z0-9._]+", "-", label)[:_LABEL_MAX].strip("-.") or "pass"
    folder = passes_folder() if root is None else root
    suffixes = ("" if n == 1 else f"-{n}" for n in count(1))
    paths = (folder / f"{stamp}-{name}{suffix}.sqlite" for suffix in suffixes)
    return next(path for path in paths if not path.exists())


def printable(text: object) -> str:
    """A path, or what is said of one, as text that any output and JSON take: file names are bytes, not always UTF-8."""
    return str(text).encode(errors="backslashreplace").decode()


def passes_folder() -> Path:
    """The folder of the recordings, where nobody says another."""
    return data_folder() / "passes"
