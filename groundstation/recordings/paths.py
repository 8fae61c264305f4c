"""The default paths of recordings."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from groundstation.host.folders import data_folder
from protocols.units import NS_PER_MS, NS_PER_S

_LABEL_MAX = 48


def default_path(clock_ns: int, label: str, token: str, root: Path | None = None) -> Path:
    """A path for a new recording: ``<root>/20261122T171234.123Z-<label>-<token>.sqlite``.

    Stations that start in the same millisecond, on one host or on several that share the folder, differ in the token;
    the writer makes the file exclusively all the same.

    Args:
        clock_ns: now, in nanoseconds since 1970-01-01 UTC.
        label: what is recorded; everything that does not belong in a file name becomes a dash.
        token: a few random letters and digits.
        root: the folder of the recordings; by default ``$XDG_DATA_HOME/groundstation/passes``.
    """
    seconds, rest = divmod(clock_ns, NS_PER_S)
    stamp = f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}.{rest // NS_PER_MS:03d}Z"
    name = re.sub(r"[^A-Za-z0-9._]+", "-", label)[:_LABEL_MAX].strip("-.") or "pass"
    folder = passes_folder() if root is None else root
    return folder / f"{stamp}-{name}-{token}.sqlite"


def passes_folder() -> Path:
    """The default folder of the recordings."""
    return data_folder() / "passes"
